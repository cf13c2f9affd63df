"""Phrases and patterns that a text is looked through for: what admit rules are made of.

A phrase matches its words in order, with at most three words between two of them: "chest pain" finds "my chest hurts, a bad
pain" too. Case, accents, apostrophes, hyphens, spacing and characters that nobody sees do not matter, endings do not ("bleeds",
"bleeding"), two words written as one do ("chestpain"), and a word of five letters or more may hold one slip of the pen: two
letters swapped, one missing, one too many, or from eight letters on a wrong one; the first letter must be right.
Negation is not understood, on purpose: "no chest pain" matches. A rule that stands before every model errs on the side of a
person. Patterns are for what must be exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from surefoot.errors import ConfigError
from surefoot.signals.plain import plain, unaccented, without_apostrophes
from surefoot.signals.text import stem

LOOKED_AT = 100_000  # characters from the beginning and as many from the end; what lies between is not looked at
_BETWEEN = 3  # words
_REMEMBERED = 20_000  # words
_SLIPS_FROM, _WRONG_FROM, _LONGEST = 5, 8, 40  # letters
_WORD = re.compile(r"[^\W_]+")
_PHRASE_WORD = re.compile(r"[^\W_]+\*?")
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)\s*(?:[+*]|\{\d*,)")

Places = tuple[tuple[int, int], ...]
"""(phrase, place in it) of a word."""


class _Index(Struct, frozen=True):
    """Phrases by the words they are made of."""

    lengths: tuple[int, ...]  # of the phrases, in words
    whole: Mapping[str, Places]  # by word and by stem
    begun: Mapping[str, Places]  # of words with a "*": by how they begin
    slips: Mapping[str, tuple[str, ...]]  # from a word, or one less a letter, to the long words it may be meant for

    def places(self, word: str) -> Places:
        """Where a word of a text stands in the phrases, the later places of a phrase first."""
        found = {*self.whole.get(word, ()), *self.whole.get(stem(word), ())}
        found.update(place for start, places in self.begun.items() if word.startswith(start) for place in places)
        if _SLIPS_FROM - 1 <= len(word) <= _LONGEST:
            meant = {each for form in _less_a_letter(word) for each in self.slips.get(form, ())}
            found.update(place for each in meant if _is_slip(word, each) for place in self.whole[each])
        return tuple(sorted(found, reverse=True))


class Phrases:
    """Compiled phrases and patterns. Words once looked up are remembered, up to a bound."""

    def __init__(self, index: _Index, patterns: Sequence[re.Pattern[str]]) -> None:
        self._index, self._patterns = index, tuple(patterns)
        self._known: dict[str, Places] = {}

    def match(self, text: str) -> bool:
        """Whether any of them is in the text. Takes time linear in the text, as far as the patterns do."""
        looked = text if len(text) <= 2 * LOOKED_AT else f"{text[:LOOKED_AT]}\n{text[-LOOKED_AT:]}"
        seen = without_apostrophes(plain(looked))
        if any(each.search(seen) for each in self._patterns):
            return True
        return bool(self._index.lengths) and self._in(unaccented(seen))

    def _in(self, text: str) -> bool:
        """Whether a phrase stands in a text of small letters: each place of it is reached from the one before."""
        known, lengths = self._known, self._index.lengths
        if len(known) > _REMEMBERED:
            known.clear()
        reached: dict[tuple[int, int], int] = {}  # the position of the last word that got so far
        for position, word in enumerate(_WORD.findall(text)):
            places = known.get(word)
            if places is None:
                places = known[word] = self._index.places(word)
            for phrase, place in places:
                before = reached.get((phrase, place - 1)) if place else position
                if before is not None and position - before <= _BETWEEN + 1:
                    if place == lengths[phrase] - 1:
                        return True
                    reached[phrase, place] = position
        return False


def compile_phrases(phrases: Sequence[str], patterns: Sequence[str]) -> Phrases:
    """Phrases and regular expressions, ready to match.

    A word that ends in `*` ("suicid*") may go on in any way. Patterns ignore case and see the text without apostrophes and
    unseen characters.
    Raises: ConfigError for a phrase without a word, a pattern that is none, or one whose repeated group repeats itself
        ("(a+)+"), which some texts can stall.
    """
    whole: dict[str, set[tuple[int, int]]] = {}
    begun: dict[str, set[tuple[int, int]]] = {}
    lengths: list[int] = []
    for phrase in phrases:
        for words in _forms(phrase):
            for place, word in enumerate(words):
                here = (len(lengths), place)
                if word.endswith("*"):
                    begun.setdefault(word[:-1], set()).add(here)
                else:
                    whole.setdefault(word, set()).add(here)
                    whole.setdefault(stem(word), set()).add(here)
            lengths.append(len(words))
    index = _Index(
        lengths=tuple(lengths),
        whole={word: tuple(places) for word, places in whole.items()},
        begun={word: tuple(places) for word, places in begun.items()},
        slips=_slips([word for word in whole if _SLIPS_FROM <= len(word) <= _LONGEST]),
    )
    return Phrases(index, [_pattern(each) for each in patterns])


def _forms(phrase: str) -> Iterator[list[str]]:
    """A phrase's words, and the same with two neighbours written as one."""
    words = _PHRASE_WORD.findall(unaccented(without_apostrophes(plain(phrase))))
    if not words:
        raise ConfigError(f"phrase {phrase!r} has no word to begin with")
    yield words
    for place in range(len(words) - 1):
        if not words[place].endswith("*"):
            yield [*words[:place], words[place] + words[place + 1], *words[place + 2 :]]


def _pattern(pattern: str) -> re.Pattern[str]:
    if _NESTED.search(pattern):
        raise ConfigError(f"pattern {pattern!r} repeats a group that repeats itself: some texts would stall it")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"pattern {pattern!r} is not a regular expression: {error}") from error


def _slips(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for word in words:
        for form in _less_a_letter(word):
            found.setdefault(form, set()).add(word)
    return {form: tuple(sorted(meant)) for form, meant in found.items()}


def _less_a_letter(word: str) -> set[str]:
    """A word, and what remains when one letter after the first is left out: two words one slip apart share one of these."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(1, len(word)))}


def _is_slip(word: str, meant: str) -> bool:
    """Whether a word is another one with one slip in it."""
    if word[0] != meant[0] or abs(len(word) - len(meant)) > 1:
        return False
    start = next((place for place, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), None)
    if start is None:  # the same so far: a last letter too many or too few, or none
        return True
    rest, wanted = word[start:], meant[start:]
    if len(rest) > len(wanted):
        return rest[1:] == wanted
    if len(rest) < len(wanted):
        return rest == wanted[1:]
    swapped = len(rest) > 1 and rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or (len(meant) >= _WRONG_FROM and rest[1:] == wanted[1:])
