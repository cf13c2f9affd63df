"""One thing that is wrong with a configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing that is wrong, and the key that it is wrong at."""

    path: tuple[str, ...]
    message: str


def near(name: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" for a name that is like a known one, else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
