"""The protocols beside the ledger: warnings that budgets near their end, and what each minute was granted to which process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from surefoot.store.balances import Warned


class Warnings(Protocol):
    """Levels of budgets that were reached. Each is written once, in the transaction that reached it, by whichever replica."""

    async def all(self, *, since_ns: int = 0) -> Sequence[Warned]:
        """Warnings, oldest first."""

    async def claim(self, *, now_ns: int, since_ns: int, limit: int) -> Sequence[Warned]:
        """Warnings not older than `since_ns` that nobody was told of and that are due, oldest first.

        Each belongs to the caller until it is due again (`balances.wait_ns` of its attempts). Durable before it returns.
        """

    async def told(self, warned: Warned, *, at_ns: int) -> None:
        """Somebody was told. Durable before it returns."""


class Grant(Struct, frozen=True):
    """A share of a minute: (requests, tokens) granted, and what is left for others."""

    given: tuple[int, int]
    left: tuple[int, int]

    @classmethod
    def of(cls, before: tuple[int, int], asked: tuple[int, int], most: tuple[int, int]) -> Grant:
        """As much as there is of what is asked, after what was granted before."""
        left = (max(0, most[0] - before[0]), max(0, most[1] - before[1]))
        given = (min(asked[0], left[0]), min(asked[1], left[1]))
        return cls(given=given, left=(left[0] - given[0], left[1] - given[1]))


class Rates(Protocol):
    """What processes were granted of a minute's requests and tokens."""

    @property
    def shared(self) -> bool:
        """Whether other processes may draw from it; where none can, nobody need ask."""

    async def grant(self, scope: str, minute: int, *, asked: tuple[int, int], most: tuple[int, int]) -> Grant:
        """What is granted of what was asked for, so that all grants of the minute never exceed `most`.

        Args:
            minute: since the epoch; grants of earlier ones are forgotten.
            asked: requests and tokens.
            most: of the minute, requests and tokens.
        """
