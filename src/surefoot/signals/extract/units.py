"""Passages cut into units: what is kept or left out as a whole, so that nothing is torn from what it belongs to.

A unit is a sentence, a block of code, a table or a quotation of several sentences. A number stays with its unit and a negation
with its verb because a sentence is never cut; a sentence that takes back or narrows the one before it ("Unless ...",
"However, not ...") follows that one wherever it goes. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from surefoot.signals.text import breaks

LONGEST_TITLE = 160  # characters of a first line that is taken for the passage's title
_LONGEST_QUOTATION = 800  # characters: an unclosed quotation mark does not swallow a whole passage
_FENCE = re.compile(r"^[ \t]{0,3}(```|~~~)[^\n]*\n.*?(?:^[ \t]{0,3}\1[^\n]*(?:\n|\Z)|\Z)", re.MULTILINE | re.DOTALL)
_ROWS = re.compile(r"(?:^[^\n]*(?:\|[^\n]*\||\t[^\n]*\t)[^\n]*(?:\n|\Z))+", re.MULTILINE)
_TITLE = re.compile(rf"[^\n]{{1,{LONGEST_TITLE}}}(?=\n)")
_ENDED = re.compile(r"[.!?…:;,]\s*$")
_NARROWS = re.compile(
    r"[\"'“(]*(?:unless|except(?:ion)?s?|but|however|otherwise|provided that|only if|only when|not if|never|nor|do not|don't|"
    r"this (?:does|do|is|must|may|should) not|that (?:does|do|is) not|these (?:do|are) not|it (?:does|is) not|in that case|"
    r"if not|if so|even then|yet|still|although|though|instead|conversely|in contrast)\b",
    re.IGNORECASE,
)  # fmt: skip
_CONDITION = re.compile(
    r"\b(?:unless|except|excluding|only if|only when|provided|otherwise|if|without|not|no|never|none|nor|neither|cannot|"
    r"must|shall|only|however)\b|n['’]t\b",
    re.IGNORECASE,
)  # fmt: skip


class Unit(Struct, frozen=True, gc=False):
    """One piece of a passage, as characters of it."""

    passage: int
    start: int
    end: int
    kind: str  # "text" | "code" | "table" | "title"
    bound: bool = False  # goes with the unit before it


def units(passages: tuple[str, ...]) -> tuple[Unit, ...]:
    """The units of passages in order; white space between them is in none."""
    return tuple(unit for number, text in enumerate(passages) for unit in _units(number, text))


def has_condition(text: str) -> bool:
    """Whether a text negates, commands or states a condition: it must not be lost where it bears on the question."""
    return _CONDITION.search(text) is not None


def _units(number: int, text: str) -> Iterator[Unit]:
    at = 0
    title = _TITLE.match(text)
    if title and not _ENDED.search(title[0]) and text[title.end() :].strip() and "|" not in title[0]:
        yield Unit(number, *_bare(text, 0, title.end()), "title")
        at = title.end()
    for start, end, kind in _blocks(text):
        if start < at:
            continue
        yield from _sentences(number, text, at, start)
        low, high = _bare(text, start, end)
        if high > low:
            yield Unit(number, low, high, kind)
        at = end
    yield from _sentences(number, text, at, len(text))


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """(start, end, kind) of code and tables."""
    found = []
    if "```" in text or "~~~" in text:
        found += [(match.start(), match.end(), "code") for match in _FENCE.finditer(text)]
    if "|" in text or "\t" in text:
        found += [(match.start(), match.end(), "table") for match in _ROWS.finditer(text)]
    return sorted(found)


def _sentences(number: int, text: str, start: int, end: int) -> Iterator[Unit]:
    part = text[start:end]
    if not part.strip():
        return
    began, first = 0, True
    for stop, after in [*breaks(part), (len(part), len(part))]:
        if stop < len(part) and _is_open(part, began, stop):
            continue
        low, high = _bare(part, began, stop)
        if high > low:
            bound = not first and _NARROWS.match(part, low, high) is not None
            yield Unit(number, start + low, start + high, "text", bound)
            first = False
        began = max(began, after if part[stop:after].isspace() else stop)


def _is_open(text: str, start: int, stop: int) -> bool:
    """Whether a quotation that began since `start` is still open at `stop`."""
    if stop - start > _LONGEST_QUOTATION:
        return False
    said = text[start:stop]
    if "“" in said:
        return said.count("“") > said.count("”")
    return said.count('"') % 2 == 1 and text.find('"', stop, start + _LONGEST_QUOTATION) >= 0


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The part without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
