"""The dialects: what the SDKs send and expect. Pure functions on bytes; no I/O, no vendor's address.

A dialect reads requests and answers, joins a stream into one body, cuts a body into a stream, and words errors.
Bodies are never re-serialised: values are moved as raw bytes, so that whatever we do not know passes untouched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from surefoot.records import Attribution, Usage

GO_ON = (
    "Continue your answer exactly where it stopped, in the same manner, using only what is given above. "
    "Do not repeat or comment on what you have already said."
)

Top = dict[str, msgspec.Raw]  # a JSON object's fields, values as raw bytes


class Parsed(Struct, frozen=True, kw_only=True):
    """A request body as far as Surefoot needs it."""

    model: str
    stream: bool
    top: Top  # every field, unknown ones too, without `surefoot`
    max_output_tokens: int | None = None
    choices: int = 1
    has_tools: bool = False
    include_usage: bool = False  # OpenAI's stream_options.include_usage
    attribution: Attribution = Attribution()  # what the body says: user, safety_identifier, metadata
    context: tuple[str, ...] = ()  # surefoot.context
    feature: str = ""  # surefoot.feature
    wait: str = ""  # surefoot.wait: "poll" | "held" | "sse" | "webhook"; "" as the feature says
    webhook: str = ""  # surefoot.webhook


class Read(Struct, frozen=True, kw_only=True):
    """An answer body as far as Surefoot needs it."""

    text: str  # of the first choice; "" when it has none
    model: str
    finish: str  # "stop" | "length" | "tools" | "filter" | "other"
    usage: Usage | None  # None when the provider did not say
    id: str = ""


class Dialect(Protocol):
    """One vendor-neutral face of the wire; `wire.openai.OPENAI` and `wire.anthropic.ANTHROPIC` are its two values."""

    name: str

    def parse(self, body: bytes, *, surface: str) -> Parsed:
        """Read a request. Raises BadRequest with the field at fault: malformed JSON, broken UTF-8, wrong types."""

    def question(self, top: Top) -> tuple[str, tuple[str, ...]]:
        """(the last user message's text, passages in `<context>`, `<documents>` or `<document>` blocks of any message)."""

    def texts(self, top: Top) -> Sequence[tuple[str, str]]:
        """(role, text) of all messages in order; role "system" | "user" | "assistant" | "tool"."""

    def ask(self, query: str, passages: Sequence[str], *, model: str, stream: bool = False) -> bytes:
        """A request body for a query over passages, such that `question` gives both back."""

    def with_passages(self, top: Top, found: Sequence[str]) -> Top:
        """A request with passages of ours in a `<context>` block, as near to the question as the dialect allows."""

    def continuing(self, top: Top, said: str) -> Top:
        """A request for the rest of an answer whose beginning the caller has already."""

    def upstream(self, top: Top, *, model: str, stream: bool) -> bytes:
        """The body for a provider: the model replaced, usage asked for in streams, everything else as it came."""

    def read(self, body: bytes) -> Read:
        """Read a complete answer. Raises BadAnswer when it is not this dialect's."""

    def compose(self, text: str, *, model: str, id: str, created: int, usage: Usage) -> bytes:
        """A complete answer body around a text."""

    def join(self, events: Sequence[bytes]) -> bytes:
        """The complete body that a stream amounts to (text, tools, thinking, usage). Raises BadAnswer when it is cut off."""

    def cut(self, body: bytes, *, include_usage: bool = False) -> tuple[bytes, ...]:
        """The events of a complete body in the dialect's exact order, each ending in a blank line."""

    def is_last(self, event: bytes) -> bool:
        """Whether this event ends a stream (`[DONE]`, `message_stop`)."""

    def is_closing(self, event: bytes) -> bool:
        """Whether this event announces the end (finish_reason set, usage-only chunk, `message_delta`): it may be held back."""

    def is_usage_only(self, event: bytes) -> bool:
        """Whether this event is OpenAI's extra usage chunk, to be kept from clients that did not ask for it."""

    def is_error(self, event: bytes) -> bool:
        """Whether this event reports an error in mid-stream."""

    def tag(self, event: bytes, note: bytes) -> bytes:
        """An event with a `surefoot` object (JSON bytes) put into its payload; other bytes stay as they were."""

    def error(self, *, status: int, code: str, message: str, param: str | None = None, request_id: str = "") -> bytes:
        """The dialect's error body."""

    def error_event(self, *, status: int, code: str, message: str, request_id: str = "") -> bytes:
        """The dialect's error in mid-stream, as one event."""

    def models(self, cards: Sequence[Mapping[str, object]]) -> bytes:
        """The body of GET /v1/models; a card has id, created (s), owned_by, display_name."""

    def model(self, card: Mapping[str, object]) -> bytes:
        """The body of GET /v1/models/{id}."""
