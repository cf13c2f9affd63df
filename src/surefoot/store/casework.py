"""How cases change, as pure functions: shared by every back-end, so that they cannot differ.

Each takes a case as it is and gives what becomes of it with what is to be told of that, or None when it may not be. A change of
state has one event; what changes no state (a heartbeat, an autosaved text) has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.records import Case, CaseAnswer, Label
from surefoot.records.case import WAITING

SKEW_NS = 60_000_000_000  # clocks that differ by more were set back
AUDIT_NS = 86_400_000_000_000  # nobody waits for an audit: it is urgent after a day
BLIND = ("audit", "round")  # sources of labels after which a draft is not judged blind again

_encode = msgspec.json.Encoder().encode
_label = msgspec.json.Decoder(Label).decode


class Happened(Struct, frozen=True, kw_only=True):
    """One event to be appended."""

    kind: str
    at_ns: int
    state: str
    detail: str = ""
    by: str = ""
    text: str | None = None


class Change(Struct, frozen=True, kw_only=True):
    """A case as it becomes, its events, and the label that it brings."""

    case: Case
    events: tuple[Happened, ...] = ()
    label: Label | None = None
    done: bool = True  # whether what was asked for happened
    audit: Case | None = None  # to be opened beside it, unless its draft was judged blind already


def claim(
    case: Case, *, by: str, at_ns: int, lease_ns: int, held: int = 0, capacity: Mapping[str, int] | None = None
) -> Change | None:
    """For one person who has `held` claims: open, its own already, or with a lease that has ended."""
    if case.state == "claimed" and case.claimed_by == by:
        return Change(case=replace(case, lease_until_ns=at_ns + lease_ns, lease_ns=lease_ns))
    lapsed = lapse(case, now_ns=at_ns)
    found, events = (case, ()) if lapsed is None else (lapsed.case, lapsed.events)
    if found.state != "open" or (capacity and held >= capacity.get(found.role, held + 1)):
        return None
    claimed = _held(found, by=by, at_ns=at_ns, lease_ns=lease_ns)
    return Change(case=claimed, events=(*events, Happened(kind="claimed", at_ns=at_ns, state="claimed", by=by)))


def full_roles(capacity: Mapping[str, int] | None, held: int) -> Sequence[str]:
    """The roles of which somebody with `held` claims may have no more."""
    return [role for role, most in (capacity or {}).items() if held >= most]


def heartbeat(case: Case, *, fence: int, at_ns: int, lease_ns: int) -> Change | None:
    """A new lease for a claim that holds."""
    if not _holds(case, fence):
        return None
    return Change(case=replace(case, lease_until_ns=at_ns + lease_ns, lease_ns=lease_ns))


def release(
    case: Case, *, fence: int, at_ns: int, role: str = "", note: str = "", snoozed_until_ns: int = 0
) -> Change | None:
    """Back to the queue, perhaps another role's, perhaps for later."""
    if not _holds(case, fence):
        return None
    kind = "handed_over" if role else "snoozed" if snoozed_until_ns else "released"
    opened = _free(case, role=role or case.role, note=note or case.note, snoozed_until_ns=snoozed_until_ns)
    event = Happened(kind=kind, at_ns=at_ns, state="open", by=case.claimed_by, detail=role, text=note or None)
    return Change(case=opened, events=(event,))


def reassign(case: Case, *, by: str, to: str, at_ns: int, lease_ns: int) -> Change | None:
    """To somebody, or with "" to nobody."""
    if case.state not in ("open", "claimed") or (not to and case.state == "open"):
        return None
    moved = _held(case, by=to, at_ns=at_ns, lease_ns=lease_ns) if to else _free(case, fence=case.fence + 1)
    return Change(case=moved, events=(Happened(kind="reassigned", at_ns=at_ns, state=moved.state, by=by, detail=to),))


def autosave(case: Case, *, fence: int, text: str) -> Change | None:
    """Keep what is being written."""
    return Change(case=replace(case, autosave=text)) if _holds(case, fence) else None


def answer(case: Case, *, fence: int, given: CaseAnswer, label: Label | None, at_ns: int, deliver_at_ns: int) -> Change:
    """The answer of whoever holds the case; of anybody else its text is kept and nothing else happens."""
    if _said_already(case, fence, given):  # the acknowledgement was lost, not the answer
        return Change(case=case)
    if not _holds(case, fence):
        kept = case
        if case.state in WAITING and case.autosave is None:
            kept = replace(case, autosave=given.text)
        event = Happened(
            kind="refused", at_ns=at_ns, state=case.state, by=given.by, detail="the claim was lost", text=given.text
        )
        return Change(case=kept, events=(event,), done=False)
    audit = case.kind == "audit"
    state = "judged" if audit else "proposed" if case.two_persons else "answered"
    said = replace(
        case, state=state, answer=given.text, verb=given.verb, general=given.general, answered_by=given.by,
        answered_at_ns=at_ns, deliver_at_ns=0 if audit else deliver_at_ns, claimed_by="", lease_until_ns=0, lease_ns=0,
        autosave=None, label=None if audit or label is None else _encode(label),
    )  # fmt: skip
    detail = given.verb + (", general" if given.general else "") + signature(given.meaning, given.signed)
    event = Happened(kind=state, at_ns=at_ns, state=state, by=given.by, detail=detail, text=given.text)
    return Change(case=said, events=(event,), label=label if audit else None)


def signature(meaning: str, signed: str) -> str:
    """What an event says of a signature beside its person and time: what it means, and how it was signed."""
    how = f"signed {signed}" if signed else ""
    said = f"{meaning} ({how})" if meaning and how else meaning or how
    return f": {said}" if said else ""


def approve(
    case: Case, *, by: str, fence: int, at_ns: int, deliver_at_ns: int, meaning: str = "", signed: str = ""
) -> Change | None:
    """A second person agrees with what was proposed under this fence."""
    if case.state != "proposed" or case.fence != fence or not by or by == case.answered_by:
        return None
    agreed = replace(case, state="answered", approved_by=by, deliver_at_ns=deliver_at_ns)
    detail = case.answered_by + signature(meaning, signed)
    event = Happened(kind="approved", at_ns=at_ns, state="answered", by=by, detail=detail)
    return Change(case=agreed, events=(event,))


def disapprove(case: Case, *, by: str, at_ns: int, note: str) -> Change | None:
    """A second person does not agree."""
    if case.state != "proposed" or not by or by == case.answered_by:
        return None
    event = Happened(kind="disapproved", at_ns=at_ns, state="open", by=by, detail=case.answered_by, text=note or None)
    return Change(case=_free(_unsaid(case), note=note or case.note), events=(event,))


def undo(case: Case, *, fence: int, at_ns: int, lease_ns: int) -> Change | None:
    """An answer taken back before it was delivered: a new claim, so that nobody approves what was said before."""
    if case.state not in ("answered", "proposed") or case.fence != fence:
        return None
    again = replace(
        _unsaid(case), state="claimed", claimed_by=case.answered_by, fence=case.fence + 1,
        lease_until_ns=at_ns + lease_ns, lease_ns=lease_ns,
    )  # fmt: skip
    return Change(case=again, events=(Happened(kind="undone", at_ns=at_ns, state="claimed", by=case.answered_by),))


def deliver(case: Case, *, now_ns: int) -> Change | None:
    """The caller may know from now on. An answer from the future was written before the clock was set back: it is due."""
    if case.state != "answered" or (case.deliver_at_ns > now_ns and case.answered_at_ns <= now_ns + SKEW_NS):
        return None
    label = None if case.label is None else _label(case.label)
    told = replace(case, state="delivered", delivered_at_ns=now_ns, label=None)
    event = Happened(kind="delivered", at_ns=now_ns, state="delivered", detail=case.verb)
    return Change(case=told, events=(event,), label=label, audit=None if label else unjudged(case, at_ns=now_ns))


def lapse(case: Case, *, now_ns: int) -> Change | None:
    """Back to the queue when the lease has ended; cut to its length when it ends later than it can."""
    if case.state != "claimed":
        return None
    if case.lease_until_ns <= now_ns:
        event = Happened(kind="lapsed", at_ns=now_ns, state="open", detail=case.claimed_by)
        return Change(case=_free(case), events=(event,))
    if case.lease_until_ns > now_ns + case.lease_ns:
        return Change(case=replace(case, lease_until_ns=now_ns + case.lease_ns))
    return None


def is_overdue(case: Case, *, now_ns: int) -> bool:
    """Whether its deadline has passed, or its safe default was begun and nobody works on it."""
    if case.state == "expired":
        return not case.delivered_at_ns and case.lease_until_ns <= now_ns
    return case.state in WAITING and 0 < case.deadline_ns <= now_ns


def chain(case: Case, *, role: str, at_ns: int, rank_ns: int, due_at_ns: int, deadline_ns: int) -> Change | None:
    """On to the next role."""
    if case.state not in WAITING or not is_overdue(case, now_ns=at_ns):
        return None
    moved = _free(
        _unsaid(case), role=role, rank_ns=rank_ns, due_at_ns=due_at_ns, deadline_ns=deadline_ns, fence=case.fence + 1
    )
    return Change(case=moved, events=(Happened(kind="chained", at_ns=at_ns, state="open", detail=role),))


def expire(case: Case, *, at_ns: int, lease_ns: int) -> Change | None:
    """Nobody answered in time; the lease is of whoever works the safe default out."""
    if not is_overdue(case, now_ns=at_ns):
        return None
    over = replace(
        _free(_unsaid(case)), state="expired", fence=case.fence + 1, lease_until_ns=at_ns + lease_ns, lease_ns=lease_ns
    )
    event = Happened(kind="expired", at_ns=at_ns, state="expired", by=case.claimed_by)
    return Change(case=over, events=() if case.state == "expired" else (event,))


def conclude(case: Case, *, fence: int, how: str, text: str, at_ns: int) -> Change | None:
    """The safe default is the answer."""
    if case.state != "expired" or case.delivered_at_ns or case.fence != fence:
        return None
    told = replace(
        case,
        answer=text,
        verb=f"default:{how}",
        answered_at_ns=at_ns,
        delivered_at_ns=at_ns,
        lease_until_ns=0,
        lease_ns=0,
    )
    event = Happened(kind="delivered", at_ns=at_ns, state="expired", detail=how, text=text)
    return Change(case=told, events=(event,), audit=unjudged(case, at_ns=at_ns))


def withdraw(case: Case, *, tenant: str, at_ns: int) -> Change | None:
    """Its caller needs no answer any more."""
    if case.state not in WAITING or case.tenant != tenant:
        return None
    gone = replace(_free(_unsaid(case)), state="withdrawn", fence=case.fence + 1)
    event = Happened(kind="withdrawn", at_ns=at_ns, state="withdrawn")
    return Change(case=gone, events=(event,), audit=unjudged(case, at_ns=at_ns))


def resolve(case: Case, *, state: str, at_ns: int, detail: str) -> Change | None:
    """From open to any state."""
    if case.state != "open":
        return None
    return Change(
        case=replace(case, state=state), events=(Happened(kind=state, at_ns=at_ns, state=state, detail=detail),)
    )


def judge(case: Case, *, label: Label, at_ns: int) -> Change | None:
    """A verdict on an open case's draft."""
    if case.request_id != label.request_id:
        return None
    judged = resolve(case, state="judged", at_ns=at_ns, detail=label.verdict)
    return None if judged is None else replace(judged, label=label)


def unjudged(case: Case, *, at_ns: int) -> Case | None:
    """The blind audit that follows a question which ends without a verdict on its draft; None where none was promised.

    Its propensity says with which probability the draft is judged. Were it left out because nobody had the time, or because
    the caller gave up, a certificate would be about the drafts that people got round to.
    """
    if case.kind != "question" or case.propensity is None or not case.rung:
        return None
    return Case(
        id=f"{case.id}-audit", request_id=case.request_id, tenant=case.tenant, feature=case.feature, role=case.role,
        state="open", reason="blind audit", opened_at_ns=at_ns, subject=case.subject, fingerprint=case.fingerprint,
        kind="audit", rung=case.rung, propensity=case.propensity, rank_ns=at_ns + AUDIT_NS,
    )  # fmt: skip


def opened(case: Case) -> Happened:
    """The first event of a case."""
    return Happened(kind="opened", at_ns=case.opened_at_ns, state=case.state, detail=case.reason)


def _holds(case: Case, fence: int) -> bool:
    return case.state == "claimed" and case.fence == fence


def _held(case: Case, *, by: str, at_ns: int, lease_ns: int) -> Case:
    return replace(
        case, state="claimed", claimed_by=by, fence=case.fence + 1, lease_until_ns=at_ns + lease_ns, lease_ns=lease_ns,
        snoozed_until_ns=0,
    )  # fmt: skip


def _free(case: Case, **fields: object) -> Case:
    """Nobody's, in the queue."""
    plain: dict[str, object] = {
        "state": "open", "claimed_by": "", "lease_until_ns": 0, "lease_ns": 0, "snoozed_until_ns": 0,
    }  # fmt: skip
    return replace(case, **(plain | fields))


def _unsaid(case: Case) -> Case:
    """Without its answer, whose text is kept as autosaved."""
    if case.answer is None:
        return case
    return replace(
        case, autosave=case.answer, answer=None, verb="", general=False, answered_by="", answered_at_ns=0,
        approved_by="", deliver_at_ns=0, label=None,
    )  # fmt: skip


def _said_already(case: Case, fence: int, given: CaseAnswer) -> bool:
    said = (case.answer, case.verb, case.answered_by, case.general)
    return case.fence == fence and case.answered_at_ns > 0 and said == (given.text, given.verb, given.by, given.general)
