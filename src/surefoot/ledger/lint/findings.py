"""From hits of rules in single requests to findings: where, how often, and what they cost a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from surefoot.ledger.lint.segments import PREFIX, Prompt, Segment
from surefoot.ledger.lint.traffic import ASSURANCE, Traffic, slot
from surefoot.ledger.lint.volatile import find_volatile, hidden
from surefoot.signals.personal import mask
from surefoot.stats import Mean, mean_of

SEVERITIES = ("error", "warning", "info")
LEAST_SHARE = 0.05  # of the requests in which something must be, to be spoken of
_LONGEST = 64  # characters of an excerpt


class Hit(Struct, frozen=True, kw_only=True):
    """A rule matched one request."""

    rule: str
    severity: str  # one of SEVERITIES
    number: int  # of the sample
    key: str  # hits of a rule with the same key are one finding
    segment: Segment
    slot: str = ""  # where it is, when that is not the segment alone: "tools"
    char: int = 0
    what: str
    fix: str
    tokens: float = 0.0  # that would not be sent, or not at the full price
    nanodollars: float = 0.0  # that would not be paid
    at_most: bool = False  # whether that holds only if the request before came soon enough


class Note(Struct, frozen=True, kw_only=True):
    """What a rule cannot say, and why."""

    rule: str
    said: str


class Where(Struct, frozen=True, kw_only=True):
    """Where a finding is, in the first request that has it."""

    request_id: str
    slot: str  # as the table of segments calls it
    path: str  # the JSON value
    line: int
    column: int
    byte: int  # of the body as sent
    excerpt: str  # of what is the same in every request; "" for what users said


class Money(Struct, frozen=True, kw_only=True):
    """Nano-dollars a month with a 95 % interval."""

    value: float
    low: float
    high: float


class Finding(Struct, frozen=True, kw_only=True):
    """Something that is paid in vain."""

    rule: str
    severity: str
    where: Where
    what: str
    fix: str
    requests: int  # of the sample that have it
    n: int  # in the sample
    tokens: Mean  # saved on a request, over all requests
    nanodollars: Mean
    month: Money | None  # None: not enough data
    at_most: bool


def gather(traffic: Traffic, hits: Iterable[Hit]) -> tuple[tuple[Finding, ...], tuple[Hit, ...]]:
    """(findings, the dearest first; the hits that they are made of). Left out is what is in fewer than
    one request in twenty, and what would cost more than it saves."""
    groups: defaultdict[tuple[str, str], list[Hit]] = defaultdict(list)
    for hit in hits:
        groups[hit.rule, hit.key].append(hit)
    least = LEAST_SHARE * len(traffic.samples)
    kept = [group for group in groups.values() if len({hit.number for hit in group}) >= least]
    made = [(found, group) for group in kept if ((found := _finding(traffic, group)).nanodollars.value or 0.0) >= 0.0]
    return tuple(sorted((found for found, _ in made), key=_rank)), tuple(hit for _, group in made for hit in group)


def saved(traffic: Traffic, hits: Sequence[Hit]) -> Mean:
    """Nano-dollars a request that all hits together save, never more than its input cost."""
    paid = [0.0] * len(traffic.samples)
    for hit in hits:
        paid[hit.number] += hit.nanodollars
    most = [sum(each.nanodollars) for each in traffic.spreads]
    return mean_of([min(one, other) for one, other in zip(paid, most, strict=True)], assurance=ASSURANCE)


def monthly(mean: Mean, per_month: Mean) -> Money | None:
    """A mean a request times the requests of a month; None where one of them has no interval."""
    if mean.value is None or per_month.value is None or mean.low is None or mean.high is None:
        return None
    if per_month.low is None or per_month.high is None:
        return None
    least, most = max(0.0, per_month.low), per_month.high
    low, high = min(mean.low * least, mean.low * most), max(mean.high * most, mean.high * least)
    return Money(value=mean.value * per_month.value, low=low, high=high)


def excerpt(segment: Segment, char: int, *, shared: bool) -> str:
    """The line of a segment, with personal data masked and what changes named.

    Of what is not the same in most requests, only what stands before the place; "" of what users said, and of JSON as a whole.
    """
    if segment.kind not in PREFIX or (segment.json and not char):
        return ""
    if not shared:
        begin, kind = _whole(segment.text, char)
        known = " ".join(safe(segment.text[segment.text.rfind("\n", 0, begin) + 1 : begin]).split())
        return f"{known[-_LONGEST:]} ‹{kind}›".lstrip()
    start, end = segment.text.rfind("\n", 0, char) + 1, segment.text.find("\n", char)
    line = segment.text[start : None if end < 0 else end]
    ahead = max(0, char - start - _LONGEST // 2)
    shown = " ".join(safe(line[ahead:] if len(line) > _LONGEST else line).split())
    return ("…" if ahead and len(line) > _LONGEST else "") + (
        shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    )


def _whole(text: str, char: int) -> tuple[int, str]:
    """(where the word or the value begins that a character is in, what kind of value it is): half a name is a name."""
    for each in find_volatile(text):
        if each.start <= char < each.end:
            return each.start, each.kind
    while char and not text[char - 1].isspace():
        char -= 1
    return char, "varies"


def safe(text: str) -> str:
    """A text for people: personal data masked, time stamps and ids named instead of shown."""
    return mask(hidden(text), {})[0]


def where(prompt: Prompt, segment: Segment, char: int, request_id: str, *, shared: bool) -> Where:
    """Where a character of a segment stands; `shared` as in `excerpt`."""
    line, column = segment.place(char)
    return Where(
        request_id=request_id, slot=slot(prompt, segment), path=segment.path, line=line, column=column,
        byte=prompt.byte(segment, char), excerpt=excerpt(segment, char, shared=shared),
    )  # fmt: skip


def _rank(found: Finding) -> tuple[float, int, str, int]:
    return -(found.nanodollars.value or 0.0), SEVERITIES.index(found.severity), found.rule, found.where.byte


def _finding(traffic: Traffic, hits: Sequence[Hit]) -> Finding:
    first, n = hits[0], len(traffic.samples)
    tokens, paid = [0.0] * n, [0.0] * n
    for hit in hits:
        tokens[hit.number] += hit.tokens
        paid[hit.number] += hit.nanodollars
    sample, shared = traffic.samples[first.number], traffic.shared(first.segment)
    nanodollars = mean_of(paid, assurance=ASSURANCE)
    place = where(sample.prompt, first.segment, first.char, sample.request_id, shared=shared)
    return Finding(
        rule=first.rule, severity=first.severity, what=first.what,
        where=replace(place, slot=first.slot or place.slot),
        fix=first.fix, requests=len({hit.number for hit in hits}), n=n,
        tokens=mean_of(tokens, assurance=ASSURANCE), nanodollars=nanodollars,
        month=monthly(nanodollars, traffic.per_month), at_most=any(hit.at_most for hit in hits),
    )  # fmt: skip
