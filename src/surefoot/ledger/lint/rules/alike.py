"""duplicate-passage, repeated-rule: the same thing said twice in one prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from surefoot.ledger.lint.findings import Hit
from surefoot.ledger.lint.segments import Segment
from surefoot.ledger.lint.traffic import Traffic, slot
from surefoot.signals.passages import scope
from surefoot.signals.text import sentences

ALIKE = 0.8  # share of the shorter text's triples of words that the longer one must have
SAME = 0.8  # Dice's coefficient of two rules' content words
_RULE_WORDS, _PASSAGE_WORDS = 5, 12  # fewer say too little to be compared
_IDIOM = re.compile(r"\b(?:(?:last,? but )?not least|not only|no doubt|no matter)\b", re.IGNORECASE)  # deny nothing
_TAG = re.compile(r"</?(?:context|documents?|passage)(?:\s[^<>]{0,500})?>")


class _Said(Struct, frozen=True):
    """A sentence of a prompt's own text."""

    stems: frozenset[str]
    numbers: frozenset[str]
    denied: frozenset[str]  # content words shortly after a negation
    start: int
    end: int


def duplicate_passage(traffic: Traffic) -> Iterator[Hit]:
    """A passage that says nothing beside what an earlier one says; one with another number or another negation does."""
    for number, sample in enumerate(traffic.samples):
        kept: list[tuple[frozenset[tuple[str, ...]], frozenset[str]]] = []
        for each in sample.prompt.said:
            if each.kind != "passage":
                continue
            triples, facts = _triples(_TAG.sub(" ", each.text))
            if len(triples) < _PASSAGE_WORDS - 2:
                continue
            if any(_covers(other, triples) and facts <= known for other, known in kept):
                tokens, paid = traffic.cost(number, each)
                yield Hit(
                    rule="duplicate-passage", severity="warning", number=number, key="", segment=each, tokens=float(tokens),
                    what="a passage that an earlier one in the same request already holds", nanodollars=float(paid),
                    fix="leave out passages that are nearly the same before the prompt is made",
                )  # fmt: skip
            else:
                kept.append((triples, facts))


def repeated_rule(traffic: Traffic) -> Iterator[Hit]:
    """A sentence of system text or examples that says, in nearly the same words, what an earlier one says."""
    for number, sample in enumerate(traffic.samples):
        earlier: list[_Said] = []
        for each in sample.prompt.said:
            if each.kind not in ("system", "example") or each.json:
                continue
            found = _sentences(each.text)
            again = [one for one in found if any(_repeats(one, other) for other in earlier)]
            new = [one for place, one in enumerate(found) if one not in again]
            within = [one for place, one in enumerate(new) if any(_repeats(one, other) for other in new[:place])]
            yield from _repeated(traffic, number, each, sorted((*again, *within), key=lambda one: one.start))
            earlier += found


def _repeated(traffic: Traffic, number: int, segment: Segment, found: Sequence[_Said]) -> Iterator[Hit]:
    for one in found:
        tokens, paid = traffic.cost(number, segment)
        share = (one.end - one.start) / len(segment.text)
        prompt = traffic.samples[number].prompt
        kind = "an example that repeats a rule" if segment.kind == "example" else "a rule that was given before"
        yield Hit(
            rule="repeated-rule", severity="warning", number=number, key=f"{slot(prompt, segment)} {one.start}",
            segment=segment, char=one.start, what=kind, fix="say it once", tokens=tokens * share, nanodollars=paid * share,
        )  # fmt: skip


def _repeats(one: _Said, other: _Said) -> bool:
    if one.numbers != other.numbers or one.denied != other.denied:
        return False
    return 2 * len(one.stems & other.stems) >= SAME * (len(one.stems) + len(other.stems))


@lru_cache(4096)
def _sentences(text: str) -> tuple[_Said, ...]:
    found = []
    for each in sentences(_IDIOM.sub(lambda said: " " * len(said[0]), text)):
        stems = frozenset(word.stem for word in each.words if word.content and not word.number)
        if len(stems) >= _RULE_WORDS:
            numbers = frozenset(word.stem for word in each.words if word.number)
            found.append(_Said(stems, numbers, scope(each.words), each.start, each.end))
    return tuple(found)


@lru_cache(4096)
def _triples(text: str) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """(triples of stems, what makes a difference: numbers and negations)."""
    words = [word for each in sentences(text) for word in each.words]
    stems = [word.stem for word in words]
    facts = frozenset(word.stem for word in words if word.number or word.negation)
    return frozenset(zip(stems, stems[1:], stems[2:], strict=False)), facts


def _covers(other: frozenset[tuple[str, ...]], triples: frozenset[tuple[str, ...]]) -> bool:
    return len(other & triples) >= ALIKE * len(triples)
