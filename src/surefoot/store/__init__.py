"""What is kept, as protocols: few verbs, each with its guarantee. The back-ends are `memory`, `sqlite` and `postgres`.

Everything that one request leaves behind is one `Commit` and one transaction. Writes go through a writer thread that
groups whatever waits into one database transaction; one bad record fails alone and never takes its neighbours with it.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from surefoot.records import (
    CacheEntry,
    Commit,
    Content,
    Entry,
    Expired,
    Incident,
    JournalEntry,
    Key,
    Label,
    Reservation,
    Revenue,
    Revision,
    Spent,
)
from surefoot.records.audit import AuditEvent, AuditRow, Checkpoint, Head, Stop
from surefoot.records.objective import HistogramCount
from surefoot.records.units import CostSum, RequestSum, Where
from surefoot.store.bets import Bets
from surefoot.store.budgets import Rates, Warnings
from surefoot.store.cases import Cases
from surefoot.store.holds import Holds
from surefoot.store.hooks import Hooks
from surefoot.store.near import Near
from surefoot.store.people import Accounts, Sessions

EVERYTHING = Where()
HOUR_NS = 3_600_000_000_000


class Cache(Protocol):
    """Believed answers. Nothing crosses a tenant or a feature."""

    async def get(self, fingerprint: str, *, tenant: str, feature: str, now_ns: int) -> CacheEntry | None:
        """The entry if it is alive: not expired, not retracted, of the current epoch. A sure miss costs no database read."""

    def epoch(self, tenant: str, feature: str) -> int:
        """The epoch that this process knows; an entry put under an older one is never served."""

    async def invalidate(self, *, tenant: str, feature: str) -> int:
        """Begin a new epoch and drop the entries; returns how many were dropped. Durable before it returns."""

    async def put(self, entry: CacheEntry) -> None:
        """Keep an answer that is believed; `entry.subject` is a pseudonym. Never under an older epoch. Durable."""

    async def retract(self, *, request_id: str) -> int:
        """Drop what this request put in, and every entry that is the same answer: was one wrong, so are they all.

        Returns how many were dropped. Durable before it returns.
        """


class Journal(Protocol):
    """The append-only account of every request, in hash chains (one per process life)."""

    async def get(self, request_id: str) -> JournalEntry | None:
        """The entry, or None."""

    async def content(self, request_id: str) -> Content | None:
        """What was said; None when it was never kept or its subject's key is destroyed."""

    def entries(
        self, *, feature: str | None = None, since_ns: int = 0, shadows: bool = False
    ) -> AsyncIterator[JournalEntry]:
        """Entries of requests, oldest first; with `shadows` those of their shadow calls too."""

    async def verify(self) -> int:
        """How many rows verify. Raises ChainBroken at the first that does not."""

    async def erase_subject(self, *, tenant: str, end_user: str) -> int:
        """Destroy the subject's key, so that its content is unreadable for ever; returns how many contents are lost.

        The chains hold digests only, so they still verify. Raises LegalHold, and then nothing is destroyed.
        """

    async def expire(self, *, before_ns: int, limit: int = 500) -> Expired:
        """Destroy keys of subjects under which nothing is younger than `before_ns`, at most `limit`; what that came to.

        Passed over are subjects under legal hold, what a waiting question needs, and addresses that are still to be called;
        an audit that nobody judged in time is not. Each subject has an event in the trail; nothing leaves the journal.
        """


class Ledger(Protocol):
    """Money: entries, and what is spent and reserved of each budget."""

    async def entries(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Entry]:
        """Ledger lines, oldest first."""

    async def of(self, request_ids: Sequence[str]) -> tuple[Sequence[Entry], Sequence[Revenue]]:
        """What requests spent and earned, each oldest first."""

    async def total(self, *, feature: str | None = None, tenant: str | None = None) -> int:
        """The sum of all entries, in nano-dollars; 0 when there is none."""

    async def costs(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[CostSum]:
        """What groups spent, by kind of entry, from the roll-ups; in any order.

        Args:
            by: "day" and names of `DIMENSIONS`; () is one group of everything, and none when nothing was ever spent.
            where: which part. The roll-ups of any part are the sum of its entries, at any moment.
        """

    async def traffic(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[RequestSum]:
        """Groups' requests, what they earned and the memo of the baseline, from the roll-ups; in any order.

        A request counts on its own day, at whoever answered it: the delivered rung, or the person; "" when nobody did.
        What it earned counts on the day when it was earned.
        """

    async def histogram(
        self, measures: Sequence[str], *, hourly: bool = False, by_tenant: bool = False, since_ns: int = 0
    ) -> Sequence[HistogramCount]:
        """How many deliveries of each feature fell into which bucket, in any order; what is empty is not there.

        Args:
            measures: LATENCY, GROUNDING, JUDGE.
            hourly: by hour, latency alone, all tenants together; else by UTC day.
            by_tenant: whether days are told by tenant too.
            since_ns: its hour or day counts whole.
        """

    async def earn(self, lines: Sequence[Revenue]) -> Sequence[bool]:
        """Which lines of revenue are new, in one transaction: the same id is taken once. Durable before it returns.

        A line with an outcome makes it the outcome of its request, unless a later one was reported; all that the request has
        booked moves there.
        """

    async def revenue(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Revenue]:
        """What was earned, oldest first."""

    async def spent(
        self, *, by: Sequence[str] = (), since_ns: int = 0, until_ns: int | None = None, step_ns: int = HOUR_NS
    ) -> Sequence[Spent]:
        """The lines from `since_ns` until before `until_ns`, added up by stretches of `step_ns` since the epoch.

        Args:
            by: names of `SPENT_BY`; each combination that occurs is a row.
        Returns: by time and group; stretches without a line are not there. A request with lines in several groups counts in
            each of them.
        Raises: ValueError for a name that lines are not grouped by, or a step below 1.
        """

    async def budget(self, scope: str, window: str) -> tuple[int, int]:
        """(spent, reserved) of a budget in nano-dollars; (0, 0) before its first use."""

    async def settle_orphans(self, *, older_than_ns: int | None = None) -> int:
        """Book reservations that no living request will settle as estimated; returns how many.

        `older_than_ns` None takes all (one process owns the database); else those made before that time.
        """


class Policies(Protocol):
    """Every policy version that ever decided."""

    async def put(self, version: str, data: bytes) -> None:
        """Keep a version; putting it again does nothing. Durable before it returns."""

    async def get(self, version: str) -> bytes | None:
        """The stored policy, or None."""


class Keys(Protocol):
    """Virtual keys, hashed."""

    async def put(self, key: Key) -> None:
        """Add a key. Durable before it returns."""

    async def all(self) -> Sequence[Key]:
        """Every key, revoked ones too."""

    async def revoke(self, key_id: str, *, at_ns: int) -> bool:
        """Whether there was such a living key. Durable before it returns."""


class Labels(Protocol):
    """What somebody who knows said of drafts. Append-only."""

    async def add(self, label: Label) -> bool:
        """Whether the label is new: the same id is taken once. Durable before it returns."""

    async def add_all(self, labels: Sequence[Label], *, remarks: Mapping[str, str] | None = None) -> Sequence[bool]:
        """Which labels are new, in one transaction. Durable before it returns. Raises StoreError, and then none is written.

        Args:
            labels: in any order; of several with one id the first counts.
            remarks: by label id, what was said in free words. Kept when the label is new, as content of its request's
                subject: encrypted, and erased with it.
        """

    async def remark(self, label_id: str) -> str | None:
        """What was said with a label in free words; None when nothing was, or its subject's key is destroyed."""

    async def of(self, request_id: str) -> Sequence[Label]:
        """What was said of a request's drafts, oldest first."""

    async def all(self, *, feature: str | None = None, since_ns: int = 0) -> Sequence[Label]:
        """Labels, oldest first."""

    async def count(self, *, feature: str) -> int:
        """How many labels a feature has: when it has not changed, nothing has to be read again."""


class Revisions(Protocol):
    """What labels taught, numbered from 1; one of them serves, or none (0)."""

    async def add(self, data: bytes, *, note: str, at_ns: int) -> int:
        """The number of a new candidate, one above the last. Durable before it returns."""

    async def get(self, number: int) -> Revision | None:
        """A revision, or None."""

    async def all(self) -> Sequence[Revision]:
        """Every revision, oldest first."""

    async def promote(self, number: int, *, at_ns: int) -> None:
        """Serve a revision from now on; 0 serves the configuration alone. Raises NotFound. Durable before it returns."""

    async def serving(self) -> int:
        """The number that serves; 0 before the first promotion."""

    async def promotions(self) -> Sequence[tuple[int, int]]:
        """(at_ns, number) of every promotion, oldest first. Append-only: a rollback is a promotion too."""


class Incidents(Protocol):
    """Alarms that were raised. Append-only."""

    async def add(self, incident: Incident) -> bool:
        """Whether the incident is new: the same id is taken once. Durable before it returns."""

    async def all(self, *, feature: str | None = None) -> Sequence[Incident]:
        """Incidents, oldest first."""


class Audit(Protocol):
    """The audit trail: who did what, when, in hash chains; and the features that a person stopped. Append-only.

    Events of cases, labels, promotions and stops are written in the transaction of what they tell, and vouch for its row.
    """

    async def add(self, event: AuditEvent) -> None:
        """Write an event, at the server's time. Durable before it returns. Raises StoreError."""

    async def events(
        self, *, kind: str = "", by: str = "", on: str = "", since_ns: int = 0, limit: int = 1000
    ) -> Sequence[AuditRow]:
        """Events, newest first; `kind` is the beginning of one, what is "" does not matter."""

    async def heads(self) -> Sequence[Head]:
        """The newest row of every chain, of the journal too: what a checkpoint signs."""

    async def verify(self, checkpoint: Checkpoint | None = None) -> int:
        """How many rows verify, in one snapshot. Raises TrailBroken that names the first row altered or missing.

        Args:
            checkpoint: heads that must still stand; its signature is not looked at here (`store.audit.read_checkpoint`).
        """

    async def stop(self, stop: Stop) -> None:
        """Stop a feature, or "*". Durable before it returns."""

    async def resume(self, feature: str, *, by: str, reason: str, at_ns: int) -> bool:
        """Whether the feature was stopped; it is not any more. Durable before it returns."""

    async def stops(self) -> Sequence[Stop]:
        """What is stopped now, by name."""


class Store(Protocol):
    """One back-end: the parts above and the two writes of the hot path."""

    cache: Cache
    near: Near
    cases: Cases
    journal: Journal
    ledger: Ledger
    policies: Policies
    keys: Keys
    labels: Labels
    revisions: Revisions
    incidents: Incidents
    audit: Audit
    accounts: Accounts
    sessions: Sessions
    hooks: Hooks
    holds: Holds
    warnings: Warnings
    rates: Rates
    bets: Bets

    async def start(self) -> None:
        """Open, migrate, load what lookups need. Raises StoreError."""

    async def close(self) -> None:
        """Write what waits, then close."""

    def rotate_keys(self, after_ns: int) -> None:
        """Seal a subject's new content under a new key after so long, so that old content can go without the new; 0: never."""

    def pseudonym(self, subject: str) -> str:
        """The name that stands for a subject in the journal: a keyed hash, 32 hex digits. Never call before `start`."""

    def reserve(self, reservation: Reservation) -> Future[None]:
        """Set money aside; done when durable. Fails with BudgetSpent, and then nothing else of its group is hurt."""

    def commit(self, commit: Commit) -> Future[str]:
        """Write what a request leaves behind, all or nothing; done when durable. Fails with StoreError.

        The result is the id of the case that its journal entry names, "" when it names none: of a commit that `joins`
        perhaps another one than it brings. Of several at once, on whatever replicas, one opens the case.
        """

    async def flush(self) -> None:
        """Wait until everything that was acknowledged can be read. At once unless commits are "batched"."""

    def waits_us(self) -> Sequence[float]:
        """The last commit waits in microseconds (at most 10,000), for p50 and p99; empty before the first."""
