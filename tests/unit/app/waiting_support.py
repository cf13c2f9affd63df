"""A person who answers at once, through the store: what tests of waiting callers share."""

import time

from surefoot.records import CaseAnswer
from surefoot.store import Store

LEASE = 60_000_000_000


async def give(store: Store, case_id: str, text: str, *, by: str = "amy", undo_seconds: int = 0, general: bool = False) -> None:
    """Claim a case, answer it, and deliver the answer when its undo window is over: at once. A general answer is only due."""
    now = time.time_ns()
    claim = await store.cases.claim(case_id, by=by, at_ns=now, lease_ns=LEASE)
    assert claim is not None
    said = CaseAnswer(verb="replace", text=text, by=by, general=general)
    due = now + undo_seconds * 1_000_000_000
    assert await store.cases.answer(case_id, fence=claim.fence, answer=said, label=None, at_ns=now, deliver_at_ns=due)
    if not general:
        await store.cases.deliver_due(now_ns=time.time_ns())
