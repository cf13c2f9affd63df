"""The commands, grouped by what one wants: Run, Try, Steer, Money, People."""

from surefoot.cli.main import main

__all__ = ["main"]
