"""gate: whether a policy may be merged, on the items of a golden set: pass, fail or not enough data."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress

from surefoot.cli.common import ConfigOption, JsonOption
from surefoot.cli.options import taking
from surefoot.cli.policies import named_policy, only_feature, seen_before
from surefoot.config.budgets import nanodollars
from surefoot.errors import ConfigError, DataError, SurefootError
from surefoot.evals.gate import EXIT, Rules
from surefoot.evals.golden import version_of
from surefoot.providers.rows import Row, read_rows
from surefoot.trial.gate import Asked, Plan, run_gate
from surefoot.trial.told import Told, after, before, markdown

_BROKEN = 3  # exit: the gate could not be run, which is no verdict


class Options(Struct, frozen=True, kw_only=True):
    """What a gate is asked for."""

    golden: Annotated[Path, typer.Option(help="A golden set or another labelled file (.jsonl, .jsonl.gz).")]
    policy: Annotated[
        str | None,
        typer.Option(help="The candidate: a configuration's FILE, or a revision's NUMBER; default: the configuration."),
    ] = None
    against: Annotated[
        str | None, typer.Option(help='What it is compared with: "main" (what serves), a FILE or a NUMBER.')
    ] = None
    at_least: Annotated[float | None, typer.Option(help="Share of the items it must get right.")] = None
    feature: Annotated[str | None, typer.Option(help="Which feature; needed where there are several.")] = None
    margin: Annotated[float, typer.Option(help="With --against: by how much it may be worse.")] = 0.03
    assurance: Annotated[float, typer.Option(help="How sure a verdict must be.")] = 0.95
    to_see: Annotated[float, typer.Option(help="Distance from the bound that the plan is made for.")] = 0.03
    discordance: Annotated[float, typer.Option(help="Share of items the two are taken to differ on, for the plan.")] = (
        0.1
    )
    samples: Annotated[int, typer.Option(help="How often each item is asked, by each policy.")] = 1
    early: Annotated[bool, typer.Option("--early/--no-early", help="Stop as soon as it is settled.")] = True
    limit: Annotated[int | None, typer.Option(help="At most so many items, drawn by the seed.")] = None
    seed: Annotated[int, typer.Option(help="Of the items' order.")] = 0
    max_cost: Annotated[float | None, typer.Option(help="USD that are never exceeded.")] = None
    most_missing: Annotated[float, typer.Option(help="Share of items without a score above which nothing is said.")] = (
        0.05
    )
    person_right: Annotated[bool, typer.Option("--person-right", help="Count escalated items as right.")] = False
    seen: Annotated[
        list[Path] | None,
        typer.Option(help="A labelled file that was learned from, or a prompt: its questions are left out."),
    ] = None
    keep_seen: Annotated[bool, typer.Option("--keep-seen", help="Ask items that the policies have seen, too.")] = False
    grader: Annotated[
        str, typer.Option(help='A program that grades: JSON in, {"verdict": "pass"|"fail"|"abstain"} out.')
    ] = ""
    together: Annotated[int, typer.Option(help="Items that are asked at the same time.")] = 8
    plan: Annotated[bool, typer.Option("--plan", help="Print power and cost, ask nothing.")] = False
    markdown: Annotated[Path | None, typer.Option(help="Write the report as Markdown, too.")] = None
    config: ConfigOption = None
    as_json: JsonOption = False

    @property
    def rules(self) -> Rules:
        """What is asked of the candidate."""
        return Rules(
            margin=self.margin if self.against is not None else None, at_least=self.at_least, assurance=self.assurance,
            effect=self.to_see, discordance=self.discordance, early=Rules().early if self.early else 0.0,
            most_missing=self.most_missing, samples=self.samples,
        )  # fmt: skip


@taking(Options)
def gate(given: Options) -> None:
    """Whether a policy may be merged: exit 0 pass, 1 fail, 2 not enough data, 3 could not be run.

    Both policies answer the same items; differences are paired and clustered by group. Power and cost are printed before
    anything is asked.
    """
    try:
        _check(given)
        rows = read_rows(given.golden)
        told = asyncio.run(_gate(given, rows))
    except SurefootError as error:
        typer.echo(f"surefoot: {error}", err=True)
        raise typer.Exit(_BROKEN) from error
    if told is None:
        return
    if given.as_json:
        typer.echo(msgspec.json.encode(told).decode())
    else:
        typer.echo("\n".join(after(told)))
    if code := EXIT[told.run.verdict.state]:
        raise typer.Exit(code)


async def _gate(given: Options, rows: tuple[Row, ...]) -> Told | None:
    candidate = await named_policy(given.policy, given.config, option="--policy")
    other = await named_policy(given.against, given.config, option="--against") if given.against is not None else None
    if other is not None and candidate.is_same(other):
        raise ConfigError(
            f"it is the same policy as {candidate.told}: name a candidate with --policy", file="--against"
        )
    feature = only_feature(candidate.config, given.feature)
    asked = Asked(
        candidate=candidate, other=other, feature=feature, rules=given.rules, seed=given.seed, limit=given.limit,
        max_nanodollars=None if given.max_cost is None else nanodollars(given.max_cost), together=given.together,
        grader=given.grader, person_right=given.person_right,
    )  # fmt: skip
    named = [each for each in (candidate, other) if each is not None]
    names = [each.told for each in named]
    leaked = await seen_before(rows, named, feature, given.seen or ())
    rows = rows if given.keep_seen else tuple(row for row in rows if row.id not in leaked)

    def on_plan(plan: Plan) -> None:
        typer.echo("\n".join(before(plan, names, given.samples, _leaks(leaked, given))), err=given.as_json)
        if not given.plan:
            typer.echo("", err=given.as_json)

    with Progress(console=Console(file=sys.stderr), disable=given.as_json, transient=True) as progress:
        task = progress.add_task("items", total=None)
        run = await run_gate(
            rows, asked, on_plan=on_plan, only_plan=given.plan,
            on_progress=lambda done, of: progress.update(task, completed=done, total=of),
        )  # fmt: skip
    if run is None:
        return None
    told = Told(
        file=given.golden.name, version=version_of(rows), feature=feature, candidate=candidate.told,
        other=other.told if other is not None else "", samples=given.samples, seed=given.seed, run=run,
        notes=_leaks(leaked, given),
    )  # fmt: skip
    if given.markdown is not None:
        _write(given.markdown, markdown(told))
    return told


def _leaks(leaked: Mapping[str, str], given: Options) -> tuple[str, ...]:
    """What is said of items that the policies have seen."""
    counts = Counter(leaked.values())
    done = "asked all the same" if given.keep_seen else "left out"
    return tuple(f"{n} items {done}: their questions stand in {where}" for where, n in sorted(counts.items()))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", file=str(file)) from error


def _check(given: Options) -> None:
    """Raises ConfigError for the first option that makes no sense."""
    if given.against is None and given.at_least is None:
        raise ConfigError("say what it is compared with (--against main) or a floor (--at-least 0.9)", file="gate")
    shares = (
        ("--at-least", 0.5 if given.at_least is None else given.at_least), ("--assurance", given.assurance),
        ("--to-see", given.to_see), ("--discordance", given.discordance),
    )  # fmt: skip
    for name, value in shares:
        if not 0 < value < 1:
            raise ConfigError(f"{value} is not between 0 and 1", file=name)
    for name, value in (("--margin", given.margin), ("--most-missing", given.most_missing)):
        if not 0 <= value < 1:
            raise ConfigError(f"{value} is not in [0, 1)", file=name)
    counts = (("--samples", given.samples), ("--together", given.together), ("--limit", given.limit))
    for option, count in counts:
        if count is not None and count < 1:
            raise ConfigError("at least 1", file=option)
    if given.max_cost is not None and not 0 <= given.max_cost <= 1e9:
        raise ConfigError(f"{given.max_cost} USD is no amount", file="--max-cost")
