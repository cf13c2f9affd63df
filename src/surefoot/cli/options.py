"""Options as a value: a command with many of them takes one frozen struct."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

Given = TypeVar("Given", bound=Struct)


def taking(kind: type[Given]) -> Callable[[Callable[[Given], None]], Callable[..., None]]:
    """Make a command of a function that takes a struct: each field is a parameter, with the field's default and annotation.

    Fields are annotated as parameters are, `Annotated[int, typer.Option(help=...)]`; a field without a default is required.
    """
    hints = get_type_hints(kind, include_extras=True)

    def made(command: Callable[[Given], None]) -> Callable[..., None]:
        def run(**given: Any) -> None:
            command(kind(**given))

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {**hints, "return": None}
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Typer reads
            [_parameter(field, hints[field.name]) for field in msgspec.structs.fields(kind)]
        )
        return run

    return made


def _parameter(field: msgspec.structs.FieldInfo, annotation: Any) -> inspect.Parameter:
    default = field.default if field.default is not msgspec.NODEFAULT else inspect.Parameter.empty
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
