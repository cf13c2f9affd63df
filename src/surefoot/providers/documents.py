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
_MOST_BYTES_ALL = 100 * 1024 * 1024  # of all files: they are held in memory
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_UNDERLINE = re.compile(r"^(=+|-+)\s*$")  # below a line of its own: a heading
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_ENDS = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_OPENS = re.compile(r"[\"'“‘(\[¿¡*_]*(.)")
_NAMED = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|cf|e\.g|i\.e|approx)|(?:^|\s|\.)[A-Z])\.$")  # and then a name
_NUMBERED = re.compile(r"\b(?:[Nn]o|[Ff]igs?|[Aa]rt|[Cc]h|[Ss]ec|[Pp]p?|a\.m|p\.m)\.$")  # and then a number
_WORD = re.compile(r"[^\W_]+(?:[.,'’:]\d+|['’][a-z]+)?")
_STOP = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its may me my "
    "of on or our shall should so some than that the their them there they this to too was we were what when where which "
    "who will with would you your am about any also just please get got hi hello thanks thank need want know tell much "
    "many".split()
)
_ENDINGS = (("ies", 2, "y"), ("ing", 3, ""), ("ed", 3, ""), ("es", 3, ""), ("s", 3, ""), ("e", 3, ""))
_K1, _B = 1.2, 0.5  # BM25, Robertson and Zaragoza (2009); b lower than usual: passages are short and alike in length
_TITLE_WEIGHT = 2.0  # a word in the title counts as if the text held it twice more
_UNKNOWN_WEIGHT = 0.8  # a word that no document holds says less than it seems to: people chat
_BY_TITLE, _BY_NEIGHBOUR = 0.5, 0.4  # what a sentence gets of a word that its title or neighbour holds
_BY_NUMBER, _BY_NAME = 0.3, 0.15  # what a sentence gains when it has a number or a name and the question wants one
_WANTS_NUMBER = re.compile(
    r"\b(?:how (?:much|many|long|old|often|far|early|soon|late|big|tall|high|large|quickly|fast)|when|what (?:time|hour|"
    r"year|date|age|day)|which (?:year|date|day)|at what|costs?|price|fee|charges?|maximum|minimum|longest)\b",
    re.IGNORECASE,
)  # fmt: skip
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|first|second|third|(?:mon|tues|wednes|thurs|"
    r"fri|satur|sun)days?|january|february|march|april|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)  # fmt: skip
_WANTS_NAME = re.compile(r"\bwho(?:se|m)?\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![.!?“\"])\s[A-Z][a-z]+")
_TYPO_LENGTH, _TYPO_LIKENESS = 5, 0.45


class Passage(Struct, frozen=True, kw_only=True):
    """One section of a document."""

    id: str  # "file-stem#heading-slug"; "-2" and so on after it when a file has the same heading again
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
    place: int  # of the passage in its index
    score: float  # BM25 over text and title; no upper bound
    coverage: float  # share of the question's weight that the passage holds, [0, 1]


def read_folder(folder: Path | str) -> tuple[Passage, ...]:
    """The passages of every Markdown and text file below a folder, in the order of paths.

    Raises: DataError when the folder is not there, holds no such file, or a file is too large or not UTF-8.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError("this folder is not there", file=str(folder))
    files = sorted(path for path in root.rglob("*") if _is_document(path, root))
    if sum(path.stat().st_size for path in files) > _MOST_BYTES_ALL:
        raise DataError(f"more than {_MOST_BYTES_ALL} bytes of documents", file=str(folder))
    passages = tuple(passage for path in files for passage in _passages(path, root))
    if not passages:
        raise DataError("no Markdown or text in this folder", file=str(folder))
    return passages


def slug(heading: str) -> str:
    """A heading in lower case, with a dash for whatever is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", heading.casefold()).strip("-")


def sentences_of(text: str) -> tuple[str, ...]:
    """The sentences of a text, word for word but for line breaks; items of lists and rows of tables stand alone.

    An abbreviation does not end a sentence, nor does a full stop before a small letter.
    """
    found: list[str] = []
    for block, is_row in _blocks(text):
        began = 0
        for end in () if is_row else _ENDS.finditer(block):
            if _parts(block[began : end.end()].rstrip(), block[end.end() :]):
                found.append(block[began : end.end()].strip())
                began = end.end()
        if rest := block[began:].strip():
            found.append(rest)
    return tuple(found)


def terms_of(text: str) -> list[str]:
    """The content words of a text, stemmed lightly; stop words are left out."""
    return [_stem(word) for word in _WORD.findall(text.casefold()) if word not in _STOP]


def wants_number(question: str) -> bool:
    """Whether an answer to the question has a number, a day or a time in it."""
    return _WANTS_NUMBER.search(question) is not None


def has_number(text: str) -> bool:
    """Whether a text holds a number in figures or a common one in words, a day or a month."""
    return _NUMBER.search(text) is not None


class Index:
    """Ranks passages, and the sentences in them, by the words of a question that they share."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = tuple(passages)
        self._sentences = [[set(terms_of(sentence)) for sentence in passage.sentences] for passage in passages]
        self._counts = [Counter(terms_of(passage.text)) for passage in passages]
        self._titles = [set(terms_of(passage.title)) for passage in passages]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean_length = sum(self._lengths) / max(1, len(self._lengths)) or 1.0
        self._holders: dict[str, list[int]] = {}
        for place, (counts, title) in enumerate(zip(self._counts, self._titles, strict=True)):
            for term in counts.keys() | title:
                self._holders.setdefault(term, []).append(place)
        n = len(passages)
        self._idf = {term: math.log(1 + (n - len(at) + 0.5) / (len(at) + 0.5)) for term, at in self._holders.items()}
        self._unknown_idf = _UNKNOWN_WEIGHT * math.log(1 + (n + 0.5) / 0.5)
        self._trigrams: dict[str, list[str]] = {}
        for term in sorted(self._idf):
            for trigram in _trigrams(term) if len(term) >= _TYPO_LENGTH else ():
                self._trigrams.setdefault(trigram, []).append(term)

    def rank(self, question: str, *, most: int = 5) -> list[Found]:
        """The best passages, best first; those that share no word with the question are left out."""
        terms = self.weights(question)
        total = sum(terms.values()) or 1.0
        places = sorted({place for term in terms for place in self._holders.get(term, ())})
        found = [
            Found(
                passage=self.passages[place],
                place=place,
                score=self._score(place, terms),
                coverage=sum(terms[term] for term in terms if self._holds(place, term)) / total,
            )
            for place in places
        ]
        return sorted(found, key=lambda each: (-each.score, each.place))[:most]

    def weights(self, question: str) -> dict[str, float]:
        """The question's words as the index knows them, with their weight: the rarer the more."""
        terms: dict[str, float] = {}
        for term in terms_of(question):
            known = term if term in self._idf else self._near(term) or term
            terms[known] = self._idf.get(known, self._unknown_idf)
        return terms

    def sentence_scores(self, found: Found, question: str) -> list[float]:
        """What speaks for each sentence of a ranked passage: its words, some of its title's and its neighbours', its kind."""
        terms = self.weights(question)
        title, sentences = self._titles[found.place], self._sentences[found.place]
        number, name = wants_number(question), _WANTS_NAME.search(question) is not None
        scores = []
        for place, text in enumerate(found.passage.sentences):
            beside = set().union(*sentences[max(0, place - 1) : place], *sentences[place + 1 : place + 2])
            score = 0.0
            for term, weight in terms.items():
                own = 1.0 if term in sentences[place] else _BY_TITLE if term in title else 0.0
                score += weight * (own or (_BY_NEIGHBOUR if term in beside else 0.0))
            fits = _BY_NUMBER if number and has_number(text) else _BY_NAME if name and _NAME.search(text) else 0.0
            scores.append(score * (1 + fits))
        return scores

    def _score(self, place: int, terms: dict[str, float]) -> float:
        """BM25 of a passage and its title."""
        counts, length = self._counts[place], self._lengths[place]
        score = 0.0
        for term, weight in terms.items():
            tf = counts.get(term, 0) + (_TITLE_WEIGHT if term in self._titles[place] else 0)
            if tf:
                score += weight * tf * (_K1 + 1) / (tf + _K1 * (1 - _B + _B * length / self._mean_length))
        return score

    def _holds(self, place: int, term: str) -> bool:
        return term in self._counts[place] or term in self._titles[place]

    def _near(self, term: str) -> str | None:
        """The index's word that a long unknown word is probably a typing error of."""
        if len(term) < _TYPO_LENGTH:
            return None
        mine = _trigrams(term)
        shared = Counter(known for trigram in sorted(mine) for known in self._trigrams.get(trigram, ()))
        best, likeness = None, _TYPO_LIKENESS
        for known, count in sorted(shared.items()):
            like = count / (len(mine) + len(_trigrams(known)) - count)
            if like > likeness:
                best, likeness = known, like
        return best


def _is_document(path: Path, root: Path) -> bool:
    """Markdown or text, not in a hidden folder."""
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in _SUFFIXES and not hidden and path.is_file()


def _parts(before: str, after: str) -> bool:
    """Whether a sentence ends between two texts."""
    first = _OPENS.match(after)
    if first is None:
        return bool(before)
    if first[1].islower():
        return False
    return not (_NAMED.search(before) or (first[1].isdigit() and _NUMBERED.search(before)))


def _passages(path: Path, root: Path) -> Iterable[Passage]:
    if path.stat().st_size > _MOST_BYTES:
        raise DataError(f"longer than {_MOST_BYTES} bytes", file=str(path))
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as UTF-8: {type(error).__name__}", file=str(path)) from error
    file = str(path.relative_to(root))
    stem = file.removesuffix(path.suffix)
    seen: Counter[str] = Counter()
    for headings, body in _sections(text):
        sentences = sentences_of(body)
        if sentences:
            title = " / ".join(headings)
            name = f"{stem}#{slug(headings[-1])}" if headings else stem
            seen[name] += 1
            unique = name if seen[name] == 1 else f"{name}-{seen[name]}"
            yield Passage(id=unique, file=file, title=title, sentences=sentences)


def _sections(text: str) -> Iterable[tuple[tuple[str, ...], str]]:
    """(headings above, text) of each section, cut at every fourth paragraph; what is fenced as code is no heading."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    fence = ""
    for line in text.splitlines():
        if (mark := _FENCE.match(line)) and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        heading = None if fence else _heading(line, body)
        if heading is None:
            body.append(line)
            continue
        yield from _cut(tuple(name for _, name in path), body)
        body = []
        path = [above for above in path if above[0] < heading[0]] + [heading]
    yield from _cut(tuple(name for _, name in path), body)


def _heading(line: str, body: list[str]) -> tuple[int, str] | None:
    """(level, title) when a line is a heading or underlines one; the title is then taken out of the body."""
    if marked := _HEADING.match(line):
        return len(marked[1]), marked[2]
    alone = body and body[-1].strip() and (len(body) == 1 or not body[-2].strip())
    if alone and _UNDERLINE.match(line) and not _ITEM.match(body[-1]):
        return (1 if line[0] == "=" else 2), body.pop().strip()
    return None


def _cut(headings: tuple[str, ...], body: list[str]) -> Iterable[tuple[tuple[str, ...], str]]:
    paragraphs = [part for part in re.split(r"\n\s*\n", "\n".join(body)) if part.strip()]
    for start in range(0, len(paragraphs), 4):
        yield headings, "\n\n".join(paragraphs[start : start + 4])


def _blocks(text: str) -> Iterable[tuple[str, bool]]:
    """(paragraph on one line, False), (item of a list without its mark, False) or (row of a table, True)."""
    for paragraph in re.split(r"\n\s*\n", text):
        held: list[str] = []
        for line in paragraph.splitlines():
            item = _ITEM.match(line)
            is_row = line.strip().startswith("|")
            if (item or is_row) and held:
                yield " ".join(held), False
                held = []
            if is_row and re.search(r"\w", line):
                yield line.strip().strip("|").strip(), True
            elif item:
                held = [item[1].strip()]
            elif line.strip() and not is_row:
                held.append(line.strip())
        if held:
            yield " ".join(held), False


def _stem(word: str) -> str:
    """A word without its commonest endings: enough to join singular and plural, and the forms of a verb."""
    word = word.removesuffix("'s").removesuffix("’s")
    for ending, least, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1].isalpha() and word[-1] not in "aeiou"
    return word[:-1] if doubled else word


def _trigrams(word: str) -> frozenset[str]:
    padded = f"^{word}$"
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))
