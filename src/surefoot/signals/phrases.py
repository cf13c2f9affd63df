"""Phrases and patterns that a text is looked through for: what admit rules are made of.

A phrase matches its words in order, whatever their case, with at most three words between two of them, apostrophes written or
not: "chest pain" finds "pain" after "chest" in "my chest hurts, a bad pain" too. Negation is not understood, on purpose: "no
chest pain" matches. A rule that stands before every model errs on the side of a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from surefoot.errors import ConfigError

LOOKED_AT = 100_000  # characters from the beginning and as many from the end; what lies between is not looked at
_GAP = r"(?:\W+\w+){0,3}?\W+"
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)\s*(?:[+*]|\{\d*,)")
_APOSTROPHES = str.maketrans("", "", "'’‘`´")


class Phrases(Struct, frozen=True):
    """Compiled phrases and patterns."""

    compiled: tuple[re.Pattern[str], ...]

    def match(self, text: str) -> bool:
        """Whether any of them is in the text."""
        looked = text if len(text) <= 2 * LOOKED_AT else f"{text[:LOOKED_AT]}\n{text[-LOOKED_AT:]}"
        plain = looked.translate(_APOSTROPHES)
        return any(each.search(plain) for each in self.compiled)


def compile_phrases(phrases: Sequence[str], patterns: Sequence[str]) -> Phrases:
    """Phrases and regular expressions, ready to match; both ignore case, and see the text without apostrophes.

    Raises: ConfigError for a phrase without a word, a pattern that is none, or one whose repeated group repeats itself
        ("(a+)+"), which some texts can stall.
    """
    found = []
    for phrase in phrases:
        words = re.findall(r"\w+|\*", phrase.translate(_APOSTROPHES))
        if not words or words[0] == "*":
            raise ConfigError(f"phrase {phrase!r} has no word to begin with")
        found.append(re.compile(_phrase(words), re.IGNORECASE))
    for pattern in patterns:
        if _NESTED.search(pattern):
            raise ConfigError(f"pattern {pattern!r} repeats a group that repeats itself: some texts would stall it")
        try:
            found.append(re.compile(pattern, re.IGNORECASE))
        except re.error as error:
            raise ConfigError(f"pattern {pattern!r} is not a regular expression: {error}") from error
    return Phrases(tuple(found))


def _phrase(words: Sequence[str]) -> str:
    """A word that is followed by `*` (as in "suicid*") may go on."""
    parts: list[str] = []
    for word in words:
        if word == "*":
            parts[-1] = parts[-1].removesuffix(r"\b") + r"\w*\b"
        else:
            parts.append(rf"\b{re.escape(word)}\b")
    return _GAP.join(part.removeprefix(r"\b") if place else part for place, part in enumerate(parts))
