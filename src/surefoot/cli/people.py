"""erase, hold, release, holds: what becomes of what a person said."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.cli.common import ConfigOption, JsonOption, fail, out, with_store
from surefoot.cli.golden import GOLDEN_FOLDER, FolderOption, forget_erased
from surefoot.errors import BadRequest, NotFound
from surefoot.records.audit import Hold
from surefoot.store import Store

TenantOption = Annotated[str, typer.Option(help="The tenant.")]
UserOption = Annotated[str, typer.Option(help='The end user; "" is the tenant itself.')]
ByOption = Annotated[str, typer.Option(help="Who does it: your name.")]
ReasonOption = Annotated[str, typer.Option(help="Why. It is kept for ever: name no patient.")]


def erase(
    tenant: TenantOption, end_user: UserOption, golden: FolderOption = GOLDEN_FOLDER, config: ConfigOption = None
) -> None:
    """Destroy a subject's key: what was said is unreadable for ever, the journal still verifies. Not under a hold.

    Items of golden sets that came of it leave the folder named with --golden; other copies of a set when they next grow.
    """
    lost = with_store(config, lambda store: store.journal.erase_subject(tenant=tenant, end_user=end_user))
    typer.echo(f"{lost} contents are unreadable now")
    left = with_store(config, lambda store: forget_erased(store, golden))
    for name, count in left.items():
        typer.echo(f"{count} items left the golden set {name}")


def hold(
    tenant: TenantOption, end_user: UserOption, by: ByOption, reason: ReasonOption, config: ConfigOption = None
) -> None:
    """Put a subject under legal hold: nothing it said is erased, and no retention ends, until it is released."""
    if not with_store(config, lambda store: store.holds.place(_hold(store, tenant, end_user, by, reason))):
        raise fail(BadRequest("the subject is under legal hold already: see `surefoot holds`"))
    typer.echo("the subject is under legal hold; `surefoot release` ends that")


def release(
    tenant: TenantOption, end_user: UserOption, by: ByOption, reason: ReasonOption, config: ConfigOption = None
) -> None:
    """End a subject's legal hold."""
    if not with_store(config, lambda store: store.holds.release(_hold(store, tenant, end_user, by, reason))):
        raise fail(NotFound("the subject is under no legal hold"))
    typer.echo("the subject is under no legal hold any more")


def holds(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List legal holds, by pseudonym: the journal's `subject`."""
    found = with_store(config, lambda store: store.holds.all())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("subject", "since", "by", "because", expand=False)
    for each in found:
        since = f"{datetime.fromtimestamp(each.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(each.subject, since, each.by, each.reason)
    out.print(table)


def _hold(store: Store, tenant: str, end_user: str, by: str, reason: str) -> Hold:
    """What is written. Raises BadRequest without a person or a reason."""
    if not by.strip() or not reason.strip():
        raise BadRequest("a hold is placed and released by a person, with a reason")
    subject = store.pseudonym(f"user:{tenant}:{end_user}" if end_user else f"tenant:{tenant}")
    return Hold(subject=subject, at_ns=time.time_ns(), by=by.strip(), reason=reason.strip())
