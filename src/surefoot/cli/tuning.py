"""tune: what a learned start buys, from a labelled file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.table import Table

from surefoot.app import App
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out
from surefoot.config.load import Config
from surefoot.errors import ConfigError, DataError, SurefootError
from surefoot.learning.fit import LEAST
from surefoot.learning.routing import fit_route
from surefoot.learning.tuning import Point, Tuning, tune
from surefoot.providers.rows import read_rows
from surefoot.stats import Estimate
from surefoot.store.memory import MemoryStore
from surefoot.trial.gather import gather
from surefoot.trial.learn import asked_of
from surefoot.trial.offline import offline


def tune_route(
    file: Annotated[Path, typer.Option("--from", help="A labelled file with a verdict on every rung's answers.")],
    feature: Annotated[str, typer.Option(help="The feature; it has a [features.NAME.route].")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show cost, error and people's work of a learned start at several prices of the person, and labels it still needs."""
    try:
        found = asyncio.run(_tuned(find_config(config), feature, file))
    except SurefootError as error:
        raise fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table(title=f"{feature} · {found.questions} questions, each by estimates that did not see it", expand=False)
    for heading in ("begun by", "cost a question", "first draft wrong", "needs a person", "above first"):
        table.add_column(heading, justify="left" if heading == "begun by" else "right")
    for rung, point in found.always.items():
        table.add_row(f"always {rung}", *_cells(point))
    for point in found.points:
        mark = "  <- serves" if point.times == 1 else ""
        table.add_row(f"person x {point.times:g}{mark}", *_cells(point))
    out.print(table)
    typer.echo(_plan(found))


async def _tuned(config: Config, name: str, file: Path) -> Tuning:
    """The frontier of a feature. Raises ConfigError, DataError."""
    rules = config.policy.features.get(name)
    if rules is None or rules.route is None:
        raise ConfigError(f"there is no feature {name!r} with a [features.{name}.route]", file="--feature")
    rows = read_rows(file)
    app = await App.start(offline(config, name, file, rows), store=MemoryStore())
    try:
        walks = await gather(app, rules, rows)
    finally:
        await app.close()
    rungs = [rung.name for rung in rules.ladder if rung.kind != "cache"]
    asked = asked_of(rows, walks, rungs)
    fit = fit_route(asked, rungs)
    if fit is None or len(fit.estimates) != len(asked):
        raise DataError(
            f"nothing to fit: {LEAST} questions with a verdict on at least two rungs are needed, of five groups, and a "
            "verdict on every question", file=str(file),
        )  # fmt: skip
    costs = {}
    for place, rung in enumerate(rungs):
        known = [draft.nanodollars for walk in walks if (draft := walk.drafts[place]) is not None]
        costs[rung] = round(float(np.mean(known))) if known else 0
    return tune(asked, fit, rules, costs)


def _cells(point: Point) -> tuple[str, ...]:
    return (
        f"${point.nanodollars / 1e9:.6f}", _rate(point.wrong), _rate(point.person), f"{point.above_first:.0%}",
    )  # fmt: skip


def _rate(rate: Estimate) -> str:
    if rate.estimate is None:
        return "not enough data"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _plan(found: Tuning) -> str:
    if found.apgr is None or found.apgr_low is None:
        return "the first and the last rung are right equally often: there is no gap to recover"
    told = f"of the gap between first and last rung {found.apgr:.2f} is recovered (random 0.50, at least {found.apgr_low:.2f})"
    if found.labels_needed == 0:
        return f"{told}: routing pays"
    if found.labels_needed is None:
        return f"{told}: nothing speaks for routing by these questions yet"
    return f"{told}: about {found.labels_needed} more labels until that is sure"
