"""recall: the cache as a rung. A hit is a draft like any other; it carries the confidence it entered with."""

from __future__ import annotations

from hashlib import sha256

from surefoot.records import Answer, Ask, Attempt, Draft, NoDraft
from surefoot.store import Cache
from surefoot.wire.dialects import DIALECTS


class Recall:
    """Looks an exact question up, in its tenant and feature only."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def __call__(self, ask: Ask, /) -> Attempt:
        """The believed answer to the same question, or a miss."""
        request = ask.request
        entry = await self._cache.get(
            ask.question.fingerprint, tenant=request.caller.tenant, feature=request.feature, now_ns=request.at_ns
        )
        if entry is None:
            return Attempt(draft=NoDraft(rung=ask.rung.name, kind="miss", reason="not in the cache"))
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
        text = DIALECTS[request.dialect].read(entry.body).text
        return Attempt(draft=draft, answer=Answer(body=entry.body, text=text))
