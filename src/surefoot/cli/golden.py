"""golden: sets of questions with the answers that people gave, which gates and trials read; versioned files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.app.golden import Found, candidates, gone, handbook_of
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out, with_store
from surefoot.cli.policies import only_feature
from surefoot.cli.since import since_ns
from surefoot.errors import ConfigError, DataError, SurefootError
from surefoot.evals.golden import Golden, Grown, Header, Item, exported, grow, read_golden, written
from surefoot.store import Store
from surefoot.trial.grade import is_gradable

FolderOption = Annotated[Path, typer.Option(help="Where the sets lie.")]
NameArgument = Annotated[str, typer.Argument(help="The set's name.")]

GOLDEN_FOLDER = Path("golden")

app = typer.Typer(
    no_args_is_help=True, help="Golden sets: questions with the answers people gave, for gates and trials."
)


@app.command("list")
def show_all(folder: FolderOption = GOLDEN_FOLDER, as_json: JsonOption = False) -> None:
    """List the sets of a folder."""
    try:
        found = [_read(path) for path in sorted(folder.glob("*.jsonl"))]
    except SurefootError as error:
        raise fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode([_told(each) for each in found]).decode())
        return
    table = Table("set", "feature", "version", "items", "groups", "since", expand=False)
    for each in found:
        version = each.version + (" (edited)" if each.is_edited else "")
        since = _date(each.header.versions[-1].at_ns) if each.header.versions else "-"
        table.add_row(each.header.golden, each.header.feature, version, str(len(each.items)), str(_groups(each)), since)
    out.print(table)


@app.command("grow")
def add(
    name: NameArgument,
    feature: Annotated[str | None, typer.Option(help="The feature whose answers are taken.")] = None,
    since: Annotated[str | None, typer.Option(help="How far back: 12h, 7d, 4w; default: everything.")] = None,
    folder: FolderOption = GOLDEN_FOLDER,
    config: ConfigOption = None,
) -> None:
    """Take in what people answered for everybody or judged right, drop what was erased: a new version, if anything changed."""
    path = folder / f"{name}.jsonl"
    try:
        golden = _read(path) if path.is_file() else None
        settings = find_config(config)
        chosen = only_feature(settings, feature or (golden.header.feature if golden else None))
        if golden is not None and golden.header.feature != chosen:
            raise ConfigError(f"set {name} is of feature {golden.header.feature}", file="--feature")
        start, public = since_ns(since), handbook_of(settings, chosen)
        before = golden or Golden(header=Header(golden=name, feature=chosen))

        async def work(store: Store) -> tuple[Found, dict[str, str]]:
            found = await candidates(store, chosen, since_ns=start, public=public)
            return found, await gone(store, before)

        found, ended = with_store(config, work)
        grown = grow(before, found.items, gone=ended, at_ns=time.time_ns())
        if golden is None or grown.golden != golden:
            _write(path, written(grown.golden))
    except SurefootError as error:
        raise fail(error) from error
    typer.echo("\n".join(_grown(grown, found)))


@app.command("show")
def show(name: NameArgument, folder: FolderOption = GOLDEN_FOLDER, as_json: JsonOption = False) -> None:
    """Show a set: its versions, where its items come from, and how many can be graded without a program."""
    try:
        golden = _read(folder / f"{name}.jsonl")
    except SurefootError as error:
        raise fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(_told(golden)).decode())
        return
    typer.echo("\n".join(_shown(golden)))
    table = Table("version", "parent", "at", "items", "added", "removed", "why", expand=False)
    for each in golden.header.versions:
        counts = (each.items, each.added, each.removed)
        table.add_row(each.version, each.parent or "-", _date(each.at_ns), *map(str, counts), each.why)
    out.print(table)


@app.command("export")
def export(
    name: NameArgument,
    output: Annotated[Path | None, typer.Option("-o", help="A file; default: the terminal.")] = None,
    folder: FolderOption = GOLDEN_FOLDER,
) -> None:
    """Write a set's items as plain labelled rows, without where they come from."""
    try:
        data = exported(_read(folder / f"{name}.jsonl"))
        if output is not None:
            _write(output, data)
            return
    except SurefootError as error:
        raise fail(error) from error
    typer.echo(data.decode(), nl=False)


async def forget_erased(store: Store, folder: Path = GOLDEN_FOLDER) -> dict[str, int]:
    """Drop what must not stay from a folder's sets, each a new version; by set, how many items it lost.

    Raises: DataError, StoreError.
    """
    left: dict[str, int] = {}
    for path in sorted(folder.glob("*.jsonl")):
        golden = _read(path)
        grown = grow(golden, (), gone=await gone(store, golden), at_ns=time.time_ns())
        if grown.removed:
            _write(path, written(grown.golden))
            left[golden.header.golden] = sum(grown.removed.values())
    return left


def _read(path: Path) -> Golden:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}; `surefoot golden list`", file=str(path)) from error
    return read_golden(data, file=str(path))


def _write(path: Path, data: bytes) -> None:
    """In one step: whoever reads meanwhile has the old file or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", file=str(path)) from error


def _grown(grown: Grown, found: Found) -> Iterator[str]:
    golden = grown.golden
    yield f"{golden.header.golden}: {len(golden.items)} items in {_groups(golden)} groups, version {golden.version}"
    yield f"added {grown.added}, known already or asked twice {grown.same}"
    if grown.removed:
        yield f"removed: {_counts(grown.removed)}"
    if found.left_out:
        yield f"not taken: {_counts(found.left_out)}"
    hard = sum(not is_gradable(item) for item in golden.items)
    if hard:
        yield f"{hard} need facts or a --grader: their answers are prose"


def _shown(golden: Golden) -> Iterator[str]:
    edited = " (edited by hand since)" if golden.is_edited else ""
    yield f"{golden.header.golden}, feature {golden.header.feature}: {len(golden.items)} items, {golden.version}{edited}"
    yield f"groups        {_groups(golden)}"
    yield f"come from     {_counts(Counter(_source(item) for item in golden.items)) or 'nowhere yet'}"
    yield f"gradable      {sum(map(is_gradable, golden.items))} without a program"


def _told(golden: Golden) -> dict[str, object]:
    return {
        "golden": golden.header.golden, "feature": golden.header.feature, "version": golden.version,
        "edited": golden.is_edited, "items": len(golden.items), "groups": _groups(golden),
        "sources": Counter(_source(item) for item in golden.items), "gradable": sum(map(is_gradable, golden.items)),
        "versions": golden.header.versions,
    }  # fmt: skip


def _source(item: Item) -> str:
    return item.origin.source if item.origin is not None else "by hand"


def _groups(golden: Golden) -> int:
    return len({item.group or item.id for item in golden.items})


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _date(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"
