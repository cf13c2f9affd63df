"""How many tokens a prompt has for a model: text by its bytes, as providers taught it; images by their size; exactly for some.

Everything that is sent is counted: all turns, the system prompt, tools and their results.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from surefoot.providers.imagetokens import size_of
from surefoot.providers.registry import Model
from surefoot.providers.tokens import Estimator, exact
from surefoot.wire.dialects import DIALECTS

_NEAR = 0.7  # share of the window by the estimate from which on it is worth counting exactly


def tokens_of(estimator: Estimator, model: Model, dialect: str, top: Mapping[str, Raw]) -> int:
    """Tokens of a prompt; exactly (but for images) where the extra `tokens` knows the model and it is nearly full."""
    size = size_of(top)
    images = size.image_tokens(model.provider.kind, model.upstream)
    count = estimator.count(model.upstream, size.text) + images
    if model.context_tokens is None or count < _NEAR * model.context_tokens:
        return count
    texts = tuple(text for _, text in DIALECTS[dialect].texts(dict(top)))
    other = tuple(bytes(top[name]).decode() for name in ("tools", "functions", "response_format") if name in top)
    # Calls of tools are in no text: what the raw messages hold beyond their texts is only framing where there are none.
    if b'"tool_calls"' in bytes(top.get("messages", b"")) or model.provider.kind != "openai":
        return count
    counted = exact(model.upstream, (*texts, *other))
    return count if counted is None else counted + images
