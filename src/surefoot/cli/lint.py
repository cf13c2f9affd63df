"""lint: what each part of a feature's prompts costs a month, what of it is paid in vain, why the provider's cache missed."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from msgspec import Struct

from surefoot.app.lint import SAMPLED, Linted, explain_requests, lint_feature, lint_file
from surefoot.cli.common import ConfigOption, fail, find_config, with_store
from surefoot.cli.drawing import share
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.errors import ConfigError, DataError, SurefootError
from surefoot.ledger.lint.cachemiss import Miss, Side
from surefoot.ledger.lint.findings import Finding, Money
from surefoot.ledger.lint.report import Report, SegmentCost
from surefoot.stats import Mean
from surefoot.store import Store

_WIDTH = 80
_UNKNOWN = "not enough data"
_SMALL = 0.01  # share of the tokens below which a segment has no line of its own
_THOUSAND = 1000
_NANO = 1e9


class Asked(Struct, frozen=True, kw_only=True):
    """The options."""

    feature: Annotated[str | None, typer.Option(help="The feature whose traffic is read; default: every one.")] = None
    request: Annotated[
        Path | None, typer.Option(help="Instead of the journal: a request body as JSON, or one a line.")
    ] = None
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="REQ_A REQ_B", help="Why the provider's cache missed on the second of two requests."),
    ] = None
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, 4w.")] = "4w"
    sample: Annotated[int, typer.Option(help="How many requests are looked at.")] = SAMPLED
    seed: Annotated[int, typer.Option(help="Which ones: the same seed draws the same.")] = 0
    fail_over: Annotated[
        float | None,
        typer.Option(
            help="Exit 1 when more USD a month could be saved (of a file: per 1,000 requests), 2 when unknown."
        ),
    ] = None
    format: Annotated[Literal["table", "json"], typer.Option(help="How it is printed.")] = "table"
    config: ConfigOption = None


@taking(Asked)
def lint(asked: Asked) -> None:
    """What each part of the prompts costs, and what of it is paid in vain.

    Measured on the journal's traffic: dollars a month by segment, and findings with line, byte and saving. Exit 1 with
    --fail-over when the saving is larger, 2 when there is not enough data to say.
    """
    try:
        _check(asked)
        if asked.explain is not None:
            _tell_miss(asked, asked.explain)
            return
        found = [_of_file(asked, asked.request)] if asked.request is not None else _of_journal(asked)
    except SurefootError as error:
        raise fail(error) from error
    if asked.format == "json":
        typer.echo(msgspec.json.encode(found).decode())
    else:
        typer.echo("\n\n".join("\n".join(_report(each, asked)) for each in found))
    if asked.fail_over is not None and (code := _code(found, asked.fail_over)):
        raise typer.Exit(code)


def _check(asked: Asked) -> None:
    if asked.sample < 1:
        raise ConfigError("at least 1 request is looked at", file="--sample")
    if asked.fail_over is not None and asked.fail_over < 0:
        raise ConfigError("USD are at least 0", file="--fail-over")
    if sum(each is not None for each in (asked.feature, asked.request, asked.explain)) > 1:
        raise ConfigError("only one of --feature, --request and --explain", file="lint")


def _of_file(asked: Asked, path: Path) -> Linted:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    config = find_config(asked.config) if asked.config is not None else None
    return lint_file(data, name=path.name, config=config)


def _of_journal(asked: Asked) -> list[Linted]:
    config, start_ns, now_ns = find_config(asked.config), since_ns(asked.since), time.time_ns()
    names = [asked.feature] if asked.feature is not None else list(config.policy.features)

    async def work(store: Store) -> list[Linted]:
        return [
            await lint_feature(
                store, config, name, since_ns=start_ns, now_ns=now_ns, most=asked.sample, seed=asked.seed
            )
            for name in names
        ]  # fmt: skip

    return with_store(asked.config, work)


def _code(found: Sequence[Linted], limit: float) -> int:
    """0 below the limit, 1 above it, 2 when a saving is unknown and the known ones are not above it already."""
    known = [_worth(each) for each in found]
    if sum(each for each in known if each is not None) > limit:
        return 1
    return 2 if any(each is None for each in known) else 0


def _worth(found: Linted) -> float | None:
    """USD a month that could be saved, of a file per 1,000 requests; None when it is unknown."""
    report = found.report
    if found.metered is None:
        return None if report.saving.value is None or not report.priced else report.saving.value * _THOUSAND / _NANO
    return None if report.saving_month is None else report.saving_month.value / _NANO


def _report(found: Linted, asked: Asked) -> Iterator[str]:
    report, metered = found.report, found.metered
    if metered is None:
        yield f"{report.feature}: {_many(report.requests, 'request')}; no traffic is known, so USD are per 1,000 requests"
    else:
        yield from _wrapped(
            f"{report.feature}: {metered.requests} requests to models in the last {asked.since}, {report.sampled} looked at "
            f"(seed {asked.seed}), {report.compared} compared with the one before"
        )
        if metered.readable < metered.sampled:
            why = "" if found.content else " (store.content = false); cases keep theirs"
            yield from _wrapped(f"content of {metered.sampled - metered.readable} is not kept or cannot be read{why}")
        cached = f"{metered.cached_tokens / metered.input_tokens:.1%}" if metered.input_tokens else "unknown"
        yield from _wrapped(f"input tokens {metered.input_tokens:,}, from the provider's cache {cached}")
        yield from _wrapped(f"system text or tools differ from the request before: {share(metered.changed)}")
    if not report.sampled:
        yield f"prompts: {_UNKNOWN}"
        return
    scaled = "estimated from bytes" if report.estimated else "as metered, shared out by bytes"
    yield from _wrapped(
        f"a request: {_tokens(report.input_tokens)} input tokens ({scaled}), {_paid(report, report.nanodollars, report.month)}"
    )
    yield ""
    yield from _segments(report)
    yield ""
    yield from _findings(report)


def _segments(report: Report) -> Iterator[str]:
    whole = report.input_tokens.value or 1.0
    unit = "USD a month" if report.month is not None else "USD per 1,000"
    yield f"{'segment':<44} {'tokens':>8} {'share':>6} {unit:>19}"
    small = [each for each in report.segments if (each.tokens.value or 0) < _SMALL * whole]
    for each in report.segments:
        if each not in small:
            name = f"{each.slot}  {each.title}" if each.title else each.slot
            yield _segment(report, name, [each], whole)
    if small:
        yield _segment(report, f"{len(small)} more, each below {_SMALL:.0%}", small, whole)


def _segment(report: Report, name: str, found: Sequence[SegmentCost], whole: float) -> str:
    tokens = sum(each.tokens.value or 0.0 for each in found)
    if report.month is not None:
        amount = sum(each.month.value for each in found if each.month) / _NANO
    else:
        amount = sum(each.nanodollars.value or 0.0 for each in found) * _THOUSAND / _NANO
    paid = f"{amount:.4f}" if report.priced else "no price"
    label = name if len(name) <= 44 else name[:43] + "…"
    return f"{label:<44} {tokens:>8,.0f} {tokens / whole:>6.1%} {paid:>19}"


def _findings(report: Report) -> Iterator[str]:
    if not report.findings:
        yield "no findings"
    for each in report.findings:
        yield from _finding(report, each)
    for note in report.notes:
        yield from _wrapped(f"{note.rule}: {note.said}", "  ")
    if report.findings:
        yield from _wrapped(f"all together save {_paid(report, report.saving, report.saving_month)}")


def _finding(report: Report, each: Finding) -> Iterator[str]:
    where = each.where
    yield f"{each.severity} {each.rule}: {where.slot}, line {where.line}, byte {where.byte} of {where.path}"[:_WIDTH]
    seen = f" ({each.requests} of {each.n} requests)" if each.n > 1 else ""
    yield from _wrapped(f"{each.what}{seen}", "  ")
    if where.excerpt:
        yield f"  | {where.excerpt}"
    most = "at most, if the request before came soon enough: " if each.at_most and each.nanodollars.value else ""
    if each.tokens.value or each.nanodollars.value:
        yield from _wrapped(
            f"saves {most}{_tokens(each.tokens)} tokens a request, {_paid(report, each.nanodollars, each.month)}", "  "
        )
    yield from _wrapped(f"fix: {each.fix}", "  ")


def _paid(report: Report, mean: Mean, month: Money | None) -> str:
    """Dollars a month with their interval; of unknown traffic per 1,000 requests."""
    if not report.priced or mean.value is None:
        return "USD unknown: no price"
    if month is not None:
        low, high = month.low / _NANO, month.high / _NANO
        return f"{month.value / _NANO:.4f} USD a month [{low:.4f}, {high:.4f}]"
    return f"{mean.value * _THOUSAND / _NANO:.4f} USD per 1,000 requests"


def _tokens(mean: Mean) -> str:
    return _UNKNOWN if mean.value is None else f"{mean.value:,.0f}"


def _many(n: int, name: str) -> str:
    return f"{n} {name}" if n == 1 else f"{n} {name}s"


def _tell_miss(asked: Asked, pair: tuple[str, str]) -> None:
    config = find_config(asked.config)
    found = with_store(asked.config, lambda store: explain_requests(store, config, *pair))
    if asked.format == "json":
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo("\n".join(_miss(found)))


def _miss(found: Miss) -> Iterator[str]:
    cached = "unknown" if found.cached_tokens is None else f"{found.cached_tokens:,}"
    whole = "unknown" if found.input_tokens is None else f"{found.input_tokens:,}"
    gap = "unknown" if found.gap_seconds is None else f"{found.gap_seconds:.1f} s"
    yield f"from the cache   {cached} of {whole} input tokens"
    yield f"the same         about {found.same_tokens:,} tokens at the beginning; cached from {found.least_tokens:,}"
    yield f"between them     {gap}"
    if not found.causes:
        yield "it hit as far as the two are the same"
    for number, cause in enumerate(found.causes, 1):
        yield from _wrapped(f"{number}. {cause}")
    for name, side in (("before", found.before), ("after", found.after)):
        if side is not None:
            yield from _side(name, side)


def _side(name: str, side: Side) -> Iterator[str]:
    yield f"{name}: {side.slot}, line {side.line}, column {side.column}, byte {side.byte} of {side.path}"[:_WIDTH]
    yield f"  | {side.text}"[:_WIDTH]


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")
