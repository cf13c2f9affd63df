"""How long a text is, in tokens, when nobody metered it, and what is learned of that from what providers meter."""

from __future__ import annotations

from functools import cache
from typing import Protocol

BYTES_PER_TOKEN = 4
MOST_PER_BYTE = 1 / 3  # on the high side for English (about 1/4): a prompt is rather thought too long than too short
_PRIOR_BYTES = 20_000  # of prompts, that count for the first estimate
_MARGIN = 1.05  # on what was learned
_FORGET = 0.995  # of what was learned, at each further prompt
_MOST_MODELS = 1_000
_LEAST_BYTES = 400  # shorter prompts are mostly framing


def estimate(text: str | bytes) -> int:
    """UTF-8 bytes over four, rounded up; 0 of nothing. About right for English prose, too low for code and other scripts."""
    length = len(text) if isinstance(text, bytes) else len(text.encode("utf-8"))
    return -(-length // BYTES_PER_TOKEN)


class Estimator:
    """Tokens of prompts by model: a third of their bytes, until providers say how many there were.

    The ratio of a model is (tokens seen + 20,000 / 3) / (bytes seen + 20,000), with a margin of 5 %: shrunken towards the first
    estimate, and older prompts count less. One for the process; what it said is journaled with each decision.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}  # model -> (bytes, tokens)

    def learn(self, model: str, size: int, tokens: int) -> None:
        """A provider metered a prompt of so many bytes, images left out on both sides."""
        if size < _LEAST_BYTES or tokens <= 0:
            return
        held, counted = self._seen.get(model, (0.0, 0.0))
        if model not in self._seen and len(self._seen) >= _MOST_MODELS:
            self._seen.clear()  # names may come from callers
        self._seen[model] = (held * _FORGET + size, counted * _FORGET + tokens)

    def count(self, model: str, size: int) -> int:
        """Tokens of a prompt of so many bytes, rounded up."""
        held, counted = self._seen.get(model, (0.0, 0.0))
        if not held:
            return -(-size // 3)
        ratio = (counted + _PRIOR_BYTES * MOST_PER_BYTE) / (held + _PRIOR_BYTES) * _MARGIN
        return int(size * min(1.0, ratio)) + 1


class _Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]:
        """The tokens of a text."""


def exact(model: str, texts: tuple[str, ...]) -> int | None:
    """Tokens of texts for an OpenAI model, four a text for the framing; None without the extra `tokens` or for other models."""
    name = "o200k_base" if model.startswith(("gpt-4o", "gpt-4.1", "gpt-5", "o1", "o3", "o4")) else ""
    name = name or ("cl100k_base" if model.startswith(("gpt-4", "gpt-3.5")) else "")
    encoding = _encoding(name) if name else None
    return None if encoding is None else sum(len(encoding.encode_ordinary(text)) + 4 for text in texts) + 3


@cache
def _encoding(name: str) -> _Encoding | None:
    try:
        import bpe_openai  # an optional extra
    except ImportError:
        return None
    found: _Encoding = bpe_openai.get_encoding(name)
    return found
