"""The near cache in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from surefoot.errors import StoreError
from surefoot.records import CacheEntry, Label, NearAccount, NearItem, NearMapRow, Proposal
from surefoot.records.case import PERSON
from surefoot.records.near import EXPLORED, HIT
from surefoot.store.near import judged, moved, proposed, told_by


class MemoryNear:
    """`Near` in dictionaries, over the entries of a cache."""

    def __init__(self, entries: Callable[[], Iterable[CacheEntry]]) -> None:
        self._entries = entries
        self._accounts: dict[str, NearAccount] = {}
        self._proposals: dict[str, Proposal] = {}
        self._maps: dict[tuple[str, int], NearMapRow] = {}

    async def items(self, *, since_ns: int = 0) -> Sequence[NearItem]:
        """The cache's entries with a vector, put in from then on, oldest first."""
        found = [entry for entry in self._entries() if entry.near and entry.at_ns >= since_ns]
        return [
            NearItem(
                fingerprint=entry.fingerprint, tenant=entry.tenant, feature=entry.feature, context=entry.context,
                answer=entry.answer, by_person=entry.provider == PERSON, at_ns=entry.at_ns, near=entry.near,
            )
            for entry in sorted(found, key=lambda entry: (entry.at_ns, entry.fingerprint))
        ]  # fmt: skip

    async def held(self) -> Collection[tuple[str, str, str]]:
        """What an index may still hold."""
        return {(entry.tenant, entry.feature, entry.fingerprint) for entry in self._entries() if entry.near}

    async def account(self, feature: str) -> NearAccount:
        """How a feature stands."""
        return self._accounts.get(feature, NearAccount())

    async def count(self, feature: str, requests: int) -> NearAccount:
        """Add requests to an account."""
        before = await self.account(feature)
        self._accounts[feature] = replace(before, requests=before.requests + requests)
        return self._accounts[feature]

    async def propose(self, proposal: Proposal, *, requests: int, room: int | None) -> tuple[bool, NearAccount]:
        """Whether a proposal within the bound may go ahead. Raises StoreError for a request that has one."""
        if proposal.request_id in self._proposals:
            raise StoreError(f"request {proposal.request_id} has a proposal already")
        before = await self.account(proposal.feature)
        goes, self._accounts[proposal.feature] = proposed(before, proposal, requests=requests, room=room)
        if goes:
            self._proposals[proposal.request_id] = proposal
        return goes, self._accounts[proposal.feature]

    async def judge(self, request_id: str, right: bool, *, source: str, at_ns: int) -> bool:
        """Whether a verdict on a proposal is news."""
        before = self._proposals.get(request_id)
        after = judged(before, right, source=source, at_ns=at_ns) if before is not None else None
        if before is None or after is None:
            return False
        self._take(before, after)
        return True

    async def give_up(self, *, before_ns: int, at_ns: int) -> int:
        """Judge explored proposals without a verdict as wrong."""
        late = [each for each in self._proposals.values() if each.action == EXPLORED and each.right is None]
        gone = [each.request_id for each in late if each.at_ns < before_ns]
        for request_id in gone:
            await self.judge(request_id, False, source="silence", at_ns=at_ns)
        return len(gone)

    async def get(self, request_id: str) -> Proposal | None:
        """What was proposed to a request, or None."""
        return self._proposals.get(request_id)

    async def proposals(self, feature: str, *, judged_since_ns: int | None = None) -> Sequence[Proposal]:
        """A feature's proposals, oldest first; or those judged from then on, in the order of their verdicts."""
        mine = [each for each in self._proposals.values() if each.feature == feature]
        if judged_since_ns is None:
            return sorted(mine, key=lambda each: (each.at_ns, each.request_id))
        told = [each for each in mine if each.right is not None and each.judged_at_ns >= judged_since_ns]
        return sorted(told, key=lambda each: (each.judged_at_ns, each.request_id))

    async def put_map(self, row: NearMapRow) -> bool:
        """Whether a fitted map is new."""
        return self._maps.setdefault((row.feature, row.labels), row) is row

    async def maps(self) -> Sequence[NearMapRow]:
        """Each feature's newest map."""
        newest = {feature: self._maps[feature, labels] for feature, labels in sorted(self._maps)}
        return list(newest.values())

    def keep(self, proposal: Proposal) -> None:
        """What a commit brings: a watched proposal, or the verdict on an explored one."""
        before = self._proposals.get(proposal.request_id)
        if before is None:
            self._proposals[proposal.request_id] = proposal
        elif proposal.right is not None:
            after = judged(before, proposal.right, source=proposal.source, at_ns=proposal.judged_at_ns)
            if after is not None:
                self._take(before, replace(after, nanodollars=proposal.nanodollars))

    def hear(self, label: Label) -> None:
        """What somebody said of a draft."""
        before = self._proposals.get(label.request_id)
        after = told_by(before, label) if before is not None else None
        if before is not None and after is not None:
            self._take(before, after)

    def given(self, request_id: str) -> str | None:
        """The fingerprint of the entry that a request was given for a near question; None when it was given none."""
        found = self._proposals.get(request_id)
        return found.item if found is not None and found.action == HIT else None

    def _take(self, before: Proposal, after: Proposal) -> None:
        self._proposals[after.request_id] = after
        self._accounts[after.feature] = moved(self._accounts.get(after.feature, NearAccount()), before, after)
