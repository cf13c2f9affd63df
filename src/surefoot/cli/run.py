"""serve, init, check."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.common import ConfigOption, fail, find_config
from surefoot.cli.reach import unreachable
from surefoot.config.defaults import TEMPLATE
from surefoot.config.load import Config, load, problems
from surefoot.errors import ConfigError, SurefootError
from surefoot.providers.prices import PriceBook


def serve(
    config: ConfigOption = None,
    port: Annotated[int | None, typer.Option(help="Instead of the configuration's; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Instead of the configuration's.")] = None,
) -> None:
    """Serve the OpenAI and Anthropic APIs."""
    from surefoot.server.serve import serve as run  # start-up time: only this command needs the server

    try:
        found = find_config(config)
        modes = ", ".join(f"{name} ({feature.mode})" for name, feature in found.policy.features.items())

        def ready(url: str) -> None:
            typer.echo(f"surefoot serves {modes}\n  OPENAI_BASE_URL={url}/v1\n  ANTHROPIC_BASE_URL={url}", err=True)

        def first(link: str) -> None:
            typer.echo(
                f"  nobody has an account yet; within 15 minutes, this link makes the first:\n  {link}", err=True
            )

        run(found, host=host, port=port, on_ready=ready, on_first=first)
    except SurefootError as error:
        raise fail(error) from error
    except OSError as error:
        raise fail(ConfigError(f"cannot listen: {error.strerror}")) from error


def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("surefoot.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a commented configuration, in observe mode."""
    if file.exists() and not force:
        raise fail(ConfigError("is there already; --force overwrites it", file=str(file)))
    file.write_text(TEMPLATE, "utf-8")
    typer.echo(f"wrote {file}; next: surefoot check && surefoot serve")


def check(
    config: ConfigOption = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not try to reach the providers.")] = False,
) -> None:
    """Look for errors in the configuration, missing prices and unreachable providers."""
    path = config or Path("surefoot.toml")
    if config is not None or path.is_file():
        _say_problems(path)
    try:
        found = load(path) if path.is_file() else find_config(config)
    except SurefootError as error:
        raise fail(error) from error
    bad = _say_prices(found)
    for name, provider in found.settings.providers.items():
        if provider.kind in ("openai", "anthropic"):
            typer.echo(f"provider {name}: {'key found' if provider.api_key else 'no key'}")
    if not offline:
        for name, why in asyncio.run(unreachable(found.settings.providers)).items():
            typer.echo(f"provider {name}: {why}", err=True)
            bad = True
    if bad:
        raise typer.Exit(1)
    typer.echo(f"{found.file} is good: {len(found.policy.features)} feature(s), policy {found.policy.version}")


def _say_problems(path: Path) -> None:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(ConfigError(f"cannot be read: {type(error).__name__}", file=str(path))) from error
    found = problems(text, file=str(path), environ=os.environ, base=path.parent)
    for problem in found:
        typer.echo(str(problem), err=True)
    if found:
        raise typer.Exit(1)


def _say_prices(config: Config) -> bool:
    """Whether a price is missing."""
    book, bad = PriceBook(), False
    for name, model in config.settings.models.items():
        kind = config.settings.providers[model.provider].kind
        if kind in ("openai", "anthropic") and book.price(kind, model.model or name, model.price) is None:
            typer.echo(f"no price is known for model {name}; say what it costs:\n\n{book.block(name)}", err=True)
            bad = True
    return bad
