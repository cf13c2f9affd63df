"""The page of one request: its way up the ladder in sentences, with the candidates, for those who read the trail."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.caseview import is_blind
from surefoot.app.climb import Climb, Tread, climb_of
from surefoot.app.money import dollars
from surefoot.errors import NotFound
from surefoot.records import Deliver, Draft, Escalate, Fail, JournalEntry, NoDraft, Prospect, Stronger
from surefoot.server.console.desk_words import clock
from surefoot.server.console.pages import app_of, current, page, require

_SIGNALS = 8  # of a draft, least safe first
_ENDED = {
    "deliver": "was delivered", "escalate": "went to a person",
    "default": "got the safe default: there was no money for a person",
    "fail": "failed", "refuse": "was refused",
}  # fmt: skip


class CandidateRow(Struct, frozen=True, kw_only=True):
    """A place to begin, in words."""

    rung: str
    p: str
    gain: str
    price: str
    waits: str
    way: str
    propensity: str
    start: bool


class TreadRow(Struct, frozen=True, kw_only=True):
    """A rung, in sentences."""

    rung: str
    sentences: tuple[str, ...]
    text: str
    signals: tuple[tuple[str, str], ...]
    left_out: int  # signals that are not shown


@require("trail")
async def climb_page(request: Request) -> Response:
    """How one request came to its end. A look at what was said is noted before it is shown."""
    app, person = app_of(request), current(request)
    found = await climb_of(app.store, request.path_params["request_id"])
    if found is None:
        raise NotFound("The journal has no such request.")
    if found.case is not None and found.case.state not in _JUDGED and is_blind(found.case) and person.may("judge"):
        return page(request, "climbs/blind.html", entry=found.entry)
    await app.access.seen(person, found.entry.request_id, "request")
    return page(
        request, "climbs/climb.html", climb=found, began=_began(found), candidates=_candidates(found),
        treads=[_row(tread) for tread in found.treads], shadow=_shadow(found),
        shadowed=_row(found.shadowed) if found.shadowed is not None else None, ended=_ended(found), facts=_facts(found.entry),
    )  # fmt: skip


_JUDGED = ("judged", "delivered", "withdrawn", "expired")


def _facts(entry: JournalEntry) -> dict[str, str]:
    return {
        "Asked": clock(entry.at_ns), "Feature": entry.feature, "Customer": entry.tenant, "Key": entry.key_id,
        "Mode": entry.mode, "Policy": entry.policy, "Models cost": f"{dollars(entry.nanodollars)} USD",
        "Our own part": f"{entry.own_us / 1000:,.1f} ms",
    }  # fmt: skip


def _began(found: Climb) -> str:
    """Where the ladder was begun, and why."""
    if found.admitted is not None:
        return (
            f"The rule {found.admitted.rule} sent it to {found.admitted.role} before any rung: {found.admitted.reason}."
        )
    if found.routed is None:
        return (
            "The ladder was begun at its first rung: this feature does not choose."
            if found.treads
            else "No rung was asked."
        )
    known = "from labels" if found.routed.source == "fitted" else "declared; no label says so yet"
    told = f"The ladder was begun at {found.routed.start}: {found.routed.reason}. What is expected of each rung is {known}."
    if found.scarcity is not None and found.scarcity > 1:
        told += f" A budget was emptying ahead of its window: a dollar counted for {found.scarcity:.2f}."
    return told


def _candidates(found: Climb) -> list[CandidateRow]:
    if found.routed is None:
        return []
    prospects = {each.rung: each for each in found.prospects}
    return [
        CandidateRow(
            rung=each.rung, p=f"{each.p:.2f}", gain=f"{each.gain:+.2f}", way=dollars(each.nanodollars),
            price=_price(prospects.get(each.rung)), waits=_waits(prospects.get(each.rung)),
            propensity=f"{each.propensity:.1%}", start=each.rung == found.routed.start,
        )
        for each in found.routed.candidates
    ]  # fmt: skip


def _price(prospect: Prospect | None) -> str:
    if prospect is None:
        return "unknown"
    warm = f", {prospect.warm_tokens:,} tokens warm" if prospect.warm_tokens else ""
    return f"{dollars(prospect.nanodollars)}{warm}"


def _waits(prospect: Prospect | None) -> str:
    if prospect is None or prospect.seconds is None:
        return "not enough data"
    p95 = "" if prospect.seconds_p95 is None else f" (95 %: {prospect.seconds_p95:.1f} s)"
    return f"{prospect.seconds:.1f} s{p95}"


def _row(tread: Tread) -> TreadRow:
    told = (f"{signal.score:.2f}" if signal.score is not None else "" for signal in tread.signals)
    named = tuple(zip((signal.name for signal in tread.signals), told, strict=True))
    return TreadRow(
        rung=tread.rung, text=tread.text, signals=named[:_SIGNALS], left_out=max(0, len(named) - _SIGNALS),
        sentences=tuple(filter(None, (_drafted(tread), _weighed(tread), _decided(tread)))),
    )  # fmt: skip


def _drafted(tread: Tread) -> str:
    match tread.draft:
        case Draft(believed=None) as draft:
            took = f" in {draft.upstream_us / 1e6:,.2f} s" if draft.upstream_us else ""
            simulated = ", simulated" if draft.simulated else ""
            return f"{draft.provider}/{draft.model}{simulated} answered{took} for {dollars(tread.nanodollars)} USD."
        case Draft():
            return "The cache held an answer that was believed before."
        case NoDraft() as none:
            cost = f" It cost {dollars(tread.nanodollars)} USD." if tread.nanodollars else ""
            return f"It gave no draft: {none.reason}.{cost}"


def _weighed(tread: Tread) -> str:
    sure = tread.confidence
    if sure is None or isinstance(tread.draft, NoDraft):
        return ""
    if sure.p is None:
        return "Its confidence is uncalibrated: no map judges such a draft."
    kind = "calibrated" if sure.calibrated else "configured by hand"
    interval = "" if sure.low is None or sure.high is None else f", between {sure.low:.2f} and {sure.high:.2f}"
    return f"It is acceptable with a probability of {sure.p:.2f}{interval} ({kind})."


def _decided(tread: Tread) -> str:
    match tread.verdict:
        case None:
            return ""
        case Deliver(reason=reason):
            return f"Verdict: deliver, since {reason}."
        case Stronger(reason=reason):
            return f"Verdict: climb, since {reason}."
        case Escalate() as sent:
            held = " It was good enough, but the promise is not certified." if sent.withheld else ""
            return f"Verdict: to {sent.role}, since {sent.reason}.{held}"
        case Fail(reason=reason):
            return f"Verdict: fail, since {reason}."


def _ended(found: Climb) -> str:
    entry = found.entry
    told = f"The request {_ENDED.get(entry.action, entry.action)}"
    if entry.action == "deliver" and entry.rung:
        told += f" with the draft of {entry.rung}"
    if entry.error:
        told += f" ({entry.error})"
    if found.case is not None:
        told += f"; its case is {found.case.state}"
        told += f", answered by {found.case.answered_by}" if found.case.answered_by else ""
    if found.people_nanodollars:
        told += f"; people's time cost {dollars(found.people_nanodollars)} USD"
    verdict = next((each.verdict for each in reversed(found.treads) if each.verdict is not None), None)
    if (
        entry.mode == "observe"
        and entry.action == "deliver"
        and verdict is not None
        and not isinstance(verdict, Deliver)
    ):
        told += ". In observe mode the verdict is recorded and not followed"
    return f"{told}."


def _shadow(found: Climb) -> str:
    call = found.shadow
    if call is None:
        return ""
    chance = f"which had a chance of {call.propensity:.1%}"
    told = f"After the answer {call.rung} was asked too, {chance}; nobody was given what it said."
    if call.agreement is None:
        return f"{told} It could not be compared."
    return f"{told} With the draft of {call.against} it agrees to {call.agreement:.0%}."


routes: Sequence[BaseRoute] = (Route("/requests/{request_id}", climb_page, methods=["GET"]),)
