"""Incidents that somebody has seen to: who, when, and what was done about them. Each is an event of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.errors import BadRequest, NotFound
from surefoot.records import Incident
from surefoot.records.audit import AuditEvent
from surefoot.store import Store

KIND = "incident.acknowledged"
_NOTE = 500  # characters
_MOST = 10_000


class Acknowledged(Struct, frozen=True, kw_only=True):
    """Somebody has seen to an incident."""

    at_ns: int
    by: str
    note: str


async def acknowledge(store: Store, incident_id: str, *, by: str, note: str) -> Incident:
    """The incident, acknowledged; durable when this returns. It may be done again, by others or with more to say.

    It ends no alarm: that takes labels that certify by themselves.

    Raises: NotFound; BadRequest without a person or a note, or when the note is too long.
    """
    by, note = by.strip(), note.strip()
    if not by or not note:
        raise BadRequest("an incident is acknowledged by a person, with a note of what was done about it")
    if len(note) > _NOTE:
        raise BadRequest(f"a note has at most {_NOTE} characters")
    found = next((each for each in await store.incidents.all() if each.id == incident_id), None)
    if found is None:
        raise NotFound(
            f"there is no incident {incident_id!r}: see `surefoot confidence`, `surefoot bill` and `surefoot objectives`"
        )
    await store.audit.add(AuditEvent(kind=KIND, by=by, on=incident_id, detail=note))
    return found


async def acknowledgements(store: Store) -> Mapping[str, Sequence[Acknowledged]]:
    """By incident, who acknowledged it, oldest first; an incident that nobody has acknowledged is not there."""
    found: dict[str, list[Acknowledged]] = {}
    for row in reversed(await store.audit.events(kind=KIND, limit=_MOST)):
        event = row.event
        found.setdefault(event.on, []).append(Acknowledged(at_ns=event.at_ns, by=event.by, note=event.detail))
    return found
