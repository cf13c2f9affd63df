"""What changes from request to request, told by its look: time stamps, dates, ids, random tokens."""

from __future__ import annotations

import re

from msgspec import Struct

_DAY = (
    r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}\.? [A-Z][a-z]{2,8},? \d{4}"
    r"|[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?"
_NOW = (
    r"(?:today(?:['’]s date)?|current (?:date|time|datetime|date and time)|date today|date|time|now|timestamp"
    r"|generated(?: at| on)?)"
)
_PATTERNS = (
    ("UUID", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)),
    ("time stamp", re.compile(rf"\b\d{{4}}-\d{{2}}-\d{{2}}[T ]{_CLOCK}(?:Z|[+-]\d{{2}}:?\d{{2}})?")),
    ("time stamp", re.compile(rf"\b{_WEEKDAY}\d{{1,2}} [A-Z][a-z]{{2,8}} \d{{4}},? {_CLOCK}")),
    ("time stamp", re.compile(r"(?i:\b(?:ts|time|epoch|now|at|timestamp)\b\W{1,4})(1[5-9]\d{8}(?:\d{3}){0,2})\b")),
    ("time stamp", re.compile(r"(?<![\w.-])1[5-9]\d{11}(?:\d{3})?(?![\w.-])")),
    ("date", re.compile(rf"(?i:\b{_NOW}\b(?: is| was|:| =)?[ \"'*]{{0,4}}){_WEEKDAY}({_DAY})")),
    ("time", re.compile(rf"(?i:\b{_NOW}\b(?: is|:| =)?[ \"'*]{{0,4}})({_CLOCK})")),
    (
        "id",
        re.compile(
            r"(?i:\b(?:request|req|session|trace|conversation|thread|correlation|run|message|chat|nonce|build)"
            r"(?:[ _-]?(?:id|uuid|no|number|token))?[\"']?\s*[:=#]\s*[\"'#]?)((?=[\w-]*\d)[A-Za-z0-9][\w-]{5,63})"
        ),
    ),
    (
        "id",
        re.compile(r"\b(?:req|sess|trace|run|msg|thread|conv|usr|user|cust|order|call)_(?=\w*\d)[A-Za-z0-9]{8,64}\b"),
    ),
    ("random token", re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,64}\b")),
)  # the last group, where there is one, is what changes
_SHOWN = re.compile(r"(?i:\be\.g\.|\bfor example\b|\bsuch as\b|\bformat(?:s|ted)?\b|\blike\b|\bexample)")


class Volatile(Struct, frozen=True):
    """One value that looks as if it changed."""

    kind: str
    start: int
    end: int


def find_volatile(text: str) -> tuple[Volatile, ...]:
    """Such values in order, without overlaps. What a line gives as an example ("such as 2024-01-31T09:00:00Z") is none."""
    found: list[Volatile] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span(1 if match.re.groups else 0)
            before = text[text.rfind("\n", 0, start) + 1 : start]
            if not _SHOWN.search(before):
                found.append(Volatile(kind, start, end))
    found.sort(key=lambda each: (each.start, -each.end))
    kept: list[Volatile] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return tuple(kept)


def hidden(text: str) -> str:
    """The text with every such value replaced by its kind: ‹time stamp›."""
    parts, at = [], 0
    for each in find_volatile(text):
        parts += [text[at : each.start], f"‹{each.kind}›"]
        at = each.end
    return "".join((*parts, text[at:]))
