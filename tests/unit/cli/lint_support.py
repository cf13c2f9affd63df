"""Prompts in a store: requests with their bodies, answers and bills at stated times."""

from __future__ import annotations

import json
from collections.abc import Mapping

from surefoot.providers.billing import entries_of
from surefoot.records import (
    Commit,
    Content,
    Draft,
    JournalEntry,
    ModelPrice,
    PricedCall,
    PriceLine,
    Question,
    Read,
    Settlement,
    Step,
    Usage,
)  # fmt: skip
from surefoot.store import Store

SECOND = 1_000_000_000
PRICE = ModelPrice(
    version="t",
    tiers=(PriceLine(input=2_500_000_000, cached=1_250_000_000, cache_write=2_500_000_000, output=10_000_000_000),),
)


async def prompted(
    store: Store, request_id: str, body: Mapping[str, object], *, at_ns: int, answer: str = "Yes.", keep: bool = True,
    feature: str = "clinic", dialect: str = "openai", input_tokens: int = 1500, cached_tokens: int = 0, model: str = "gpt-4o",
    user: str = "pat", prompt: str = "same",
) -> None:  # fmt: skip
    """One request that one model answered."""
    usage = Usage(input_tokens=input_tokens, cached_tokens=cached_tokens, output_tokens=20)
    call = PricedCall(rung="flagship", provider="vendor", model=model, usage=usage, price=PRICE)
    entries = entries_of(call, request_id=request_id, at_ns=at_ns, tenant="t", key_id="k", feature=feature)
    question = Question(
        fingerprint=request_id, model=model, dialect=dialect, surface="chat", stream=False, input_tokens=input_tokens,
        max_output_tokens=None, prompt=prompt,
    )  # fmt: skip
    draft = Draft(rung="flagship", provider="vendor", model=model, digest="", usage=usage)
    subject = f"user:t:{user}"
    said = {"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]}
    if dialect == "anthropic":
        said = {"content": [{"type": "text", "text": answer}], "stop_reason": "end_turn"}  # type: ignore[dict-item]
    content = Content(request_body=json.dumps(body).encode(), answers=(("flagship", json.dumps(said).encode()),))
    await store.commit(
        Commit(
            entry=JournalEntry(
                request_id=request_id, at_ns=at_ns, draw="0" * 32, tenant="t", key_id="k", feature=feature, dialect=dialect,
                surface="chat", subject=store.pseudonym(subject), policy="p", mode="observe", action="deliver", rung="flagship",
                steps=(
                    Step(stage="read", rung=None, value=Read(question=question)),
                    Step(stage="call", rung="flagship", value=draft),
                ),
                nanodollars=sum(entry.nanodollars for entry in entries),
            ),
            settlements=(Settlement(reservation_id="", entries=entries),), content=content if keep else None, subject=subject,
        )
    )  # fmt: skip
