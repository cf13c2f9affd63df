"""One answer for many cases: each claimed and answered by itself, and the time that a person spent on them split."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from surefoot.app.answering import Answering
from surefoot.app.roster import Roster
from surefoot.errors import NotAllowed, NotFound
from surefoot.records import Case, CaseAnswer, Claim
from surefoot.records.case import Signed
from surefoot.records.person import Person
from surefoot.review.leverage import along_with
from surefoot.store import Store


class Batch:
    """Gives answers to other cases; a part of the desk. `clock` gives UTC nanoseconds. Raises StoreError."""

    def __init__(
        self, store: Store, roster: Roster, answering: Answering, lease_ns: int, clock: Callable[[], int]
    ) -> None:
        self._store, self._roster, self._answering = store, roster, answering
        self._lease_ns, self._clock = lease_ns, clock

    def may_be_bulk(self, case: Case) -> bool:
        """Whether one press may give a case's answer to all like cases that differ in nothing."""
        return self._roster.bulk(case)

    async def answer(
        self, case_id: str, others: Sequence[str], *, by: Person, signed: Signed, bulk: bool = False,
        seconds: float | None = None, estimated: bool = False,
    ) -> Sequence[str]:  # fmt: skip
        """Which waiting cases took the general answer that this person gave to one. Each has a label and an undo window of its
        own; what somebody else has by now, or is another role's or feature's, is left out and hurts no other.

        They are held for a moment only, so that a role's `capacity` does not count.

        Args:
            case_id: the case that was answered.
            others: cases that a person confirmed one by one, or with `bulk` all together.
            by: who answered it.
            signed: what the person was shown as the meaning of signing, once for all of them, and how it was known to be them.
            bulk: whether nobody looked at each.
            seconds: spent on all of them together: whole seconds that are split over those that take the answer, so that
                they add up; None: each since its claim.
            estimated: whether nobody measured them.
        Raises: NotFound, NotAllowed (another's answer, one for one person, bulk where the feature has none, a role's
            password that was not asked for), BadRequest.
        """
        case, now = await self._store.cases.find(case_id), self._clock()
        if case is None:
            raise NotFound(f"there is no case {case_id!r}")
        if case.answered_by != by.name or case.answer is None or not case.general:
            raise NotAllowed("only a general answer of one's own is given to others")
        self._roster.see_signed(case, signed)
        if bulk and not self._roster.bulk(case):
            raise NotAllowed(f"in {case.feature} a person looks at every case that an answer is given to")
        claims = [each for each in [await self._claimed(name, case, by) for name in dict.fromkeys(others)] if each]
        told, left = [], None if seconds is None else round(seconds)
        for place, claim in enumerate(claims):
            share = None if left is None else left // (len(claims) - place)
            verb = "accept" if case.answer == (await self._answering.draft(claim.case)).strip() else "replace"
            answer = CaseAnswer(
                verb=verb, text=case.answer, by=by.name, general=True, seconds=share, signed_at_ns=now,
                meaning=f"{signed.meaning}, {along_with(case.id, bulk=bulk)}", signed=signed.how,
            )  # fmt: skip
            spent = await self._answering.minutes(claim.case, share, now, estimated=estimated or None)
            if await self._answering.write(claim.case, claim.fence, answer, by, spent):
                told.append(claim.case.id)
                left = None if left is None or share is None else left - share
        return told

    async def _claimed(self, name: str, case: Case, by: Person) -> Claim | None:
        """A case to be answered along with another; None when it is not of its kind, or waits no more."""
        other = await self._store.cases.find(name)
        if other is None or other.kind != "question" or _kind(other) != _kind(case):
            return None
        self._roster.admit(other, by)
        if other.state == "claimed":  # also one's own: whoever has it is writing to it
            return None
        return await self._store.cases.claim(name, by=by.name, at_ns=self._clock(), lease_ns=self._lease_ns)


def _kind(case: Case) -> tuple[str, str, str]:
    return case.tenant, case.feature, case.role
