"""whitespace: JSON written for people, and white space that says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from surefoot.ledger.lint.findings import Hit
from surefoot.ledger.lint.segments import BYTES_PER_TOKEN
from surefoot.ledger.lint.traffic import Traffic, slot

_LEAST_TOKENS, _LEAST_SHARE = 20, 0.01  # of the prompt
_BEGINS = re.compile(r"(?:^|(?<=\n)|(?<=: )|(?<=:\n))[ \t]*([{\[])[ \t]*\n", re.MULTILINE)
_RUN = re.compile(r"[ \t]+\n(?:[ \t]*\n)*|\n[ \t]*\n(?:[ \t]*\n)+|(?<=\S)[ \t]{4,}(?=\S)")
_SPACE = re.compile(r"\n[ \t]*")


def whitespace(traffic: Traffic) -> Iterator[Hit]:
    """Pretty-printed JSON inside of texts, blank lines in a row, spaces at ends of lines, columns made of spaces.

    A run of white space is about one token, however long it is, and that is what is counted. JSON around texts, and tools,
    are read by the vendor and cost nothing for their spaces.
    """
    for number, sample in enumerate(traffic.samples):
        whole = sum(traffic.spreads[number].tokens)
        weight = sum(each.weight for each in sample.prompt.said) or 1
        for each in sample.prompt.said:
            if each.json or each.kind == "question":
                continue
            runs, char = _runs(each.text)
            tokens, paid = traffic.cost(number, each)
            spared = min(tokens, runs * whole * BYTES_PER_TOKEN / weight)
            if spared < max(_LEAST_TOKENS, _LEAST_SHARE * whole):
                continue
            yield Hit(
                rule="whitespace", severity="info", number=number, key=slot(sample.prompt, each), segment=each, char=char,
                what=f"{runs} runs of white space that say nothing, about a token each", tokens=spared,
                nanodollars=paid * spared / tokens,
                fix='write JSON without indentation (separators "," and ":"), and one blank line at most',
            )  # fmt: skip


def _runs(text: str) -> tuple[int, int]:
    """(how many runs could go, where the first one stands)."""
    found: list[int] = []
    at = 0
    while match := _BEGINS.search(text, at):
        end = _json_end(text, match.start(1))
        at = max(end, match.end())
        if end:
            found += [one.start() + match.start(1) for one in _SPACE.finditer(text[match.start(1) : end])]
    found += [one.start() for one in _RUN.finditer(text)]
    return len(set(found)), min(found, default=0)


def _json_end(text: str, start: int) -> int:
    """Where the JSON that begins here ends; 0 when it is none."""
    depth, inside, skip = 0, False, False
    for place in range(start, len(text)):
        char = text[place]
        if inside:
            inside, skip = not (char == '"' and not skip), char == "\\" and not skip
        elif char == '"':
            inside, skip = True, False
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if not depth:
                return place + 1 if _is_json(text[start : place + 1]) else 0
    return 0


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
