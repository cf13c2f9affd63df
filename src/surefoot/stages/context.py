"""What must be equal before one question may get another's answer, and the words that may differ."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from msgspec import Struct

from surefoot.records import Request
from surefoot.signals.personal import find_personal
from surefoot.wire import passages

LONGEST = 2_000  # characters of a question that is looked for nearby; longer ones rarely have a near one

# These fields say who asks and how the answer travels, not what it is. Everything else, unknown fields too, counts.
NO_MATTER = frozenset(
    {
        "stream", "stream_options", "user", "safety_identifier", "metadata", "store", "prompt_cache_key",
        "prompt_cache_retention", "service_tier",
    }
)  # fmt: skip
_FORMAT = "anthropic-version"  # a header that says how bodies are written
_MESSAGES = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_CONTENT = msgspec.json.Decoder(str | list[dict[str, object]]).decode
_ENCODE = msgspec.json.Encoder(order="deterministic").encode


class Asked(Struct, frozen=True):
    """A question in its context."""

    context: str  # 128 bits, hex, over all but the words; equal contexts are of one tenant, feature and user scope
    words: str  # the last user message, without passages


def asked_of(request: Request, edition: str = "") -> Asked | None:
    """The question of a chat and its context; None where near answers make no sense.

    Equal must be tenant, feature, dialect, model and every other field, system text, tools, history, passages, whatever else
    the last message holds, and the handbook's `edition`; of a question that names personal data the end user too. None: another
    surface, several choices, a last message that is no user's, no words, or more than `LONGEST` characters of them.
    """
    if request.surface != "chat" or request.choices != 1 or "messages" not in request.top:
        return None
    messages = _MESSAGES(request.top["messages"])
    if not messages or bytes(messages[-1].get("role", msgspec.Raw(b""))) != b'"user"':
        return None
    said = _said(messages[-1].get("content", msgspec.Raw(b"null")))
    if said is None:
        return None
    text, rest = said
    words, found = passages.gather([("user", text)])
    if not words.strip() or len(words) > LONGEST:
        return None
    last = {name: value for name, value in messages[-1].items() if name != "content"}
    parts = [
        *(part.encode() for part in (request.caller.tenant, request.feature, request.dialect, edition)),
        *(part.encode() for header in request.headers for part in header if header[0] != _FORMAT),
        *(part.encode() for part in request.context),
        request.subject.encode() if find_personal(words) else b"",
        _ENCODE((messages[:-1], last, rest, found)),
    ]
    for field in sorted(request.top):
        if field not in NO_MATTER and field != "messages":
            parts += (field.encode(), bytes(request.top[field]))
    lengths = ",".join(str(len(part)) for part in parts)
    return Asked(blake2b(b"".join((lengths.encode(), b":", *parts)), digest_size=16).hexdigest(), words)


def _said(content: msgspec.Raw) -> tuple[str, list[dict[str, object]]] | None:
    """(the texts of a message, everything else in it); None when it has another form."""
    try:
        read = _CONTENT(content)
    except msgspec.ValidationError:
        return None
    if isinstance(read, str):
        return read, []
    texts = [part["text"] for part in read if part.get("type") == "text"]
    rest = [{name: value for name, value in part.items() if name != "text"} for part in read]
    return "\n".join(text for text in texts if isinstance(text, str)), rest
