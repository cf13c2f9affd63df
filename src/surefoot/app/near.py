"""The near cache at work: what lies near, each feature's account, and the loop that keeps both like the store.

An account lives in the store and is asked in one transaction; what this process counted or read of it is a second old at
most, and only ever too strict. Maps are fitted from verdicts here, kept as rows of their own, and taken up with the policy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog
from msgspec.structs import replace

from surefoot.app.loops import keep
from surefoot.learning.nearbook import NearBook
from surefoot.policy import Feature, NearLine, NearRules, Policy, near_p
from surefoot.records import Case, Gate, NearMapRow, Nearness, Proposal, Request
from surefoot.review.guards import same_answer
from surefoot.stages.nearby import Nearby, Open
from surefoot.stages.read import LookUp
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS

REFRESH_SECONDS = 1.0
_OVERLAP_NS = 10_000_000_000  # how far clocks of replicas may be apart
_FORGET_NS = 10_000_000_000  # how soon whoever was erased is out of memory
_GIVE_UP_NS = 60_000_000_000
_SILENCE_NS = 3_600_000_000_000  # after which an explored proposal without a verdict is wrong for good
_KNOWN = 200_000

log = structlog.get_logger("surefoot")


class NearCache:
    """All features' of a process. `features` are those that serve; `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, features: Callable[[], Mapping[str, Feature]], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._features, self._clock = store, features, clock
        self.nearby = Nearby()
        self._books: dict[str, NearBook] = {}
        self._judged_ns: dict[str, int] = {}  # by feature, when the newest verdict that was learned came
        self._newest_ns = self._forgot_ns = self._gave_up_ns = 0
        self._read: set[tuple[str, int]] = set()  # (fingerprint, at_ns) of items that were read

    def look_up(self, feature: Feature) -> LookUp | None:
        """What `read` asks of a feature's requests; None for one without a near cache."""
        rules = feature.cache.near
        if rules is None or not any(rung.kind == "cache" for rung in feature.ladder):
            return None

        def look(request: Request, fingerprint: str, edition: str, /) -> Nearness | None:
            book = self.book(feature.name, rules)
            found = self.nearby.look(request, fingerprint, edition, rules, book.records.of)
            book.saw(None if found is None or found.vetoed else near_p(rules, found))
            return found

        return look

    def book(self, feature: str, rules: NearRules) -> NearBook:
        """What is known of a feature; made anew when its rules are others."""
        book = self._books.get(feature)
        if book is None or book.rules != replace(rules, line=None):
            old, book = book, NearBook(rules)
            if old is not None:
                book.account, book.counted = old.account, old.counted
            self._books[feature] = book
            self._judged_ns.pop(feature, None)
        return book

    def gate(self, feature: str, rules: NearRules) -> Gate:
        """How a feature's account stands for the next proposal, as far as this process knows."""
        return self.book(feature, rules).gate()

    async def propose(self, proposal: Proposal, rules: NearRules) -> bool:
        """Whether a proposal within the bound may go ahead. Raises StoreError."""
        book = self.book(proposal.feature, rules)
        room, counted = book.room(), book.counted
        book.counted = 0  # requests that are not written for an error are lost: that makes the bound stricter
        goes, book.account = await self._store.near.propose(proposal, requests=counted, room=room)
        return goes

    def drop(self, fingerprint: str) -> None:
        """A question whose answer is gone."""
        self.nearby.remove(fingerprint)

    def take(self, request: Request) -> Open | None:
        """The question of a request as it was looked for, once."""
        return self.nearby.take(request.id)

    async def told(self, case: Case) -> None:
        """A person answered a question to which something was proposed: whether that said the same. Raises StoreError."""
        if case.answer is None:
            return
        proposal = await self._store.near.get(case.request_id)
        if proposal is None or proposal.right is not None:
            return
        entry = await self._store.journal.get(case.request_id)
        known = await self._store.cache.get(
            proposal.item, tenant=case.tenant, feature=case.feature, now_ns=self._clock()
        )
        if entry is None or known is None:
            return
        right = same_answer(DIALECTS[entry.dialect].read(known.body).text, case.answer)
        await self._store.near.judge(case.request_id, right, source="person", at_ns=self._clock())

    async def keep_fresh(self, on_lost: Callable[[str], None]) -> None:
        """For ever: follow the store."""
        await keep(self.refresh, every_seconds=REFRESH_SECONDS, what="near cache", on_lost=on_lost)

    async def refresh(self) -> None:
        """Follow the store once: accounts, vectors, verdicts; fit what is due. Raises StoreError."""
        near = {name: rules for name, feature in self._features().items() if (rules := feature.cache.near) is not None}
        if not near:
            return
        for feature, rules in near.items():
            await self._follow(feature, self.book(feature, rules))
            await self._learn(feature, rules)
        await self._read_items()
        if self._clock() - self._forgot_ns > _FORGET_NS:
            self._forgot_ns = self._clock()
            living = {fingerprint for _, _, fingerprint in await self._store.near.held()}
            self.nearby.keep_only(living)
        if self._clock() - self._gave_up_ns > _GIVE_UP_NS:
            self._gave_up_ns = self._clock()
            await self._store.near.give_up(before_ns=self._clock() - _SILENCE_NS, at_ns=self._clock())

    async def _follow(self, feature: str, book: NearBook) -> None:
        """Write what was counted, read how the account stands."""
        counted, book.counted = book.counted, 0
        near = self._store.near
        book.account = await (near.count(feature, counted) if counted else near.account(feature))

    async def _learn(self, feature: str, rules: NearRules) -> None:
        """Take new verdicts in, and fit a map when enough are new."""
        book = self.book(feature, rules)
        since = self._judged_ns.get(feature)
        found = await self._store.near.proposals(
            feature, judged_since_ns=0 if since is None else max(0, since - _OVERLAP_NS)
        )
        if not all(book.learn(each) for each in found):  # a verdict was taken back: begin anew
            fresh = NearBook(rules)
            fresh.account, fresh.counted = book.account, book.counted
            self._books[feature] = book = fresh
            for each in await self._store.near.proposals(feature, judged_since_ns=0):
                book.learn(each)
        if found:
            self._judged_ns[feature] = max(since or 0, found[-1].judged_at_ns)
        line = book.fitted(rules.line)
        if line is not None:
            row = NearMapRow(
                feature=feature, labels=line.labels, at_ns=self._clock(), data=msgspec.json.encode(line)
            )  # fmt: skip
            if await self._store.near.put_map(row):
                log.info("a near map was fitted", feature=feature, labels=line.labels)

    async def _read_items(self) -> None:
        """Take in what any process put into the cache since the last look."""
        for item in await self._store.near.items(since_ns=max(0, self._newest_ns - _OVERLAP_NS)):
            seen = (item.fingerprint, item.at_ns)
            if seen not in self._read:
                self._read.add(seen)
                self.nearby.add(item)
            self._newest_ns = max(self._newest_ns, item.at_ns)
        if len(self._read) > _KNOWN:
            self._read.clear()


def lines_of(rows: Sequence[NearMapRow]) -> dict[str, NearLine]:
    """By feature, the map that serves."""
    return {row.feature: msgspec.json.decode(row.data, type=NearLine) for row in rows}


def with_lines(policy: Policy, lines: Mapping[str, NearLine]) -> Policy:
    """The policy with what verdicts on near hits taught laid over it."""
    features = dict(policy.features)
    for name, line in lines.items():
        feature = features.get(name)
        if feature is not None and feature.cache.near is not None:
            features[name] = replace(feature, cache=replace(feature.cache, near=replace(feature.cache.near, line=line)))
    return Policy.of(features)
