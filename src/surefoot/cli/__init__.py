"""The commands, grouped by what one wants: Run, Try, Steer, Money, People."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """The entry point.

    While the commands are imported the garbage collector rests, and what they brought is left out of its later rounds: all
    of it stays, and looking through it again and again takes a seventh of the start.
    """
    gc.disable()
    from surefoot.cli.main import app

    gc.freeze()
    gc.enable()
    app()
