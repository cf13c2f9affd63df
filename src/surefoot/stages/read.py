"""read: what a request asks, as scalars: its fingerprint, its length, what it needs."""

from __future__ import annotations

from hashlib import blake2b

from surefoot.records import Question, Request

# These fields say who asks and how the answer travels, not what it is. Everything else, unknown fields too, counts.
_NO_MATTER = frozenset(
    {
        "stream", "stream_options", "user", "safety_identifier", "metadata", "store", "prompt_cache_key",
        "prompt_cache_retention", "service_tier",
    }
)  # fmt: skip
_BYTES_PER_TOKEN = 3  # on the low side for English (about 4), so that a reservation is rather too large than too small


class ReadRequest:
    """The stage; it needs nothing but the request."""

    name = "read"

    async def __call__(self, request: Request, /) -> Question:
        """The question in a request."""
        return Question(
            fingerprint=fingerprint(request),
            model=request.model,
            dialect=request.dialect,
            surface=request.surface,
            stream=request.stream,
            input_tokens=-(-len(request.body) // _BYTES_PER_TOKEN),
            max_output_tokens=request.max_output_tokens,
            has_tools=request.has_tools,
            choices=request.choices,
        )


def fingerprint(request: Request) -> str:
    """128 bits, hex, over everything that changes the answer: tenant, feature, dialect, surface, headers and body.

    Fields are sorted by name, their values taken byte for byte: another spacing is another fingerprint, which costs a
    miss and never gives a wrong hit. All lengths are written before the values, so that nothing can be shifted between them.
    """
    top = request.top
    texts = (
        *(request.caller.tenant, request.feature, request.dialect, request.surface),
        *(part for header in request.headers for part in header),
        *request.context,
    )
    parts = [text.encode() for text in texts]
    for field in sorted(top):
        if field not in _NO_MATTER:
            parts += (field.encode(), bytes(top[field]))
    lengths = ",".join([str(len(part)) for part in parts])
    return blake2b(b"".join((lengths.encode(), b":", *parts)), digest_size=16).hexdigest()
