"""What became of answers, as clients and people say: each report is a label or a line of revenue, durable, counted once.

A client's label never certifies a promise, since nobody knows how it came to be given; it teaches. A wrong answer leaves
the cache.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.app.economics import revenue_id
from surefoot.errors import BadRequest, NotAllowed, NotFound, RequestRefused
from surefoot.policy import Feature
from surefoot.records import Caller, Case, Draft, JournalEntry, Label, Read, Revenue
from surefoot.records.money import usd
from surefoot.store import Store

SCOPE = "outcomes"  # of keys that may report
OUTCOMES = ("accepted", "wrong", "edited")  # that say something of a draft; others are declared by a feature
REMARK = 2000  # characters of a reason in free words
_CODE = re.compile(r"[a-z0-9_-]{1,64}")


class Report(Struct, frozen=True, kw_only=True):
    """What a client says became of an answer."""

    request_id: str
    outcome: str  # one of OUTCOMES, or of what the feature's revenue declares
    reason: str = ""  # a code stands in the label; anything else is a remark, kept as content of the request's subject
    rung: str = ""  # whose draft it is about; "": the one that was delivered
    nanodollars: int | None = None  # what it was worth; None: what the feature says
    place: str = ""  # of the report in a list, as errors name it: "outcomes[2]."


class Told(Struct, frozen=True, kw_only=True):
    """What became of a report."""

    label: Label | None  # the one that stands: of a repeated report the first; None: it says nothing of a draft
    new: bool
    revenue: Revenue | None = None  # what it earned; None: the feature does not declare this outcome
    remarked: bool = False  # whether free words are kept with it
    retracted: int = 0  # cached answers dropped


class _Meant(Struct, frozen=True, kw_only=True):
    """What a report is to be written as; at least one of both."""

    entry: JournalEntry
    label: Label | None
    revenue: Revenue | None


class Outcomes:
    """Takes reports. `features` are those that are served; `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, features: Callable[[], Mapping[str, Feature]], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._features, self._clock = store, features, clock

    def admit(self, caller: Caller) -> None:
        """Let a caller report. Raises NotAllowed when its key has not the scope."""
        if SCOPE not in caller.scopes:
            raise NotAllowed(
                f"this key may not report outcomes; make one that may with `surefoot key create --scope {SCOPE}`"
            )

    async def report(
        self, caller: Caller, reports: Sequence[Report | RequestRefused]
    ) -> Sequence[Told | RequestRefused]:
        """What became of each report, in their order: durable when this returns; a refused one hurts no other.

        Args:
            reports: those that were malformed are given as what is wrong with them, and given back.
        Raises: NotAllowed when the caller may not report; StoreError, and then the same reports can be sent again.
        """
        self.admit(caller)
        entries = await self._entries({each.request_id for each in reports if isinstance(each, Report)})
        meant = [each if isinstance(each, RequestRefused) else self._meant(caller, each, entries) for each in reports]
        earned = await self._earn(meant, reports)
        labels = [each.label for each, _ in earned if isinstance(each, _Meant) and each.label is not None]
        remarks = {
            each.label.id: given.reason
            for (each, _), given in zip(earned, reports, strict=True)
            if isinstance(each, _Meant)
            and each.label
            and isinstance(given, Report)
            and given.reason != each.label.reason
        }
        new = iter(await self._store.labels.add_all(labels, remarks=remarks))
        told: list[Told | RequestRefused] = []
        for each, is_new in earned:
            if isinstance(each, RequestRefused):
                told.append(each)
            elif each.label is None:
                told.append(Told(label=None, new=is_new, revenue=each.revenue))
            else:
                told.append(await self._told(each.label, next(new), each.entry, each.revenue))
        return told

    async def _earn(
        self, meant: Sequence[_Meant | RequestRefused], reports: Sequence[Report | RequestRefused]
    ) -> list[tuple[_Meant | RequestRefused, bool]]:
        """Everything with the revenue that stands, and whether that is new; refused where it stands with another value."""
        lines = [each.revenue for each in meant if isinstance(each, _Meant) and each.revenue is not None]
        new = iter(await self._store.ledger.earn(lines))
        found: list[tuple[_Meant | RequestRefused, bool]] = []
        for each, report in zip(meant, reports, strict=True):
            if isinstance(each, RequestRefused) or each.revenue is None or next(new):
                found.append((each, True))
                continue
            known = await self._store.ledger.revenue(request_id=each.revenue.request_id)
            first = next(line for line in known if line.id == each.revenue.id)
            if isinstance(report, Report) and report.nanodollars not in (None, first.nanodollars):
                said = f"{first.outcome} of this request was reported before, with {usd(first.nanodollars)} USD"
                found.append((BadRequest(said, param=f"{report.place}value_usd"), False))
            else:
                found.append((replace(each, revenue=first), False))
        return found

    async def _entries(self, request_ids: Iterable[str]) -> dict[str, JournalEntry]:
        """The journal of the requests that are known; what was acknowledged a moment ago is waited for."""
        found: dict[str, JournalEntry] = {}
        missing = list(request_ids)
        for again in (False, True):
            if again and missing:
                await self._store.flush()
            for request_id in missing:
                entry = await self._store.journal.get(request_id)
                if entry is not None:
                    found[request_id] = entry
            missing = [request_id for request_id in missing if request_id not in found]
        return found

    def _meant(self, caller: Caller, report: Report, entries: Mapping[str, JournalEntry]) -> _Meant | RequestRefused:
        """What a report says, or why it is refused."""
        if report.outcome not in (*OUTCOMES, *self._declared()):
            return _unknown(report, ())
        entry = entries.get(report.request_id)
        if entry is None or entry.tenant != caller.tenant:
            return NotFound(f"there is no request {report.request_id!r}", param=f"{report.place}request_id")
        if caller.features and entry.feature not in caller.features:
            return NotAllowed(f"feature {entry.feature!r} is not open to this key", param=f"{report.place}request_id")
        revenue = self._revenue(caller, report, entry)
        if isinstance(revenue, BadRequest):
            return revenue
        if report.outcome not in OUTCOMES:
            about = next((name for name in ("reason", "rung") if getattr(report, name)), "")
            said = f"{about} says something of a draft: it goes with {', '.join(OUTCOMES)}"
            return (
                BadRequest(said, param=f"{report.place}{about}")
                if about
                else _Meant(entry=entry, label=None, revenue=revenue)
            )
        label = self._label(caller, report, entry)
        return label if isinstance(label, BadRequest) else _Meant(entry=entry, label=label, revenue=revenue)

    def _declared(self) -> tuple[str, ...]:
        """Every outcome that some feature declares."""
        rules = [feature.revenue for feature in self._features().values() if feature.revenue is not None]
        return tuple(dict.fromkeys(name for each in rules for name in each.outcomes))

    def _revenue(self, caller: Caller, report: Report, entry: JournalEntry) -> Revenue | BadRequest | None:
        """What a report earns; None for a verdict on a draft that has no price."""
        feature = self._features().get(entry.feature)
        declared = feature.revenue.outcomes if feature is not None and feature.revenue is not None else {}
        if report.outcome not in declared:
            names = ", ".join(dict.fromkeys((*OUTCOMES, *declared)))
            if report.outcome not in OUTCOMES:
                said = (
                    f"outcome must be one of {names}; feature {entry.feature!r} declares others in `revenue.outcomes`"
                )
                return BadRequest(said, param=f"{report.place}outcome")
            if report.nanodollars is not None:
                said = f"feature {entry.feature!r} earns nothing by {report.outcome}: declare it in `revenue.outcomes`"
                return BadRequest(said, param=f"{report.place}value_usd")
            return None
        return Revenue(
            id=revenue_id(entry.request_id, report.outcome),
            request_id=entry.request_id,
            at_ns=self._clock(),
            tenant=entry.tenant,
            key_id=entry.key_id,
            feature=entry.feature,
            outcome=report.outcome,
            nanodollars=declared[report.outcome] if report.nanodollars is None else report.nanodollars,
            price_version="config" if report.nanodollars is None else "reported",
            by=caller.key_id,
        )

    def _label(self, caller: Caller, report: Report, entry: JournalEntry) -> Label | BadRequest:
        """The label that a verdict on a draft is."""
        rung = _rung(report, entry)
        if isinstance(rung, BadRequest):
            return rung
        return Label(
            id=label_id(entry.request_id, rung, "client", caller.key_id, report.outcome),
            request_id=entry.request_id,
            at_ns=self._clock(),
            tenant=entry.tenant,
            feature=entry.feature,
            rung=rung,
            edition=entry.edition,
            verdict=report.outcome,
            source="client",
            group=group_of(entry),
            reason=report.reason if _CODE.fullmatch(report.reason) else "",
            by=caller.key_id,
        )

    async def _told(self, label: Label, new: bool, entry: JournalEntry, revenue: Revenue | None) -> Told:
        """Where a label stands in the store, after a wrong answer has left the cache."""
        retracted = 0
        if label.verdict == "wrong" and label.rung == entry.rung and entry.action == "deliver":
            retracted = await self._store.cache.retract(request_id=_origin(entry))
        if not new:
            known = await self._store.labels.of(label.request_id)
            label = next(each for each in known if each.id == label.id)
        remarked = not label.reason and await self._store.labels.remark(label.id) is not None
        return Told(label=label, new=new, revenue=revenue, remarked=remarked, retracted=retracted)


def label_id(*parts: str) -> str:
    """A label's id from what makes it the same label: request, rung, source, who, verdict. "lbl_" and 24 hex digits."""
    return "lbl_" + blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()


def group_of(entry: JournalEntry) -> str:
    """What all repeats of a question have in common: its fingerprint. A cache hit has its original's."""
    for step in entry.steps:
        if isinstance(step.value, Read):
            return step.value.question.fingerprint
    return entry.request_id


def label_of_case(
    case: Case, entry: JournalEntry, verdict: str, *, by: str, at_ns: int, reason: str = ""
) -> Label:  # fmt: skip
    """The label that a person's verdict on a case's draft is, for `Cases.judge`; a case has one.

    Its source is "audit" for a delivered answer that was drawn, "round" for a draft that only the missing certificate held
    back, and "case" for any other, of which nobody knows how probable a verdict was.
    """
    sources = {True: "audit", False: "case" if case.propensity is None else "round"}
    return Label(
        id=label_id(case.id), request_id=case.request_id, at_ns=at_ns, tenant=case.tenant, feature=case.feature,
        rung=case.rung, edition=entry.edition, verdict=verdict, source=sources[case.kind == "audit"],
        group=case.fingerprint, propensity=case.propensity, reason=reason, by=by,
    )  # fmt: skip


def _unknown(report: Report, declared: Iterable[str]) -> BadRequest:
    names = ", ".join(dict.fromkeys((*OUTCOMES, *declared)))
    said = f"outcome must be one of {names}; a feature declares others in `revenue.outcomes`"
    return BadRequest(said, param=f"{report.place}outcome")


def _rung(report: Report, entry: JournalEntry) -> str | BadRequest:
    """Whose draft a report is about, or why nobody knows: no such draft, or none was delivered and none is named."""
    place = f"{report.place}rung"
    if not report.rung:
        if entry.action == "deliver" and entry.rung is not None:
            return entry.rung
        return BadRequest("no draft of this request was delivered: name the rung whose draft is meant", param=place)
    drafts = dict.fromkeys(step.rung for step in entry.steps if isinstance(step.value, Draft) and step.rung)
    if report.rung in drafts:
        return report.rung
    return BadRequest(f"this rung gave no draft for the request; these did: {', '.join(drafts) or 'none'}", param=place)


def _origin(entry: JournalEntry) -> str:
    """The request whose answer was delivered: another one's where the cache gave it."""
    for step in entry.steps:
        if step.rung == entry.rung and isinstance(step.value, Draft) and step.value.provider == "cache":
            return step.value.upstream_id or entry.request_id
    return entry.request_id
