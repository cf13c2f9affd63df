"""What became of answers, as clients and people say: each report is a label, durable before it is told, counted once.

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

from surefoot.errors import BadRequest, NotAllowed, NotFound, RequestRefused
from surefoot.records import Caller, Case, Draft, JournalEntry, Label, Read
from surefoot.store import Store

SCOPE = "outcomes"  # of keys that may report
OUTCOMES = ("accepted", "wrong", "edited")
REMARK = 2000  # characters of a reason in free words
_CODE = re.compile(r"[a-z0-9_-]{1,64}")


class Report(Struct, frozen=True, kw_only=True):
    """What a client says became of an answer."""

    request_id: str
    outcome: str  # one of OUTCOMES
    reason: str = ""  # a code stands in the label; anything else is a remark, kept as content of the request's subject
    rung: str = ""  # whose draft it is about; "": the one that was delivered
    place: str = ""  # of the report in a list, as errors name it: "outcomes[2]."


class Told(Struct, frozen=True, kw_only=True):
    """What became of a report."""

    label: Label  # the one that stands: of a repeated report the first
    new: bool
    remarked: bool = False  # whether free words are kept with it
    retracted: int = 0  # cached answers dropped


class Outcomes:
    """Takes reports. `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._clock = store, clock

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
        told = [each if isinstance(each, RequestRefused) else self._label(caller, each, entries) for each in reports]
        labels = [each for each in told if isinstance(each, Label)]
        remarks = {
            label.id: given.reason
            for label, given in zip(told, reports, strict=True)
            if isinstance(label, Label) and isinstance(given, Report) and given.reason != label.reason
        }
        new = iter(await self._store.labels.add_all(labels, remarks=remarks))
        return [
            each if isinstance(each, RequestRefused) else await self._told(each, next(new), entries[each.request_id])
            for each in told
        ]

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

    def _label(self, caller: Caller, report: Report, entries: Mapping[str, JournalEntry]) -> Label | RequestRefused:
        """The label that a report is, or why it is refused."""
        entry = entries.get(report.request_id)
        if entry is None or entry.tenant != caller.tenant:
            return NotFound(f"there is no request {report.request_id!r}", param=f"{report.place}request_id")
        if caller.features and entry.feature not in caller.features:
            return NotAllowed(f"feature {entry.feature!r} is not open to this key", param=f"{report.place}request_id")
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

    async def _told(self, label: Label, new: bool, entry: JournalEntry) -> Told:
        """Where a label stands in the store, after a wrong answer has left the cache."""
        retracted = 0
        if label.verdict == "wrong" and label.rung == entry.rung and entry.action == "deliver":
            retracted = await self._store.cache.retract(request_id=_origin(entry))
        if not new:
            known = await self._store.labels.of(label.request_id)
            label = next(each for each in known if each.id == label.id)
        remarked = not label.reason and await self._store.labels.remark(label.id) is not None
        return Told(label=label, new=new, remarked=remarked, retracted=retracted)


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
