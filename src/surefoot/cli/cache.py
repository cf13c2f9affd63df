"""cache report: what a near cache watched and gave, its bound, and what another bound would save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from surefoot.app.cachereport import NearReport, near_report
from surefoot.app.cachewords import lines, title
from surefoot.app.learn import served
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.errors import NotFound, SurefootError
from surefoot.store import Store


def report(
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What near caches would have given, gave and saved, with their bounds; and why nothing is given yet."""
    try:
        read = find_config(config)
        if feature is not None and feature not in read.policy.features:
            raise NotFound(f"there is no feature {feature!r}; there are {', '.join(read.policy.features)}")
    except SurefootError as error:
        raise fail(error) from error
    names = [feature] if feature is not None else list(read.policy.features)

    async def work(store: Store) -> list[NearReport]:
        now = await served(store, read)
        found = [await near_report(store, now.policy, name) for name in names]
        return [each for each in found if each is not None]

    found = with_store(config, work)
    if as_json:
        typer.echo(msgspec.json.encode({"features": found}).decode())
        return
    if not found:
        typer.echo('no feature has a near cache: write kind = "near" in [features.NAME.cache]')
    for each in found:
        typer.echo("\n".join(_told(each)))


def _told(found: NearReport) -> Iterator[str]:
    yield f"feature {found.feature}, {title(found)}"
    for name, said in lines(found):
        yield f"  {name:17} {said}"
