"""What people did with cases, read from the store: for leverage, agreement and staffing."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import tzinfo

from msgspec import Struct
from msgspec.structs import replace

from surefoot.app.rounds import question_of
from surefoot.policy import Feature, Policy, decide
from surefoot.records import (
    CaseEvent,
    Checked,
    Deliver,
    Draft,
    Escalate,
    JournalEntry,
    Moment,
    NoDraft,
    Rung,
    Step,
    Weighed,
)
from surefoot.records.case import ANSWERS, PERSON
from surefoot.review.agreement import Reviewer, Times, Work, between, reviewers, times
from surefoot.review.leverage import Leverage, leverage, read_along
from surefoot.review.staffing import Moved, Need, enough, need, rates, staffed
from surefoot.stats.agreement import Agreement
from surefoot.store import Store

BARS = (0.80, 0.85, 0.90, 0.95)
TIMES = (2.0, 3.0)  # leverages that are shown beside the measured one
_SECOND_NS = 1_000_000_000
_NS_PER_HOUR = 3600 * _SECOND_NS
_TAKEN_BACK = ("undone", "disapproved", "chained", "expired")
_NOT_ALONE = 1.05  # leverage above which it is worth a column


class Arrived(Struct, frozen=True, kw_only=True):
    """A case that came."""

    case_id: str
    feature: str
    role: str
    at_ns: int
    kind: str  # "question" | "audit"


class Spared(Struct, frozen=True, kw_only=True):
    """A question that the cache answered with a person's general answer, so that it never became a case."""

    feature: str
    case_id: str  # the case that was answered then; its request's id where that was before the time watched


class Seen(Struct, frozen=True, kw_only=True):
    """What happened at the desk within a time."""

    arrived: tuple[Arrived, ...]
    work: tuple[Work, ...]  # answers that stand: what was taken back is not among them
    spared: tuple[Spared, ...]
    start_ns: int  # of the time watched: the first event or request in it; its end where there is none
    end_ns: int


class Review(Struct, frozen=True, kw_only=True):
    """How people answer."""

    leverage: Leverage
    agreement: Agreement
    reviewers: tuple[Reviewer, ...]
    handling: Times  # of cases that were answered for themselves


class RolePlan(Struct, frozen=True, kw_only=True):
    """How many people a role needs."""

    role: str
    features: tuple[str, ...]
    missing: str  # why there is no plan; "" when there is one
    cases: int
    handling: Times
    within_seconds: float
    share: float
    leverage: float | None  # measured; None: not known
    per_hour: tuple[float | None, ...] = ()  # 168 hours of the week from Monday 00:00; None: not watched
    people: tuple[int | None, ...] = ()
    need: Need | None = None
    leveraged: tuple[tuple[float, Need], ...] = ()  # (leverage, need): the measured one and what more would bring
    bars: tuple[Moved, ...] = ()


async def seen(store: Store, policy: Policy, *, since_ns: int, now_ns: int) -> Seen:
    """Cases that came, answers that people gave, and what those spared them, since a time. Raises StoreError.

    Args:
        store: is read once, page by page, as far back as the time that is asked for.
        policy: as it serves; what the cache spared is looked for in the features that have one.
        since_ns: the time, with it.
        now_ns: the end, without it.
    """
    moments = [each async for each in store.cases.moments(since_ns=since_ns, until_ns=now_ns)][::-1]
    arrived: list[Arrived] = []
    claimed: dict[str, CaseEvent] = {}
    given: dict[str, Work] = {}
    for each in moments:
        event = each.event
        if event.kind == "opened":
            arrived.append(_arrived(each))
        elif event.state == "claimed":
            claimed[event.case_id] = event
        elif event.kind in ANSWERS and event.by:
            given[event.case_id] = _work(each, claimed.get(event.case_id))
        if event.kind in _TAKEN_BACK:
            given.pop(event.case_id, None)
    first = min((each.event.at_ns for each in moments), default=now_ns)
    async for entry in store.journal.entries(since_ns=since_ns):
        first = min(first, entry.at_ns)
        break
    of_request = {each.request_id: each.event.case_id for each in moments if each.kind == "question"}
    spared = tuple([
        Spared(feature=entry.feature, case_id=of_request.get(origin, origin))
        async for entry, origin in _from_cache(store, policy, since_ns=since_ns, now_ns=now_ns)
    ])  # fmt: skip
    return Seen(arrived=tuple(arrived), work=tuple(given.values()), spared=spared, start_ns=first, end_ns=now_ns)


async def _from_cache(
    store: Store, policy: Policy, *, since_ns: int, now_ns: int
) -> AsyncIterator[tuple[JournalEntry, str]]:
    """Requests that the cache answered with what a person had said, each with the request that was answered then."""
    for feature in policy.features.values():
        if not any(rung.kind == "cache" for rung in feature.ladder):
            continue
        async for entry in store.journal.entries(feature=feature.name, since_ns=since_ns):
            if entry.at_ns >= now_ns:
                break
            for step in entry.steps:
                hit, told = step.value, entry.action == "deliver" and entry.rung == step.rung
                if told and isinstance(hit, Draft) and hit.provider == "cache" and hit.model == PERSON:
                    yield entry, hit.upstream_id


async def reviewed(store: Store, what: Seen, *, features: Collection[str], since_ns: int) -> Review:
    """Leverage, agreement and handling of some features. Raises StoreError."""
    work = [each for each in what.work if each.feature in features]
    cached = Counter(each.case_id for each in what.spared if each.feature in features)
    labels = [
        label for feature in sorted(features) for label in await store.labels.all(feature=feature, since_ns=since_ns)
    ]  # fmt: skip
    return Review(
        leverage=leverage(work, cached=cached), agreement=between(labels), reviewers=tuple(reviewers(work, labels)),
        handling=times([each.seconds for each in work if not each.along_with]),
    )  # fmt: skip


async def plan(
    store: Store,
    policy: Policy,
    what: Seen,
    role: str,
    *,
    zone: tzinfo,
    share: float,
    within_seconds: float | None = None,
) -> RolePlan:
    """People for a role, hour by hour, and how that moves with the bar and with leverage. Raises StoreError.

    Args:
        policy: as it serves.
        role: whose cases.
        zone: in which a week has its hours.
        share: of the cases that are to be answered in time.
        within_seconds: that time, handling included; None: the role's `sla_seconds`, the shortest of its features'.
    """
    arrived = [each for each in what.arrived if each.role == role]
    work = [each for each in what.work if each.role == role]
    rules = [feature for feature in policy.features.values() if role in (feature.person.role, *feature.people)]
    names = tuple(sorted({each.feature for each in arrived} | {each.name for each in rules}))
    within = within_seconds or min((each.person_of(role).sla_seconds for each in rules), default=900.0)
    handling = times([each.seconds for each in work if not each.along_with])
    measured = leverage(work).per_answer.value
    missing = enough(len(arrived), handling.n, (what.end_ns - what.start_ns) / _NS_PER_HOUR)
    bare = RolePlan(
        role=role, features=names, missing=missing, cases=len(arrived), handling=handling, within_seconds=within,
        share=share, leverage=measured,
    )  # fmt: skip
    if missing or not handling.mean:
        return bare
    watched = _Watched(what.start_ns, what.end_ns, zone, handling.mean, within, share)
    per_hour = watched.rates([each.at_ns for each in arrived])
    shown = [measured] if measured is not None and measured >= _NOT_ALONE else []
    return replace(
        bare, per_hour=per_hour, people=watched.staffed(per_hour), need=watched.need(per_hour),
        leveraged=tuple((each, watched.need(per_hour, leverage=each)) for each in (*shown, *TIMES)),
        bars=await _bars(store, [each for each in rules if each.person.role == role], what, watched),
    )  # fmt: skip


class _Watched(Struct, frozen=True):
    """The time watched and what is asked of it."""

    start_ns: int
    end_ns: int
    zone: tzinfo
    handle_seconds: float
    seconds: float
    share: float

    def rates(self, arrivals_ns: Sequence[int]) -> tuple[float | None, ...]:
        return rates(arrivals_ns, start_ns=self.start_ns, end_ns=self.end_ns, zone=self.zone)

    def staffed(self, per_hour: Sequence[float | None]) -> tuple[int | None, ...]:
        return staffed(per_hour, handle_seconds=self.handle_seconds, seconds=self.seconds, share=self.share)

    def need(self, per_hour: Sequence[float | None], *, leverage: float = 1.0) -> Need:
        return need(
            per_hour, handle_seconds=self.handle_seconds, seconds=self.seconds, share=self.share, leverage=leverage
        )  # fmt: skip


async def _bars(store: Store, rules: Sequence[Feature], what: Seen, watched: _Watched) -> tuple[Moved, ...]:
    """What each bar would have sent to people, from the confidences that the journal holds."""
    fates: dict[float, list[tuple[int, str]]] = {bar: [] for bar in BARS}
    for feature in rules:
        async for entry in store.journal.entries(feature=feature.name, since_ns=what.start_ns):
            if entry.surface == "chat" and entry.action not in ("refuse", "fail") and entry.at_ns < what.end_ns:
                for bar in BARS:
                    fates[bar].append((entry.at_ns, fate(entry, feature, bar)))
    found = []
    for bar, told in fates.items():
        certain = [at_ns for at_ns, how in told if how == "person"]
        possible = [at_ns for at_ns, how in told if how == "unknown"]
        found.append(
            Moved(
                bar=bar, requests=len(told), certain=len(certain), possible=len(possible),
                least=watched.need(watched.rates(certain)), most=watched.need(watched.rates([*certain, *possible])),
            )
        )  # fmt: skip
    return tuple(found)


def fate(entry: JournalEntry, feature: Feature, bar: float) -> str:
    """What becomes of a journaled request under another bar: "answer", "person", or "unknown" where a rung was not tried.

    The confidences are those of then; the rules are the feature's, but for the bar.
    """
    asked, rules = question_of(entry), replace(feature, confidence=bar)
    if any(isinstance(step.value, Escalate) and step.rung is None for step in entry.steps):
        return "person"  # sent there before any rung was asked
    rungs = [rung for rung in feature.ladder if rung.kind != "person"]
    if asked is None or not rungs:
        return "person" if entry.action == "escalate" else "unknown"
    for place, rung in enumerate(rungs):
        steps = [step for step in entry.steps if step.rung == rung.name]
        verdict = _verdict(rules, entry, rung, steps, len(rungs) - 1 - place)
        if verdict is None:
            return "unknown"
        if isinstance(verdict, Deliver):
            return "answer"
        if isinstance(verdict, Escalate):
            return "person"
    return "person"


def _verdict(
    rules: Feature, entry: JournalEntry, rung: Rung, steps: Sequence[Step], left: int
) -> Deliver | Escalate | str | None:
    """What is said of one rung: a verdict, "climb", or None where it was not tried."""
    asked = question_of(entry)
    draft: Draft | NoDraft | None = None
    checked = weighed = None
    for step in steps:
        match step.value:
            case Draft() | NoDraft():
                draft = step.value
            case Checked():
                checked = step.value.evidence
            case Weighed():
                weighed = step.value.confidence
            case _:
                pass
    if isinstance(draft, NoDraft):
        return "climb" if left else Escalate("no draft", rules.person.role)
    if draft is None or checked is None or weighed is None or asked is None:
        return None
    verdict = decide(rules, asked, rung, draft, checked, weighed, left)
    return verdict if isinstance(verdict, Deliver | Escalate) else "climb"


def _arrived(each: Moment) -> Arrived:
    event = each.event
    return Arrived(case_id=event.case_id, feature=event.feature, role=each.role, at_ns=event.at_ns, kind=each.kind)


def _work(each: Moment, claim: CaseEvent | None) -> Work:
    """An answer. Its time is what was booked, else from the claim to the answer; None where the claim was not seen."""
    event = each.event
    said, _, meaning = event.detail.partition(":")
    verb, _, reach = said.partition(",")
    along, seconds = read_along(meaning), None if each.seconds is None else float(each.seconds)
    if seconds is None and claim is not None:
        seconds = max(0, event.at_ns - claim.at_ns) / _SECOND_NS
    return Work(
        case_id=event.case_id, feature=event.feature, role=each.role, by=event.by, at_ns=event.at_ns, verb=verb.strip(),
        had_draft=bool(each.rung), general=reach.strip() == "general", seconds=seconds, along_with=along.case_id,
        again=along.before, edited=along.edited,
    )  # fmt: skip


def roles(policy: Policy, what: Seen) -> Mapping[str, None]:
    """Every role that cases came to or may come to, in order."""
    configured = [role for feature in policy.features.values() for role in (feature.person.role, *feature.people)]
    return dict.fromkeys([*configured, *(each.role for each in what.arrived)])
