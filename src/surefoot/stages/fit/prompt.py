"""The parts of a prompt that may be shortened: passages that are the request's own, and turns of its history.

Never: instructions, the last turn's words, and what the provider has cached, which is everything up to the client's last mark,
and all that was sent before the assistant last spoke.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Raw, Struct

from surefoot.wire import Top, passages
from surefoot.wire.rewrite import (
    Change,
    changed_content,
    changed_message,
    is_marked,
    messages_of,
    role_of,
    with_messages,
)

_SYSTEM = ("system", "developer")
_RESULT = b'"tool_result"'


class Prompt(NamedTuple):
    """A prompt taken apart."""

    top: Top
    messages: tuple[bytes, ...]
    roles: tuple[str, ...]
    fresh: int  # first message that no provider has cached
    system_fresh: bool  # whether that is so of Anthropic's system prompt

    @property
    def last_user(self) -> int:
        """Place of the last turn: the last message of the user that is no tool's result; 0 when there is none."""
        return next((place for place in reversed(range(len(self.messages))) if self.begins(place)), 0)

    def begins(self, place: int) -> bool:
        """Whether a turn begins with a message."""
        return self.roles[place] == "user" and _RESULT not in self.messages[place]


class Found(Struct, frozen=True):
    """Passages that may be shortened, in order; `ahead` are those before the last turn, which other requests may share."""

    texts: tuple[str, ...]
    ahead: int


def prompt_of(top: Top) -> Prompt:
    """A request taken apart."""
    messages = tuple(messages_of(top))
    roles = tuple(role_of(message) for message in messages)
    marked = max((place + 1 for place, message in enumerate(messages) if is_marked(message)), default=0)
    spoken = max((place + 1 for place, role in enumerate(roles) if role == "assistant"), default=0)
    system = not (marked or spoken or is_marked(bytes(top.get("system", b""))))
    return Prompt(top, messages, roles, max(marked, spoken), system)


def passages_of(prompt: Prompt) -> Found:
    """The passages in what no provider has cached."""
    texts: list[str] = []

    def collect(text: str) -> str:
        texts.append(text)
        return text

    ahead = 0
    if prompt.system_fresh and "system" in prompt.top:
        changed_content(bytes(prompt.top["system"]), lambda text: passages.replaced(text, collect))
        ahead = len(texts)
    for place in range(prompt.fresh, len(prompt.messages)):
        if prompt.roles[place] in ("user", *_SYSTEM):
            changed_message(prompt.messages[place], lambda text: passages.replaced(text, collect))
        if place < prompt.last_user:
            ahead = len(texts)
    return Found(tuple(texts), ahead)


def with_passages(prompt: Prompt, texts: Sequence[str]) -> Top:
    """The request with its passages replaced by others, in the order of `passages_of`."""
    left = iter(texts)

    def put(text: str) -> str:
        return next(left)

    change: Change = lambda text: passages.replaced(text, put)  # noqa: E731
    top = prompt.top
    if prompt.system_fresh and "system" in top:
        top = {**top, "system": Raw(changed_content(bytes(top["system"]), change))}
    messages = [
        changed_message(message, change)
        if place >= prompt.fresh and prompt.roles[place] in ("user", *_SYSTEM)
        else message
        for place, message in enumerate(prompt.messages)
    ]
    return with_messages(top, messages)


def turns_of(prompt: Prompt) -> tuple[tuple[int, ...], ...]:
    """The turns of the history, oldest first, as places of messages: from a message of the user to the next such.

    The last turn is not among them, nor is any system message. What comes before the first message of the user belongs to the
    first turn, so that what is left begins with the user and every tool's result stays with its call.
    """
    turns: list[list[int]] = []
    for place in range(prompt.last_user):
        if prompt.roles[place] in _SYSTEM:
            continue
        if not turns or prompt.begins(place):
            turns.append([])
        turns[-1].append(place)
    return tuple(map(tuple, turns))


def without(prompt: Prompt, places: frozenset[int]) -> Top:
    """The request without some messages."""
    return with_messages(prompt.top, [message for place, message in enumerate(prompt.messages) if place not in places])
