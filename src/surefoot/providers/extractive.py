"""A real answerer without a language model: it quotes the sentences of a folder of documents, or says that they do not say."""

from __future__ import annotations

from msgspec import Struct

from surefoot.config.schema import ProviderSettings
from surefoot.providers import Abstained, Call, Said
from surefoot.providers.documents import Found, Index, has_number, read_folder, wants_number
from surefoot.providers.local import LocalProvider, estimated_usage, said_text

_LEAST_COVERAGE = 0.38  # less of the question's weight in one passage is no evidence
_MOST_SENTENCES = 3
_SENTENCE_SHARE = 0.34  # of the best sentence's score, to be quoted beside it
_RIVALRY = 0.5  # what is left of the score when a second passage ranks as high as the first
_NO_NUMBER = 0.6  # what is left of it when the question wants a number and the quotation has none


class Quotation(Struct, frozen=True, kw_only=True):
    """What the documents say, word for word."""

    sentences: tuple[str, ...]  # in the document's order
    adjoining: tuple[bool, ...] = ()  # whether each follows the one before it in the document
    file: str
    section: str
    passage_id: str
    score: float  # [0, 1]; not a probability

    @property
    def text(self) -> str:
        """The quotation with its source; "…" stands where sentences were left out."""
        where = f"{self.file}, {self.section}" if self.section else self.file
        said = self.sentences[0]
        for place, sentence in enumerate(self.sentences[1:], start=1):
            said += (" " if not self.adjoining or self.adjoining[place] else " … ") + sentence
        return f"“{said}” — {where}"


class Extractive(LocalProvider):
    """Ranks passages against the question and quotes one to three sentences of the best.

    Its signal `quote` is the share of the question's weight (rare words weigh more) that the quoted passage holds, lowered
    when another passage is nearly as good and when the question wants a number that the quotation does not have. It cannot
    tell a right sentence from one that uses the same words otherwise.
    """

    kind = "extractive"

    def __init__(self, name: str, index: Index) -> None:
        super().__init__(name)
        self._index = index

    @classmethod
    def of(cls, name: str, settings: ProviderSettings) -> Extractive:
        """The provider of a configured folder. Raises DataError."""
        return cls(name, Index(read_folder(settings.folder)))

    def quote(self, question: str) -> Quotation | None:
        """The best quotation; None when no passage holds enough of what is asked."""
        ranked = self._index.rank(question, most=2)
        if not ranked or ranked[0].coverage < _LEAST_COVERAGE:
            return None
        best = ranked[0]
        chosen = best_sentences(self._index, best, question)
        sentences = tuple(best.passage.sentences[place] for place in chosen)
        return Quotation(
            sentences=sentences,
            adjoining=tuple(place == 0 or chosen[place - 1] + 1 == chosen[place] for place in range(len(chosen))),
            file=best.passage.file,
            section=best.passage.title,
            passage_id=best.passage.id,
            score=_score(ranked, question, sentences),
        )

    async def answer(self, call: Call, query: str, passages: tuple[str, ...]) -> Said | Abstained:
        """The quotation as an answer; quoting costs nothing, so its usage is for information only."""
        quotation = self.quote(query)
        if quotation is None:
            return Abstained(reason="the documents do not answer this")
        usage = estimated_usage(query, (), quotation.text)
        return said_text(call, quotation.text, usage=usage, signals=(("quote", quotation.score),))


def best_sentences(index: Index, found: Found, question: str) -> list[int]:
    """The places of the sentences of a passage that speak most for an answer, in order; all of them when they are few."""
    if len(found.passage.sentences) <= _MOST_SENTENCES:
        return list(range(len(found.passage.sentences)))
    scores = index.sentence_scores(found, question)
    order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    enough = scores[order[0]] * _SENTENCE_SHARE
    return sorted(place for place in order[:_MOST_SENTENCES] if scores[place] >= enough)


def _score(ranked: list[Found], question: str, sentences: tuple[str, ...]) -> float:
    """Coverage, lowered by a rival passage and by a number that is asked for and not there."""
    best = ranked[0]
    margin = 1.0 if len(ranked) == 1 else min(1.0, 2 * (1 - ranked[1].score / best.score))
    lacks = wants_number(question) and not any(map(has_number, sentences))
    return round(best.coverage * (_RIVALRY + (1 - _RIVALRY) * margin) * (_NO_NUMBER if lacks else 1.0), 6)
