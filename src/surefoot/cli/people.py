"""erase."""

from __future__ import annotations

from typing import Annotated

import typer

from surefoot.cli.common import ConfigOption, with_store


def erase(
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    end_user: Annotated[str, typer.Option(help='The end user; "" is the tenant itself.')],
    config: ConfigOption = None,
) -> None:
    """Destroy a subject's key: what was said is unreadable for ever, the journal still verifies."""
    lost = with_store(config, lambda store: store.journal.erase_subject(tenant=tenant, end_user=end_user))
    typer.echo(f"{lost} contents are unreadable now")
