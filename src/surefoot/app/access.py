"""Who looked at what: every look at what somebody asked leaves an event, and a masked identifier is shown only for a reason.

An event is durable before anything is shown; where it cannot be written nothing is. A page that renews itself is not a new look
each time: what is remembered of looks is this process's, so that two processes note one twice rather than never.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from surefoot.errors import BadRequest, NotAllowed
from surefoot.records.audit import AuditEvent
from surefoot.records.person import Person
from surefoot.store import Store

LONGEST = 500  # characters of a reason
VIEWS: Mapping[str, float] = {
    "case": 60.0,  # a case itself, with everything that was said
    "thread": 60.0,  # the questions of its person's other cases, on its page
    "alike": 60.0,  # like questions of other people, on its page or on that of like cases
    "request": 60.0,  # one request's climb, with everything that was said
    "list": 3600.0,  # the beginning of its question, in the queue or in a shift
}
"""What can be looked at, and the seconds within which the same person's next look is the same one."""
_REMEMBERED = 20_000  # looks


class Access:
    """Notes looks in the audit trail before anything is shown."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._looks: dict[tuple[str, str, str], float] = {}  # (name, case, view) -> when, oldest first

    async def seen(self, person: Person, case_id: str, what: str = "case", *, others: Sequence[str] = ()) -> None:
        """Somebody looks at a case, or at a request.

        Args:
            person: who.
            case_id: whose page it is; of the view "request" the request's id.
            what: a key of VIEWS.
            others: the cases of other people that are shown on it; they stand in the event.
        Raises: NotAllowed, StoreError; then nothing is to be shown. KeyError for a view that is none.
        """
        _may(person, "see")
        looks = [(person.name, f"{case_id} {other}".strip(), what) for other in others or ("",)]
        if self._is_new(looks, VIEWS[what]):
            detail = " ".join(others)
            await self._store.audit.add(AuditEvent(kind=f"access.{what}", by=person.name, on=case_id, detail=detail))
            self._remember(looks)

    async def listed(self, person: Person, case_ids: Sequence[str]) -> None:
        """Somebody looks at the questions of a list: one event that names those that are new to this person.

        Raises: NotAllowed, StoreError; then nothing is to be shown.
        """
        _may(person, "see")
        looks = [(person.name, case_id, "list") for case_id in case_ids]
        fresh = [look for look in looks if self._is_new([look], VIEWS["list"])]
        if fresh:
            detail = " ".join(case_id for _, case_id, _ in fresh)
            await self._store.audit.add(AuditEvent(kind="access.list", by=person.name, detail=detail))
            self._remember(fresh)

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

    def _is_new(self, looks: Sequence[tuple[str, str, str]], seconds: float) -> bool:
        """Whether any of the looks was not had within these seconds."""
        since = self._clock() - seconds
        return any(self._looks.get(look, since - 1) < since for look in looks)

    def _remember(self, looks: Sequence[tuple[str, str, str]]) -> None:
        """Only what was noted: a look whose event failed is tried again."""
        now = self._clock()
        for look in looks:
            self._looks.pop(look, None)
            self._looks[look] = now
        while len(self._looks) > _REMEMBERED:
            del self._looks[next(iter(self._looks))]


def _may(person: Person, act: str) -> None:
    if not person.may(act):
        raise NotAllowed(f"the role {person.role} may not {act}")
