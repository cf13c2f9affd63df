"""What is kept of cases, as a protocol: the queue, claims, answers, deadlines, and what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from surefoot.records import Case, CaseAnswer, CaseEvent, Claim, Entry, Label, Moment
from surefoot.records.case import PENDING, WAITING, Signed

SLACK_NS = (
    3_600_000_000_000  # an hour: how much later than its time an event may become visible and still be looked for
)


class CaseQueue(Protocol):
    """What can be known of cases."""

    async def get(self, case_id: str, *, tenant: str) -> Case | None:
        """The case, or None when there is none or it belongs to another tenant."""

    async def find(self, case_id: str) -> Case | None:
        """The case, whoever's it is: for the desk, never for a caller."""

    async def open_cases(
        self, *, feature: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Case]:
        """Cases in state "open", oldest first; of both kinds when none is named."""

    async def waiting(
        self, *, roles: Sequence[str] | None = None, states: Sequence[str] = WAITING, kind: str | None = None,
        feature: str | None = None, by: str | None = None, limit: int = 100, after: tuple[int, str] | None = None,
    ) -> Sequence[Case]:  # fmt: skip
        """The queue: by `rank_ns`, then id; snoozed ones too.

        Args:
            roles: whose cases; None: all.
            states: of which states.
            kind: "question" or "audit"; None: both.
            feature: whose; None: all.
            by: claimed by this person; None: no matter.
            limit: at most so many.
            after: (rank_ns, id) of the last case of the page before.
        """

    async def tally(self) -> Mapping[tuple[str, str], int]:
        """How many cases there are by (role, state), in the states of PENDING; what is not there has none."""

    async def find_waiting(
        self, fingerprint: str, *, tenant: str, feature: str, subject: str, states: Sequence[str] = PENDING
    ) -> Case | None:
        """The newest case of the same question of the same subject (a pseudonym); None when there is none in these states."""

    async def thread(self, subject: str, *, limit: int) -> Sequence[Case]:
        """A subject's cases in any state, newest first; audits are not among them."""

    async def events(self, case_id: str) -> Sequence[tuple[int, str, str]]:
        """What happened to a case, oldest first: (at_ns, kind, detail)."""

    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """What happened to a case, oldest first, with the texts that were said, as far as their subject is not erased."""

    async def changes(self, *, after: int, limit: int = 1000) -> Sequence[CaseEvent]:
        """Events of all cases with an id above `after`, ascending, without texts. No id appears below one that was seen."""

    def moments(self, *, since_ns: int, until_ns: int) -> AsyncIterator[Moment]:
        """Events of all cases in [since_ns, until_ns), the newest first, without texts: read page by page, and no further back
        than SLACK_NS before the time that is asked for.
        """

    async def last_change(self) -> int:
        """The id of the newest event; 0 before the first."""


class CaseWork(Protocol):
    """What people and callers do to a case."""

    async def claim(
        self, case_id: str, *, by: str, at_ns: int, lease_ns: int, capacity: Mapping[str, int] | None = None
    ) -> Claim | None:
        """The case for one person, until the lease ends: open, or claimed with a lease that has ended.

        A person's own claim is given again, with the same fence and a new lease. None when somebody else has it, it
        waits no more, or the person has as many claims as its role allows; a snooze does not hinder.

        Args:
            capacity: by role, how many claims one person has at once; who is not named has no limit. It is counted in the
                claim's own transaction, so that a person who claims twice in the same moment does not come over it.
        """

    async def claim_next(
        self, *, roles: Sequence[str] | None, by: str, at_ns: int, lease_ns: int,
        capacity: Mapping[str, int] | None = None,
    ) -> Claim | None:  # fmt: skip
        """The open case that comes first by rank and is not snoozed, as `claim`. None when there is none.

        Never waits for somebody else who claims at the same moment: each gets another case.
        """

    async def heartbeat(self, case_id: str, *, fence: int, at_ns: int, lease_ns: int) -> bool:
        """Whether the claim still holds; then its lease ends `lease_ns` after `at_ns`. No event: nothing changed."""

    async def release(
        self, case_id: str, *, fence: int, at_ns: int, role: str = "", note: str = "", snoozed_until_ns: int = 0
    ) -> bool:
        """Whether the claimed case went back to the queue: with a role it is handed over, with a time it is snoozed."""

    async def reassign(self, case_id: str, *, by: str, to: str, at_ns: int, lease_ns: int) -> Claim | None:
        """Take a case from whoever has it and give it to `to`; with "" back to the queue (the claim then is nobody's).

        None when it is neither open nor claimed.
        """

    async def autosave(self, case_id: str, *, fence: int, text: str) -> bool:
        """Whether what is being written was kept, sealed. No event: nothing changed."""

    async def answer(
        self, case_id: str, *, fence: int, answer: CaseAnswer, label: Label | None, at_ns: int, deliver_at_ns: int,
        entries: Sequence[Entry] = (),
    ) -> bool:  # fmt: skip
        """Whether the claimed case took the answer: "answered", or "proposed" where two persons must agree.

        The ledger's `entries` are written at once, the label when it is delivered: until then it can be taken back. An
        audit becomes "judged", with its label. When the claim is lost nothing of this happens, but the text is kept as a
        "refused" event, and is what the next one finds as autosaved where nothing else is.
        """

    async def approve(
        self, case_id: str, *, by: str, fence: int, at_ns: int, deliver_at_ns: int, entries: Sequence[Entry] = (),
        signed: Signed | None = None,
    ) -> bool:  # fmt: skip
        """Whether the answer proposed under this fence was approved by somebody else than its author: it is "answered" now."""

    async def disapprove(self, case_id: str, *, by: str, at_ns: int, note: str, entries: Sequence[Entry] = ()) -> bool:
        """Whether a proposed answer was rejected by somebody else than its author, and its case is open again."""

    async def undo(self, case_id: str, *, fence: int, at_ns: int, lease_ns: int) -> Claim | None:
        """A new claim of its author, when an answer that was not delivered yet was taken back: its text is autosaved, its label
        gone. None when it was delivered, or the fence is another.
        """

    async def withdraw(self, case_id: str, *, tenant: str, at_ns: int) -> bool:
        """Whether the caller took back a case that nobody has answered."""

    async def resolve(self, case_id: str, *, state: str, at_ns: int, detail: str = "") -> bool:
        """Whether an open case was moved to a state, with its event, in one transaction."""

    async def judge(self, case_id: str, *, label: Label, at_ns: int) -> bool:
        """Whether an open case was moved to "judged" and its label appended, with its event, in one transaction.

        False, and then no label is kept, when the case is not open any more or is of another request than the label. A
        "wrong" one also drops the cached answer to this question. Raises StoreError when the label's id is taken, and
        then nothing was written.
        """


class CaseTimes(Protocol):
    """What happens to cases by themselves; `app.waiting` asks for it every second."""

    async def deliver_due(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Answered cases whose undo window has ended, delivered now: each is returned once, whoever asks.

        Their labels are appended; a "wrong" one drops the cached answer to the question.
        """

    async def lapse_leases(self, *, now_ns: int) -> int:
        """Put cases back into the queue whose lease has ended; returns how many.

        A lease that ends later than it can (the clock was set back) is cut to its full length from now: whoever lives keeps
        it by a heartbeat, whoever does not loses it one lease from now.
        """

    async def overdue(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Waiting cases past their deadline, and expired ones whose safe default nobody is working on."""

    async def chain(
        self, case_id: str, *, role: str, at_ns: int, rank_ns: int, due_at_ns: int, deadline_ns: int
    ) -> bool:
        """Whether an overdue case went on to the next role, open, with new times; its fence grows."""

    async def expire(self, case_id: str, *, at_ns: int, lease_ns: int) -> Claim | None:
        """An overdue case, "expired" now and held while its safe default is worked out; None when it is not overdue."""

    async def conclude(self, case_id: str, *, fence: int, how: str, text: str, at_ns: int) -> bool:
        """Whether an expired case got its safe default (`how`: one of DEFAULTS), delivered at once."""


class Cases(CaseQueue, CaseWork, CaseTimes, Protocol):
    """Questions that wait for a person. They are opened by `Store.commit`; `records.case` draws their states.

    Each change of state appends its event in the same transaction and is durable before it returns; of several at once one
    wins. A write bears the fence of its claim: after a later claim it is refused, whatever any clock says.
    """
