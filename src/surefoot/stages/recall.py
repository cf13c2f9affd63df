"""recall: the cache as a rung. A hit is a draft like any other; it carries the confidence it entered with.

Where the same question is not cached, the answer to the nearest one may be given: the map says how probable it is to be
right, the account whether the bound allows it, and a lot withholds some, so that they can be judged. What is not given is
remembered beside the miss: the answer that is delivered in the end is held against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Protocol

from msgspec.structs import replace

from surefoot.errors import StoreError
from surefoot.policy import Feature, NearRules, closed, inputs_of, near_lot, near_p
from surefoot.records import Answer, Ask, Attempt, CacheEntry, Draft, Gate, Nearness, NoDraft, Proposal, Proposed
from surefoot.records.case import PERSON
from surefoot.records.near import EXPLORED, HIT, WATCHED
from surefoot.store import Cache
from surefoot.wire.dialects import DIALECTS

_MISS = "not in the cache"


class Account(Protocol):
    """The near cache's accounts, shared by all processes."""

    def gate(self, feature: str, rules: NearRules) -> Gate:
        """How a feature's account stands for the next proposal, as far as this process knows."""

    async def propose(self, proposal: Proposal, rules: NearRules) -> bool:
        """Whether a proposal within the bound may go ahead; it stands in the account before this returns. Raises StoreError."""

    def drop(self, fingerprint: str) -> None:
        """A question whose answer is gone."""


class Recall:
    """Looks an exact question up, in its tenant and feature only; then the nearest one, in its context only."""

    def __init__(
        self, cache: Cache, features: Mapping[str, Feature] | None = None, account: Account | None = None
    ) -> None:
        self._cache, self._account = cache, account
        self._near = {name: feature for name, feature in (features or {}).items() if feature.cache.near is not None}

    async def __call__(self, ask: Ask, /) -> Attempt:
        """The believed answer to the same question, or to the nearest one within the bound, or a miss."""
        entry = await self._entry(ask, ask.question.fingerprint)
        if entry is not None:
            return _attempt(ask, entry)
        feature, near = self._near.get(ask.request.feature), ask.question.near
        if feature is None or near is None or self._account is None or feature.cache.near is None:
            return _miss(ask, _MISS)
        entry = await self._entry(ask, near.item)
        if entry is None:  # expired, retracted, erased or of an old epoch
            self._account.drop(near.item)
            return _miss(ask, _MISS)
        return await self._proposed(ask, feature.cache.near, feature.confidence, near, entry, self._account)

    async def _entry(self, ask: Ask, fingerprint: str) -> CacheEntry | None:
        request = ask.request
        return await self._cache.get(
            fingerprint, tenant=request.caller.tenant, feature=request.feature, now_ns=request.at_ns
        )

    async def _proposed(
        self, ask: Ask, rules: NearRules, bar: float, near: Nearness, entry: CacheEntry, account: Account
    ) -> Attempt:
        """What becomes of a proposal whose answer is alive."""
        p, gate = near_p(rules, near), account.gate(ask.request.feature, rules)
        believed, low = (1.0, 1.0) if entry.provider == PERSON else (entry.p, entry.low)
        why = closed(rules, bar, near, gate, believed_low=low)
        if why or p is None:
            return _watched(ask, entry, Proposed(action=WATCHED, p=p, propensity=1.0, reason=why, gate=gate))
        lot = near_lot(rules, ask.request.draw)
        proposal = Proposal(
            request_id=ask.request.id, at_ns=ask.request.at_ns, tenant=ask.request.caller.tenant,
            feature=ask.request.feature, answer=near.answer, item=near.item, inputs=inputs_of(near), p=p,
            action=EXPLORED if lot.drawn else HIT,
        )  # fmt: skip
        try:
            goes = await account.propose(proposal, rules)
        except StoreError:  # nothing is given that the account does not know of
            return _miss(ask, "the account of near hits cannot be reached")
        if not goes:
            why = "the budget of wrong answers per request was spent meanwhile"
            return _watched(ask, entry, Proposed(action=WATCHED, p=p, propensity=1.0, reason=why, gate=gate))
        reason = "withheld by lot, to be judged" if lot.drawn else "near, within the bound"
        done = Proposed(action=proposal.action, p=p, propensity=lot.propensity, reason=reason, gate=gate)
        if lot.drawn:
            return _watched(ask, entry, done)
        hit = _attempt(ask, entry)
        assert isinstance(hit.draft, Draft)
        draft = replace(hit.draft, near=done, believed=p * believed, believed_low=p * low)
        return replace(hit, draft=draft)


def _miss(ask: Ask, reason: str) -> Attempt:
    return Attempt(draft=NoDraft(rung=ask.rung.name, kind="miss", reason=reason))


def _watched(ask: Ask, entry: CacheEntry, done: Proposed) -> Attempt:
    miss = NoDraft(rung=ask.rung.name, kind="miss", reason=f"{_MISS}; near: {done.reason}", near=done)
    return Attempt(draft=miss, proposed=_answer(ask, entry))


def _answer(ask: Ask, entry: CacheEntry) -> Answer:
    return Answer(body=entry.body, text=DIALECTS[ask.request.dialect].read(entry.body).text)


def _attempt(ask: Ask, entry: CacheEntry) -> Attempt:
    draft = Draft(
        rung=ask.rung.name,
        provider="cache",
        model=entry.model,
        digest=sha256(entry.body).hexdigest(),
        finish=entry.finish,
        believed=entry.p,
        believed_low=entry.low,
        upstream_id=entry.request_id,
    )
    return Attempt(draft=draft, answer=_answer(ask, entry))
