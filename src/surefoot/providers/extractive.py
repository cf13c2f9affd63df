"""A real answerer without a language model: it quotes the sentences of a folder of documents, or says that they do not say."""

from __future__ import annotations

from msgspec import Struct

from surefoot.config.schema import ProviderSettings
from surefoot.providers import Abstained, Call, Said
from surefoot.providers.documents import Found, Index, read_folder
from surefoot.providers.local import LocalProvider, estimated_usage, said_text

_LEAST_COVERAGE = 0.34  # less than a third of the question's weight in one passage is no evidence
_MOST_SENTENCES = 3
_SENTENCE_SHARE = 0.34  # of the best sentence's weight, to be quoted beside it


class Quotation(Struct, frozen=True, kw_only=True):
    """What the documents say, word for word."""

    sentences: tuple[str, ...]
    file: str
    section: str
    passage_id: str
    score: float  # [0, 1]; not a probability

    @property
    def text(self) -> str:
        """The quotation with its source."""
        where = f"{self.file}, {self.section}" if self.section else self.file
        return f"“{' '.join(self.sentences)}” — {where}"


class Extractive(LocalProvider):
    """Ranks passages against the question and quotes one to three sentences of the best.

    Its signal `quote` is the share of the question's weight (rare words weigh more) that the quoted passage holds, lowered
    when another passage is nearly as good. It cannot tell a right sentence from one that uses the same words otherwise.
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
        """The best quotation; None when no passage holds a third of what is asked."""
        ranked = self._index.rank(question, most=2)
        if not ranked or ranked[0].coverage < _LEAST_COVERAGE:
            return None
        best = ranked[0]
        return Quotation(
            sentences=self._sentences(best, question),
            file=best.passage.file,
            section=best.passage.title,
            passage_id=best.passage.id,
            score=_score(ranked),
        )

    async def answer(self, call: Call, query: str, passages: tuple[str, ...]) -> Said | Abstained:
        """The quotation as an answer; quoting costs nothing, so its usage is for information only."""
        quotation = self.quote(query)
        if quotation is None:
            return Abstained(reason="the documents do not answer this")
        usage = estimated_usage(query, (), quotation.text)
        return said_text(call, quotation.text, usage=usage, signals=(("quote", quotation.score),))

    def _sentences(self, best: Found, question: str) -> tuple[str, ...]:
        """The sentences that hold most of the question, in the document's order; the whole passage when it is short."""
        sentences = best.passage.sentences
        if len(sentences) <= _MOST_SENTENCES:
            return sentences
        terms = self._index.weights(question)
        weights = [self._index.sentence_weight(sentence, terms) for sentence in sentences]
        order = sorted(range(len(sentences)), key=lambda place: (-weights[place], place))
        enough = weights[order[0]] * _SENTENCE_SHARE
        chosen = [place for place in order[:_MOST_SENTENCES] if weights[place] >= enough]
        return tuple(sentences[place] for place in sorted(chosen))


def _score(ranked: list[Found]) -> float:
    """Coverage, lowered by up to three tenths when the second passage ranks as high as the first."""
    best = ranked[0]
    margin = 1.0 if len(ranked) == 1 else 1 - ranked[1].score / best.score
    return round(min(1.0, best.coverage * (0.7 + 0.3 * min(1.0, 2 * margin))), 6)
