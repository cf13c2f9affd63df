"""Bets in words, the same on the terminal and on the page."""

from __future__ import annotations

from surefoot.evals import words
from surefoot.evals.bets import MONTHS, Look, Odds
from surefoot.records.bet import Result, Stake
from surefoot.records.objective import Objective


def hope(stake: Stake, objective: Objective) -> str:
    """What is bet: "delivered_error should get better by 2.0%"."""
    return f"{stake.objective} of {stake.feature} should get better by {difference(objective, stake.moves)}"


def effect(found: Odds, objective: Objective) -> str:
    """What is believed of the effect; before any result it says that this is the prior."""
    low, high = difference(objective, found.low), difference(objective, found.high)
    said = f"{difference(objective, found.effect)} better [{low}, {high}]"
    return f"{said}, n = {found.n:,}" if found.n else f"{said}: the prior alone, n = 0"


def works(found: Odds) -> str:
    """The probabilities."""
    surely = f"; the A/B says {found.surely}, at every look" if found.surely else ""
    return f"P(as hoped) {words.p(found.p_works)}, P(better at all) {words.p(found.p_helps)}{surely}"


def month(found: Odds, why: str) -> str:
    """What it is expected to bring a month if it is promoted."""
    if found.month_usd is None:
        return f"unknown: {why}"
    if found.month_low_usd is None or found.month_high_usd is None:
        return f"{found.month_usd:+,.2f} USD, no interval yet: too few days"
    return f"{found.month_usd:+,.2f} USD [{found.month_low_usd:+,.2f}, {found.month_high_usd:+,.2f}]"


def look(given: Look) -> str:
    """A look that could be taken, with its price and what it is worth."""
    if given.n is None:
        return f"{given.stage}: unknown how many items, until a first result says how far they scatter"
    price = "price unknown" if given.usd is None else f"{given.usd:,.2f} USD"
    worth = "" if given.gains_usd is None else f", worth {given.gains_usd:,.2f} USD over {MONTHS} months"
    turns = "" if given.p_changes is None else f", turns the decision with p = {words.p(given.p_changes)}"
    return f"{given.stage}: {given.n:,} items, {price}{worth}{turns}"


def advice(found: Odds) -> str:
    """What to do next."""
    best = found.next_look
    if best is not None:
        return f"next, {look(best)}"
    if all(each.gains_usd is None for each in found.looks):
        return "unknown: without a unit's worth and a scatter nobody can say which look pays"
    return "no look is worth its price: decide"


def result(given: Result, objective: Objective) -> str:
    """One result in words."""
    cost = f", {given.cost_usd:,.2f} USD" if given.cost_usd else ""
    source = f" ({given.source})" if given.source else ""
    better, error = difference(objective, given.effect), difference(objective, given.error)
    return f"{given.stage}: {better} better, standard error {error}, n = {given.n:,}{cost}{source}"


def difference(objective: Objective, value: float) -> str:
    """An effect in the measure's unit; of shares in percentage points, which no reader can take for a share of the share."""
    return f"{100 * value:.2f} pp" if objective.unit == "share" else words.amount(objective, value)
