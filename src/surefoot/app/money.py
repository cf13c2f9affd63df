"""Statements and requests as command line and console show them, out of the store."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from surefoot.app.economics import baseline_name
from surefoot.ledger.exports import RequestLine
from surefoot.ledger.statement import GROUPINGS, HUMAN, TOKENS, Line, Statement, closed, statement
from surefoot.policy import Feature
from surefoot.records import Entry, JournalEntry, Revenue
from surefoot.records.units import DAY_NS, Where, day_of
from surefoot.store import Store
from surefoot.store.rollups import last_outcome, turn_of

BY_REQUEST = ("tags", "subject")  # groupings that only the requests themselves know
_PAGE = 200  # requests whose lines are read at once


class Asked(Struct, frozen=True, kw_only=True):
    """Which part of the past is asked for."""

    since_ns: int = 0  # its UTC day counts whole
    feature: str = ""  # "": all
    customer: str = ""
    group: tuple[str, str] | None = None  # (grouping, group): only this one

    @property
    def since_day(self) -> int:
        """The first UTC day."""
        return day_of(self.since_ns)

    @property
    def where(self) -> Where:
        """The same for the roll-ups."""
        equals = [(name, value) for name, value in (("feature", self.feature), ("tenant", self.customer)) if value]
        return Where(since_day=self.since_day, equals=tuple(equals))


async def stated(store: Store, by: str, asked: Asked) -> Statement:
    """The statement by one of GROUPINGS, or of BY_REQUEST; the latter reads every request of the time.

    By day, a line counts on the day when it was booked; by BY_REQUEST, requests count with all that they ever booked.
    """
    await store.flush()
    if by in BY_REQUEST:
        parts = [_grouped(by, each) async for each in requests(store, asked)]
        return closed(by, parts)
    dimension, where = GROUPINGS[by], asked.where
    costs, traffic = await asyncio.gather(
        store.ledger.costs((dimension,), where), store.ledger.traffic((dimension,), where)
    )
    return statement(by, costs, traffic)


async def requests(store: Store, asked: Asked, *, limit: int | None = None) -> AsyncIterator[RequestLine]:
    """Requests of the time, oldest first, each with everything it spent and earned; at most `limit`."""
    page: list[JournalEntry] = []
    left = limit
    async for entry in store.journal.entries(
        feature=asked.feature or None, since_ns=asked.since_day * DAY_NS, shadows=True
    ):
        if asked.customer not in ("", entry.tenant):
            continue
        page.append(entry)
        if len(page) == _PAGE:
            for each in await _lines(store, page, asked):
                if left == 0:
                    return
                left = None if left is None else left - 1
                yield each
            page = []
    for each in (await _lines(store, page, asked))[:left]:
        yield each


def dollars(nanodollars: int) -> str:
    """Money for people: dollars and six places."""
    return f"{nanodollars / 1e9:,.6f}"


def memo(total: Line, features: Iterable[Feature]) -> list[str]:
    """The memo in words: what it is compared with, over how many requests, what is left out."""
    saving = total.saving_nanodollars
    if saving is None:
        return ["Memo: no saving is stated: of no request the baseline's cost is known."]
    names = ", ".join(f"{each.name}: {baseline_name(each)}" for each in features if baseline_name(each))
    return [
        f"Memo, not in the sums: over {total.baseline_requests:,} of these requests the baseline would have cost "
        f"{dollars(total.baseline_nanodollars)} USD; they cost {dollars(total.compared_nanodollars)}. "
        f"Saving: {dollars(saving)}.",
        f"Baseline: every delivered answer from one model, no answer from a cache, the same tokens ({names}). "
        "What people would have had to do is not counted as saved.",
    ]


async def _lines(store: Store, page: Sequence[JournalEntry], asked: Asked) -> list[RequestLine]:
    spent: dict[str, list[Entry]] = defaultdict(list)
    earned: dict[str, list[Revenue]] = defaultdict(list)
    entries, revenue = await store.ledger.of([entry.request_id for entry in page]) if page else ((), ())
    for line in entries:
        spent[line.request_id].append(line)
    for each in revenue:
        earned[each.request_id].append(each)
    found = [_line(entry, spent[entry.request_id], earned[entry.request_id]) for entry in page]
    return [each for each in found if asked.group is None or _belongs(each, spent[each.request_id], *asked.group)]


def _line(entry: JournalEntry, spent: Sequence[Entry], earned: Sequence[Revenue]) -> RequestLine:
    turn = turn_of(entry, last_outcome(earned))
    human = [line for line in spent if line.kind == HUMAN]
    cost, baseline = sum(line.nanodollars for line in spent), turn.baseline_nanodollars
    money = Line(
        requests=int(not entry.shadow_of),
        tokens=sum(line.quantity for line in spent if line.kind in TOKENS),
        human_seconds=sum(line.quantity for line in human),
        nanodollars=cost,
        estimated_nanodollars=sum(line.nanodollars for line in spent if line.estimated),
        human_nanodollars=sum(line.nanodollars for line in human),
        earnings=len(earned),
        revenue_nanodollars=sum(line.nanodollars for line in earned),
        baseline_requests=int(baseline is not None),
        baseline_nanodollars=baseline or 0,
        compared_nanodollars=0 if baseline is None else cost,
    )
    return RequestLine(
        request_id=entry.request_id, at=datetime.fromtimestamp(entry.at_ns / 1e9, UTC).isoformat(timespec="milliseconds"),
        customer=entry.tenant, feature=entry.feature, key=entry.key_id, prompt=turn.prompt, outcome=turn.outcome,
        rung=turn.rung, provider=turn.provider, model=turn.model, tags=entry.tags, subject=entry.subject,
        baseline_nanodollars=baseline, line=money,
    )  # fmt: skip


def _belongs(each: RequestLine, spent: Sequence[Entry], by: str, group: str) -> bool:
    """Whether a request is behind a group's figure: it was counted there, or something of it was booked there."""
    if by == "day":
        return group == each.at[:10] or any(_day(line) == group for line in spent)
    if by in BY_REQUEST:
        return _tag(by, each) == group
    own = "" if by == "kind" else getattr(each, by)
    return bool(own == group) or any(getattr(line, GROUPINGS[by], None) == group for line in spent)


def _day(line: Entry) -> str:
    return f"{datetime.fromtimestamp(line.at_ns / 1e9, UTC):%Y-%m-%d}"


def _tag(by: str, each: RequestLine) -> str:
    return each.subject if by == "subject" else ", ".join(sorted(each.tags))


def _grouped(by: str, each: RequestLine) -> Line:
    values = {name: getattr(each.line, name) for name in Line.__struct_fields__}
    return Line(**{**values, "group": _tag(by, each)})
