"""The protocols beside the ledger: warnings that budgets near their end, and what each minute was granted to which process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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


class Rates(Protocol):
    """What processes were granted of a minute's requests and tokens."""

    async def grant(self, scope: str, minute: int, *, asked: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
        """(requests, tokens) granted of what was asked for, so that all grants of the minute never exceed `most`.

        Args:
            minute: since the epoch; grants of earlier ones are forgotten.
            asked: requests and tokens.
            most: of the minute, requests and tokens.
        """
