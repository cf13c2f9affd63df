"""What a question looks for: its words and their weights, the kind of its answer, and what a passage's words are to it."""

from __future__ import annotations

import re
from functools import lru_cache

from surefoot.signals.numbers import CARDINALS
from surefoot.signals.text import STOP, stem

MOST = 48  # words of a question that are looked for: the first ones
PLAIN, NAME, NUMBER, DATE = -1, -2, -3, -4  # what a word that the question does not have is
WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ROOT = 5  # letters by which "rotation", "rotate" and "rotating" meet
_COMMON_WEIGHT = 0.3  # of a word that is in most questions, against a rare one
_COMMON = frozenset(
    stem(word)
    for word in """
    answer ask become begin best big call called cause come came common country date day describe different do does end
    example explain find first follow following get give go good happen happened happens help high important know known
    kind large last list located location long made main make many mean meaning means most much name named names need new
    next number often old one part people person place please play played reason responsible say second see show start
    state tell term thing things three time today two type types use used want way well word work world year years
    """.split()
)
_MONTHS = frozenset(
    "january february march april june july august september october november december monday tuesday wednesday thursday "
    "friday saturday sunday jan feb mar apr jun jul aug sep sept oct nov dec today yesterday tomorrow".split()
)
_CUES = (  # what questions call it, and how texts say it
    "come: release premiere publish debut air issue; sing: song singer record perform vocal album; sang: song singer record "
    "perform vocal album; play: portray star cast actor actress role; write: author composer writer compose; wrote: author "
    "composer writer compose; film: shoot locate set; start: found begin establish open; invent: inventor patent develop "
    "introduce; die: death kill; win: winner champion defeat victory award; own: owner subsidiary parent; live: reside home; "
    "mean: derive origin refer denote; direct: director; voice: actor; located: situate; cost: price fee charge pay; "
    "fix: resolve repair; cancel: terminate; long: hour day week month year minute; far: mile kilometre kilometer; old: age "
    "born; tall: height feet metre; big: size area large; many: total number population; when: since until after; "
    "why: because due cause reason"
)
_KINDS = (
    ("number", re.compile(r"\bhow (?:much|many|long|old|often|far|early|late|big|tall|high|large|fast|deep|hot|cold|heavy)\b|"
                          r"\b(?:population|percentage|number of|average|price|fee|dose|dosage|maximum|minimum|limit)\b")),
    ("date", re.compile(r"\bwhen\b|\b(?:what|which) (?:time|hour|year|date|day|month|century|decade)\b|\byear\b|\bdeadline\b")),
    ("person", re.compile(r"\bwho(?:se|m)?\b")),
    ("place", re.compile(r"\bwhere\b|\b(?:which|what) (?:country|city|state|town|place|county|region|continent|street)\b")),
)  # fmt: skip


def _cues() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _CUES.split(";"):
        asked, _, said = line.partition(":")
        found[root(asked.strip())] = frozenset(root(word) for word in said.split())
    return found


@lru_cache(50_000)
def root(word: str) -> str:
    """What words are compared by here: the first letters of the stem, so that nouns and verbs of one family meet."""
    said = stem(word)
    return said[:_ROOT] if len(said) > _ROOT and said.isalpha() else said


CUES = _cues()


def kind_of(question: str) -> str:
    """What a question wants: "number" | "date" | "person" | "place" | ""; "" when it cannot be told."""
    asked = question.casefold()
    return next((kind for kind, pattern in _KINDS if pattern.search(asked)), "")


def read(text: str) -> list[str]:
    """The words of a text in order; scripts without spaces are read as overlapping pairs of characters."""
    words = WORD.findall(text)
    if text.isascii() or UNSPACED.search(text) is None:
        return words
    found: list[str] = []
    for word in words:
        pairs = UNSPACED.search(word) is not None and len(word) > 1
        found += [word[place : place + 2] for place in range(len(word) - 1)] if pairs else [word]
    return found


class _Known(dict[str, tuple[int, bool]]):
    """What words are to a question, found out once for each."""

    __slots__ = ("_cues", "_wanted")

    def __init__(self, wanted: dict[str, int], cues: frozenset[str]) -> None:
        super().__init__()
        self._wanted, self._cues = wanted, cues

    def __missing__(self, word: str) -> tuple[int, bool]:
        said, kind = _class(word)
        found = self[word] = (self._wanted.get(said, kind), said in self._cues)
        return found


class Wanted:
    """The words of one question, each with a number, and what any other word is to it. Not for several threads at once."""

    __slots__ = ("_known", "cues", "kind", "names", "roots", "worth")

    def __init__(self, question: str) -> None:
        words = read(question)
        content = [word for word in words if word.lower() not in STOP] or words
        self.kind = kind_of(question)
        self.roots = tuple(dict.fromkeys(root(word.lower()) for word in content))[:MOST]
        common = {root(word.lower()) for word in content if stem(word.lower()) in _COMMON}
        self.worth = tuple(_COMMON_WEIGHT if each in common else 1.0 for each in self.roots)
        self.names = frozenset(
            root(word.lower()) for word in content if word[0].isdigit() or (word[0].isupper() and word != words[0])
        )
        self.cues = frozenset().union(*(CUES.get(root(word.lower()), frozenset()) for word in words))
        self._known = _Known({each: place for place, each in enumerate(self.roots)}, self.cues)

    def codes(self, words: list[str]) -> list[tuple[int, bool]]:
        """For each word: its place in the question or PLAIN | NAME | NUMBER | DATE, and whether texts answer with it."""
        known = self._known
        return [known[word] for word in words]


@lru_cache(50_000)
def _class(word: str) -> tuple[str, int]:
    """(root, PLAIN | NAME | NUMBER | DATE) of a word as it is written."""
    lower = word.lower()
    said = root(lower)
    if lower[0].isdigit():
        is_year = len(lower) in (4, 5) and lower[:4].isdigit() and lower[0] in "12"
        return said, DATE if is_year else NUMBER
    if lower in _MONTHS:
        return said, DATE
    if lower in CARDINALS:
        return said, NUMBER
    return said, NAME if word[0].isupper() and lower not in STOP else PLAIN
