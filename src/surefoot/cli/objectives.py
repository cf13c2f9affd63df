"""objectives: how each stands, how sure that is, and what is still needed."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import typer

from surefoot.app.objectives import Found, Objectives
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.errors import SurefootError
from surefoot.evals import words
from surefoot.evals.objectives import MET, UNKNOWN, Assessment
from surefoot.store import Store

_WIDTH, _INDENT = 80, 14
_SHOWN = 5  # subgroups, those that stand worst


def objectives(
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """How each objective stands: met, at risk, missed or unknown; its budget, its burn, and how probable it is by when.

    "met" and "missed" hold with the objective's assurance however often one looks within a window.
    """
    try:
        read = find_config(config)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> tuple[Found, ...]:
        return await Objectives(store, lambda: read).read(feature)

    found = with_store(config, work)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        typer.echo(
            "no objective is configured: add [[features.NAME.objectives]] with a measure and at_most or at_least"
        )
        return
    typer.echo("\n".join(_lines(found, time.time_ns())))


def _lines(found: Sequence[Found], now_ns: int) -> Iterator[str]:
    feature = ""
    for each in found:
        objective = each.whole.objective
        if objective.feature != feature:
            feature = objective.feature
            yield f"feature {feature}"
        yield ""
        yield from _wrapped(objective.name, words.target(objective), indent=2)
        yield from _one(each.whole, now_ns)
        for dimension in objective.by:
            yield from _groups(dimension, [group for group in each.groups if group.dimension == dimension])
    yield ""
    yield from textwrap.wrap(
        "Intervals are 95 % ones, for this look. Met and missed need more: they hold at every look within a window.",
        _WIDTH,
    )


def _one(found: Assessment, now_ns: int) -> Iterator[str]:
    yield from _field("state", words.state(found))
    yield from _field(
        "value", f"{words.value(found)} ({found.method})" if found.value is not None else words.value(found)
    )
    yield from _field("budget", words.budget(found))
    yield from _field("outlook", words.outlook(found, now_ns))
    for burn in found.burns:
        if burn.long is not None:
            yield from _field("burn", words.burn(burn))


def _groups(dimension: str, groups: Sequence[Assessment]) -> Iterator[str]:
    if not groups:
        yield from _field(f"by {dimension}", "nothing seen")
        return
    yield from _field(f"by {dimension}", f"{words.tally(groups)} (told together, by Holm's rule)")
    telling = [each for each in groups if each.state not in (MET, UNKNOWN)] or list(groups)
    for each in telling[:_SHOWN]:
        yield from textwrap.wrap(
            f"{each.group or 'none'}: {words.state(each)}; {words.value(each)}", _WIDTH, initial_indent=" " * 6,
            subsequent_indent=" " * 8,
        )  # fmt: skip
    if len(telling) > _SHOWN:
        yield f"      and {len(telling) - _SHOWN} more: --json has them all"


def _field(name: str, text: str) -> Iterator[str]:
    if text:
        yield from _wrapped(name, text, indent=4)


def _wrapped(name: str, text: str, *, indent: int) -> Iterator[str]:
    head = f"{' ' * indent}{name:<{_INDENT}}"
    head = head if head.endswith(" ") else f"{head} "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * (indent + _INDENT))
