"""How alike two answers are in what they mean: by final answer, by JSON value, or by wording."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from surefoot.signals.final_answer import agree
from surefoot.signals.values import unfenced

_WORD = re.compile(r"\w+")
_MOST = 2000  # words that are compared


def likeness(one: str, other: str) -> float | None:
    """1 when two answers are the same, 0 when they differ, in between for prose; None when either is empty.

    Final answers are compared where both state one, JSON values where both are JSON, else the words and word pairs that
    they share (Dice's coefficient): wording is a weak witness of meaning, and no negation is seen.
    """
    if not one.strip() or not other.strip():
        return None
    same = agree(one, other)
    if same is not None:
        return same
    first, second = _json(one), _json(other)
    if first is not None and second is not None:
        return 1.0 if first == second else 0.0
    return _dice(one, other)


def _json(text: str) -> object:
    bare = unfenced(text.strip())
    if bare[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(bare)
    except (msgspec.DecodeError, RecursionError):
        return None


def _dice(one: str, other: str) -> float | None:
    first, second = _grams(one), _grams(other)
    if not first or not second:
        return None
    return 2 * len(first & second) / (len(first) + len(second))


def _grams(text: str) -> set[str]:
    words = [word.casefold() for word in _WORD.findall(text)[:_MOST]]
    return {*words, *(f"{before} {after}" for before, after in pairwise(words))}
