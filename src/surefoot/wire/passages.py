"""Where a prompt keeps its passages, and how we write them ourselves."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_BLOCK = re.compile(r"<(context|documents)>(.*?)</\1>", re.DOTALL)
_PART = re.compile(r"<(passage|document)(?:\s[^>]*)?>(.*?)</\1>", re.DOTALL)
_LONE = re.compile(r"<document(?:\s[^>]*)?>(.*?)</document>", re.DOTALL)


def write(passages: Sequence[str]) -> str:
    """Passages as one `<context>` block; angle brackets and ampersands are escaped, so that any text comes back as it was."""
    parts = "".join(f"<passage>{html.escape(passage, quote=False)}</passage>\n" for passage in passages)
    return f"<context>\n{parts}</context>"


def find(text: str) -> tuple[str, tuple[str, ...]]:
    """(the text without its blocks, the passages in them), in order. A text without blocks comes back untouched."""
    if "<context>" not in text and "<document" not in text:
        return text, ()
    found: list[str] = []

    def take(block: re.Match[str]) -> str:
        parts = _PART.findall(block.group(2))
        found.extend(html.unescape(part) if tag == "passage" else part.strip() for tag, part in parts)
        if not parts:
            found.append(block.group(2).strip())
        return ""

    def lone(block: re.Match[str]) -> str:
        found.append(block.group(1).strip())
        return ""

    rest = _LONE.sub(lone, _BLOCK.sub(take, text))
    return (rest.strip(), tuple(found)) if found else (text, ())


def gather(texts: Sequence[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """(the last user text without blocks, all passages) of (role, text) pairs in order."""
    query = ""
    passages: list[str] = []
    for role, text in texts:
        rest, found = find(text)
        passages.extend(found)
        if role == "user":
            query = rest
    return query, tuple(passages)
