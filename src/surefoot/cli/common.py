"""What the commands share: finding the configuration, opening the store, saying errors on one line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from surefoot.config.defaults import from_environment
from surefoot.config.load import Config, load
from surefoot.errors import ConfigError, SurefootError
from surefoot.store import Store
from surefoot.store.open import open_store

Result = TypeVar("Result")

RUN, TRY, STEER, MONEY, PEOPLE = "Run", "Try", "Steer", "Money", "People"
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration; default: ./surefoot.toml, else the environment."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

out = Console(highlight=False)


def fail(error: SurefootError) -> typer.Exit:
    """Say an error on stderr; the exit to raise: 2 for a wrong configuration, else 1."""
    typer.echo(f"surefoot: {error}", err=True)
    return typer.Exit(2 if isinstance(error, ConfigError) else 1)


def find_config(path: Path | None) -> Config:
    """The configuration of a command. Raises ConfigError when there is none."""
    if path is not None:
        return load(path)
    if Path("surefoot.toml").is_file():
        return load("surefoot.toml")
    config = from_environment(os.environ)
    if config is None:
        raise ConfigError(
            "there is none, and neither OPENAI_API_KEY nor ANTHROPIC_API_KEY is set; try `surefoot init` or `surefoot demo`"
        )
    return config


def with_store(path: Path | None, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """Do something with the configured store, and close it."""

    async def run() -> Result:
        settings = find_config(path).settings.store
        store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
        await store.start()
        try:
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except SurefootError as error:
        raise fail(error) from error


def usd(nanodollars: int) -> str:
    """Money for a table: dollars and six places."""
    return f"{nanodollars / 1e9:.6f}"
