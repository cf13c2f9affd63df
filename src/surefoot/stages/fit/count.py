"""How many tokens a prompt has for a model: text by its bytes, as providers taught it; images at most; exactly for some.

Everything that is sent is counted: all turns, the system prompt, tools and their results. An image counts as 1,600 tokens, the
most that Anthropic documents for one (width x height / 750 after scaling) and more than OpenAI's 85 + 170 x 8 tiles; its bytes
do not count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from surefoot.providers.registry import Model
from surefoot.providers.tokens import Estimator, exact
from surefoot.wire.dialects import DIALECTS

IMAGE_TOKENS = 1_600
_NEAR = 0.7  # share of the window by the estimate from which on it is worth counting exactly


class Size(NamedTuple):
    """What is counted of a prompt."""

    text: int  # bytes, images left out
    images: int


def size_of(top: Mapping[str, Raw]) -> Size:
    """The size of a prompt's fields."""
    total, images = 0, 0
    for name, value in top.items():
        raw = bytes(value)
        total += len(name) + len(raw) + 4
        if b'"image' in raw:
            inside, found = _images(msgspec.json.decode(raw))
            total, images = total - inside, images + found
    return Size(max(0, total), images)


def tokens_of(estimator: Estimator, model: Model, dialect: str, top: Mapping[str, Raw]) -> int:
    """Tokens of a prompt; exactly (but for images) where the extra `tokens` knows the model and it is nearly full."""
    size = size_of(top)
    count = estimator.count(model.upstream, size.text) + IMAGE_TOKENS * size.images
    if model.context_tokens is None or count < _NEAR * model.context_tokens:
        return count
    texts = tuple(text for _, text in DIALECTS[dialect].texts(dict(top)))
    other = tuple(bytes(top[name]).decode() for name in ("tools", "functions", "response_format") if name in top)
    # Calls of tools are in no text: what the raw messages hold beyond their texts is only framing where there are none.
    if b'"tool_calls"' in bytes(top.get("messages", b"")) or model.provider.kind != "openai":
        return count
    counted = exact(model.upstream, (*texts, *other))
    return count if counted is None else counted + IMAGE_TOKENS * size.images


def _images(value: Any) -> tuple[int, int]:
    """(bytes of the images in a JSON value, how many images)."""
    if isinstance(value, list):
        found = [_images(each) for each in value]
    elif isinstance(value, dict):
        if value.get("type") in ("image", "image_url", "input_image"):
            return len(msgspec.json.encode(value)), 1
        found = [_images(each) for each in value.values()]
    else:
        return 0, 0
    return sum(size for size, _ in found), sum(count for _, count in found)
