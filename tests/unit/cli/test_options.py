"""A struct's fields as a command's options."""

from typing import Annotated

import pytest
import typer
from msgspec import Struct
from typer.testing import CliRunner

from surefoot.cli.options import taking


class Given(Struct, frozen=True, kw_only=True):
    """What is given."""

    file: Annotated[str, typer.Argument(help="A file.")]
    often: Annotated[int, typer.Option("--often", "-n", help="How often.")] = 1
    names: Annotated[list[str] | None, typer.Option("--name")] = None
    loud: Annotated[bool, typer.Option("--loud")] = False


app = typer.Typer()


@app.command()
@taking(Given)
def say(given: Given) -> None:
    """Say it."""
    typer.echo(f"{given.file} {given.often} {given.names} {given.loud}")


@pytest.mark.parametrize(
    ("command", "said"),
    [(["x"], "x 1 None False"), (["x", "-n", "2", "--name", "a", "--name", "b", "--loud"], "x 2 ['a', 'b'] True")],
)
def test_fields_are_options_with_their_defaults(command: list[str], said: str) -> None:
    assert CliRunner().invoke(app, command).output.strip() == said


def test_a_field_without_a_default_is_required_and_the_docstring_is_the_help() -> None:
    assert CliRunner().invoke(app, []).exit_code == 2
    assert "Say it." in CliRunner().invoke(app, ["--help"]).output
