"""Marks for Anthropic's prefix cache: placed only where a prefix is expected to come again often enough to pay for its writing.

The prefix is tools and system prompt. A write costs more than plain input, a read less; with r the share of prefixes that come
again within five minutes, a mark pays when r (input - cached) > (1 - r) (cache write - input). A client that marks its own
prompt is left alone. The bytes around a mark stay as they came.
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
from surefoot.wire import Top
from surefoot.wire.rewrite import is_marked

_MARK = b'"cache_control":{"type":"ephemeral"}'
_LEAST_TOKENS, _LEAST_HAIKU = 1_024, 2_048  # of a prefix: shorter ones are not cached
_BYTES_PER_TOKEN = 5  # on the low side for the prefix: a mark on one that is too short does nothing
_RAWS = msgspec.json.Decoder(list[Raw])


def marked(top: Top, request: Request, model: Model, estimator: Estimator, prefixes: Prefixes) -> Top | None:
    """The request with a mark at the end of its system prompt, else of its tools; None where none pays or may stand."""
    if any(is_marked(bytes(value)) for value in request.top.values()):
        return None
    given: dict[str, bytes] = {name: bytes(request.top[name]) for name in ("tools", "system") if name in request.top}
    size = sum(map(len, given.values()))
    least = _LEAST_HAIKU if "haiku" in model.upstream else _LEAST_TOKENS
    if size < least * _BYTES_PER_TOKEN or top.get("system") is not request.top.get("system"):
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
        return {**top, "system": Raw(b'[{"type":"text","text":' + system + b"," + _MARK + b"}]")}
    name = "system" if system[:1] == b"[" and _RAWS.decode(system) else "tools"
    value = given.get(name, b"").rstrip()
    blocks = [bytes(each) for each in _RAWS.decode(value)] if value[:1] == b"[" else []
    if not blocks or not blocks[-1].rstrip().endswith(b"}"):
        return None
    end = value.rfind(b"}")
    comma = b"" if blocks[-1].strip() == b"{}" else b","
    return {**top, name: Raw(value[:end] + comma + _MARK + value[end:])}
