"""learn, promote, rollback, revisions."""

from __future__ import annotations

import math
import textwrap
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.table import Table

from surefoot.app import promotion
from surefoot.app.learn import Learnt, Served, Shadow, candidate, learn_from_store, served, shadow
from surefoot.app.promotion import Promoted, name_of, previous
from surefoot.app.standings import told
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out, with_store
from surefoot.cli.drawing import diagram, number, percent, share
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.config.load import Config
from surefoot.errors import ConfigError, NotFound, SurefootError
from surefoot.learning.fit import LEAST
from surefoot.learning.ladder import RungReport
from surefoot.learning.measure import Measures
from surefoot.policy import Feature, overlay
from surefoot.policy.learned import encode_learned
from surefoot.providers.rows import read_rows
from surefoot.records import Revision
from surefoot.stats.sequential import CERTIFIED
from surefoot.store import Store
from surefoot.trial.learn import learn_from_rows
from surefoot.trial.offline import offline


class LearnOptions(Struct, frozen=True, kw_only=True):
    """What is learned from."""

    file: Annotated[
        Path | None, typer.Option("--from", help="A labelled file (.jsonl, .jsonl.gz); default: the store's labels.")
    ] = None
    since: Annotated[str | None, typer.Option(help="Only the store's labels of this time: 12h, 7d, 4w.")] = None
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None
    config: ConfigOption = None
    as_json: JsonOption = False


class Learning(Struct, frozen=True, kw_only=True):
    """What came of learning; `revision` None: nothing was learned and nothing saved."""

    revision: int | None
    policy: str | None  # the version it would serve as
    learnt: tuple[Learnt, ...]
    shadows: dict[str, Shadow]  # by feature with a promise
    fitted: tuple[str, ...] = ()  # rungs whose map was fitted before, perhaps on some of these labels


@taking(LearnOptions)
def learn(given: LearnOptions) -> None:
    """Fit maps from labels, cross-fitted, say how good they are, and keep them as a candidate for `promote`."""
    try:
        if given.file is not None and given.since is not None:
            raise ConfigError("give --from or --since, not both", file="--since")
        config, since = find_config(given.config), since_ns(given.since)
        names = _features(config, given)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> Learning:
        return await _learn(store, config, names, given.file, since)

    found = with_store(given.config, work)
    if given.as_json:
        typer.echo(msgspec.json.encode(_plain(found)).decode())
    else:
        typer.echo("\n".join(_told(found, config)))
    if found.revision is None:
        raise typer.Exit(1)


async def _learn(store: Store, config: Config, names: Sequence[str], file: Path | None, since: int) -> Learning:
    now = await served(store, config)
    if file is not None:
        (name,) = names
        learnt = [await _from_file(config, now, name, file)]
    else:
        learnt = [await learn_from_store(store, now, name, since_ns=since) for name in names]
    if not any(each.found.rungs for each in learnt):
        return Learning(revision=None, policy=None, learnt=tuple(learnt), shadows={})
    after = candidate(now, learnt)
    policy, _ = overlay(config.policy, after, now.models)
    shadows = {}
    for each in learnt:
        name = each.report.feature
        if each.found.rungs and policy.features[name].promise is not None:
            of = each.report.groups if file is None else None
            seen = await shadow(store, policy, name, since_ns=since, from_labels_ns=since, held_of=of)
            if seen is not None and seen.requests:
                shadows[name] = seen
    note = f"{file.name if file else 'labels'}: " + ", ".join(
        f"{each.report.feature} ({each.report.labels})" for each in learnt if each.found.rungs
    )
    number = await store.revisions.add(encode_learned(after), note=note, at_ns=time.time_ns())
    fitted = tuple(name for found in now.learned.features.values() for name in found.rungs)
    return Learning(
        revision=number, policy=policy.version, learnt=tuple(learnt), shadows=shadows, fitted=fitted
    )  # fmt: skip


async def _from_file(config: Config, now: Served, feature: str, file: Path) -> Learnt:
    """What a labelled file teaches; it runs beside the store, which nothing of it enters."""
    rows = read_rows(file)
    source = offline(replace(config, policy=now.policy), feature, file, rows)
    found, report = await learn_from_rows(rows, source, feature, now.models)
    return Learnt(found=found, report=report, sources={"file": len(rows)})


def _features(config: Config, given: LearnOptions) -> list[str]:
    names = list(config.policy.features)
    if given.feature is not None:
        if given.feature not in names:
            raise NotFound(f"there is no feature {given.feature!r}; there are {', '.join(names)}")
        return [given.feature]
    if given.file is not None and len(names) != 1:
        raise ConfigError(f"several features are configured; name one: {', '.join(names)}", file="--feature")
    return names


def promote(
    number: Annotated[int, typer.Argument(help="A revision, as `surefoot revisions` lists them; 0: none.")],
    config: ConfigOption = None,
) -> None:
    """Serve a revision from now on; running servers take it within a second."""
    _serve(config, lambda store: _given(number))


def rollback(config: ConfigOption = None) -> None:
    """Serve what served before the last promotion; 0 is the configuration alone."""
    _serve(config, previous)


async def _given(number: int) -> int:
    return number


def _serve(path: Path | None, choose: Callable[[Store], Awaitable[int]]) -> None:
    try:
        config = find_config(path)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> Promoted:
        return await promotion.promote(store, config, await choose(store))

    found = with_store(path, work)
    typer.echo(f"{name_of(found.number)} serves from now on, as policy {found.now.policy.version}")
    for reason in found.now.left_out:
        typer.echo(f"  not used: {reason}")
    for name, seen in found.shadows.items():
        begins = f"begins with {len(seen.labels)} labels of its shadow" if seen.whole and seen.labels else "is earned anew"
        typer.echo(f"  {name}: its promise {begins}")
        typer.echo(f"    {_in_shadow(seen)}")


def revisions(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what was learned, which of it serves, and how the newest candidate's promises stand in shadow."""
    try:
        read = find_config(config)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> tuple[Sequence[Revision], dict[str, Shadow]]:
        found = await store.revisions.all()
        if not found or found[-1].serving:
            return found, {}
        newest = await served(store, read, found[-1].number)
        return found, await promotion.shadows(store, newest, await served(store, read))

    found, seen = with_store(config, work)
    if as_json:
        plain = [msgspec.to_builtins(replace(each, data=b"")) for each in found]
        shadows = msgspec.to_builtins(seen)
        typer.echo(msgspec.json.encode({"revisions": plain, "shadow": shadows}).decode())
        return
    table = Table("revision", "learned", "from", "state", expand=False)
    for each in found:
        table.add_row(str(each.number), _when(each.at_ns), each.note, _state(each))
    out.print(table if found else "nothing was learned yet: surefoot label, then surefoot learn", markup=False)
    for name, each_shadow in seen.items():
        out.print(f"revision {found[-1].number}, {name}: {_in_shadow(each_shadow)}", markup=False)


def _in_shadow(found: Shadow) -> str:
    if not found.standing.n:
        return "in shadow nothing is known: no blind labels since it was learned"
    return f"in shadow {told(found.standing)} (n = {found.standing.n})"


def _state(each: Revision) -> str:
    if each.serving:
        return f"serves since {_when(each.promoted_at_ns)}"
    return f"served from {_when(each.promoted_at_ns)}" if each.promoted_at_ns else "candidate"


def _when(at_ns: int | None) -> str:
    return f"{datetime.fromtimestamp((at_ns or 0) / 1e9, UTC):%Y-%m-%d %H:%M}"


def _told(found: Learning, config: Config) -> list[str]:
    lines = []
    for each in found.learnt:
        lines += _feature(each, config.policy.features[each.report.feature], found)
    if found.revision is None:
        lines.append("nothing was learned and nothing saved; surefoot label gathers labels")
    else:
        lines.append(f"saved as revision {found.revision}; to serve it: surefoot promote {found.revision}")
    return lines


def _feature(learnt: Learnt, feature: Feature, found: Learning) -> list[str]:
    report = learnt.report
    sources = ", ".join(f"{name} {count}" for name, count in learnt.sources.items()) or "none"
    lines = [f"feature {report.feature}: {report.labels} labelled in {report.groups} groups ({sources})"]
    lines += [f"  left out: {count} {reason}" for reason, count in sorted(learnt.left_out.items())]
    if feature.promise is not None and report.labels:
        lines.append("  of these, four groups in ten fit no map: they are kept to certify")
    for rung in report.rungs:
        lines += ["", *_rung(rung, feature.confidence, fitted=rung.rung in found.fitted)]
    lines.append("")
    if feature.promise is not None:
        lines += _promise(learnt, feature, found.shadows.get(report.feature))
    return lines


def _rung(rung: RungReport, bar: float, *, fitted: bool) -> list[str]:
    if rung.map == "not enough data":
        return [f"rung {rung.rung}: {_lack(rung)}"]
    before, after = rung.before, rung.after
    lines = [f"rung {rung.rung}: {rung.labels} labels, map {rung.map}; right {share(after.right)}"]
    rows: list[tuple[str, Callable[[Measures], str], str]] = [
        ("AURC", lambda m: number(m.aurc), "mean error over all depths of delivery"),
        ("ECE", lambda m: number(m.ece), f"a perfect map stays below {number(after.ece_perfect_p95)} here"),
        ("Brier", lambda m: number(m.brier), ""),
        (f"over {bar:.2f}", lambda m: _at_bar(m, m.coverage.estimate), "of the drafts"),
        ("right there", lambda m: _at_bar(m, m.right_at_bar.estimate), _right_there(after)),
    ]
    lines.append(f"  {'':12}{'before':>13}{'after':>9}")
    for name, of, note in rows:
        first = of(before) if before.n else "uncalibrated"
        lines.append(f"  {name:12}{first:>13}{of(after):>9}   {note}".rstrip())
    if before.n and fitted:
        lines.append("  before: the map that serves; it may have been fitted on some of these labels")
    lines.append("  after: each group judged by a map that did not see it")
    return [*lines, *diagram(after.bins)]


def _lack(rung: RungReport) -> str:
    if rung.labels < LEAST:
        return f"{rung.labels} labels, {LEAST - rung.labels} more are needed for a map ({LEAST})"
    return f"{rung.labels} labels, but of too few groups for a map (at least 5)"


def _at_bar(found: Measures, value: float | None) -> str:
    return "-" if not found.n or value is None or math.isnan(value) else percent(value)


def _right_there(after: Measures) -> str:
    rate = after.right_at_bar
    return f"[{rate.low:.1%}, {rate.high:.1%}], n = {rate.n}" if rate.estimate is not None else "nothing is over it"


def _promise(learnt: Learnt, feature: Feature, seen: Shadow | None) -> list[str]:
    promise, cut = feature.promise, learnt.report.cut
    assert promise is not None
    lines = [f"promise: at least {promise.accuracy:.0%} right of what is delivered, at {promise.assurance:.0%}"]
    if cut is None:
        return lines
    if cut.state == CERTIFIED and cut.threshold is not None:
        lines.append(f"  threshold B: p >= {cut.threshold:.3f} on every learned rung")
        lines.append(f"  kept on labels that no map was fitted on: {cut.n - cut.wrong} of {cut.n} right")
    elif cut.state == CERTIFIED:
        lines.append(f"  thresholds by rung; kept on labels held out: {cut.n - cut.wrong} of {cut.n} right")
    else:
        needed = "labels needed unknown" if cut.labels_needed is None else f"{cut.labels_needed} more labels"
        lines.append(f"  no threshold yet ({needed}; {cut.n - cut.wrong} of {cut.n} held-out labels right)")
        lines.append(f"  until then the bar counts: the lower end of p against {feature.confidence:.2f}")
    if seen is not None:
        lines += textwrap.wrap(
            f"in shadow, over {seen.requests} requests: it delivers {seen.delivers}; of {seen.unknown} nobody knows, since it "
            f"asks rungs that were not asked then. {seen.judgeable} of its deliveries had a known chance to be judged blind; "
            f"by {seen.standing.n} that were, its promise is {told(seen.standing)}",
            78, initial_indent="  ", subsequent_indent="    ",
        )  # fmt: skip
    return lines


def _plain(found: Learning) -> object:
    """The report as JSON: what was fitted is in the revision and left out here; NaN becomes null."""
    plain = msgspec.to_builtins(found)
    for each in plain["learnt"]:
        each["found"] = {"rungs": sorted(each["found"]["rungs"]), "thresholds": each["found"]["thresholds"]}
    return plain
