"""A desk's past in a store: requests with their confidences, cases, claims and answers at stated times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from surefoot.records import (
    Case,
    CaseAnswer,
    Checked,
    Commit,
    Confidence,
    Deliver,
    Draft,
    Escalate,
    Evidence,
    JournalEntry,
    Question,
    Read,
    Step,
    Stronger,
    Weighed,
)
from surefoot.store import Store

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


def live(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """A test with a loop of its own."""

    @wraps(test)
    def run() -> None:
        async def whole() -> None:
            await test()

        asyncio.run(whole())

    return run


def question(name: str) -> Question:
    """What was read."""
    return Question(
        fingerprint=name, model="m", dialect="openai", surface="chat", stream=False, input_tokens=5, max_output_tokens=None
    )  # fmt: skip


def entry(name: str, *, at_ns: int, p: Sequence[float], rungs: Sequence[str] = ("quotes", "flagship")) -> JournalEntry:
    """A request whose drafts had these probabilities, one a rung that was tried."""
    steps = [Step(stage="read", rung=None, value=Read(question=question(name)))]
    for rung, each in zip(rungs, p, strict=False):
        draft = Draft(rung=rung, provider="x", model=rung, digest="d")
        confidence = Confidence(p=each, low=each, high=each, source="map:platt")
        steps += [
            Step(stage="call", rung=rung, value=draft),
            Step(stage="check", rung=rung, value=Checked(evidence=Evidence())),
            Step(stage="weigh", rung=rung, value=Weighed(confidence=confidence)),
            Step(stage="decide", rung=rung, value=Stronger("below")),
        ]
    delivered = bool(p) and p[-1] >= 0.85
    verdict = Deliver("bar") if delivered else Escalate("below", "person")
    return JournalEntry(
        request_id=name, at_ns=at_ns, draw="0" * 32, tenant="t", key_id="k", feature="clinic", dialect="openai",
        surface="chat", subject="", policy="p", mode="enforce", action="deliver" if delivered else "escalate", rung=None,
        steps=(*steps[:-1], Step(stage="decide", rung=rungs[len(p) - 1] if p else None, value=verdict)),
    )  # fmt: skip


async def asked(store: Store, name: str, *, at_ns: int, p: Sequence[float], role: str = "person") -> None:
    """A request; it waits for a person of the role when its last probability is below .85."""
    made, subject = entry(name, at_ns=at_ns, p=p), f"user:t:{name}"
    case = None
    if made.action == "escalate":
        case = Case(
            id=f"case-{name}", request_id=name, tenant="t", feature="clinic", role=role, state="open", reason="below",
            opened_at_ns=at_ns, subject=store.pseudonym(subject), fingerprint=name, rung="flagship", rank_ns=at_ns,
        )  # fmt: skip
    await store.commit(Commit(entry=made, case=case, subject=subject))


async def answered(
    store: Store, name: str, *, at_ns: int, by: str = "amy", verb: str = "accept", seconds: int = 60, meaning: str = ""
) -> None:
    """A case answered, so many seconds after its claim."""
    claim = await store.cases.claim(f"case-{name}", by=by, at_ns=at_ns - seconds * SECOND, lease_ns=HOUR)
    assert claim is not None
    given = CaseAnswer(verb=verb, text="so it is", by=by, general=True, meaning=meaning, seconds=float(seconds))
    assert await store.cases.answer(
        f"case-{name}", fence=claim.fence, answer=given, label=None, at_ns=at_ns, deliver_at_ns=at_ns
    )
