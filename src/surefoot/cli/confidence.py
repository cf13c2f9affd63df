"""confidence: what the probabilities are worth that serve."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from surefoot.app import incidents
from surefoot.app.confidence import ErrorRate, FeatureTrust, RungTrust, trust
from surefoot.app.incidents import Acknowledged
from surefoot.app.learn import Served, served
from surefoot.app.standings import told
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.cli.drawing import diagram, number, percent, share
from surefoot.cli.since import since_ns
from surefoot.errors import NotFound, SurefootError
from surefoot.learning.fit import LEAST
from surefoot.learning.measure import Measures
from surefoot.records import Incident
from surefoot.stats.sequential import OPEN
from surefoot.store import Store

_WIDTH = 80


def confidence(
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, 4w.")] = "30d",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold probabilities against labels: reliability, coverage, promises, the error of what is delivered."""
    try:
        read, start_ns = find_config(config), since_ns(since)
        names = [feature] if feature is not None else list(read.policy.features)
        if feature is not None and feature not in read.policy.features:
            raise NotFound(f"there is no feature {feature!r}; there are {', '.join(read.policy.features)}")
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> tuple[Served, list[FeatureTrust]]:
        now = await served(store, read)
        return now, [await trust(store, now, name, since_ns=start_ns) for name in names]

    now, found = with_store(config, work)
    number_ = now.revision.number if now.revision is not None else 0
    if as_json:
        plain = {"policy": now.policy.version, "revision": number_, "since": since, "features": found}
        typer.echo(msgspec.json.encode(plain).decode())
        return
    serving = f"revision {number_}" if number_ else "the configuration alone"
    typer.echo(f"policy {now.policy.version} ({serving}), the last {since}")
    for reason in now.left_out:
        typer.echo(f"not used: {reason}")
    for each in found:
        typer.echo("\n".join(_feature(each)))


def _feature(found: FeatureTrust) -> Iterator[str]:
    yield f"\nfeature {found.feature}, {found.mode}, {found.requests} requests"
    yield from _error(found.error, found.audit)
    yield from _promise(found)
    yield from _compression(found)
    for incident in found.incidents:
        yield from _incident(incident, found.acknowledged.get(incident.id, ()))
    for rung in found.rungs:
        yield ""
        yield from _rung(rung)


def _error(found: ErrorRate, audit: float) -> Iterator[str]:
    held = f" ({found.withheld} held back for want of a certificate)" if found.withheld else ""
    yield _line("delivered", f"{found.deliveries}{held}")
    if not found.wrong.n:
        yield _line("wrong", f"not enough data: no blind labels; {'surefoot label' if audit else 'set audit above 0'}")
        return
    yield _line("wrong", f"{share(found.wrong)} blind labels, 95 %")
    if found.method == "PPI++":
        worth = "" if found.effective_n is None else f", worth {found.effective_n:.0f} labels alone"
        yield _line("", f"PPI++ with {found.judged} scores of the judge{worth}")
    else:
        yield _line("", "weighted by inverse propensity")
    if found.judge_alone is not None:
        yield _line("", f"the judge by itself would say {percent(found.judge_alone)}")


def _compression(found: FeatureTrust) -> Iterator[str]:
    harm = found.compression
    if harm is None:
        return
    if not harm.n:
        yield _line("compressed", "not enough data: no compressed answer was checked")
        return
    yield _line("compressed", f"{harm.n} answers, {harm.hits} went wrong ({harm.labels} judged by people)")
    state = "stopped itself until labels say otherwise" if harm.stopped else "goes on"
    yield _line("", f"harm below {percent(harm.upper)} at every look, 95 %: {state}")


def _promise(found: FeatureTrust) -> Iterator[str]:
    if found.promise is None or found.standing is None:
        yield _line("promise", "none is made")
        return
    asked, stands = found.promise, found.standing
    yield _line("promise", f"at least {asked.accuracy:.0%} right of what is delivered, at {asked.assurance:.0%}")
    yield from _wrapped("", told(stands) if stands.state == OPEN else stands.state)
    if stands.n:
        yield _line("", f"{percent(stands.accuracy)} right of {stands.n} blind labels in this edition")
        yield _line("", f"certain at {asked.assurance:.0%}, whenever looked at: at least {stands.at_least:.1%}")


def _incident(incident: Incident, seen: Sequence[Acknowledged]) -> Iterator[str]:
    detail: dict[str, Any] = msgspec.json.decode(incident.detail)
    yield from _wrapped(
        "INCIDENT", f"{_minute(incident.at_ns)} {incident.kind} on rung {incident.rung}: {_rates(detail)}"
    )
    changed = [f"{each.get('what')} {each.get('value')}" for each in detail.get("changed", [])]
    yield from _wrapped("", f"changed: {', '.join(changed)}" if changed else "nothing else changed with it")
    for each in seen:
        yield from _wrapped("", f"acknowledged {_minute(each.at_ns)} by {each.by}: {' '.join(each.note.split())}")
    if not seen:
        yield from _wrapped("", f"nobody has acknowledged it: surefoot acknowledge {incident.id}")


def acknowledge(
    incident: Annotated[
        str, typer.Argument(help="The incident's id, as `surefoot confidence` or `surefoot bill` tells it.")
    ],
    by: Annotated[str, typer.Option(help="Who has seen to it: your name.")],
    note: Annotated[str, typer.Option(help="What was done about it. It is kept for ever: name no patient.")],
    config: ConfigOption = None,
) -> None:
    """Note that an incident was seen to, by whom and how. It ends no alarm: labels do."""
    found = with_store(config, lambda store: incidents.acknowledge(store, incident, by=by, note=note))
    rung = f" on rung {found.rung}" if found.rung else ""
    typer.echo(f"{found.id}, {found.kind} of {found.feature}{rung}, is acknowledged by {by.strip()}")


def _minute(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


def _rates(detail: dict[str, Any]) -> str:
    parts = []
    for name in ("before", "after"):
        rate = detail.get(name, {})
        if rate.get("wrong") is not None:
            parts.append(f"{rate['wrong']:.0%} wrong {name} (n = {rate['n']})")
    return ", ".join(parts) or "see surefoot confidence --json"


def _rung(found: RungTrust) -> Iterator[str]:
    named = {"configured": "configured by hand, not fitted", "cache": "p that a hit entered with"}
    yield f"rung {found.rung}: {named.get(found.map, found.map)}"
    learned = "none" if found.threshold is None else f"p >= {found.threshold:.3f}"
    beside = "" if found.bar_counts else " (does not count beside B)"
    yield _line("thresholds", f"A: lower end of p >= {found.bar:.2f}{beside}; B: {learned}")
    yield _line("delivers", f"{share(found.coverage)} drafts")
    missing = f"; {found.labels_needed} more for a map ({LEAST})" if found.labels_needed else ""
    yield _line("labels", f"{found.labels}{missing}")
    if found.labels:
        yield _line("right", share(found.right))
    if found.measures is None or not found.measures.n:
        yield _line("calibration", "not enough data: no map has judged a labelled draft")
        return
    yield from _measures(found, found.measures)


def _measures(found: RungTrust, measures: Measures) -> Iterator[str]:
    if found.older:
        seen = measures.n + measures.unjudged == found.labels
        text = (
            f"{found.older} are older than the map, which may have been fitted on them: too good a picture"
            if seen
            else f"the {found.older} from before the map was fitted are left out here"
        )
        yield from _wrapped("", text)
    yield _line("held against", f"{measures.n} of them: right {share(measures.right)}")
    perfect = measures.ece_perfect_p95
    ece = (
        f"{number(measures.ece)} (a perfect map: below {number(perfect)})" if perfect == perfect else "not enough data"
    )
    yield _line("ECE", ece)
    yield _line(
        "", f"Brier {number(measures.brier)}, AURC {number(measures.aurc)}, AUROC {number(measures.auroc)}"
    )  # fmt: skip
    yield _line("over A", f"{share(measures.right_at_bar)} right")
    yield from diagram(measures.bins)


def _line(name: str, text: str) -> str:
    return f"  {name:12} {text}".rstrip()


def _wrapped(name: str, text: str) -> Iterator[str]:
    for place, line in enumerate(textwrap.wrap(text, _WIDTH - 15)):
        yield _line(name if place == 0 else "", line)
