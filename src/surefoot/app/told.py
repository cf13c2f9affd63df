"""What a caller is told of its case: the state, and once it has ended the answer as a complete body in its own dialect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from surefoot.app.reply import Note
from surefoot.records import Case, JournalEntry, Usage
from surefoot.records.money import usd
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import answer_id_of, tag_body, top_of

PERSON, DEFAULT = "person", "safe default"  # rungs of an answer: a person gave it, or nobody did in time
_DEFAULTED = "default:"


async def told(store: Store, case: Case, *, retry_after: int | None) -> bytes:
    """The body of `GET /v1/cases/{id}`, of an event of its end, and of a webhook's case. Raises StoreError.

    `response` is None until the case has ended with an answer, and after its subject was erased.
    """
    response = await response_of(store, case)
    said: Mapping[str, object] = {
        "id": case.id,
        "object": "case",
        "state": case.state,
        "feature": case.feature,
        "role": case.role,
        "reason": case.reason,
        "opened_at": when(case.opened_at_ns),
        "delivered_at": when(case.delivered_at_ns) if case.delivered_at_ns else None,
        "verb": case.verb if case.told is not None else None,
        "answer": case.told,
        "response": Raw(response) if response is not None else None,
        "retry_after": None if case.has_ended else retry_after,
        "surefoot": {
            "request_id": case.request_id, "decision": "deliver" if case.told is not None else "escalate",
            "case": case.id, "confidence": case.p,
        },
    }  # fmt: skip
    return msgspec.json.encode(said)


async def response_of(store: Store, case: Case) -> bytes | None:
    """The answer as the request would have got it; None when the caller may not have one, or not any more."""
    if case.told is None:
        return None
    entry = await store.journal.get(case.request_id)
    content = await store.journal.content(case.request_id)
    if entry is None or content is None:
        return None
    model = msgspec.json.decode(bytes(top_of(content.request_body).get("model", b'""')))
    body = DIALECTS[entry.dialect].compose(
        case.told, model=str(model), id=answer_id_of(entry.dialect, case.request_id),
        created=case.delivered_at_ns // 1_000_000_000, usage=Usage(),
    )  # fmt: skip
    return tag_body(body, msgspec.json.encode(_note(entry, case)))


def answered(note: Note, case: Case) -> Note:
    """A note on an escalation, once its case has an answer."""
    defaulted = case.verb.startswith(_DEFAULTED)
    return msgspec.structs.replace(
        note, decision="deliver", rung=DEFAULT if defaulted else PERSON, model=None, confidence=None, calibrated=False,
        source="nobody answered in time" if defaulted else "a person answered", case=case.id, simulated=False,
    )  # fmt: skip


def when(at_ns: int) -> str:
    """A time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat().replace("+00:00", "Z")


def _note(entry: JournalEntry, case: Case) -> Note:
    return answered(
        Note(
            request_id=entry.request_id, decision=entry.action, verdict="escalate", reason=case.reason,
            feature=entry.feature, mode=entry.mode, rung=None, model=None, confidence=None, calibrated=False, source="",
            case=case.id, cost_usd=usd(entry.nanodollars), cache="off", simulated=False, policy=entry.policy,
        ),
        case,
    )  # fmt: skip
