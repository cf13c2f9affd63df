"""The page of leads, managers and auditors: what each part of a feature's prompts costs, and what of it is paid in vain.

It shows what `surefoot lint` prints, from the same store. Texts are the feature's own, with personal data masked; of what users
said, and of text that is not the same in most requests, nothing is shown.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.lint import Linted, lint_feature
from surefoot.errors import BadRequest
from surefoot.ledger.lint.findings import Finding, Money
from surefoot.ledger.lint.report import Report
from surefoot.server.console.pages import app_of, page, require
from surefoot.stats import Mean

BACK: Mapping[str, tuple[str, int]] = {"1w": ("a week", 7), "4w": ("4 weeks", 28), "12w": ("12 weeks", 84)}
UNKNOWN = "not enough data"
SAMPLED = 200  # requests that the page looks at
SHOWN = 12  # segments that are not folded away: the longest
_DAY_NS = 86_400 * 1_000_000_000
_NANO, _THOUSAND = 1e9, 1000
_CHIPS = {"error": "bad", "warning": "warn", "info": ""}


class SegmentRow(Struct, frozen=True):
    """One segment, in words."""

    folded: bool
    name: str
    title: str
    tokens: str
    share: str
    paid: str
    interval: str


class FindingView(Struct, frozen=True, kw_only=True):
    """One finding, in words."""

    rule: str
    severity: str
    chip: str
    place: str
    excerpt: str
    what: str
    seen: str
    saves: str
    fix: str


@require("report")
async def prompts_page(request: Request) -> Response:
    """Segments and findings of one feature, over a time that is asked for."""
    app = app_of(request)
    names = sorted(app.policy.features)
    asked = {
        "since": request.query_params.get("since", "4w"),
        "feature": request.query_params.get("feature", names[0] if names else ""),
    }
    for name, known in (("since", BACK), ("feature", app.policy.features)):
        if asked[name] not in known:
            raise BadRequest(f"There is no {name} {asked[name][:60]!r}; there are {', '.join(sorted(known))}.")
    now_ns = time.time_ns()
    async with _turn(request):  # contents are decrypted and compared: once at a time
        found = await lint_feature(
            app.store, app.config, asked["feature"], since_ns=now_ns - BACK[asked["since"]][1] * _DAY_NS, now_ns=now_ns,
            most=SAMPLED,
        )  # fmt: skip
    report = found.report
    return page(
        request, "prompts/prompts.html", asked=asked, back=BACK, features=names, unknown=UNKNOWN, facts=_facts(found),
        unit=_unit(report), segments=_segments(report), findings=[_finding(report, each) for each in report.findings],
        notes=report.notes, sampled=report.sampled, kept=found.content,
        all_saved=_paid(report, report.saving, report.saving_month),
    )  # fmt: skip


def _turn(request: Request) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "prompts_turn"):
        state.prompts_turn = asyncio.Lock()
    return cast("asyncio.Lock", state.prompts_turn)


def _facts(found: Linted) -> Sequence[tuple[str, str]]:
    report, metered = found.report, found.metered
    if metered is None:
        return ()
    changed = metered.changed
    cached = f"{metered.cached_tokens / metered.input_tokens:.1%}" if metered.input_tokens else "unknown"
    told = UNKNOWN if changed.estimate is None else f"{changed.estimate:.1%} ({changed.low:.1%} to {changed.high:.1%})"
    month = report.per_month
    rate = UNKNOWN if month.value is None or month.low is None or month.high is None else (
        f"{month.value:,.0f} ({max(0.0, month.low):,.0f} to {month.high:,.0f}), n = {month.n} days"
    )  # fmt: skip
    return (
        ("Requests to models", f"{metered.requests:,}, {metered.readable} of them read"),
        ("A month", rate),
        ("Input tokens", f"{metered.input_tokens:,}"),
        ("From the provider's cache", cached),
        ("Prompt differs from the one before", f"{told}, n = {changed.n}"),
        ("Input cost", _paid(report, report.nanodollars, report.month)),
    )


def _segments(report: Report) -> Sequence[SegmentRow]:
    whole = report.input_tokens.value or 1.0
    rows = []
    longest = sorted(report.segments, key=lambda each: -(each.tokens.value or 0.0))[:SHOWN]
    for each in report.segments:
        tokens = each.tokens.value or 0.0
        paid, interval = (each.nanodollars.value or 0.0) * _THOUSAND / _NANO, "–"
        if each.month is not None:
            paid, interval = each.month.value / _NANO, _interval(each.month)
        rows.append(
            SegmentRow(
                each not in longest, each.slot, each.title, f"{tokens:,.0f}", f"{tokens / whole:.1%}",
                f"{paid:.4f}" if report.priced else "no price", interval,
            )
        )  # fmt: skip
    return rows


def _finding(report: Report, each: Finding) -> FindingView:
    saved = each.tokens.value or 0.0
    saves = f"{saved:,.0f} tokens a request, {_paid(report, each.nanodollars, each.month)}"
    return FindingView(
        rule=each.rule, severity=each.severity, chip=_CHIPS[each.severity], excerpt=each.where.excerpt,
        what=each.what, fix=each.fix,
        place=f"{each.where.slot}, line {each.where.line}, byte {each.where.byte} of {each.where.path}",
        seen=f"{each.requests} of {each.n} requests", saves=saves if saved or each.nanodollars.value else "",
    )  # fmt: skip


def _unit(report: Report) -> str:
    return "USD a month" if report.month is not None else "USD per 1,000 requests"


def _paid(report: Report, mean: Mean, month: Money | None) -> str:
    if not report.priced or mean.value is None:
        return "USD unknown: no price"
    if month is not None:
        return f"{month.value / _NANO:.4f} USD a month ({_interval(month)})"
    return f"{mean.value * _THOUSAND / _NANO:.4f} USD per 1,000 requests"


def _interval(money: Money) -> str:
    return f"{money.low / _NANO:.4f} to {money.high / _NANO:.4f}"


routes: Sequence[BaseRoute] = (Route("/prompts", prompts_page, methods=["GET"]),)
