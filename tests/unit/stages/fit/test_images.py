"""Money for images."""

from __future__ import annotations

import asyncio
import dataclasses
from base64 import b64encode
from typing import Any

import pytest
from fit_support import PRICE, fit, model, request

from surefoot.providers.billing import worst_case
from surefoot.records import Rung, Try
from surefoot.stages import ReadRequest

TILE = 85 + 170  # of an image of 512 x 512


def picture(side: int) -> dict[str, Any]:
    """The first bytes of a PNG, and much that follows."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + side.to_bytes(4, "big") * 2
    url = "data:image/png;base64," + b64encode(head + b"x" * 90_000).decode()
    return {"type": "image_url", "image_url": {"url": url}}


@pytest.mark.parametrize(("upstream", "tokens"), [("small", TILE), ("gpt-4o-mini", 2_833 + 5_667)])
def test_money_is_set_aside_for_an_image_by_its_size_and_not_by_its_bytes(upstream: str, tokens: int):
    made = request(
        [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture(512)]}], max_tokens=10
    )
    stage = fit(dataclasses.replace(model("small"), upstream=upstream))

    async def run() -> tuple[int, int]:
        question = await ReadRequest()(made)
        ask = await stage(
            Try(request=made, question=question, rung=Rung(name="small", kind="model", models=("small",)))
        )
        return question.input_tokens, ask.reserve_nanodollars[0]

    input_tokens, reserve = asyncio.run(run())
    assert TILE < input_tokens < TILE + 100
    assert reserve == worst_case(PRICE, input_tokens - TILE + tokens, 10, 1)
