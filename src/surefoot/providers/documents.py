"""A folder of Markdown or text as passages and sentences, and an index that ranks them against a question."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from surefoot.errors import DataError

_SUFFIXES = {".md", ".markdown", ".txt", ".text", ".rst"}
_MOST_BYTES = 20 * 1024 * 1024  # of one file
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_ENDS = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])")
_ABBREVIATED = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|St|No|vs|etc|e\.g|i\.e|a\.m|p\.m|approx|Fig|Inc|Ltd)|\b[A-Z])\.$")
_WORD = re.compile(r"[^\W_]+(?:[.,'’]\d+|'[a-z]+)?")
_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its may me my "
    "of on or our shall should so some than that the their them there they this to too was we were what when where which "
    "who will with would you your am about any also just please get got hi hello thanks thank need want know tell".split()
)
_K1, _B = 1.2, 0.5  # BM25, Robertson and Zaragoza (2009); b lower than usual: passages are short and alike in length
_TITLE_WEIGHT = 2.0
_TYPO_LENGTH, _TYPO_LIKENESS = 5, 0.45


class Passage(Struct, frozen=True, kw_only=True):
    """One section of a document."""

    id: str  # "file-stem#heading-slug"
    file: str
    title: str  # the headings above it, " / " between; "" before the first
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of its sentences."""
        return " ".join(self.sentences)


class Found(Struct, frozen=True, kw_only=True):
    """A passage that was ranked, with what speaks for it."""

    passage: Passage
    score: float  # BM25 over text and title; no upper bound
    coverage: float  # share of the question's weight that the passage holds, [0, 1]


def read_folder(folder: Path | str) -> tuple[Passage, ...]:
    """The passages of every Markdown and text file below a folder, in the order of paths.

    Raises: DataError when the folder is not there, holds no such file, or a file is too large or not UTF-8.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError("this folder is not there", file=str(folder))
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
    passages = tuple(passage for path in files for passage in _passages(path, root))
    if not passages:
        raise DataError("no Markdown or text in this folder", file=str(folder))
    return passages


def slug(heading: str) -> str:
    """A heading in lower case, with a dash for whatever is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", heading.casefold()).strip("-")


def sentences_of(text: str) -> tuple[str, ...]:
    """The sentences of a text: lines of lists and tables stand alone, abbreviations do not end one."""
    found: list[str] = []
    for block in _blocks(text):
        held = ""
        for piece in _ENDS.split(block):
            held = f"{held} {piece}".strip() if held else piece.strip()
            if held and not _ABBREVIATED.search(held):
                found.append(held)
                held = ""
        if held:
            found.append(held)
    return tuple(found)


def terms_of(text: str) -> list[str]:
    """The content words of a text, stemmed lightly; stop words are left out."""
    return [_stem(word) for word in _WORD.findall(text.casefold()) if word not in _STOP]


class Index:
    """Ranks passages, and the sentences in them, by the words of a question that they share."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = tuple(passages)
        self._counts = [Counter(terms_of(passage.text)) for passage in passages]
        self._titles = [set(terms_of(passage.title)) for passage in passages]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean_length = sum(self._lengths) / max(1, len(self._lengths)) or 1.0
        seen: Counter[str] = Counter()
        for counts, title in zip(self._counts, self._titles, strict=True):
            seen.update(set(counts) | title)
        n = len(passages)
        self._idf = {term: math.log(1 + (n - df + 0.5) / (df + 0.5)) for term, df in seen.items()}
        self._unknown_idf = math.log(1 + (n + 0.5) / 0.5)
        self._trigrams = {term: _trigrams(term) for term in self._idf if len(term) >= _TYPO_LENGTH}

    def rank(self, question: str, *, most: int = 5) -> list[Found]:
        """The best passages, best first; those that share no word with the question are left out."""
        terms = self.weights(question)
        total = sum(weight for _, weight in terms.values()) or 1.0
        found = [
            Found(passage=passage, score=score, coverage=self._coverage(place, terms) / total)
            for place, passage in enumerate(self.passages)
            if (score := self._score(place, terms)) > 0
        ]
        return sorted(found, key=lambda each: (-each.score, each.passage.id))[:most]

    def weights(self, question: str) -> dict[str, tuple[str, float]]:
        """The question's words: (the index's word for it, its weight). A word unknown here keeps its full weight."""
        terms: dict[str, tuple[str, float]] = {}
        for term in terms_of(question):
            if term in self._idf:
                terms[term] = (term, self._idf[term])
            else:
                near = self._near(term)
                terms[term] = (near, self._idf[near]) if near else (term, self._unknown_idf)
        return terms

    def sentence_weight(self, sentence: str, terms: dict[str, tuple[str, float]]) -> float:
        """How much of the question's weight a sentence holds."""
        words = set(terms_of(sentence))
        return sum(weight for known, weight in terms.values() if known in words)

    def _score(self, place: int, terms: dict[str, tuple[str, float]]) -> float:
        counts, length = self._counts[place], self._lengths[place]
        score = 0.0
        for known, weight in terms.values():
            tf = counts.get(known, 0) + (_TITLE_WEIGHT if known in self._titles[place] else 0)
            if tf:
                score += weight * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * length / self._mean_length))
        return score

    def _coverage(self, place: int, terms: dict[str, tuple[str, float]]) -> float:
        counts, title = self._counts[place], self._titles[place]
        return sum(weight for known, weight in terms.values() if known in counts or known in title)

    def _near(self, term: str) -> str | None:
        """The index's word that a long unknown word is probably a typing error of."""
        if len(term) < _TYPO_LENGTH:
            return None
        mine = _trigrams(term)
        best, likeness = None, _TYPO_LIKENESS
        for known, theirs in self._trigrams.items():
            shared = len(mine & theirs)
            if shared and (like := shared / len(mine | theirs)) > likeness:
                best, likeness = known, like
        return best


def _passages(path: Path, root: Path) -> Iterable[Passage]:
    if path.stat().st_size > _MOST_BYTES:
        raise DataError(f"longer than {_MOST_BYTES} bytes", file=str(path))
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as UTF-8: {type(error).__name__}", file=str(path)) from error
    file = str(path.relative_to(root))
    stem = file.removesuffix(path.suffix)
    for headings, body in _sections(text):
        sentences = sentences_of(body)
        if sentences:
            title = " / ".join(headings)
            name = f"{stem}#{slug(headings[-1])}" if headings else stem
            yield Passage(id=name, file=file, title=title, sentences=sentences)


def _sections(text: str) -> Iterable[tuple[tuple[str, ...], str]]:
    """(headings above, text) of each section; text without headings is cut at every fourth paragraph."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading is None:
            body.append(line)
            continue
        yield from _cut(tuple(name for _, name in path), body)
        body = []
        path = [above for above in path if above[0] < len(heading[1])] + [(len(heading[1]), heading[2])]
    yield from _cut(tuple(name for _, name in path), body)


def _cut(headings: tuple[str, ...], body: list[str]) -> Iterable[tuple[tuple[str, ...], str]]:
    paragraphs = [part for part in re.split(r"\n\s*\n", "\n".join(body)) if part.strip()]
    for start in range(0, len(paragraphs), 4):
        yield headings, "\n\n".join(paragraphs[start : start + 4])


def _blocks(text: str) -> Iterable[str]:
    """Paragraphs on one line each; items of lists and rows of tables alone, without their marks."""
    for paragraph in re.split(r"\n\s*\n", text):
        held: list[str] = []
        for line in paragraph.splitlines():
            item = re.match(r"^\s*(?:[-*+]|\d+[.)])\s+(.*)$", line)
            row = line.strip().startswith("|")
            if item or row:
                if held:
                    yield " ".join(held)
                held = [item[1]] if item else []
                if row and re.search(r"\w", line):
                    yield " | ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
            elif line.strip():
                held.append(line.strip())
        if held:
            yield " ".join(held)


def _stem(word: str) -> str:
    """A word without its commonest endings: enough to join singular and plural, and the forms of a verb."""
    for ending, least in (("'s", 2), ("ies", 3), ("ing", 4), ("ed", 4), ("es", 4), ("s", 3), ("e", 4), ("y", 4)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            return word[: -len(ending)]
    return word


def _trigrams(word: str) -> frozenset[str]:
    padded = f"^{word}$"
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))
