"""Whether the passages say what the answer says, sentence by sentence."""

from __future__ import annotations

from surefoot.records import Signal, Span
from surefoot.signals.grounding import ground
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class Grounding:
    """ "grounded", the support of the answer's weakest sentences by the passages, and "grounded.*", what it is made of.

    Words, numbers, names and their neighbourhood are compared; meaning is not: a paraphrase may look unsupported, a small
    change of sense supported. Without passages nothing is said at all (`not checkable`, never `supported`).
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signals and, for each sentence, its span with the nearest passage."""
        if not seen.text.strip() or not seen.passages:
            return NOTHING
        found = ground(seen.text, seen.passages, seen.question)
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
