"""audit verify, export, checkpoint."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from surefoot.cli.common import ConfigOption, JsonOption, fail, with_store
from surefoot.cli.since import since_ns
from surefoot.errors import StoreError, SurefootError
from surefoot.records.audit import AuditEvent, AuditRow, Checkpoint
from surefoot.store import Store
from surefoot.store.audit import encode, in_words, read_checkpoint, sign, signing_key

_KEY = Path("surefoot-audit.key")
_MOST = 1_000_000


def verify(
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that was kept elsewhere.")] = None,
    public: Annotated[Path, typer.Option(help="The file with the key it was signed with.")] = Path(f"{_KEY}.pub"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check journal, trail and every row it vouches for; the first altered or missing row is named."""
    try:
        kept = None if checkpoint is None else _kept(checkpoint, public)
    except SurefootError as error:
        raise fail(error) from error

    async def walk(store: Store) -> tuple[int, int]:
        return await store.journal.verify(), await store.audit.verify(kept)

    requests, events = with_store(config, walk)
    if as_json:
        typer.echo(
            msgspec.json.encode({"requests": requests, "events": events, "checkpoint": kept is not None}).decode()
        )
        return
    typer.echo(f"{requests} requests and {events} events verify; no row they vouch for is altered or missing")
    typer.echo(_anchored(kept))


def export(
    since: Annotated[str | None, typer.Option(help="Only what is younger: 30m, 12h, 7d, 4w.")] = None,
    kind: Annotated[str, typer.Option(help="Only kinds that begin so: case., access., feature.")] = "",
    by: Annotated[str, typer.Option(help="Only what this person did.")] = "",
    on: Annotated[str, typer.Option(help="Only what was done to this: a case, a feature, a person.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print events, oldest first: one a line for people, or JSON lines with --json."""
    try:
        begin = since_ns(since)
    except SurefootError as error:
        raise fail(error) from error
    rows = with_store(config, lambda store: store.audit.events(kind=kind, by=by, on=on, since_ns=begin, limit=_MOST))
    for row in reversed(rows):
        typer.echo(msgspec.json.encode(row).decode() if as_json else _line(row))


def checkpoint(
    out: Annotated[Path | None, typer.Option(help="Where to write it; default: print it.")] = None,
    key: Annotated[
        Path, typer.Option(help="The signing key; made on first use. Keep it away from the database.")
    ] = _KEY,
    config: ConfigOption = None,
) -> None:
    """Sign where every chain ends now. Keep it elsewhere: then rows that are cut off later are missed."""

    async def make(store: Store) -> Checkpoint:
        made = sign(await store.audit.heads(), at_ns=time.time_ns(), key=signing_key(key))
        await store.audit.add(AuditEvent(kind="trail.checkpoint", detail=made.signature))
        return made

    made = with_store(config, make)
    text = encode(made).decode()
    try:
        Path(f"{key}.pub").write_text(made.public_key + "\n", "ascii")
        if out is None:
            typer.echo(text)
        else:
            out.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise fail(StoreError(f"the checkpoint cannot be written: {error}")) from error
    typer.echo(f"{len(made.heads)} chains signed; the public key is in {key}.pub", err=True)


def _kept(checkpoint: Path, public: Path) -> Checkpoint:
    return read_checkpoint(_read(checkpoint), public_key=_read(public).decode("ascii", "replace"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None


def _anchored(kept: Checkpoint | None) -> str:
    if kept is None:
        return "rows cut off at the very end are only missed with --checkpoint"
    return f"nothing is missing since the checkpoint of {_time(kept.at_ns)}"


def _line(row: AuditRow) -> str:
    event = row.event
    said = (
        _time(event.at_ns),
        event.by or "-",
        event.kind,
        event.on or "-",
        in_words(event),
        f"{row.chain}/{row.position}",
    )
    return "  ".join(" ".join(part.split()) for part in said if part)


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
