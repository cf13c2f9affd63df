"""What is kept of people, as protocols: accounts, sessions, one-time links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from surefoot.records.person import Account, Change, Link, Session

DAY_NS = 86_400_000_000_000  # after which failed attempts are forgotten

Delay = Callable[[int], int]  # nanoseconds to wait after so many failures in a row


class Accounts(Protocol):
    """Who may log in. Names are unique for ever. Every change is in the audit trail, in the same transaction."""

    async def add(self, account: Account, *, by: str, only_first: bool = False) -> bool:
        """Whether the account is new: False when its name is taken, or with `only_first` when there is any account.

        Of several at once one wins. Durable before it returns.
        """

    async def get(self, name: str) -> Account | None:
        """The account, disabled or not; None when there is none."""

    async def all(self) -> Sequence[Account]:
        """Every account, disabled ones too, by name."""

    async def change(self, name: str, change: Change, *, kind: str, by: str, detail: str = "") -> bool:
        """Whether there was such an account to change, with an event "account." and this kind.

        Its sessions and links end in the same transaction: who changed is asked anew. Durable before it returns.
        """

    async def knock(self, door: str, *, at_ns: int, delay: Delay) -> tuple[int, int]:
        """(failures, until_ns): count an attempt as failed *before* its password is looked at.

        When `until_ns` of an earlier failure lies after `at_ns`, nothing is counted and (0, until_ns) says that it is not
        heard. Otherwise failures is the new count, from 1, and until_ns = at_ns + delay(failures) is when the next attempt
        will be heard. In one transaction, so that guesses made at once are counted each. After a day the count begins anew.

        Args:
            door: what is tried, known or not: a digest of the name.
            at_ns: when.
            delay: the wait after so many failures.
        """

    async def relent(self, door: str) -> None:
        """Forget the failed attempts at a door: the password was right. Durable before it returns."""


class Sessions(Protocol):
    """Who is logged in, and the one-time links by which somebody first is."""

    async def open(self, session: Session) -> None:
        """Keep a session. Durable before it returns."""

    async def get(self, session_id: str) -> Session | None:
        """The session, or None."""

    async def seen(self, session_id: str, *, at_ns: int) -> None:
        """Its person did something. Never goes back in time."""

    async def end(self, session_id: str) -> bool:
        """Whether there was such a session; it is gone when this returns."""

    async def sweep(self, *, opened_before_ns: int, seen_before_ns: int, now_ns: int) -> int:
        """Drop sessions opened or last seen before these times, and dead links; returns how many sessions went."""

    async def offer(self, link: Link) -> None:
        """Keep a link; another one of the same purpose and account ends. Durable before it returns."""

    async def look(self, link_id: str, *, at_ns: int) -> Link | None:
        """A link that can still be used, without using it."""

    async def take(self, link_id: str, *, at_ns: int) -> Link | None:
        """Use a link up: of several at once one gets it, the others None. Durable before it returns."""
