"""Marks in conversations: at the end of the last turn that will come again, where conversations go on often enough.

A conversation sends its history again with every turn, so that what one turn wrote to the provider's cache the next one reads.
A mark costs the surcharge of writing what is new since the last one, and saves the difference to the cached price each time the
conversation goes on within five minutes. With c the share that does, c / (1 - c) further reads are to be expected, and a mark
pays when c (input - cached) > (1 - c) (cache write - input). First turns and later ones are counted apart: most conversations
end after one, and those that do not go on for long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec import Raw

from surefoot.records import Request
from surefoot.stages.fit.prefixes import Prefixes
from surefoot.wire import Top
from surefoot.wire.rewrite import messages_of, role_of

MARK = b'"cache_control":{"type":"ephemeral"}'
_LOOK_BACK = 20  # blocks before a mark in which the provider looks for what it has
_CONTENT = re.compile(rb'"content"\s*:\s*')
_RAWS = msgspec.json.Decoder(list[Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_TYPE = msgspec.json.Decoder(dict[str, object])
_MARKABLE = frozenset({"text", "image", "document", "tool_use", "tool_result"})


class Turns(NamedTuple):
    """Where a conversation stands: places of messages."""

    user: int  # the last message of the user
    spoken: int  # the assistant's last message before it; -1 in a first turn
    later: bool  # whether the assistant spoke before

    def name(self, family: str) -> str:
        """What this turn is counted under."""
        return f"turns/{family}/{'later' if self.later else 'first'}"


def turns_of(roles: Sequence[str]) -> Turns | None:
    """The last turn; None without a message of the user. A beginning of the answer that the client gives is no turn."""
    user = next((place for place in reversed(range(len(roles))) if roles[place] == "user"), -1)
    if user < 0:
        return None
    spoken = next((place for place in reversed(range(user)) if roles[place] == "assistant"), -1)
    return Turns(user, spoken, spoken >= 0)


def continuation(request: Request, upstream: str, prefixes: Prefixes, least_bytes: int) -> float | None:
    """Note a conversation's turn, and tell how often such turns are followed by another in time; None when nobody knows.

    Args:
        least_bytes: prefixes below are never cached, and not counted.
    """
    messages = messages_of(request.top)
    turns = turns_of([role_of(message) for message in messages])
    if turns is None:
        return None
    family = f"{request.feature}/{upstream}"
    digest, size = blake2b(upstream.encode(), digest_size=16), 0
    for field in (bytes(request.top.get("tools", b"")), bytes(request.top.get("system", b""))):
        digest.update(field + b"\0")
        size += len(field)
    for place, message in enumerate(messages[: turns.user + 1]):
        if place == turns.spoken:
            before = turns_of([role_of(each) for each in messages[:place]])
            if before is not None:
                prefixes.went_on(before.name(family), digest.hexdigest(), request.at_ns)
        digest.update(message + b"\0")
        size += len(message)
    if size < least_bytes:
        return None
    prefixes.sent(turns.name(family), digest.hexdigest(), request.at_ns)
    return prefixes.rate(turns.name(family))


def marked_turns(top: Top, request: Request, least_bytes: int) -> Top | None:
    """The request with a mark at the end of its last turn that will come again as it is sent now; None where none may stand.

    That is the last message of the user, or the one before it where the passages in it are sent in part: the next turn will
    send it in full. Where more blocks came since the last mark than the provider looks back, that one is set again.
    """
    given, sent = messages_of(request.top), messages_of(top)
    turns = turns_of([role_of(message) for message in given])
    if turns is None or len(given) != len(sent):
        return None
    same = next((place for place in range(len(given)) if given[place] != sent[place]), len(given))
    place = min(turns.user, same - 1)
    shift = turns.user - place
    if place < 0 or shift > 1:
        return None
    before = turns.spoken - 1 - shift
    stable = sum(len(bytes(top.get(name, b""))) for name in ("tools", "system"))
    if stable + sum(map(len, sent[: place + 1])) < least_bytes:
        return None
    places = [place]
    if before >= 0 and sum(map(_blocks, sent[before + 1 : place + 1])) >= _LOOK_BACK:
        places.insert(0, before)
    made, raw, end = b"", bytes(top["messages"]), 0
    for each, message in enumerate(sent):
        start = raw.index(message, end)  # between two messages are a comma and white space
        made += raw[end:start] + ((_with_mark(message) if each in places else None) or message)
        end = start + len(message)
    made += raw[end:]
    return {**top, "messages": Raw(made)} if made != raw else None


def marked_last(blocks: bytes) -> bytes | None:
    """A raw list of blocks with a mark in the last one, all other bytes as they came; None where none may stand there."""
    found = _RAWS.decode(blocks)
    last = bytes(found[-1]).strip() if found else b""
    if not last.startswith(b"{"):
        return None
    end = blocks.rindex(b"}")
    comma = b"" if last[1:-1].strip() == b"" else b","
    return blocks[:end] + comma + MARK + blocks[end:]


def _with_mark(message: bytes) -> bytes | None:
    """A raw message with a mark in its last block, spliced in; a text becomes the one block that it stands for."""
    content = bytes(_FIELDS.decode(message).get("content", b""))
    where = next((each.end() for each in _CONTENT.finditer(message) if message.startswith(content, each.end())), -1)
    if where < 0 or not content:
        return None
    if content[:1] == b'"':
        made = b'[{"type":"text","text":' + content + b"," + MARK + b"}]" if len(content) > 2 else None
    else:
        made = marked_last(content) if content[:1] == b"[" and _is_markable(content) else None
    return None if made is None else message[:where] + made + message[where + len(content) :]


def _is_markable(content: bytes) -> bool:
    """Whether the provider takes a mark in the last block: none in thinking, none in an empty text."""
    blocks = _RAWS.decode(content)
    if not blocks or not bytes(blocks[-1]).lstrip().startswith(b"{"):
        return False
    last = _TYPE.decode(blocks[-1])
    return last.get("type") in _MARKABLE and (last.get("type") != "text" or bool(last.get("text")))


def _blocks(message: bytes) -> int:
    content = bytes(_FIELDS.decode(message).get("content", b"")).lstrip()
    return len(_RAWS.decode(content)) if content[:1] == b"[" else 1
