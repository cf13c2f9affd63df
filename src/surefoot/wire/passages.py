"""Where a prompt keeps its passages, and how we write them ourselves.

Read are `<context>`, `<documents>`, `<document>` and `<passage>` blocks. Written is one `<context>` block with a `<passage>`
for each; in a `<passage>` the three signs `&`, `<` and `>` are escaped, so that any text comes back as it was. A query that
would itself read as a block is written as an escaped `<query>`. Reading takes time linear in the text, whatever the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

_INSTRUCTIONS = 300  # characters
_BLOCK = re.compile(r"<(context|documents|document|passage)(?:\s[^<>]{0,500})?>")
_PART = re.compile(r"<(document|passage)(?:\s[^<>]{0,500})?>")
_QUERY = re.compile(r"<query>([^<>]*)</query>")


def write(passages: Sequence[str]) -> str:
    """Passages as one `<context>` block."""
    parts = "".join(f"<passage>{html.escape(passage, quote=False)}</passage>\n" for passage in passages)
    return f"<context>\n{parts}</context>"


def write_query(query: str) -> str:
    """A query as it is; escaped in a `<query>` where it would otherwise be read as something else."""
    if gather([("user", query)]) == (query, ()):
        return query
    return f"<query>{html.escape(query, quote=False)}</query>"


def find(text: str) -> tuple[str, tuple[str, ...]]:
    """(the text without its blocks, the passages in them), in order. A text without blocks comes back untouched."""
    if "<context" not in text and "<document" not in text and "<passage" not in text:
        return text, ()
    found: list[str] = []
    kept: list[str] = []
    at = 0
    for tag, start, end, inner in _blocks(_BLOCK, text):
        kept.append(text[at:start])
        at = end
        found.extend(_inside(tag, inner))
    if not at:
        return text, ()
    return "".join((*kept, text[at:])).strip(), tuple(found)


def places(text: str) -> tuple[tuple[int, int], ...]:
    """Where the passages of `find` stand, as (start, end) characters; tags, and what a block has beside them, are theirs."""
    found: list[tuple[int, int]] = []
    for tag, start, end, inner in _blocks(_BLOCK, text):
        first = end - len(tag) - 3 - len(inner)
        parts = [] if tag in ("passage", "document") else [first + at for _, at, _, _ in _blocks(_PART, inner)]
        cuts = (start, *parts[1:], end)
        found.extend(pairwise(cuts))
    return tuple(found)


def gather(texts: Sequence[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """(the last user text without blocks, all passages) of (role, text) pairs in order."""
    query = ""
    passages: list[str] = []
    for role, text in texts:
        rest, found = find(text)
        passages.extend(found)
        if role == "user":
            wrapped = _QUERY.fullmatch(rest)
            query = _unescape(wrapped.group(1)) if wrapped else rest
    return query, tuple(passages)


def sources(texts: Sequence[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """(the last user text without blocks, everything an answer may rest on): blocks, tool results, system text.

    System text of less than 300 characters is taken for instructions, unless other passages are there.
    """
    query, found = gather(texts)
    results = tuple(rest for role, text in texts if role == "tool" and (rest := find(text)[0].strip()))
    system = tuple(rest for role, text in texts if role == "system" and (rest := find(text)[0].strip()))
    written = (*found, *results)
    if written or sum(map(len, system)) >= _INSTRUCTIONS:
        written = (*written, *system)
    return query, written


def replaced(text: str, change: Callable[[str], str]) -> str:
    """A text with its passages, in the order in which `find` gives them, put through `change`; all other signs stay."""
    if "<context" not in text and "<document" not in text and "<passage" not in text:
        return text
    return _replaced(_BLOCK, text, change)


def _replaced(opening: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    parts: list[str] = []
    at = 0
    for tag, _, end, inner in _blocks(opening, text):
        begins, ends = end - len(inner) - len(tag) - 3, end - len(tag) - 3
        parts += (text[at:begins], _changed(tag, inner, change), text[ends:end])
        at = end
    return "".join((*parts, text[at:]))


def _changed(tag: str, inner: str, change: Callable[[str], str]) -> str:
    """The inner text of a block with its passages changed; one with tags of its own inside is left as it is."""
    if tag not in ("passage", "document") and any(True for _ in _blocks(_PART, inner)):
        return _replaced(_PART, inner, change)
    said = _inside(tag, inner)[0]
    made = change(said)
    if made == said or (tag != "passage" and "<" in inner):
        return inner
    if tag == "passage":
        ours = html.escape(said, quote=False) == inner
        return html.escape(made, quote=False) if ours else (inner if "<" in inner or "&" in inner else made)
    return inner.replace(said, made, 1)


def _blocks(opening: re.Pattern[str], text: str) -> Iterator[tuple[str, int, int, str]]:
    """(tag, start, end, inner text) of the outermost blocks. A tag once found unclosed is not looked for again."""
    at = 0
    unclosed: set[str] = set()
    while match := opening.search(text, at):
        tag, at = match.group(1), match.end()
        if tag in unclosed:
            continue
        end = text.find(f"</{tag}>", at)
        if end < 0:
            unclosed.add(tag)
            continue
        inner, at = text[at:end], end + len(tag) + 3
        yield tag, match.start(), at, inner


def _inside(tag: str, inner: str) -> list[str]:
    """The passages of one block: its parts, or itself where it has none."""
    if tag == "passage":
        return [_unescape(inner)]
    if tag != "document":
        parts = [_inside(part, text)[0] for part, _, _, text in _blocks(_PART, inner)]
        if parts:
            return parts
    return [inner.strip()]


def _unescape(text: str) -> str:
    """The inverse of our escaping, and no more: other people's entities stay as they are."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
