"""Accounts, sessions and one-time links in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from surefoot.records.person import Account, Change, Link, Session
from surefoot.store.people import DAY_NS, Delay


class Trail(Protocol):
    """The part of the audit trail that people need."""

    def note(self, *, kind: str, by: str = "", on: str = "", detail: str = "") -> None:
        """Write an event."""


class MemorySessions:
    """`Sessions` in dictionaries."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._links: dict[str, Link] = {}

    async def open(self, session: Session) -> None:
        """Keep a session."""
        self._sessions[session.id] = session

    async def get(self, session_id: str) -> Session | None:
        """The session, or None."""
        return self._sessions.get(session_id)

    async def seen(self, session_id: str, *, at_ns: int) -> None:
        """Its person did something. Never goes back in time."""
        session = self._sessions.get(session_id)
        if session is not None and session.seen_at_ns < at_ns:
            self._sessions[session_id] = replace(session, seen_at_ns=at_ns)

    async def end(self, session_id: str) -> bool:
        """Whether there was such a session."""
        return self._sessions.pop(session_id, None) is not None

    async def sweep(self, *, opened_before_ns: int, seen_before_ns: int, now_ns: int) -> int:
        """Drop sessions opened or last seen before these times, and dead links; returns how many sessions went."""
        gone = [
            each.id
            for each in self._sessions.values()
            if each.opened_at_ns < opened_before_ns or each.seen_at_ns < seen_before_ns
        ]
        for name in gone:
            del self._sessions[name]
        self._links = {name: link for name, link in self._links.items() if link.expires_at_ns > now_ns}
        return len(gone)

    async def offer(self, link: Link) -> None:
        """Keep a link; another one of the same purpose and account ends."""
        same = (link.purpose, link.account)
        self._links = {name: old for name, old in self._links.items() if (old.purpose, old.account) != same}
        self._links[link.id] = link

    async def look(self, link_id: str, *, at_ns: int) -> Link | None:
        """A link that can still be used, without using it."""
        link = self._links.get(link_id)
        return link if link is not None and link.expires_at_ns > at_ns else None

    async def take(self, link_id: str, *, at_ns: int) -> Link | None:
        """Use a link up."""
        link = await self.look(link_id, at_ns=at_ns)
        self._links.pop(link_id, None)
        return link

    def forget(self, account: str) -> int:
        """End an account's sessions and links; returns how many sessions there were."""
        gone = [each.id for each in self._sessions.values() if each.account == account]
        for name in gone:
            del self._sessions[name]
        self._links = {name: link for name, link in self._links.items() if link.account != account}
        return len(gone)


class MemoryAccounts:
    """`Accounts` in a dictionary."""

    def __init__(self, sessions: MemorySessions, trail: Trail) -> None:
        self._sessions, self._trail = sessions, trail
        self._accounts: dict[str, Account] = {}
        self._knocks: dict[str, tuple[int, int, int]] = {}  # by name's digest: failures, until, last

    async def add(self, account: Account, *, by: str, only_first: bool = False) -> bool:
        """Whether the account is new: its name is free, and with `only_first` there is no other account."""
        if account.name in self._accounts or (only_first and self._accounts):
            return False
        self._accounts[account.name] = account
        self._trail.note(kind="account.created", by=by, on=account.name, detail=account.role)
        return True

    async def get(self, name: str) -> Account | None:
        """The account, disabled or not; None when there is none."""
        return self._accounts.get(name)

    async def all(self) -> Sequence[Account]:
        """Every account, disabled ones too, by name."""
        return [self._accounts[name] for name in sorted(self._accounts)]

    async def change(self, name: str, change: Change, *, kind: str, by: str, detail: str = "") -> bool:
        """Whether there was such an account to change; its sessions and links end."""
        if name not in self._accounts:
            return False
        self._accounts[name] = replace(self._accounts[name], **change.values())
        self._sessions.forget(name)
        self._trail.note(kind=f"account.{kind}", by=by, on=name, detail=detail)
        return True

    async def knock(self, door: str, *, at_ns: int, delay: Delay) -> tuple[int, int]:
        """(failures, until_ns): count an attempt as failed before it is looked at; (0, until_ns) when it is not heard."""
        failures, until_ns, last_ns = self._knocks.get(door, (0, 0, 0))
        if until_ns > at_ns:
            return 0, until_ns
        failures = 1 if at_ns - last_ns > DAY_NS else failures + 1
        self._knocks = {name: knock for name, knock in self._knocks.items() if at_ns - knock[2] <= DAY_NS}
        self._knocks[door] = (failures, at_ns + delay(failures), at_ns)
        return failures, at_ns + delay(failures)

    async def relent(self, door: str) -> None:
        """Forget the failed attempts at a door."""
        self._knocks.pop(door, None)
