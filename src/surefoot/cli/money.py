"""ledger: what everything cost and earned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich import box
from rich.table import Table

from surefoot.app.money import BY_REQUEST, Asked, dollars, memo, requests, stated
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out, with_store
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.errors import ConfigError
from surefoot.ledger.exports import csv_text, jsonl_text, lines_json, request_row, rows_of
from surefoot.ledger.statement import GROUPINGS, Line, Statement, shown
from surefoot.policy import Feature
from surefoot.store import Store

FORMATS = ("table", "json", "csv", "jsonl")
_KNOWN = (*GROUPINGS, *BY_REQUEST)
_ALSO = {"tenant": "customer"}
_CHUNK = 500  # requests written at once


class Given(Struct, frozen=True, kw_only=True):
    """What is to be shown."""

    by: Annotated[str, typer.Option(help=f"{', '.join(_KNOWN[:-1])} or {_KNOWN[-1]}.")] = "feature"
    since: Annotated[str | None, typer.Option(help="How far back: 12h, 7d, 4w; whole UTC days.")] = None
    feature: Annotated[str, typer.Option(help="Only this feature.")] = ""
    tenant: Annotated[str, typer.Option(help="Only this customer.")] = ""
    format: Annotated[str, typer.Option(help="table, json, csv or jsonl.")] = ""
    requests: Annotated[bool, typer.Option("--requests", help="Every request as a row: json, csv or jsonl.")] = False
    config: ConfigOption = None
    as_json: JsonOption = False


@taking(Given)
def ledger(given: Given) -> None:
    """What was spent and earned. Amounts are exact; what a vendor did not meter is counted as estimated.

    A customer is a tenant. Requests count where they were answered; what calls cost counts where they were made.
    """
    by = _ALSO.get(given.by, given.by)
    form = given.format or ("json" if given.as_json else "jsonl" if given.requests else "table")
    if by not in _KNOWN:
        raise fail(ConfigError(f"cannot group by {given.by!r}; know {', '.join(_KNOWN)}", file="--by"))
    if form not in FORMATS or (given.as_json and form != "json"):
        raise fail(ConfigError(f"the format is one of {', '.join(FORMATS)}, and --json is json", file="--format"))
    if given.requests and form == "table":
        raise fail(ConfigError("requests are exported: json, csv or jsonl", file="--format"))
    try:
        asked = Asked(since_ns=since_ns(given.since), feature=given.feature, customer=given.tenant)
    except ConfigError as error:
        raise fail(error) from error
    if given.requests:
        with_store(given.config, lambda store: _export(store, asked, form))
        return
    found = with_store(given.config, lambda store: stated(store, by, asked))
    match form:
        case "json":
            typer.echo(msgspec.json.encode(lines_json(found)).decode())
        case "csv":
            typer.echo(csv_text(rows_of(found)), nl=False)
        case "jsonl":
            typer.echo(jsonl_text(rows_of(found)), nl=False)
        case _:
            features = find_config(given.config).policy.features
            _print(found, asked, [features[name] for name in sorted(features) if given.feature in ("", name)])


async def _export(store: Store, asked: Asked, form: str) -> None:
    """Write request after request, so that many need little memory."""
    rows, header = [], True
    await store.flush()
    if form == "json":
        typer.echo(msgspec.json.encode([request_row(each) async for each in requests(store, asked)]).decode())
        return
    async for each in requests(store, asked):
        rows.append(request_row(each))
        if len(rows) == _CHUNK:
            typer.echo(csv_text(rows, header=header) if form == "csv" else jsonl_text(rows), nl=False)
            rows, header = [], False
    typer.echo(csv_text(rows, header=header) if form == "csv" else jsonl_text(rows), nl=False)


def _print(found: Statement, asked: Asked, features: list[Feature]) -> None:
    estimated = found.total.estimated_nanodollars != 0
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_footer=True, collapse_padding=True)
    table.add_column(found.by, footer="total", overflow="fold")
    for name, value in _amounts(found.total, estimated).items():
        table.add_column(name, footer=value, justify="right", no_wrap=True)
    for line in found.lines:
        table.add_row(shown(found.by, line.group), *_amounts(line, estimated).values())
    out.print(table)
    for words in _notes(found, asked, features):
        out.print(words, soft_wrap=False)


def _amounts(line: Line, estimated: bool) -> dict[str, str]:
    amounts = {
        "requests": f"{line.requests:,}", "tokens": f"{line.tokens:,}", "cost USD": dollars(line.nanodollars),
        "revenue": dollars(line.revenue_nanodollars), "margin": dollars(line.margin_nanodollars),
    }  # fmt: skip
    if estimated:
        amounts["estimated"] = dollars(line.estimated_nanodollars)
    return amounts


def _notes(found: Statement, asked: Asked, features: list[Feature]) -> list[str]:
    """What the figures mean: the time, the people, and the memo, which stands apart."""
    total = found.total
    since = "from the beginning"
    if asked.since_ns:
        since = f"from {datetime.fromtimestamp(asked.since_day * 86_400, UTC):%Y-%m-%d} 00:00 UTC"
    groups = "1 group" if len(found.lines) == 1 else f"{len(found.lines)} groups"
    notes = [f"{total.requests:,} requests {since}, in {groups}. Margin is revenue less cost."]
    if total.human_nanodollars:
        minutes, cost = total.human_seconds / 60, dollars(total.human_nanodollars)
        notes.append(f"Of the cost {cost} USD is the time of people: {minutes:,.1f} minutes.")
    return notes + memo(total, features)
