"""cache report: what a near cache watched and gave, its bound, and what another bound would save."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from surefoot.app.cachereport import NearReport, Share, near_report
from surefoot.app.learn import served
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, usd, with_store
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
    account = found.account
    yield f"feature {found.feature}, {found.kind} cache: {found.entries} questions, {account.requests} requests counted"
    yield _line(
        "map", f"fitted on {found.map_labels} labels" if found.map_labels else f"none; {found.labels} labels so far"
    )
    yield _line("watched", f"the same answer was right in {_share(found.right)}")
    yield _line("would have hit", f"{found.near.n}, right in {_share(found.near)}")
    yield _line("bound", _bound(found))
    yield _line(
        "hits", f"{account.hits}; judged right {_share(found.known)}; {account.explored} more were withheld by lot"
    )
    for offer in found.offers:
        wrong = f"{offer.wrong} wrong" if offer.hits else "nothing given"
        yield _line(
            f"at {offer.errors_per_request:.1%}", f"{offer.hits} hits, {wrong}, {usd(offer.nanodollars)} USD saved"
        )
    if found.proposed is not None:
        yield _line("proposed", f"errors_per_request = {found.proposed:g} (simulated on what was watched)")
    if found.why:
        yield _line("nothing is given", found.why)


def _bound(found: NearReport) -> str:
    rules, said = found.rules, []
    if rules.errors_per_request is not None:
        allowed = rules.errors_per_request * found.account.requests
        said.append(
            f"{rules.errors_per_request:g} per request: at most {found.most_wrong} wrong with {rules.assurance:.0%}, "
            f"{allowed:.0f} allowed"
        )
    if rules.errors_per_hit is not None:
        said.append(f"{rules.errors_per_hit:g} per hit")
    return "; ".join(said) or "none declared"


def _share(found: Share) -> str:
    if found.share is None:
        return "not enough data: n = 0"
    return f"{found.share:.1%} [{found.low:.1%}, {found.high:.1%}], n = {found.n}"


def _line(name: str, said: str) -> str:
    return f"  {name:17} {said}"
