"""Support of an answer by passages, sentence by sentence, without a model: what is said must be there, and stand together.

Words are compared by stem, weighted by how rare they are in the passages. For every sentence of the answer the nearest passage
sentence is found; numbers with their units, dates, names, quotations, negations and opposites are looked at one by one.

What is not compared is meaning. A paraphrase in rare words looks unsupported, and a true sentence put together from words that
stand near each other in the passages may look supported. English is best served; in other languages words, numbers and
neighbourhood are compared all the same, synonyms, opposites and negations are not. Another language than the passages' is
unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from surefoot.signals.passages import LONGEST, Index, index
from surefoot.signals.support import Facts, Look, Support
from surefoot.signals.text import Sentence, key, sentences

_FIRST_PERSON = frozenset({"i", "me", "my", "myself", "we", "our", "us"})
_COURTESY = re.compile(
    r"(?:please )?(?:feel free to|do(?:n['’]t| not) hesitate to|let (?:me|us) know|i hope (?:this|that)|"
    r"hope (?:this|that) helps|is there anything else|"
    r"if you (?:have|need) (?:any|more|further|other)\b[^.!?\n]{0,60}(?:questions?|help|assistance|concerns?)|"
    r"thank(?:s| you)\b|you(?:['’]re| are) welcome|(?:certainly|of course|sure|great question)[,!.])",
    re.IGNORECASE,
)
_POLITE = frozenset(
    map(
        key,
        """
        please feel free hesitate let know hope help helps helpful anything else need question questions assistance assist
        concern concerns thank thanks welcome certainly course sure great good ask contact reach information clarification
        further additional day happy glad
        """.split(),
    )
)  # all that a sentence of courtesy may say
_QUESTION = frozenset("?？؟")


class Grounding(Struct, frozen=True):
    """An answer against its passages."""

    sentences: tuple[Support, ...]
    signals: tuple[tuple[str, float], ...]  # [0, 1], higher is better supported


def ground(answer: str, passages: Sequence[str]) -> Grounding | None:
    """How far the passages support an answer; None without passages or without a word in the answer (not checkable).

    Of an answer the first 200,000 characters are looked at; of longer passages equal shares of as much.
    """
    held = index(tuple(passages))
    said = sentences(answer[:LONGEST])
    if not held.places or not said:
        return None
    look = Look(answer, held)
    facts = [found for each in said if not _polite(answer, each) and (found := look(each)) is not None]
    if not facts:
        return None
    return Grounding(tuple(each.support for each in facts), _signals(answer, facts, said, held))


def _signals(
    answer: str, facts: Sequence[Facts], said: Sequence[Sentence], held: Index
) -> tuple[tuple[str, float], ...]:  # fmt: skip
    """Least and mean over the sentences, and counts n of what is wrong as 1 / (1 + n)."""
    scores = [each.support.score for each in facts]
    speaks = sum(word.stem in _FIRST_PERSON and word.stem not in held.postings for each in said for word in each.words)
    return (
        ("grounded", min(scores)),
        ("grounded.mean", sum(scores) / len(scores)),
        ("grounded.pairs", min(each.pairs for each in facts)),
        ("grounded.close", min(each.close for each in facts)),
        ("grounded.words", _few(sum(each.unseen for each in facts))),
        ("grounded.senses", _few(sum(each.odd for each in facts))),
        ("grounded.names", _few(sum(each.strangers for each in facts))),
        ("grounded.order", _few(sum(each.swapped for each in facts))),
        ("grounded.polarity", _few(sum(each.flipped for each in facts))),
        ("grounded.opposites", _few(sum(each.opposed for each in facts))),
        *((f"grounded.{kind}", _few(sum(kind in each.wrong for each in facts))) for kind in _KINDS),
        ("grounded.voice", _few(speaks)),
        ("grounded.states", float(_QUESTION.isdisjoint(answer[:LONGEST]))),
    )


_KINDS = ("number", "elsewhere", "unit", "date", "quote", "negation")


def _polite(answer: str, sentence: Sentence) -> bool:
    """Whether a sentence is courtesy: it begins like one, and says nothing else."""
    begins = _COURTESY.match(answer, sentence.start, sentence.end) is not None
    return begins and all(word.stem in _POLITE for word in sentence.words if word.content)


def _few(count: int) -> float:
    return 1 / (1 + count)
