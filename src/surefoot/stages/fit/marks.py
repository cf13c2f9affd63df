"""Marks for Anthropic's prefix cache: placed only where a prefix is expected to come again often enough to pay for its writing.

The prefix is tools and system prompt, and in conversations (`turns`) all that was said. A write costs more than plain input, a
read less; with r the share of prefixes that come again within five minutes, a mark pays when
r (input - cached) > (1 - r) (cache write - input). A client that marks its own prompt is left alone. The bytes around a mark
stay as they came. At most three marks are set, of the four that the provider takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import Raw

from surefoot.providers.registry import Model
from surefoot.providers.tokens import Estimator
from surefoot.records import PriceLine, Request
from surefoot.stages.fit.prefixes import Prefixes
from surefoot.stages.fit.turns import MARK, continuation, marked_last, marked_turns
from surefoot.wire import Top
from surefoot.wire.rewrite import is_marked

# Of a prefix, by a part of the model's name: shorter ones are not cached, and a mark on one does nothing. From Anthropic's page
# on prompt caching; of Sonnet 4.6 it says 1,024, and users found that nothing below 2,048 is cached.
_LEAST_TOKENS = 1_024
_LEAST = {
    "haiku-4-5": 4_096, "opus-4-5": 4_096, "opus-4-6": 4_096, "opus-4-7": 4_096, "sonnet-4-6": 2_048, "haiku": 2_048,
}  # fmt: skip
_BYTES_PER_TOKEN = 5  # on the low side for the prefix: a mark on one that is too short does nothing
_RAWS = msgspec.json.Decoder(list[Raw])


def marked(
    top: Top, request: Request, model: Model, estimator: Estimator, prefixes: Prefixes, *, own_passages: bool = False
) -> Top | None:
    """The request with the marks that pay; None where none does or may stand.

    Args:
        own_passages: whether passages of ours will stand at the end of the system prompt, before everything that was said.
    """
    if any(is_marked(bytes(value)) for value in request.top.values()):
        return None
    least = least_tokens(model.upstream) * _BYTES_PER_TOKEN
    followed = continuation(request, model.upstream, prefixes, least)
    made = _marked_prefix(top, request, model, estimator, prefixes)
    size = sum(len(bytes(value)) for value in request.top.values())
    line = model.price.line(estimator.count(model.upstream, size)) if model.price is not None else None
    changed = own_passages or any(top.get(name) is not request.top.get(name) for name in ("tools", "system"))
    if followed is None or line is None or changed or not pays(followed, line):
        return made
    return marked_turns(made or top, request, least) or made


def least_tokens(model: str) -> int:
    """How long a prefix must be for a model to be cached at all."""
    return next((least for part, least in _LEAST.items() if part in model), _LEAST_TOKENS)


def _marked_prefix(top: Top, request: Request, model: Model, estimator: Estimator, prefixes: Prefixes) -> Top | None:
    """With a mark at the end of the system prompt, else of the tools."""
    given: dict[str, bytes] = {name: bytes(request.top[name]) for name in ("tools", "system") if name in request.top}
    size = sum(map(len, given.values()))
    if size < least_tokens(model.upstream) * _BYTES_PER_TOKEN or top.get("system") is not request.top.get("system"):
        return None  # too short, or a prompt whose beginning is another every time
    digest = blake2b(b"\0".join((model.upstream.encode(), *given.values())), digest_size=16).hexdigest()
    name = f"marks/{request.feature}/{model.upstream}"
    prefixes.seen(name, digest, request.at_ns)
    rate = prefixes.rate(name)
    line = model.price.line(estimator.count(model.upstream, size)) if model.price is not None else None
    if rate is None or line is None or not pays(rate, line):
        return None
    return _inserted(top, given)


def pays(rate: float, line: PriceLine) -> bool:
    """Whether a mark is worth its writing at a rate of reuse in [0, 1]."""
    return rate * (line.input - line.cached) > (1 - rate) * (line.cache_write - line.input)


def _inserted(top: Top, given: Mapping[str, bytes]) -> Top | None:
    """The mark in the last block of the system prompt, else in the last tool."""
    system = given.get("system", b"").strip()
    if system[:1] == b'"' and len(system) > 2:
        return {**top, "system": Raw(b'[{"type":"text","text":' + system + b"," + MARK + b"}]")}
    name = "system" if system[:1] == b"[" and _RAWS.decode(system) else "tools"
    value = given.get(name, b"").rstrip()
    made = marked_last(value) if value[:1] == b"[" else None
    return None if made is None else {**top, name: Raw(made)}
