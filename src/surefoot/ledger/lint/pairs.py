"""Two requests compared as a provider's cache compares them: from the first byte of the prefix to the first that differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from surefoot.ledger.lint.sample import Sample
from surefoot.ledger.lint.segments import PREFIX, Prompt, Segment
from surefoot.ledger.lint.volatile import find_volatile

_WORD = re.compile(r"\w+")
_LEAST = 64  # bytes of text after a difference that are worth speaking of


class Divergence(Struct, frozen=True, kw_only=True):
    """Where two prompts part. Segments are None where one prompt ends."""

    before: Segment | None
    after: Segment | None
    char: int  # of both segments
    index: int  # of the segment, in `said` of both


class Difference(Struct, frozen=True, kw_only=True):
    """One segment that keeps what comes after it out of the cache."""

    segment: Segment  # in the later prompt
    kind: str  # "order" | "passage" | "tools" | a kind of `find_volatile` | "text"
    char: int  # where it differs


class Prefix(Struct, frozen=True, kw_only=True):
    """What of a prompt the provider could have taken from its cache."""

    number: int  # of the sample
    gap_seconds: float | None  # since the request it is compared with; None: unknown
    measured: bool  # by comparing; else by the look of one request
    now_tokens: int  # at the beginning, the same as before
    fixed_tokens: int  # that could be the same, if what differs stood behind it
    differences: tuple[Difference, ...] = ()


def diverge(before: Prompt, after: Prompt) -> Divergence | None:
    """Where the second prompt parts from the first; None when it is the same or only goes on, with more messages."""
    mine, theirs = after.said, before.said
    for index, (one, other) in enumerate(zip(theirs, mine, strict=False)):
        if one.text != other.text or _role(one) != _role(other):
            return Divergence(before=one, after=other, char=_same(one.text, other.text), index=index)
    if len(theirs) <= len(mine):
        return None
    return Divergence(before=theirs[len(mine)], after=None, char=0, index=len(mine))


def compared(before: Sample, after: Sample, tokens: Sequence[int], *, number: int) -> Prefix:
    """The prefix of a request, measured against the one before it.

    Args:
        tokens: of each segment of the later prompt (`cost.spread`).
    """
    gap = None if before.at_ns is None or after.at_ns is None else max(0.0, (after.at_ns - before.at_ns) / 1e9)
    parted = diverge(before.prompt, after.prompt)
    said = after.prompt.said
    if parted is None or parted.after is None:
        whole = sum(tokens[: len(before.prompt.said)])
        return Prefix(number=number, gap_seconds=gap, measured=True, now_tokens=whole, fixed_tokens=whole)
    now = sum(tokens[: parted.index]) + _part(tokens[parted.index], parted.after, parted.char)
    rest = range(parted.index, len(said))
    same = _in_both(before.prompt, after.prompt, rest)
    fixed, last = now, -1
    differing: list[tuple[int, Difference]] = []
    olds = _others(before.prompt, after.prompt)
    for place in rest:
        each = said[place]
        if place in same:
            fixed, last = fixed + tokens[place], place
        elif each.kind in PREFIX or each.kind == "passage":
            difference, shared = _difference(olds.get(place), each)
            differing.append((place, difference))
            shared -= parted.char if place == parted.index else 0  # that part is in `now` already
            if shared >= _LEAST and each.kind in PREFIX:
                fixed, last = fixed + _part(tokens[place], each, shared), place
    if place_of_order := _moved(before.prompt, after.prompt, parted.index, same):
        differing.append((parted.index, place_of_order))
    found = tuple(each for place, each in sorted(differing, key=lambda pair: pair[0]) if place <= last)
    return Prefix(
        number=number, gap_seconds=gap, measured=True, now_tokens=now, fixed_tokens=fixed if found else now, differences=found
    )  # fmt: skip


def guessed(sample: Sample, tokens: Sequence[int], *, number: int) -> Prefix:
    """The prefix of a request that nothing is there to compare with, by what looks as if it changed."""
    said = sample.prompt.said
    end = next((n for n, each in enumerate(said) if each.kind not in PREFIX), len(said))
    found: list[Difference] = []
    now = 0
    for place in range(end):
        each = said[place]
        seen = () if each.kind == "example" else find_volatile(each.text)
        now += 0 if found else _part(tokens[place], each, seen[0].start if seen else len(each.text))
        found += [Difference(segment=each, kind=one.kind, char=one.start) for one in seen]
    whole = sum(tokens[:end])
    last = found[-1] if found else None
    if last is not None and last.segment is said[end - 1] and len(last.segment.text) - last.char < _LEAST:
        found.pop()  # it stands at the end, where it should
    return Prefix(
        number=number, gap_seconds=None, measured=False, now_tokens=now if found else whole, fixed_tokens=whole,
        differences=tuple(found),
    )  # fmt: skip


def _role(segment: Segment) -> tuple[bool, str]:
    """What decides beside the text: where it stands and who says it; whether it is taken for an example does not."""
    return segment.json, segment.name


def _same(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _part(tokens: int, segment: Segment, chars: int) -> int:
    return tokens * chars // (len(segment.text) or 1)


def _in_both(before: Prompt, after: Prompt, rest: range) -> set[int]:
    """Places of the later prompt whose text the earlier one has too: of the kinds that should not change, and passages when
    only their order did."""
    left = Counter(each.text for each in before.said)
    left.subtract(each.text for each in after.said[: rest.start])
    passages = [Counter(each.text for each in prompt.said if each.kind == "passage") for prompt in (before, after)]
    kinds = PREFIX | {"passage"} if passages[0] == passages[1] else PREFIX
    found = set()
    for place in rest:
        each = after.said[place]
        if each.kind in kinds and left[each.text] > 0 and each.text.strip():
            left[each.text] -= 1
            found.add(place)
    return found


def _others(before: Prompt, after: Prompt) -> dict[int, Segment]:
    """By place in the later prompt, the segment of the earlier one that stood there: the nth new one for the nth old one."""
    had, has = Counter(each.text for each in before.said), Counter(each.text for each in after.said)
    old: dict[str, list[Segment]] = {}
    for each in before.said:
        if had[each.text] > has[each.text]:
            old.setdefault(each.kind, []).append(each)
    found = {}
    for place, each in enumerate(after.said):
        if has[each.text] > had[each.text] and old.get(each.kind):
            found[place] = old[each.kind].pop(0)
    return found


def _difference(old: Segment | None, new: Segment) -> tuple[Difference, int]:
    """(how a segment differs from what stood there, how many characters they have in common)."""
    if new.kind == "passage":
        return Difference(segment=new, kind="passage", char=0), 0
    if old is None:
        return Difference(segment=new, kind="tools" if new.kind == "tool" else "text", char=0), 0
    char = _same(old.text, new.text)
    tail = _same(old.text[char:][::-1], new.text[char:][::-1])
    if sorted(_WORD.findall(old.text)) == sorted(_WORD.findall(new.text)):
        return Difference(segment=new, kind="order", char=char), len(new.text)
    kinds = [
        each.kind
        for each in find_volatile(new.text)
        if each.start <= max(char, len(new.text) - tail - 1) and char < each.end
    ]
    if not kinds and new.kind == "tool" and old.name != new.name:
        return Difference(segment=new, kind="tools", char=0), 0
    return Difference(segment=new, kind=kinds[0] if kinds else "text", char=char), char + tail


def _moved(before: Prompt, after: Prompt, index: int, same: set[int]) -> Difference | None:
    """The segment before which something is gone, or from which on the same ones stand in another order; else None."""
    segment = after.said[index]
    if index not in same:
        return None
    stood = before.said[index]
    if any(each.text == stood.text for each in after.said):
        return Difference(segment=segment, kind="order", char=0)
    return Difference(segment=segment, kind="tools" if stood.kind == "tool" else "text", char=0)
