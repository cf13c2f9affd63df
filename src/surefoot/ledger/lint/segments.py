"""A request body as segments: what is paid for, with the exact bytes where it stands.

The fields that reach a model (`tools`, `functions`, `system`, `messages`, and the schema of `response_format` or
`output_config`) are divided without a gap: every byte of them is in one segment, the JSON between contents in segments of
kind "frame", which weigh nothing. Segments stand in the order in which providers build the prefix: schema, tools, system,
messages.

What is an example (few-shot):
1. a message whose `name` begins with "example";
2. in system text, what stands in `<example>` or `<examples>`;
3. in system text, a paragraph that begins with "Example", or in which a line "Input:", "User:", "Customer:", "Question:" or
   "Q:" is followed by a line "Output:", "Assistant:", "Agent:", "Answer:" or "A:";
4. where several requests are known, the turns at the beginning that all of them have (`sample.with_examples`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import msgspec
from msgspec import Struct

from surefoot.errors import BadRequest
from surefoot.ledger.lint.places import Node, offsets, plain, read, string
from surefoot.wire import passages

PREFIX = frozenset({"schema", "tool", "system", "example"})  # kinds that should be the same in every request
IMAGE_TOKENS = 1000  # a nominal image: what one really takes depends on its size and on the vendor
BYTES_PER_TOKEN = 4
_FIELDS = {
    "openai": ("response_format", "tools", "functions", "messages"),
    "anthropic": ("output_config", "output_format", "tools", "system", "messages"),
}
_OPTIONS = (
    "prompt_cache_key",
    "prompt_cache_retention",
    "cache_control",
    "tool_choice",
    "thinking",
    "reasoning_effort",
)
_WRAPPERS = ("body", "params", "request")  # where batch files and logs keep the body
_SYSTEM = frozenset({"system", "developer"})
_TOOL = frozenset({"tool", "function"})
_WHOLE = re.compile(r"<(examples?)>.*?</\1>|^```[^\n]*\n.*?^```", re.DOTALL | re.MULTILINE)
_BREAK = re.compile(r"\n[ \t]*(?:\n[ \t]*)*\n")
_EXAMPLE = re.compile(
    r"\s*(?:<examples?>|[#*\s]*example\b)"
    r"|^[ \t>*-]*(?:input|user|customer|question|q):.*?\n[ \t>*-]*(?:output|assistant|agent|answer|a):",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)


class Segment(Struct, frozen=True, kw_only=True):
    """One part of a prompt."""

    # "schema" | "tool" | "system" | "example" | "history" | "passage" | "question" (the last user turn) | "image" | "frame"
    kind: str
    path: str  # the JSON value that holds it: "system", "tools[2]", "messages[0].content"
    start: int  # bytes of the body
    end: int
    text: str  # as the model gets it; of tools, schemas and other JSON the bytes as sent
    name: str = ""  # a tool's name; else the role
    line: int = 1  # where it begins in the text at `path`, counted from 1
    column: int = 1
    json: bool = False  # whether `text` is JSON as sent
    marked: bool = False  # whether a cache mark of Anthropic's ends here
    message: int = -1  # number of the message; -1 outside of messages

    @property
    def weight(self) -> int:
        """How long it is, for sharing out what was metered: UTF-8 bytes, of JSON without white space; of an image a nominal
        figure, of a frame 0."""
        if self.kind == "image":
            return IMAGE_TOKENS * BYTES_PER_TOKEN
        if self.kind == "frame":
            return 0
        return len(msgspec.json.format(self.text, indent=-1) if self.json else self.text.encode("utf-8"))

    def place(self, char: int) -> tuple[int, int]:
        """(line, column) of a character of the segment in the text at `path`, both from 1."""
        before = self.text[:char]
        breaks = before.count("\n")
        return self.line + breaks, char - before.rfind("\n") if breaks else self.column + char


class Prompt(Struct, frozen=True, kw_only=True):
    """A request body, taken apart."""

    dialect: str  # "openai" | "anthropic"
    model: str
    body: bytes
    segments: tuple[Segment, ...]  # in the order of the prefix, frames included
    options: tuple[tuple[str, str], ...] = ()  # what else decides about the provider's cache, as (name, JSON)

    @property
    def said(self) -> tuple[Segment, ...]:
        """The segments without frames."""
        return tuple(each for each in self.segments if each.kind != "frame")

    def option(self, name: str) -> str:
        """An option as JSON; "" when it is not given."""
        return dict(self.options).get(name, "")

    def byte(self, segment: Segment, char: int) -> int:
        """The byte of the body where a character of a segment stands."""
        if segment.json:
            return segment.start + len(segment.text[:char].encode("utf-8"))
        raw = self.body[segment.start : segment.end]
        return segment.start + (char if plain(raw) else offsets(raw)[char])

    def slice(self, segment: Segment) -> bytes:
        """A segment's bytes as sent."""
        return self.body[segment.start : segment.end]


def prompt_of(body: bytes, *, dialect: str = "") -> Prompt:
    """A request body as segments. Raises BadRequest for what is no request: no JSON object, no messages, no roles in them.

    Args:
        body: JSON of the OpenAI shape (LiteLLM's too) or Anthropic's; also such a body under `body`, `params` or `request`, as
            batch files and logs keep it.
        dialect: "openai" or "anthropic"; "" tells it by the shape.
    """
    top = read(body)
    for name in _WRAPPERS:
        inner = top.get(name)
        if top.get("messages") is None and inner is not None and inner.kind == "object":
            top = inner
    messages = top.get("messages")
    if top.kind != "object" or messages is None or messages.kind != "array":
        raise BadRequest("the body is no chat request: it has no list `messages`", param="messages")
    spoken = dialect or _dialect(body, top)
    reader = _Reader(body, top)
    found: list[Segment] = []
    for field in _FIELDS[spoken]:
        node = top.get(field)
        if node is not None and node.kind != "other":
            found += _framed(reader.field(field, node), field, node, body)
    options = tuple(
        (name, body[node.start : node.end].decode("utf-8")) for name in _OPTIONS if (node := top.get(name)) is not None
    )
    return Prompt(
        dialect=spoken, model=string(body, top.get("model")) or "", body=body, segments=tuple(found), options=options
    )


def _dialect(body: bytes, top: Node) -> str:
    """Whose shape a body has: Anthropic's when it has a `system` or `anthropic_version` field, its tools or its blocks."""
    if top.get("system") is not None or top.get("anthropic_version") is not None:
        return "anthropic"
    tools = top.get("tools")
    if tools is not None and any(tool.get("input_schema") is not None for tool in tools.items):
        return "anthropic"
    types, roles = set(), set()
    for message in (top.get("messages") or top).items:
        roles.add(string(body, message.get("role")))
        types |= {string(body, part.get("type")) for part in (message.get("content") or message).items}
    if types & {"tool_use", "tool_result", "image", "document"}:
        return "anthropic"
    model = string(body, top.get("model")) or ""
    return "anthropic" if model.startswith("claude") and not roles & {*_SYSTEM, *_TOOL} else "openai"


def _framed(found: Sequence[Segment], field: str, node: Node, body: bytes) -> Iterator[Segment]:
    """The segments of a field with frames between them, so that no byte is left out."""
    at = node.start
    for each in found:
        if each.start > at:
            yield _frame(field, at, each.start, body)
        yield each
        at = each.end
    if at < node.end:
        yield _frame(field, at, node.end, body)


def _frame(field: str, start: int, end: int, body: bytes) -> Segment:
    text = body[start:end].decode("utf-8")
    return Segment(kind="frame", path=field, start=start, end=end, text=text, json=True)


class _Reader:
    """Finds the contents of one body."""

    def __init__(self, body: bytes, top: Node) -> None:
        self._body = body
        messages = (top.get("messages") or top).items
        for number, message in enumerate(messages):
            if message.kind != "object" or string(body, message.get("role")) is None:
                raise BadRequest(f"messages[{number}] has no role", param=f"messages[{number}]")
        users = [n for n, each in enumerate(messages) if self._role(each) == "user" and not self._only_results(each)]
        self._last = users[-1] if users else len(messages)

    def field(self, name: str, node: Node) -> list[Segment]:
        """The contents of a field, in order."""
        if name in ("tools", "functions"):
            return [
                self._whole("tool", f"{name}[{n}]", tool, name=self._name(tool)) for n, tool in enumerate(node.items)
            ]
        if name == "system":
            return list(self._content(node, "system", _system_kind, name="system"))
        if name != "messages":
            return [self._whole("schema", name, node, name=name)] if _has_schema(node) else []
        return sorted(
            (each for number, message in enumerate(node.items) for each in self._message(number, message)),
            key=lambda each: each.start,
        )

    def _message(self, number: int, message: Node) -> Iterator[Segment]:
        role, path = self._role(message), f"messages[{number}]"
        own = string(self._body, message.get("name")) or ""
        kind: Callable[[str], str] = lambda text: "question" if number >= self._last else "history"  # noqa: E731
        if own.casefold().startswith("example"):
            kind = lambda text: "example"  # noqa: E731
        elif role in _SYSTEM:
            kind = _system_kind
        for name in ("content", "reasoning_content", "refusal", "tool_calls", "function_call"):
            node = message.get(name)
            if node is None or node.kind == "other":
                continue
            if node.kind == "object" or (node.kind == "array" and name == "tool_calls"):
                yield self._whole(kind(""), f"{path}.{name}", node, name=role, message=number)
            else:
                yield from self._content(node, f"{path}.{name}", kind, name=role, message=number)

    def _content(
        self, node: Node, path: str, kind: Callable[[str], str], *, name: str, message: int = -1
    ) -> Iterator[Segment]:
        """A text, or blocks of it."""
        if node.kind == "string":
            yield from self._text(node, path, kind, name=name, message=message)
            return
        for number, part in enumerate(node.items):
            yield from self._part(part, f"{path}[{number}]", kind, name=name, message=message)

    def _part(self, part: Node, path: str, kind: Callable[[str], str], *, name: str, message: int) -> Iterator[Segment]:
        what, text = string(self._body, part.get("type")) or "text", part.get("text")
        marked = _marked(part)
        if part.kind == "string":
            yield from self._text(part, path, kind, name=name, message=message)
        elif what in ("text", "input_text") and text is not None and text.kind == "string":
            yield from self._text(text, f"{path}.text", kind, name=name, message=message, marked=marked)
        elif what in ("image", "image_url", "input_image"):
            yield self._whole("image", path, part, name=name, message=message)
        elif what in ("document", "search_result"):
            yield self._whole("passage", path, part, name=name, message=message)
        elif what == "tool_result" and (inner := part.get("content")) is not None and inner.kind in ("string", "array"):
            yield from self._content(inner, f"{path}.content", kind, name="tool", message=message)
        elif part.kind == "object":
            yield self._whole(kind(""), path, part, name=name, message=message)

    def _text(
        self, node: Node, path: str, kind: Callable[[str], str], *, name: str, message: int, marked: bool = False
    ) -> Iterator[Segment]:
        """A string's passages and paragraphs, without a gap."""
        text = string(self._body, node) or ""
        start = node.start + 1
        raw = self._body[start : node.end - 1]
        where = None if plain(raw) else offsets(raw)
        for what, begin, end in _pieces(text, kind):
            line = text.count("\n", 0, begin) + 1
            first, last = (begin, end) if where is None else (where[begin], where[end])
            yield Segment(
                kind=what, path=path, start=start + first, end=start + last, text=text[begin:end], name=name, line=line,
                column=begin - text.rfind("\n", 0, begin), marked=marked and end == len(text), message=message,
            )  # fmt: skip

    def _whole(self, kind: str, path: str, node: Node, *, name: str, message: int = -1) -> Segment:
        return Segment(
            kind=kind, path=path, start=node.start, end=node.end, name=name, json=True, message=message,
            text=self._body[node.start : node.end].decode("utf-8"), marked=_marked(node),
        )  # fmt: skip

    def _role(self, message: Node) -> str:
        return string(self._body, message.get("role")) or ""

    def _name(self, tool: Node) -> str:
        return string(self._body, tool.get("function", "name") or tool.get("name") or tool.get("type")) or ""

    def _only_results(self, message: Node) -> bool:
        """Whether a user message of Anthropic's only brings back what tools returned."""
        parts = (message.get("content") or message).items
        return bool(parts) and all(string(self._body, part.get("type")) == "tool_result" for part in parts)


def _marked(node: Node) -> bool:
    mark = node.get("cache_control") or node.get("function", "cache_control")
    return mark is not None and mark.kind == "object"


def _has_schema(node: Node) -> bool:
    return (
        node.get("json_schema") is not None
        or node.get("schema") is not None
        or node.get("format", "schema") is not None
    )


def _system_kind(text: str) -> str:
    return "example" if _EXAMPLE.match(text) or _EXAMPLE.search(text) else "system"


def _pieces(text: str, kind: Callable[[str], str]) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of a text's parts in order, without a gap: passages, and between them paragraphs of system text."""
    at = 0
    for start, end in (*passages.places(text), (len(text), len(text))):
        if start > at:
            cuts = [at, *_cuts(text, at, start), start] if kind is _system_kind else [at, start]
            for first, last in pairwise(cuts):
                yield kind(text[first:last]), first, last
        if end > start:
            yield "passage", start, end
        at = end


def _cuts(text: str, start: int, end: int) -> list[int]:
    """Where paragraphs begin, but the first. Blank lines belong to what stands before them; examples and code stay whole."""
    whole = [(found.start(), found.end()) for found in _WHOLE.finditer(text, start, end)]
    cuts = {found.end() for found in _BREAK.finditer(text, start, end)}
    cuts |= {first for first, _ in whole}
    return sorted(
        cut
        for cut in cuts
        if text[start:cut].strip() and text[cut:end].strip() and not any(a < cut < b for a, b in whole)
    )
