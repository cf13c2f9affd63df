"""Who looked at what: every look at a case leaves an event, and a masked identifier is shown only for a reason."""

from __future__ import annotations

import time
from collections.abc import Callable

from surefoot.errors import BadRequest, NotAllowed
from surefoot.records.audit import AuditEvent
from surefoot.records.person import Person
from surefoot.store import Store

LONGEST = 500  # characters of a reason
VIEWS = ("case", "thread")  # a case itself; its person's earlier ones
_AGAIN_SECONDS = 60.0  # a page that renews itself is one look a minute
_REMEMBERED = 10_000


class Access:
    """Notes looks in the audit trail before anything is shown."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._looks: dict[tuple[str, str, str], float] = {}

    async def seen(self, person: Person, case_id: str, what: str = "case") -> None:
        """Somebody looks at a case, or with "thread" at what its person asked before. Durable before it returns.

        Raises: NotAllowed, StoreError; then nothing is to be shown. ValueError for a view that is none of VIEWS.
        """
        if what not in VIEWS:
            raise ValueError(f"there is no view {what!r}")
        _may(person, "see")
        look, now = (person.name, case_id, what), self._clock()
        if now - self._looks.get(look, -_AGAIN_SECONDS - 1) <= _AGAIN_SECONDS:
            return
        await self._store.audit.add(AuditEvent(kind=f"access.{what}", by=person.name, on=case_id))
        self._looks.pop(look, None)
        self._looks[look] = now
        if len(self._looks) > _REMEMBERED:
            del self._looks[next(iter(self._looks))]

    async def reveal(self, person: Person, case_id: str, name: str, reason: str) -> None:
        """Somebody wants to see what a mask ("[PHONE_1]") hides. Each time is noted, durable before it returns.

        Raises: NotAllowed; BadRequest without a reason, or for one that is too long; StoreError.
        """
        _may(person, "reveal")
        plain = " ".join(reason.split())
        if not plain or len(plain) > LONGEST:
            raise BadRequest(f"a reason of at most {LONGEST} characters is needed", param="reason")
        event = AuditEvent(kind="access.reveal", by=person.name, on=case_id, detail=f"{name}: {plain}")
        await self._store.audit.add(event)


def _may(person: Person, act: str) -> None:
    if not person.may(act):
        raise NotAllowed(f"the role {person.role} may not {act}")
