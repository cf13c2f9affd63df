"""The verbs of cases over one: change. Shared by every back-end, so that only how a change is written can differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from surefoot.records import Case, CaseAnswer, CaseEvent, Claim, Entry, Label
from surefoot.records.case import Signed
from surefoot.store import casework
from surefoot.store.casework import Change

How = Callable[[Case], Change | None]


class CaseVerbs(ABC):
    """The part of `Cases` that changes one case."""

    @abstractmethod
    async def change(self, case_id: str, how: How, entries: Sequence[Entry] = ()) -> Change | None:
        """Read a case, decide, and write what is new of it with its events, in one transaction; None when nothing may be.

        Args:
            how: pure; what becomes of the case, and None when what was asked for may not be.
            entries: lines of the ledger, written when something happened.
        Raises: StoreError, and then nothing was written.
        """

    @abstractmethod
    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """What happened to a case, oldest first, with the texts that were said."""

    async def events(self, case_id: str) -> Sequence[tuple[int, str, str]]:
        """What happened to a case, oldest first: (at_ns, kind, detail)."""
        return [(event.at_ns, event.kind, event.detail) for event in await self.history(case_id)]

    async def resolve(self, case_id: str, *, state: str, at_ns: int, detail: str = "") -> bool:
        """Whether an open case was moved to a state, with its event, in one transaction."""
        return await self._done(case_id, lambda case: casework.resolve(case, state=state, at_ns=at_ns, detail=detail))

    async def judge(self, case_id: str, *, label: Label, at_ns: int) -> bool:
        """Whether an open case was moved to "judged" and its label appended, with its event, in one transaction."""
        return await self._done(case_id, lambda case: casework.judge(case, label=label, at_ns=at_ns))

    async def heartbeat(self, case_id: str, *, fence: int, at_ns: int, lease_ns: int) -> bool:
        """Whether the claim still holds, with a new lease."""
        return await self._done(
            case_id, lambda case: casework.heartbeat(case, fence=fence, at_ns=at_ns, lease_ns=lease_ns)
        )

    async def release(
        self, case_id: str, *, fence: int, at_ns: int, role: str = "", note: str = "", snoozed_until_ns: int = 0
    ) -> bool:
        """Whether the claimed case went back to the queue."""

        def back(case: Case) -> Change | None:
            return casework.release(
                case, fence=fence, at_ns=at_ns, role=role, note=note, snoozed_until_ns=snoozed_until_ns
            )

        return await self._done(case_id, back)

    async def reassign(self, case_id: str, *, by: str, to: str, at_ns: int, lease_ns: int) -> Claim | None:
        """Take a case from whoever has it and give it to `to`, or to nobody."""
        return await self._claimed(
            case_id, lambda case: casework.reassign(case, by=by, to=to, at_ns=at_ns, lease_ns=lease_ns)
        )

    async def autosave(self, case_id: str, *, fence: int, text: str) -> bool:
        """Whether what is being written was kept, sealed."""
        return await self._done(case_id, lambda case: casework.autosave(case, fence=fence, text=text))

    async def answer(
        self, case_id: str, *, fence: int, answer: CaseAnswer, label: Label | None, at_ns: int, deliver_at_ns: int,
        entries: Sequence[Entry] = (),
    ) -> bool:  # fmt: skip
        """Whether the claimed case took the answer."""

        def say(case: Case) -> Change:
            return casework.answer(
                case, fence=fence, given=answer, label=label, at_ns=at_ns, deliver_at_ns=deliver_at_ns
            )

        return await self._done(case_id, say, entries)

    async def approve(
        self, case_id: str, *, by: str, fence: int, at_ns: int, deliver_at_ns: int, entries: Sequence[Entry] = (),
        signed: Signed | None = None,
    ) -> bool:  # fmt: skip
        """Whether a proposed answer was approved by somebody else than its author."""

        def agree(case: Case) -> Change | None:
            given = signed or Signed(how="")
            return casework.approve(
                case,
                by=by,
                fence=fence,
                at_ns=at_ns,
                deliver_at_ns=deliver_at_ns,
                meaning=given.meaning,
                signed=given.how,
            )

        return await self._done(case_id, agree, entries)

    async def disapprove(self, case_id: str, *, by: str, at_ns: int, note: str, entries: Sequence[Entry] = ()) -> bool:
        """Whether a proposed answer was rejected by somebody else than its author."""
        return await self._done(case_id, lambda case: casework.disapprove(case, by=by, at_ns=at_ns, note=note), entries)

    async def undo(self, case_id: str, *, fence: int, at_ns: int, lease_ns: int) -> Claim | None:
        """A new claim of its author, when an answer that was not delivered yet was taken back."""
        return await self._claimed(
            case_id, lambda case: casework.undo(case, fence=fence, at_ns=at_ns, lease_ns=lease_ns)
        )

    async def chain(
        self, case_id: str, *, role: str, at_ns: int, rank_ns: int, due_at_ns: int, deadline_ns: int
    ) -> bool:
        """Whether an overdue case went on to the next role."""

        def move(case: Case) -> Change | None:
            return casework.chain(
                case, role=role, at_ns=at_ns, rank_ns=rank_ns, due_at_ns=due_at_ns, deadline_ns=deadline_ns
            )

        return await self._done(case_id, move)

    async def expire(self, case_id: str, *, at_ns: int, lease_ns: int) -> Claim | None:
        """An overdue case, "expired" now and held while its safe default is worked out."""
        return await self._claimed(case_id, lambda case: casework.expire(case, at_ns=at_ns, lease_ns=lease_ns))

    async def conclude(self, case_id: str, *, fence: int, how: str, text: str, at_ns: int) -> bool:
        """Whether an expired case got its safe default, delivered at once."""
        return await self._done(
            case_id, lambda case: casework.conclude(case, fence=fence, how=how, text=text, at_ns=at_ns)
        )

    async def withdraw(self, case_id: str, *, tenant: str, at_ns: int) -> bool:
        """Whether the caller took back a case that nobody has answered."""
        return await self._done(case_id, lambda case: casework.withdraw(case, tenant=tenant, at_ns=at_ns))

    async def _done(self, case_id: str, how: How, entries: Sequence[Entry] = ()) -> bool:
        change = await self.change(case_id, how, entries)
        return change is not None and change.done

    async def _claimed(self, case_id: str, how: How) -> Claim | None:
        return claim_of(await self.change(case_id, how))


def claim_of(change: Change | None) -> Claim | None:
    """The claim that a change gave; None when there was none."""
    return None if change is None else Claim(case=change.case, fence=change.case.fence)
