"""Statements and requests as CSV and JSON: exact amounts, the memo's columns named as such."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from surefoot.ledger.statement import Line, Statement
from surefoot.records.money import usd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = Mapping[str, str | int | None]


class RequestLine(Struct, frozen=True, kw_only=True):
    """One request with everything it spent and earned, whenever that was."""

    request_id: str
    at: str  # ISO 8601, UTC
    customer: str
    feature: str
    key: str
    prompt: str
    outcome: str
    rung: str  # who answered: rung, provider, model; "" when nobody did
    provider: str
    model: str
    tags: tuple[str, ...]
    subject: str  # a pseudonym
    baseline_nanodollars: int | None  # memo; None: not known
    line: Line  # its money


def rows_of(found: Statement) -> list[Row]:
    """A statement's lines as flat rows, without the total: their sum is it."""
    return [{found.by: line.group, **_money(line), **_memo(line)} for line in found.lines]


def request_row(each: RequestLine) -> Row:
    """A request as a flat row."""
    memo = None if each.baseline_nanodollars is None else usd(each.baseline_nanodollars)
    names = (
        "request_id",
        "at",
        "customer",
        "feature",
        "key",
        "prompt",
        "outcome",
        "rung",
        "provider",
        "model",
        "subject",
    )
    money = _money(each.line)
    del money["requests"]
    return {
        **{name: getattr(each, name) for name in names}, "tags": " ".join(each.tags), **money, "memo_baseline_usd": memo,
    }  # fmt: skip


def lines_json(found: Statement) -> list[dict[str, object]]:
    """A statement's lines with whole nano-dollars; the memo is an object of its own."""
    return [
        {
            "group": line.group,
            "requests": line.requests,
            "tokens": line.tokens,
            "human_seconds": line.human_seconds,
            "nanodollars": line.nanodollars,
            "estimated_nanodollars": line.estimated_nanodollars,
            "human_nanodollars": line.human_nanodollars,
            "revenue_nanodollars": line.revenue_nanodollars,
            "margin_nanodollars": line.margin_nanodollars,
            "memo": {
                "baseline_requests": line.baseline_requests,
                "baseline_nanodollars": line.baseline_nanodollars if line.baseline_requests else None,
                "compared_nanodollars": line.compared_nanodollars if line.baseline_requests else None,
                "saving_nanodollars": line.saving_nanodollars,
            },
        }
        for line in found.lines
    ]


def csv_text(rows: Iterable[Row], *, header: bool = True) -> str:
    """Rows as CSV (RFC 4180). A text that a spreadsheet would take for a formula is preceded by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows:
        if header:
            writer.writerow(row)
            header = False
        writer.writerow([_cell(name, value) for name, value in row.items()])
    return text.getvalue()


def jsonl_text(rows: Iterable[Row]) -> str:
    """Rows as JSON, one a line."""
    return "".join(f"{msgspec.json.encode(row).decode()}\n" for row in rows)


def _money(line: Line) -> dict[str, str | int | None]:
    return {
        "requests": line.requests, "tokens": line.tokens, "human_seconds": line.human_seconds,
        "cost_usd": usd(line.nanodollars), "of_it_estimated_usd": usd(line.estimated_nanodollars),
        "of_it_human_usd": usd(line.human_nanodollars), "revenue_usd": usd(line.revenue_nanodollars),
        "margin_usd": usd(line.margin_nanodollars),
    }  # fmt: skip


def _memo(line: Line) -> dict[str, str | int | None]:
    known, saving = line.baseline_requests > 0, line.saving_nanodollars
    return {
        "memo_baseline_requests": line.baseline_requests,
        "memo_baseline_usd": usd(line.baseline_nanodollars) if known else None,
        "memo_compared_usd": usd(line.compared_nanodollars) if known else None,
        "memo_saving_usd": None if saving is None else usd(saving),
    }


def _cell(name: str, value: str | int | None) -> str | int:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and not name.endswith("_usd") and value.startswith(_FORMULA) else value
