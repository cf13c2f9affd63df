"""Where on the ladder to start: at the bottom, or, for a feature that routes, where the whole way is expected to cost least."""

from __future__ import annotations

from collections.abc import Collection

from surefoot.policy.lot import uniform
from surefoot.policy.policy import Feature, RouteRules
from surefoot.records import Candidate, Prospect, Question, Routed, Rung, ShadowCall

RELAY = Rung(name="relay", kind="relay")
_VARYING = ("model", "pair", "requested")  # kinds of rung that may say something else when asked again

_SECONDS_AN_HOUR = 3600


def route(feature: Feature, question: Question, draw: str) -> tuple[tuple[Rung, ...], Routed | None]:
    """(the rungs to try, in order; where they begin and why, None where nothing was expected of any).

    Surfaces without an answer to judge (embeddings, token counts) are relayed. The cache, which costs next to nothing, is
    never left out, nor is a rung that nothing is expected of passed over.
    """
    if question.surface != "chat":
        return (RELAY,), None
    if feature.route is None or len(question.prospects) < 2:
        return feature.ladder, None
    costs = expected(feature, question.prospects, feature.route, question.scarcity or 1.0)
    best = min(range(len(costs)), key=lambda place: (costs[place], place))
    chosen, explored = _drawn(feature.route, draw, best, len(costs))
    start = question.prospects[chosen].rung
    share = feature.route.explore / len(costs)
    candidates = tuple(
        Candidate(
            rung=each.rung, p=each.p, gain=each.gain, nanodollars=round(cost),
            propensity=share + (1 - feature.route.explore if place == best else 0.0),
        )
        for place, (each, cost) in enumerate(zip(question.prospects, costs, strict=True))
    )  # fmt: skip
    reason = "drawn by lot, to learn from" if explored else "the least expected cost of the whole way"
    known = {each.rung for each in question.prospects[:chosen]}
    rungs = tuple(rung for rung in feature.ladder if rung.name not in known)
    routed = Routed(start=start, source=question.routed_by, candidates=candidates, explored=explored, reason=reason)
    return rungs, routed


def expected(
    feature: Feature, prospects: tuple[Prospect, ...], rules: RouteRules, scarcity: float = 1.0
) -> list[float]:
    """Nano-dollars that each start is expected to cost until somebody's answer is acceptable.

    In `enforce` a draft that is not acceptable is climbed over, and a person ends the ladder: what a rung gets right those
    above it are taken to get right too, so that rung j is reached when the one below it failed. In `observe` the first
    draft goes out, and one that is wrong is taken to cost a person's time. A rung costs its price, weighed by how scarce the
    budgets' money is, and what the caller's waiting is worth; that counts only where it is known of every rung.
    """
    waits = [0.0 if each.seconds is None else each.seconds for each in prospects]
    if any(each.seconds is None for each in prospects):
        waits = [0.0] * len(prospects)
    tries = [
        scarcity * each.nanodollars + rules.second_nanodollars * wait
        for each, wait in zip(prospects, waits, strict=True)
    ]  # fmt: skip
    person = feature.person.hourly_nanodollars * rules.person_seconds / _SECONDS_AN_HOUR
    if feature.mode != "enforce":
        return [cost + (1 - each.p) * person for each, cost in zip(prospects, tries, strict=True)]
    found = []
    for start in range(len(prospects)):
        total, failed = 0.0, 1.0
        for each, cost in zip(prospects[start:], tries[start:], strict=True):
            total += failed * cost
            failed = min(failed, 1 - each.p)
        found.append(total + failed * person)
    return found


def shadow_call(feature: Feature, asked: Collection[str], draw: str) -> ShadowCall | None:
    """Which rung is asked once more for the journal's sake; None where the request's lot says none, or all were asked.

    A share `shadow` of requests, and of the rungs whose models are configured and that were not asked each as probable.
    Args:
        asked: names of the rungs that the request asked itself.
    """
    if feature.route is None or uniform(draw, "shadow") >= feature.route.shadow:
        return None
    others = [rung.name for rung in feature.ladder if rung.models and rung.name not in asked]
    if not others:
        return None
    chosen = others[min(len(others) - 1, int(uniform(draw, "shadow", "rung") * len(others)))]
    known = tuple(rung.name for rung in feature.ladder if rung.name in asked)
    return ShadowCall(rung=chosen, propensity=feature.route.shadow / len(others), asked=known)


def repeat_call(feature: Feature, rung: str, asked: Collection[str], draw: str) -> ShadowCall | None:
    """The rung whose answer went out, to be asked once more; None where the request's lot does not say so.

    A share `vary` of requests. What the cache gave is asked of nobody: it has no variation of its own.
    Args:
        rung: its name.
        asked: names of the rungs that the request asked itself.
    """
    if uniform(draw, "vary") >= feature.vary:
        return None
    if not any(each.name == rung and each.kind in _VARYING for each in feature.ladder):
        return None
    known = tuple(each.name for each in feature.ladder if each.name in asked)
    return ShadowCall(rung=rung, propensity=feature.vary, asked=known, again=True)


def _drawn(rules: RouteRules, draw: str, best: int, places: int) -> tuple[int, bool]:
    """(the place to begin, whether a lot said so): a share `explore` begins at any place, each as probable."""
    if uniform(draw, "explore") >= rules.explore:
        return best, False
    chosen = min(places - 1, int(uniform(draw, "explore", "start") * places))
    return chosen, chosen != best
