"""What two like questions differ in, so that one answer is not given to a question that it does not fit.

Likeness sees what is shared; this sees what is not: numbers with their units, dates, names, negation, opposites, personal
data, attachments, and what was said before. It is a list of reasons to look, never a proof of sameness: two questions
without a difference here can still mean different things.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from surefoot.signals.numbers import digits_of
from surefoot.signals.opposites import opposites
from surefoot.signals.personal import find_personal
from surefoot.signals.quantities import Quantity, quantities
from surefoot.signals.text import Sentence, Word, sentences
from surefoot.wire.attachments import Attachment

NONE = "-"  # what one side says where only the other says something
EARLIER = "earlier messages"
_MOST = 4  # of one kind that are named
_SHARED = 0.5  # share of capital words above which capitals say nothing
_ATTACHED = re.compile(
    r"\b(?:attach(?:ed|ment|ments|ing)?|enclos(?:ed|ing)|screen ?shots?|photos?|pictures?|pdf|scans?)\b", re.IGNORECASE
)  # fmt: skip


class Asked(Struct, frozen=True, kw_only=True):
    """A case as its person asked it."""

    id: str
    text: str
    attachments: tuple[Attachment, ...] = ()  # what came with it: images, files
    before: str = ""  # digest of what was said before it; "" when nothing was


class Difference(Struct, frozen=True):
    """One kind of thing that two questions do not share. `str()` of it is for people."""

    kind: str  # "number" | "date" | "name" | "negation" | "opposite" | "personal" | "attachment" | "conversation"
    here: str  # what the answered question says; "-" for nothing
    there: str  # what the other one says

    def __str__(self) -> str:
        return f"{self.kind}: {self.here} / {self.there}"


class Facts(Struct, frozen=True):
    """What a question says that an answer may hang on, in one way of writing each."""

    numbers: dict[str, str]  # canonical -> as it was written
    dates: dict[str, str]
    names: dict[str, str]
    stems: frozenset[str]
    negated: frozenset[str]  # the words that deny: ("no", "without")
    personal: frozenset[tuple[str, str]]  # (kind, value)
    attachments: tuple[Attachment, ...]  # sorted
    mentioned: bool  # whether an attachment is spoken of
    before: str  # digest of what was said before


def facts(asked: Asked) -> Facts:
    """The facts of a question; empty ones for an empty text."""
    found = find_personal(asked.text)
    text = asked.text
    for each in found:
        text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
    said = sentences(text)
    words = [word for sentence in said for word in sentence.words]
    return Facts(
        numbers=dict(_numbers(text, said)),
        dates={" ".join(each.words): text[each.start : each.end] for sentence in said for each in sentence.moments},
        names=_names(text, said),
        stems=frozenset(word.stem for word in words),
        negated=frozenset(text[word.start : word.end].lower() for word in words if word.negation),
        personal=frozenset((each.kind, _bare(asked.text[each.start : each.end])) for each in found),
        attachments=tuple(sorted(asked.attachments, key=lambda each: (each.kind, each.digest))),
        mentioned=_ATTACHED.search(text) is not None,
        before=asked.before,
    )


def differences(answered: Facts, other: Facts) -> tuple[Difference, ...]:
    """What keeps an answer from simply being given again, in a fixed order of kinds; () when nothing was found.

    The same whichever of the two is called the answered one, but for the sides.
    """
    found = [
        *_sets("number", answered.numbers, other.numbers),
        *_sets("date", answered.dates, other.dates),
        *_sets("name", answered.names, other.names),
        *_opposite(answered, other),
    ]
    if bool(answered.negated) != bool(other.negated):
        found.append(Difference("negation", _listed(answered.negated), _listed(other.negated)))
    if answered.personal != other.personal:
        mine, theirs = answered.personal - other.personal, other.personal - answered.personal
        found.append(Difference("personal", _listed(k for k, _ in mine), _listed(k for k, _ in theirs)))
    if answered.attachments != other.attachments or answered.mentioned != other.mentioned:
        found.append(Difference("attachment", _attached(answered), _attached(other)))
    if answered.before != other.before:
        sides = (EARLIER if each.before else NONE for each in (answered, other))
        found.append(Difference("conversation", *sides))
    return tuple(found)


def counted(attachments: Iterable[Attachment]) -> str:
    """How many of each kind, in words: "1 document, 2 images"; "-" for none."""
    kinds = sorted(Counter(each.kind for each in attachments).items())
    return ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in kinds) or NONE


def _numbers(text: str, said: Sequence[Sentence]) -> Iterable[tuple[str, str]]:
    for sentence in said:
        if not sentence.numeric:
            continue
        dated = {
            word.start for word in sentence.words for each in sentence.moments if each.start <= word.start < each.end
        }
        held = quantities(text, sentence.words)
        covered = {place for each in held for place in range(each.first, each.last + 1)}
        for each in held:
            if sentence.words[each.first].start not in dated:
                start = sentence.words[each.first].start
                signed = start > 0 and text[start - 1] in "$€£"
                yield _canonical(each), text[start - signed : sentence.words[each.last].end]
        for place, word in enumerate(sentence.words):  # "1.2.3", "TR-7": no quantities, and yet the point
            if word.number and place not in covered and word.start not in dated:
                yield word.stem, text[word.start : word.end]


def _canonical(each: Quantity) -> str:
    if not each.measures:
        return digits_of(each.value)
    kind, factor = each.measures[0]
    return f"{each.value * factor:.9g} {kind}{f' per {each.per}' if each.per else ''}"


def _names(text: str, said: Sequence[Sentence]) -> dict[str, str]:
    """Words with a capital inside a sentence; none where most words have one."""
    inner = [word for sentence in said for word in sentence.words[1:] if word.content and text[word.start].isalpha()]
    capital = [word for word in inner if word.capital and _is_name(text, word)]
    if len(capital) > _SHARED * max(len(inner), 2):
        return {}
    return {text[word.start : word.end].casefold(): text[word.start : word.end] for word in capital}


def _is_name(text: str, word: Word) -> bool:
    return text[word.start : word.end].replace("’", "'").split("'")[0] not in ("I", "")


def _sets(kind: str, mine: dict[str, str], theirs: dict[str, str]) -> Iterable[Difference]:
    if mine.keys() != theirs.keys():
        yield Difference(
            kind, _listed(said for key, said in mine.items() if key not in theirs),
            _listed(said for key, said in theirs.items() if key not in mine),
        )  # fmt: skip


def _opposite(mine: Facts, theirs: Facts) -> Iterable[Difference]:
    pairs = []
    for stem in sorted(mine.stems - theirs.stems):
        turned = (opposites(stem) & theirs.stems) - mine.stems
        pairs += [(stem, other) for other in sorted(turned)]
    if pairs:
        yield Difference("opposite", _listed(one for one, _ in pairs), _listed(other for _, other in pairs))


def _attached(each: Facts) -> str:
    if each.attachments:
        return counted(each.attachments)
    return "spoken of" if each.mentioned else NONE


def _bare(value: str) -> str:
    return re.sub(r"[\s().-]", "", value).casefold()


def _listed(found: Iterable[str]) -> str:
    named = sorted(dict.fromkeys(found))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more if named else NONE
