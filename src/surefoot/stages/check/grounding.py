"""Whether the passages say what the answer says, sentence by sentence."""

from __future__ import annotations

from surefoot.records import Signal, Span
from surefoot.signals.grounding import ground
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class Grounding:
    """ "grounded", the support of the answer's weakest sentence by the passages, and "grounded.*", what it is made of.

    Each in [0, 1], 1 when nothing is wrong. "mean" over the sentences; the least share of words next to each other that are so
    there ("pairs"), and of words that stand as "close" there. As 1 / (1 + n): words that are nowhere ("words"), for which there
    is no other word either ("senses"), that look like "names"; neighbours the other way round ("order"); words denied or
    affirmed here only ("polarity"), "opposites"; sentences with a "number" that is not there or "elsewhere", another "unit",
    another "date" or time, a "quote" that is none, a "negation" of what is there; words by which the answer speaks for
    itself ("voice"). 0 when it asks something ("states").

    Words and their neighbourhood are compared; meaning is not: a paraphrase may look unsupported, a small change of sense
    supported. Without passages, or without a claim in the answer, nothing is said at all (`not checkable`, never `supported`).
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signals and, for each sentence, its span with the nearest passage."""
        if not seen.text.strip() or not seen.passages:
            return NOTHING
        found = ground(seen.text, seen.passages)
        if found is None:
            return NOTHING
        return Findings(
            signals=tuple(Signal(name=name, score=score) for name, score in found.signals),
            spans=tuple(
                Span(
                    start=each.start, end=each.end, score=each.score, supported=each.supported, passage=each.passage,
                    passage_start=each.passage_start, passage_end=each.passage_end, why=each.why,
                )
                for each in found.sentences
            ),
        )  # fmt: skip
