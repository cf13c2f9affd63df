"""Bets over the store: opened, told results, ended; and what they are worth by the ledger's volume and prices."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from datetime import date

import msgspec
from msgspec import Struct

from surefoot.app.objectives import Found
from surefoot.config.load import Config
from surefoot.config.objectives import build_objectives
from surefoot.errors import BadRequest, NotFound
from surefoot.evals.bets import Odds, Prices, odds
from surefoot.evals.results import checked
from surefoot.ledger.statement import HUMAN
from surefoot.policy import Person
from surefoot.records.bet import CHANGES, DROPPED, OPENED, PROMOTED, RESULT, Bet, BetEvent, Result, Stake
from surefoot.records.objective import OUTCOME, Objective
from surefoot.records.units import Where, day_of
from surefoot.stats.intervals import mean_of
from surefoot.store import Store

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_WORDS = 500  # characters of what is bet, and of why it ended
_DAYS = 28


class Valued(Struct, frozen=True, kw_only=True):
    """A bet and what is believed of it."""

    bet: Bet
    objective: Objective | None  # None: it is not configured any more
    odds: Odds | None  # None where the objective is not known
    per_month: str  # why no worth is told, "" where one is


async def open_bet(store: Store, config: Config, name: str, stake: Stake, *, by: str) -> None:
    """Open a bet; durable when this returns. Raises BadRequest for one that makes no sense or is there already."""
    _person(by)
    if not _NAME.fullmatch(name):
        raise BadRequest(f"the bet {name!r} is not 1 to 64 of a-z, 0-9, _ and -")
    if stake.change not in CHANGES:
        raise BadRequest(f"a bet is on {', '.join(CHANGES)}, not on {stake.change!r}")
    if objective_of(config, stake) is None:
        known = [f"{each.feature}/{each.name}" for some in build_objectives(config.settings).values() for each in some]
        raise BadRequest(
            f"there is no objective {stake.feature}/{stake.objective}; there are {', '.join(known) or 'none'}"
        )
    if not (math.isfinite(stake.moves) and stake.moves > 0):
        raise BadRequest("say by how much the objective should get better: above 0, in the measure's unit")
    if stake.worth_usd is not None and not (math.isfinite(stake.worth_usd) and stake.worth_usd > 0):
        raise BadRequest("what a unit is worth is above 0 USD; leave it out where nobody knows")
    _said(stake.what, "what is changed")
    await _append(store, name, OPENED, by, msgspec.json.encode(stake).decode(), f"there is a bet {name!r} already")


async def add_result(store: Store, name: str, result: Result, *, by: str) -> None:
    """Add what a look found. Raises NotFound; BadRequest for a result that makes no sense, or a bet that has ended."""
    _person(by)
    checked(result)
    await bet_of(store, name)
    await _append(store, name, RESULT, by, msgspec.json.encode(result).decode(), f"the bet {name!r} has ended")


async def end_bet(store: Store, name: str, *, promoted: bool, by: str, why: str) -> None:
    """Say that a bet was promoted, or dropped; it changes nothing that serves. Raises NotFound, BadRequest."""
    _person(by)
    _said(why, "why")
    await bet_of(store, name)
    await _append(store, name, PROMOTED if promoted else DROPPED, by, why.strip(), f"the bet {name!r} has ended")


async def bet_of(store: Store, name: str) -> Bet:
    """A bet by its name. Raises NotFound."""
    found = next((bet for bet in await store.bets.all() if bet.id == name), None)
    if found is None:
        raise NotFound(f"there is no bet {name!r}: see `surefoot bet list`")
    return found


def objective_of(config: Config, stake: Stake) -> Objective | None:
    """The objective that a bet should move; None where it is not configured."""
    of_feature = build_objectives(config.settings).get(stake.feature, ())
    return next((each for each in of_feature if each.name == stake.objective), None)


async def valued(
    store: Store, config: Config, standing: Sequence[Found], *, now_ns: int | None = None
) -> tuple[Valued, ...]:  # fmt: skip
    """Every bet with what is believed of it, open ones first. `standing` is how objectives stand. Raises StoreError."""
    bets = await store.bets.all()
    now = now_ns or time.time_ns()
    volumes = {name: await _volume(store, name, now) for name in {bet.stake.feature for bet in bets}}
    found = []
    for bet in sorted(bets, key=lambda bet: (bet.state != "open", -bet.opened_at_ns)):
        objective = objective_of(config, bet.stake)
        if objective is None:
            found.append(
                Valued(bet=bet, objective=None, odds=None, per_month="its objective is not configured any more")
            )
            continue
        volume = volumes[bet.stake.feature]
        person = config.policy.features[bet.stake.feature].person
        worth, why = _worth(bet.stake, objective, volume, person)
        mine = next((each.whole.value for each in standing if each.whole.objective == objective), None)
        believed = odds(
            bet.stake, bet.results, prices=_prices(objective, volume, person, mine), requests=mean_of(volume.requests),
            worth_usd=worth,
        )  # fmt: skip
        found.append(Valued(bet=bet, objective=objective, odds=believed, per_month=why))
    return tuple(found)


class _Volume(Struct, frozen=True):
    """The last four weeks of a feature, whole UTC days, from the first that had a request."""

    requests: tuple[float, ...]  # a day
    model_usd: float
    revenue_usd: float

    @property
    def asked(self) -> float:
        """All requests."""
        return math.fsum(self.requests)


async def _volume(store: Store, feature: str, now: int) -> _Volume:
    today = day_of(now)
    where = Where(since_day=today - _DAYS, until_day=today, equals=(("feature", feature),))
    days = {row.group[0]: row for row in await store.ledger.traffic(("day",), where)}
    spent = sum(row.nanodollars for row in await store.ledger.costs((), where) if row.kind != HUMAN)
    first = min(days, default="")
    quiet = (today - _days(first) - len(days)) if first else 0
    requests = (*(float(row.requests) for row in days.values()), *(0.0 for _ in range(quiet)))
    return _Volume(requests, spent / 1e9, sum(row.revenue_nanodollars for row in days.values()) / 1e9)


def _days(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def _worth(stake: Stake, objective: Objective, volume: _Volume, person: Person) -> tuple[float | None, str]:
    """(USD of one unit for one request, why none is known)."""
    if not volume.asked:
        return None, "nothing was asked in the last four weeks"
    if stake.worth_usd is not None:
        return stake.worth_usd, ""
    if objective.measure == "cost_per_resolution" and not objective.outcome:
        return 1.0, ""
    if objective.measure == "human_minutes_per_100":
        return person.hourly_nanodollars / 60 / 100 / 1e9, ""
    if objective.measure == "margin" and volume.revenue_usd > 0:
        return volume.revenue_usd / volume.asked, ""
    return None, "nobody said what a unit is worth: open it with --worth-usd"


def _prices(objective: Objective, volume: _Volume, person: Person, value: float | None) -> Prices:
    """What an item of each stage costs: calls of a model, and a person's label where the measure needs one."""
    call = volume.model_usd / volume.asked if volume.asked else None
    label = person.reserve_seconds * person.hourly_nanodollars / 3600 / 1e9 if objective.labelled else 0.0
    usd = {
        "trial": call, "replay": label, "shadow": None if call is None else call + label, "ab": label,
    }  # fmt: skip
    share = objective.unit == "share" and objective.measure != "margin"
    share = share or objective.measure.startswith(OUTCOME)
    scatter = math.sqrt(2 * value * (1 - value)) if share and value is not None and 0 < value < 1 else None
    return Prices(usd=usd, item_sd=scatter)


async def _append(store: Store, name: str, kind: str, by: str, body: str, refused: str) -> None:
    event = BetEvent(bet_id=name, at_ns=time.time_ns(), kind=kind, by=by.strip(), body=body)
    if not await store.bets.append(event):
        raise BadRequest(refused)


def _person(by: str) -> None:
    if not by.strip():
        raise BadRequest("a bet is somebody's: say who, with --by")


def _said(text: str, what: str) -> None:
    if not text.strip() or len(text) > _WORDS:
        raise BadRequest(f"say {what}, in at most {_WORDS} characters")
