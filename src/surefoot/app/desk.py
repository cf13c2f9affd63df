"""The desk: what people do with cases. Each verb bears a person, checks what the person may, and writes one transaction.

An answer brings its label (a verdict on the draft), its human minutes (a line of the ledger) and whether it is `general` or
for this person. A claim is a lease with a fence: what is written under a lost one is refused,
and its text kept for whoever goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from surefoot.app.answering import Answering, checked
from surefoot.app.batch import Batch
from surefoot.app.caseview import clean
from surefoot.app.roster import Roster
from surefoot.app.serving import Serving
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.records import Case, CaseAnswer, Claim
from surefoot.records.case import Signed
from surefoot.records.person import Person
from surefoot.store import Store

LEASE_SECONDS = 120.0  # without a heartbeat; then somebody else may have the case
HEARTBEAT_SECONDS = 30.0  # how often the desk says that somebody is there
LONGEST_SNOOZE_SECONDS = 7 * 86_400.0
PLAIN = Signed()  # in a session, without a meaning
_NOTE = 2000  # characters
_SECOND_NS = 1_000_000_000


class Desk:
    """The verbs. `clock` gives UTC nanoseconds. All raise StoreError, and then nothing was written."""

    def __init__(self, store: Store, serving: Serving, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._clock = store, clock
        self.roster = Roster(serving)
        self._answering = Answering(store, self.roster)
        self.lease_ns = _ns(LEASE_SECONDS)
        self.batch = Batch(store, self.roster, self._answering, self.lease_ns, clock)

    def roles_of(self, name: str) -> tuple[str, ...]:
        """The roles whose cases an account may have: those that name it, and those that name nobody."""
        return self.roster.roles_of(name)

    async def draft(self, case: Case) -> str:
        """The text of the draft that a case is about; "" when there is none, or it is erased."""
        return await self._answering.draft(case)

    async def claim(self, case_id: str, *, by: Person) -> Claim | None:
        """The case for this person; None when somebody else has it or it waits no more. One's own claim is given again.

        Raises: NotFound, NotAllowed (another role's case, or the person has as many as its role's `capacity`).
        """
        case = await self._find(case_id)
        self.roster.admit(case, by)
        most = self.roster.capacity(case.role)
        claim = await self._store.cases.claim(
            case_id, by=by.name, at_ns=self._clock(), lease_ns=self.lease_ns, capacity={case.role: most}
        )
        if claim is None and (held := await self._held(by)) >= most:
            raise NotAllowed(_full(by, held))
        return claim

    async def next(self, *, by: Person) -> Claim | None:
        """The case that comes first of those that this person may have; None when none waits. Raises NotAllowed."""
        roles = self.roster.roles_of(by.name)
        capacity = {role: self.roster.capacity(role) for role in roles}
        claim = await self._store.cases.claim_next(
            roles=roles, by=by.name, at_ns=self._clock(), lease_ns=self.lease_ns, capacity=capacity
        )
        if claim is None and roles and (held := await self._held(by)) >= max(capacity.values()):
            raise NotAllowed(_full(by, held))
        return claim

    async def heartbeat(self, case_id: str, *, by: Person, fence: int) -> bool:
        """Whether the person still has the case, from now on for another LEASE_SECONDS."""
        return await self._holds(case_id, by, fence) and await self._store.cases.heartbeat(
            case_id, fence=fence, at_ns=self._clock(), lease_ns=self.lease_ns
        )

    async def release(
        self, case_id: str, *, by: Person, fence: int, role: str = "", note: str = "", snooze_seconds: float = 0.0
    ) -> bool:
        """Whether the case went back to the queue: to the same role, to another one, or for later. Raises BadRequest."""
        if role and role not in self.roster.roles():
            raise BadRequest(f"there is no role {role!r}", param="role")
        if not 0 <= snooze_seconds <= LONGEST_SNOOZE_SECONDS:
            raise BadRequest("a case is put aside for at most a week", param="snooze_seconds")
        if not await self._holds(case_id, by, fence):
            return False
        now = self._clock()
        return await self._store.cases.release(
            case_id, fence=fence, at_ns=now, role=role, note=clean(note).text[:_NOTE],
            snoozed_until_ns=now + _ns(snooze_seconds) if snooze_seconds else 0,
        )  # fmt: skip

    async def reassign(self, case_id: str, *, by: Person, to: str) -> Claim | None:
        """Take a case from whoever has it and give it to the account `to`, or with "" back to the queue.

        None when it is neither open nor claimed. Raises NotFound, NotAllowed (the person may not, or the role is not `to`'s).
        """
        if not by.may("assign"):
            raise NotAllowed(f"{by.role}s do not give cases to others")
        case = await self._find(case_id)
        if to and not self.roster.is_open(case.role, to):
            raise NotAllowed(f"{to} does not answer cases of {case.role}")
        return await self._store.cases.reassign(case_id, by=by.name, to=to, at_ns=self._clock(), lease_ns=self.lease_ns)

    async def autosave(self, case_id: str, *, fence: int, text: str) -> bool:
        """Whether what is being written was kept. Raises BadRequest when it is too long."""
        return await self._store.cases.autosave(case_id, fence=fence, text=checked(text))

    async def answer(
        self, case_id: str, *, by: Person, fence: int, verb: str, text: str = "", general: bool = False,
        signed: Signed = PLAIN, seconds: float | None = None,
    ) -> bool:  # fmt: skip
        """Whether the case took the answer; False when the claim is lost, and then the text is kept for whoever goes on.

        It is delivered when the feature's `undo_seconds` are over, after a second person's approval where two must agree. Of an
        audit it is a verdict, and nobody is told anything.

        Args:
            fence: of the claim.
            verb: "accept" (the draft as it is), "edit", "replace", "reject", "ask".
            text: what is told; of "accept" "" is the draft, of "reject" "" are words of ours.
            general: whether others may get it too. Not with "reject" or "ask".
            signed: what the person was shown as the meaning of signing, and how it was known to be this person.
            seconds: handling time; None: the time since the claim, marked as estimated.
        Raises: NotFound, BadRequest, NotAllowed (also when the role's answers are signed with the password, and this is not).
        """
        case, now = await self._find(case_id), self._clock()
        if not by.may("answer"):
            raise NotAllowed(f"{by.role}s do not answer cases")
        self.roster.see_signed(case, signed)
        given = await self._answering.given(case, verb, text, general=general)
        answer = CaseAnswer(
            verb=given[0],
            text=given[1],
            by=by.name,
            general=general,
            meaning=signed.meaning,
            seconds=seconds,
            signed=signed.how,
            signed_at_ns=now,
        )
        if case.state == "claimed" and case.claimed_by != by.name:
            fence = -1  # whoever knows a fence does not yet hold the case
        spent = await self._answering.minutes(case, seconds, now)
        return await self._answering.write(case, fence, answer, by, spent)

    async def approve(
        self, case_id: str, *, by: Person, fence: int, signed: Signed = PLAIN, seconds: float | None = None
    ) -> bool:
        """Whether a proposed answer, as it stood under this fence, is approved. Raises NotFound, NotAllowed: its own author."""
        case, now = await self._second(case_id, by), self._clock()
        self.roster.see_signed(case, signed)
        spent = () if seconds is None else await self._answering.minutes(case, seconds, now)
        return await self._store.cases.approve(
            case_id,
            by=by.name,
            fence=fence,
            at_ns=now,
            deliver_at_ns=self.roster.delivered_at(case, now),
            entries=spent,
            signed=signed,
        )

    async def disapprove(self, case_id: str, *, by: Person, note: str = "", seconds: float | None = None) -> bool:
        """Whether a proposed answer goes back to the queue. Raises NotFound, NotAllowed: its own author."""
        case, now = await self._second(case_id, by), self._clock()
        spent = () if seconds is None else await self._answering.minutes(case, seconds, now)
        return await self._store.cases.disapprove(
            case_id, by=by.name, at_ns=now, note=clean(note).text[:_NOTE], entries=spent
        )

    async def undo(self, case_id: str, *, by: Person, fence: int) -> Claim | None:
        """The case again, when its author takes the answer back before it is delivered; else None."""
        case = await self._find(case_id)
        if case.answered_by != by.name:
            return None
        return await self._store.cases.undo(case_id, fence=fence, at_ns=self._clock(), lease_ns=self.lease_ns)

    async def _find(self, case_id: str) -> Case:
        case = await self._store.cases.find(case_id)
        if case is None:
            raise NotFound(f"there is no case {case_id!r}")
        return case

    async def _holds(self, case_id: str, by: Person, fence: int) -> bool:
        case = await self._find(case_id)
        return case.claimed_by == by.name and case.fence == fence

    async def _second(self, case_id: str, by: Person) -> Case:
        case = await self._find(case_id)
        if not by.may("approve"):
            raise NotAllowed(f"{by.role}s do not approve answers")
        if case.answered_by == by.name:
            raise NotAllowed("two persons must agree: somebody else than its author approves an answer")
        self.roster.admit(case, by)
        return case

    async def _held(self, by: Person) -> int:
        """How many cases a person has now."""
        return len(await self._store.cases.waiting(states=("claimed",), by=by.name))


def _full(by: Person, held: int) -> str:
    return f"{by.name} has {held} cases already: answer or release one first"


def _ns(seconds: float) -> int:
    return round(seconds * _SECOND_NS)
