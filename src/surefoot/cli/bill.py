"""bill: what the month will have come to, how sure that is, and why it changed."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from surefoot.app.bill import read_bill
from surefoot.app.learn import served
from surefoot.app.spending import Seen, surges
from surefoot.cli.common import ConfigOption, fail, find_config, with_store
from surefoot.cli.options import taking
from surefoot.config.budgets import build_budgets
from surefoot.errors import ConfigError, NotFound, SurefootError
from surefoot.ledger.bill import DAY_NS, Bill, Month, Outlook, Risk, month_of
from surefoot.ledger.changes import CAUSES, Change
from surefoot.stats.intervals import Estimate
from surefoot.store import Store

_NAME = 18  # columns of a feature's name
_CENTS_FROM = 10**9  # nano-dollars from which cents are enough
_FORMATS = ("table", "json")


class Asked(Struct, frozen=True, kw_only=True):
    """The options of `bill`."""

    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None
    month: Annotated[str | None, typer.Option(help="A month of UTC days, as 2026-11; default: this one.")] = None
    format: Annotated[str, typer.Option(help="table or json.")] = "table"
    config: ConfigOption = None


@taking(Asked)
def bill(asked: Asked) -> None:
    """The month's bill with its forecast: 80 and 95 % intervals, what changed since last week, budgets at risk.

    Intervals are tested on the series' own past. With too little data it says how much is missing, never a number.
    """
    try:
        if asked.format not in _FORMATS:
            raise ConfigError(f"unknown format {asked.format!r}; know {', '.join(_FORMATS)}", file="--format")
        month, read = _month(asked.month, time.time_ns()), find_config(asked.config)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> tuple[Bill, tuple[Seen, ...]]:
        policy = (await served(store, read)).policy
        found = await read_bill(store, build_budgets(read.settings), month, feature=asked.feature)
        if asked.feature is not None and asked.feature not in policy.features and not found.features:
            raise NotFound(f"there is no feature {asked.feature!r}; there are {', '.join(policy.features) or 'none'}")
        return found, await surges(store, since_ns=month.start_ns, until_ns=month.end_ns, feature=asked.feature)

    found, seen = with_store(asked.config, work)
    if asked.format == "json":
        typer.echo(msgspec.json.encode({"month": found.month.name, "bill": found, "surges": seen}).decode())
        return
    typer.echo("\n".join((*_lines(found), *_surges(seen))))


def _month(given: str | None, now_ns: int) -> Month:
    """Raises ConfigError."""
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    if given is None:
        return month_of(now.year, now.month, now_ns)
    found = re.fullmatch(r"(\d{4})-(\d{2})", given)
    try:
        if found is None:
            raise ValueError(f"{given!r} is no month: write 2026-11")
        return month_of(int(found[1]), int(found[2]), now_ns)
    except ValueError as error:
        raise ConfigError(str(error), file="--month") from error


def _lines(found: Bill) -> Iterator[str]:
    month, places = found.month, 2 if (found.total.median or found.total.so_far) >= _CENTS_FROM else 6
    if month.over:
        yield f"bill of {month.name} in USD; the month is over (UTC)"
    else:
        spent = (month.now_ns - month.start_ns) / DAY_NS
        yield f"bill of {month.name} in USD; day {spent:.1f} of {(month.end_ns - month.start_ns) // DAY_NS} (UTC)"
    if not found.features:
        yield "nothing was spent yet"
        return
    yield ""
    if month.over:
        for name, line in _named(found):
            yield f"{_short(name):<{_NAME}}{_usd(line.so_far, places):>12}"
        return
    yield f"{'feature':<{_NAME}}{'so far':>12}{'month-end':>12}{'80 %':>18}{'95 %':>18}"
    for name, line in _named(found):
        yield _row(name, line, places)
    told = [(name, line) for name, line in _named(found) if line.median is not None]
    if told:
        yield ""
        yield "growth a week, and how often such forecasts held on the past (95 % intervals)"
        for name, line in told:
            yield from _tested(name, line)
    if found.change is not None:
        yield ""
        yield from _change(found.change, places)
    if found.risks:
        yield ""
        yield "budgets of this month"
        yield from (_risk(each, places) for each in found.risks)


def _surges(seen: Sequence[Seen]) -> Iterator[str]:
    if seen:
        yield ""
        yield "spend left its interval"
    for each in seen:
        yield from textwrap.wrap(
            f"{_minute(each.at_ns)} {each.text}", 78, initial_indent="  ", subsequent_indent="    "
        )
        for one in each.acknowledged:
            said = f"acknowledged {_minute(one.at_ns)} by {one.by}: {' '.join(one.note.split())}"
            yield from textwrap.wrap(said, 78, initial_indent="    ", subsequent_indent="    ")
        if not each.acknowledged:
            yield f"    nobody has acknowledged it: surefoot acknowledge {each.id}"


def _minute(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


def _risk(found: Risk, places: int) -> str:
    limit = found.limit
    who = limit.key_id or (f"tenant {limit.tenant}" if limit.tenant else "everybody")
    name = f"{who} on {limit.feature}" if limit.feature else who
    says = f"not enough data: {found.more_days} more days"
    if found.probability is not None:
        says = f"spent with p = {found.probability:.2f}"
    line = f"  {_short(name):<{_NAME}} {_usd(found.so_far, places)} of {_usd(found.limit.nanodollars, places)}: {says}"
    return line if len(line) <= 80 else line.replace(": ", ":\n    ", 1)


def _row(name: str, line: Outlook, places: int) -> str:
    head = f"{_short(name):<{_NAME}}{_usd(line.so_far, places):>12}"
    if line.median is None or line.interval80 is None or line.interval95 is None:
        return f"{head}  not enough data: {line.more_days} more day{'s' if line.more_days != 1 else ''}"
    ends = (_between(*line.interval80, places), _between(*line.interval95, places))
    row = f"{head}{_usd(line.median, places):>12}" + "".join(f"{each:>18}" for each in ends)
    if len(row) <= 80 and max(map(len, ends)) < 18:
        return row
    return f"{head}{_usd(line.median, places):>12}\n{'':>20}80 % {ends[0]}   95 % {ends[1]}"


def _named(found: Bill) -> list[tuple[str, Outlook]]:
    """The lines, the total last where it says more than its only part."""
    lines = [(line.feature, line) for line in found.features]
    return [*lines, ("all together", found.total)] if len(lines) > 1 else lines


def _tested(name: str, line: Outlook) -> Iterator[str]:
    assert line.growth is not None
    low, middle, high = (f"{factor - 1:+.1%}" for factor in line.growth)
    yield f"  {_short(name):<{_NAME}}{middle} [{low}, {high}]"
    if line.tested95.n:
        yield f"    80 %: {_share(line.tested80)}; 95 %: {_share(line.tested95)}; n = {line.tested95.n}"
        if abs(line.width - 1) >= 0.01:
            yield f"    so their width was multiplied by {line.width:.2f}"
    else:
        yield "    not tested: there is no earlier stretch of that length"


def _change(change: Change, places: int) -> Iterator[str]:
    share = f" ({change.nanodollars / change.before:+.0%})" if change.before > 0 else ""
    yield (
        f"since last week (7 whole days against the 7 before): {_usd(change.before, places)} to "
        f"{_usd(change.after, places)}{share}"
    )
    words = {"tokens": "tokens per request"}
    yield "  " + "   ".join(f"{words.get(cause, cause)} {_signed(getattr(change, cause), places)}" for cause in CAUSES)
    for driver in change.drivers:
        at = " ".join(filter(None, (driver.feature, driver.rung, driver.model)))
        yield f"  {_signed(driver.nanodollars, places):>14}  {at[:46]}, mostly {driver.cause}"


def _share(found: Estimate) -> str:
    return f"{found.estimate:.0%} [{found.low:.0%}, {found.high:.0%}]"


def _short(name: str) -> str:
    return name if len(name) < _NAME else f"{name[: _NAME - 2]}…"


def _usd(nanodollars: int, places: int) -> str:
    return f"{nanodollars / 1e9:.{places}f}"


def _signed(nanodollars: int, places: int) -> str:
    return f"{nanodollars / 1e9:+.{places}f}"


def _between(low: int, high: int, places: int) -> str:
    return f"{_usd(low, places)}-{_usd(high, places)}"
