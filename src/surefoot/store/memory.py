"""A store in plain Python: the same guarantees as on tables, but for durability. Nothing outlives the process."""

from __future__ import annotations

import asyncio
import os
import time
from asyncio import Future
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from surefoot.errors import StoreError
from surefoot.records import CacheEntry, Case, Commit, Content, Expired, JournalEntry, Key, Reservation
from surefoot.store import Audit, Cache, Incidents, Journal, Keys, Labels, Ledger, Policies, Revisions
from surefoot.store.bets import Bets
from surefoot.store.budgets import Rates, Warnings
from surefoot.store.cases import Cases
from surefoot.store.chain import Walk, genesis, link, new_id
from surefoot.store.holds import Holds
from surefoot.store.hooks import Hooks
from surefoot.store.joining import asked, joined
from surefoot.store.memoryaudit import MemoryAudit
from surefoot.store.memorybets import MemoryBets
from surefoot.store.memorybudgets import MemoryRates, MemoryWarnings
from surefoot.store.memorycases import MemoryCases, is_waited_for, waiting_in
from surefoot.store.memoryholds import MemoryHolds
from surefoot.store.memoryhooks import MemoryHooks
from surefoot.store.memorylabels import MemoryIncidents, MemoryLabels, MemoryRevisions
from surefoot.store.memoryledger import MemoryLedger
from surefoot.store.memorynear import MemoryNear
from surefoot.store.memorypeople import MemoryAccounts, MemorySessions
from surefoot.store.near import Near
from surefoot.store.people import Accounts, Sessions
from surefoot.store.vault import KEY, Vault

WAITS = 10_000
CACHED = 200_000  # entries; the oldest make room

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JournalEntry).decode


class Link(msgspec.Struct, frozen=True):
    """One row of the chain."""

    prev_hash: bytes
    hash: bytes
    body: bytes


class MemoryCache:
    """`Cache` in a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], CacheEntry] = {}
        self._epochs: dict[tuple[str, str], int] = {}

    async def get(self, fingerprint: str, *, tenant: str, feature: str, now_ns: int) -> CacheEntry | None:
        """The entry if it is alive: not expired, not retracted, of the current epoch."""
        entry = self._entries.get((tenant, feature, fingerprint))
        if entry is None or entry.expires_at_ns <= now_ns or entry.epoch != self.epoch(tenant, feature):
            return None
        return replace(entry, near=b"") if entry.near else entry

    def epoch(self, tenant: str, feature: str) -> int:
        """The current epoch; 0 before the first invalidation."""
        return self._epochs.get((tenant, feature), 0)

    async def invalidate(self, *, tenant: str, feature: str) -> int:
        """Begin a new epoch and drop the entries; returns how many were dropped."""
        self._epochs[tenant, feature] = self.epoch(tenant, feature) + 1
        return self._drop(lambda entry: (entry.tenant, entry.feature) == (tenant, feature))

    async def retract(self, *, request_id: str) -> int:
        """Drop what this request put in, and every entry that is the same answer; returns how many were dropped."""
        return self._retract(lambda entry: entry.request_id == request_id)

    async def put(self, entry: CacheEntry) -> None:
        """Keep an answer that is believed."""
        self.keep(entry)

    def keep(self, entry: CacheEntry) -> None:
        """Keep an entry, unless one of a newer epoch stands in its place."""
        name = (entry.tenant, entry.feature, entry.fingerprint)
        old = self._entries.get(name)
        if old is None or old.epoch <= entry.epoch:
            self._entries.pop(name, None)
            self._entries[name] = entry
        if len(self._entries) > CACHED:
            del self._entries[next(iter(self._entries))]

    def forget(self, tenant: str, feature: str, fingerprint: str) -> None:
        """Drop the answer to one question, and every entry that is the same answer."""
        self._retract(lambda entry: (entry.tenant, entry.feature, entry.fingerprint) == (tenant, feature, fingerprint))

    def entries(self) -> Iterable[CacheEntry]:
        """All that are held."""
        return self._entries.values()

    def _retract(self, match: Callable[[CacheEntry], bool]) -> int:
        found = [entry for entry in self._entries.values() if match(entry)]
        same = {(entry.tenant, entry.feature, entry.answer) for entry in found if entry.answer}
        gone = {(entry.tenant, entry.feature, entry.fingerprint) for entry in found}
        return self._drop(
            lambda entry: (
                (entry.tenant, entry.feature, entry.answer) in same
                or (entry.tenant, entry.feature, entry.fingerprint) in gone
            )
        )

    def erase(self, subject: str) -> None:
        """Drop every answer that belongs to a subject."""
        self._drop(lambda entry: entry.subject == subject)

    def _drop(self, match: Callable[[CacheEntry], bool]) -> int:
        gone = [name for name, entry in self._entries.items() if match(entry)]
        for name in gone:
            del self._entries[name]
        return len(gone)


class MemoryJournal:
    """`Journal` in lists."""

    def __init__(
        self, vault: Vault, erase: Callable[[str], None], see_free: Callable[[str], None],
        is_needed: Callable[[str], bool], expired: Callable[[Mapping[str, int]], None],
    ) -> None:  # fmt: skip
        self._vault, self._erase, self._see_free = vault, erase, see_free
        self._is_needed, self._expired = is_needed, expired
        self._chain = new_id()
        self._links: list[Link] = []
        self._places: dict[str, int] = {}
        self._contents: dict[str, tuple[str, Content]] = {}

    async def get(self, request_id: str) -> JournalEntry | None:
        """The entry, or None."""
        place = self._places.get(request_id)
        return None if place is None else _decode(self._links[place].body)

    async def content(self, request_id: str) -> Content | None:
        """What was said; None when it was never kept or is erased."""
        kept = self._contents.get(request_id)
        return None if kept is None else kept[1]

    async def entries(
        self, *, feature: str | None = None, since_ns: int = 0, shadows: bool = False
    ) -> AsyncIterator[JournalEntry]:
        """Entries, oldest first; with `shadows` those of shadow calls too."""
        every = (_decode(row.body) for row in self._links)
        found = (entry for entry in every if shadows or not entry.shadow_of)
        wanted = [entry for entry in found if entry.at_ns >= since_ns and feature in (None, entry.feature)]
        for entry in sorted(wanted, key=lambda entry: entry.at_ns):
            yield entry

    async def verify(self) -> int:
        """How many rows verify. Raises ChainBroken at the first that does not."""
        walk = Walk(self._chain)
        for position, row in enumerate(self._links, start=1):
            walk.step(position, row.prev_hash, row.hash, row.body)
        return walk.length

    async def erase_subject(self, *, tenant: str, end_user: str) -> int:
        """Drop the subject's content; returns how many contents are lost. The chain still verifies."""
        subject = self._vault.pseudonym(f"user:{tenant}:{end_user}" if end_user else f"tenant:{tenant}")
        self._see_free(subject)
        lost = [name for name, (owner, _) in self._contents.items() if owner == subject]
        for name in lost:
            del self._contents[name]
        self._erase(subject)
        return len(lost)

    async def expire(self, *, before_ns: int, limit: int = 500) -> Expired:
        """Drop the contents of subjects of whom nothing is younger; see `Journal.expire`. Keys are subjects here."""
        by_subject: dict[str, list[str]] = {}
        for name, (owner, _) in self._contents.items():
            by_subject.setdefault(owner, []).append(name)
        young = {
            self._contents[name][0]
            for name in self._contents
            if name in self._places and _decode(self._links[self._places[name]].body).at_ns >= before_ns
        }
        gone = [subject for subject in by_subject if subject not in young and not self._is_needed(subject)][:limit]
        for subject in gone:
            for name in by_subject[subject]:
                del self._contents[name]
        contents = sum(len(by_subject[subject]) for subject in gone)
        if gone:
            self._expired({subject: len(by_subject[subject]) for subject in gone})
        return Expired(keys=len(gone), contents=contents)

    def knows(self, request_id: str) -> bool:
        """Whether the request is in the journal."""
        return request_id in self._places

    def keep(self, request_id: str, name: str, content: Content) -> None:
        """Keep one more content of a request's subject, under another name."""
        self._contents[name] = (_decode(self._links[self._places[request_id]].body).subject, content)

    def append(self, entry: JournalEntry, body: bytes, subject: str, content: Content | None) -> None:
        """Add a row and what was said."""
        previous = self._links[-1].hash if self._links else genesis(self._chain)
        self._places[entry.request_id] = len(self._links)
        self._links.append(Link(previous, link(previous, body), body))
        if content is not None:
            self._contents[entry.request_id] = (subject, content)


class MemoryPolicies:
    """`Policies` in a dictionary."""

    def __init__(self) -> None:
        self._versions: dict[str, bytes] = {}

    async def put(self, version: str, data: bytes) -> None:
        """Keep a version; putting it again does nothing."""
        self._versions.setdefault(version, data)

    async def get(self, version: str) -> bytes | None:
        """The stored policy, or None."""
        return self._versions.get(version)


class MemoryKeys:
    """`Keys` in a dictionary."""

    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._keys: dict[str, Key] = {}

    async def put(self, key: Key) -> None:
        """Add a key. Raises StoreError when its id or hash is taken."""
        if key.id in self._keys or any(known.hash == key.hash for known in self._keys.values()):
            raise StoreError(f"there is a key {key.id} already, or one of the same hash")
        self._keys[key.id] = key
        self._audit.note(kind="key.created", on=key.id, detail=key.tenant)

    async def all(self) -> Sequence[Key]:
        """Every key, revoked ones too, oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.created_at_ns, key.id))

    async def revoke(self, key_id: str, *, at_ns: int) -> bool:
        """Whether there was such a living key."""
        key = self._keys.get(key_id)
        if key is None or key.revoked_at_ns is not None:
            return False
        self._keys[key_id] = replace(key, revoked_at_ns=at_ns)
        self._audit.note(kind="key.revoked", on=key_id)
        return True


class MemoryStore:
    """`Store` in memory. Content is not sealed, since it is never written anywhere."""

    def __init__(self) -> None:
        self._vault = Vault(os.urandom(KEY))
        self._cache, self._ledger = MemoryCache(), MemoryLedger()
        self._audit = MemoryAudit()
        self._holds = MemoryHolds(self._audit)
        self._journal = MemoryJournal(self._vault, self._erase, self._holds.see_free, self._is_needed, self._expire)
        self.holds: Holds = self._holds
        self._near = MemoryNear(self._cache.entries)
        self._labels = MemoryLabels(self._journal, self._audit, self._near.hear)
        self._cases = MemoryCases(self._labels, self._forget, self._ledger, self._audit)
        self._open = False
        self._waits: deque[float] = deque(maxlen=WAITS)
        self.cache: Cache = self._cache
        self.near: Near = self._near
        self.cases: Cases = self._cases
        self.journal: Journal = self._journal
        self.ledger: Ledger = self._ledger
        self.policies: Policies = MemoryPolicies()
        self.keys: Keys = MemoryKeys(self._audit)
        self.labels: Labels = self._labels
        self.revisions: Revisions = MemoryRevisions(self._audit)
        self.incidents: Incidents = MemoryIncidents()
        self._hooks = MemoryHooks(self._cases)
        self.hooks: Hooks = self._hooks
        self.bets: Bets = MemoryBets(self._audit)
        self.warnings: Warnings = MemoryWarnings(self._ledger.warnings)
        self.rates: Rates = MemoryRates()
        self.audit: Audit = self._audit
        sessions = MemorySessions()
        self.sessions: Sessions = sessions
        self.accounts: Accounts = MemoryAccounts(sessions, self._audit)

    async def start(self) -> None:
        """Begin to take records."""
        self._open = True

    async def close(self) -> None:
        """Take no more records."""
        self._open = False

    def rotate_keys(self, after_ns: int) -> None:
        """Nothing is sealed here."""

    def pseudonym(self, subject: str) -> str:
        """The name that stands for a subject in the journal: a keyed hash, 32 hex digits."""
        return self._vault.pseudonym(subject)

    def reserve(self, reservation: Reservation) -> Future[None]:
        """Set money aside; done at once. Fails with BudgetSpent."""
        if not self._open:
            return self._done(StoreError("the store is not open"))
        return self._done(self._ledger.reserve(reservation))

    def commit(self, commit: Commit) -> Future[str]:
        """Keep what a request leaves behind, all or nothing; done at once. Fails with StoreError."""
        began = time.perf_counter()
        done = self._commit(commit) if self._open else StoreError("the store is not open")
        self._waits.append((time.perf_counter() - began) * 1e6)
        return self._done(done)

    async def flush(self) -> None:
        """Nothing to wait for."""

    def waits_us(self) -> Sequence[float]:
        """The last commit waits in microseconds (at most 10,000); empty before the first."""
        return list(self._waits)

    def _commit(self, commit: Commit) -> StoreError | str:
        """Check everything that can fail, then keep everything; the case that the entry names, "" for none."""
        pseudonym = self.pseudonym(commit.subject or f"tenant:{commit.entry.tenant}")
        question = asked(commit, pseudonym)
        if question is not None and (known := waiting_in(self._cases.known.values(), question)):
            commit = joined(commit, known)
        entry, case = commit.entry, commit.case
        if self._journal.knows(entry.request_id):
            return StoreError(f"request {entry.request_id} is in the journal already")
        if case is not None and case.id in self._cases.known:
            return StoreError(f"there is a case {case.id} already")
        try:
            body = _encode(entry)
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            return StoreError(f"the record cannot be written down: {type(error).__name__}")
        self._journal.append(entry, body, pseudonym, commit.content)
        self._ledger.settle(commit)
        if commit.set_aside is not None:
            self._ledger.reserve(commit.set_aside)
        if case is not None:
            self._cases.open(replace(case, subject=pseudonym))
        if commit.cache is not None:
            self._cache.keep(replace(commit.cache, subject=pseudonym))
        if commit.proposal is not None:
            self._near.keep(commit.proposal)
        return entry.case_id or ""

    def _done(self, done: Exception | str | None) -> Future[Any]:
        future: Future[Any] = asyncio.get_running_loop().create_future()
        if isinstance(done, Exception):
            future.set_exception(done)
        else:
            future.set_result(done)
        return future

    def _is_needed(self, subject: str) -> bool:
        """Whether a waiting question needs what a subject said, an address is still to be called, or a hold stands."""
        waits = is_waited_for(self._cases.known.values(), subject)
        return waits or self._holds.holds(subject) or self._hooks.is_waited_for(self._is_tenant(subject))

    def _is_tenant(self, subject: str) -> Callable[[str], bool]:
        return lambda tenant: self.pseudonym(f"tenant:{tenant}") == subject

    def _expire(self, contents: Mapping[str, int]) -> None:
        for subject, count in sorted(contents.items()):
            self._audit.note(kind="subject.erased", on=subject, detail=f"retention: {count} contents")
            self._drop(subject)

    def _forget(self, case: Case) -> None:
        """Drop the cached answer to a case's question, and the one that it was given for a near question."""
        given = self._near.given(case.request_id)
        for fingerprint in (case.fingerprint, given):
            if fingerprint is not None:
                self._cache.forget(case.tenant, case.feature, fingerprint)

    def _erase(self, subject: str) -> None:
        self._audit.note(kind="subject.erased", on=subject)
        self._drop(subject)

    def _drop(self, subject: str) -> None:
        self._cache.erase(subject)
        self._cases.erase(subject)
        self._hooks.erase(self._is_tenant(subject))
