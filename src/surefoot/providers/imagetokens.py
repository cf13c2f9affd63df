"""What images count in tokens, by each vendor's published formula and the size that stands in their first bytes.

OpenAI ("Images and vision", calculating costs): most models scale an image into 2048 x 2048, then its shorter side to 768, and
bill a base and each tile of 512 x 512; with `detail: "low"` the base alone. The small newer ones bill patches of 32 x 32, 1,536
at most, times a factor. Anthropic ("Vision"): width x height / 750 after scaling, at most about 1,600 tokens and 1,568 pixels
on a side; from Opus 4.7 on 2,576 pixels and 4,784 tokens (its patches of 28 x 28 come out up to 5 % lower). An image by address
or file id counts what the largest would: nobody here has seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from surefoot.wire.pictures import dimensions

_TILES = {  # (base, each tile), by how a model's name begins; the longest fits
    "": (85, 170), "gpt-4o-mini": (2_833, 5_667), "gpt-5": (70, 140), "o1": (75, 150), "o3": (75, 150),
    "computer-use-preview": (65, 129),
}  # fmt: skip
_PATCHES = {  # tokens for each patch
    "gpt-4.1-mini": 1.62, "gpt-4.1-nano": 2.46, "o4-mini": 1.72, "gpt-5-mini": 1.62, "gpt-5-nano": 2.46,
}  # fmt: skip
_MOST_PATCHES = 1_536
_PIXELS_PER_TOKEN = 750
_EDGE, _MOST = 1_568, 1_600
_LARGE_EDGE, _LARGE_MOST = 2_576, 4_784
_LARGE = ("opus-4-7", "opus-4-8", "opus-5", "mythos")
_LARGEST = ((2_048, 768), (8_000, 8_000))  # the most that either formula gives


class Image(NamedTuple):
    """An image of a prompt; without a size when only its address is known."""

    size: tuple[int, int] | None = None  # width and height in pixels
    low: bool = False  # OpenAI's `detail: "low"`


class Size(NamedTuple):
    """What is counted of a prompt."""

    text: int  # bytes, images left out
    images: tuple[Image, ...] = ()

    def image_tokens(self, kind: str, model: str) -> int:
        """Tokens of all images, for a model of a kind of provider."""
        return sum(image_tokens(kind, model, image) for image in self.images)


def illustrated(body: bytes, top: Mapping[str, Raw]) -> Size | None:
    """The size of a prompt that may hold images; None, at once, for one that holds none."""
    return size_of(top) if b'"image' in body or b'"input_image' in body else None


def size_of(top: Mapping[str, Raw]) -> Size:
    """The size of a prompt's fields."""
    total, images = 0, []
    for name, value in top.items():
        raw = bytes(value)
        total += len(name) + len(raw) + 4
        if b'"image' in raw or b'"input_image' in raw:
            found: list[tuple[int, Image]] = []
            _collect(msgspec.json.decode(raw), found)
            total -= sum(length for length, _ in found)
            images += [image for _, image in found]
    return Size(max(0, total), tuple(images))


def image_tokens(kind: str, model: str, image: Image) -> int:
    """Tokens of one image for a model: "anthropic" by its own formula, all others by OpenAI's."""
    formula = _anthropic if kind == "anthropic" else _openai
    if image.size is None:
        return max(formula(model, *size, low=image.low) for size in _LARGEST)
    return formula(model, *image.size, low=image.low)


def _openai(model: str, width: int, height: int, *, low: bool) -> int:
    factor = next((each for name, each in _PATCHES.items() if model.startswith(name)), None)
    if factor is not None:
        return ceil(min(_MOST_PATCHES, ceil(width / 32) * ceil(height / 32)) * factor)
    base, tile = _TILES[max((name for name in _TILES if model.startswith(name)), key=len)]
    if low:
        return base
    scale = min(1.0, 2_048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return base + tile * ceil(round(width * scale) / 512) * ceil(round(height * scale) / 512)


def _anthropic(model: str, width: int, height: int, *, low: bool) -> int:
    large = any(name in model for name in _LARGE)
    edge, most = (_LARGE_EDGE, _LARGE_MOST) if large else (_EDGE, _MOST)
    scale = min(1.0, edge / max(width, height), sqrt(most * _PIXELS_PER_TOKEN / (width * height)))
    return min(most, ceil(width * scale * height * scale / _PIXELS_PER_TOKEN))


def _collect(value: Any, found: list[tuple[int, Image]]) -> None:
    """The images in a JSON value, each with its bytes."""
    if isinstance(value, list):
        for each in value:
            _collect(each, found)
    elif isinstance(value, dict):
        if value.get("type") in ("image", "image_url", "input_image"):
            found.append((len(msgspec.json.encode(value)), _image(value)))
        else:
            for each in value.values():
                _collect(each, found)


def _image(part: dict[str, Any]) -> Image:
    held = part.get("image_url", part.get("source", part))
    fields = held if isinstance(held, dict) else {"url": held}
    low = (fields.get("detail") or part.get("detail")) == "low"
    data, url = fields.get("data"), fields.get("url")
    if isinstance(url, str) and url[:5].lower() == "data:":
        data = url.partition(",")[2]
    return Image(dimensions(data) if isinstance(data, str) else None, low)
