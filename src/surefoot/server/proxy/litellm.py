"""LiteLLM's response headers, for teams that read them already: only those that say something true here.

What is not known is left out, such as the cost in the head of a stream that is passed on. The version, the key's spend and its
limits are LiteLLM's own notions and are never sent.
"""

from __future__ import annotations

from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]
_SAME = {"x-surefoot-cost-usd": "x-litellm-response-cost", "x-surefoot-model": "x-litellm-model-id"}


def litellm_headers(ours: Iterable[tuple[str, str]], *, request_id: str, group: str, own_us: int | None) -> Headers:
    """The headers to add to ours.

    Args:
        group: the model as the client named it; control characters and what is not ASCII are dropped.
        own_us: microseconds that we spent ourselves; None while they are not known.
    """
    added = [
        ("x-litellm-call-id", request_id),
        ("x-litellm-model-group", "".join(c for c in group if " " <= c <= "~")[:200]),
    ]
    added += [(_SAME[name], value) for name, value in ours if name in _SAME]
    if own_us is not None:
        added.append(("x-litellm-overhead-duration-ms", f"{own_us / 1000:.3f}"))
    return tuple(added)
