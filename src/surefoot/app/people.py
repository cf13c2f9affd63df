"""People: who may come in, who is logged in, and what they sign."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import structlog
from msgspec import Struct

from surefoot.app.loops import keep
from surefoot.app.passwords import FAKE, Passwords
from surefoot.app.peoplerules import SECOND, PeopleStore, Rules, door_of, fingerprint, tidy
from surefoot.app.staff import Staff
from surefoot.errors import LoginRefused
from surefoot.records.person import Account, Change, Person, Session

_SWEEP_SECONDS = 60.0

log = structlog.get_logger("surefoot")


class LoggedIn(Struct, frozen=True, kw_only=True):
    """A session that is alive, and whose it is."""

    session: Session
    person: Person


class People:
    """The people of a store. Every verb says who does it; none of them ever writes a secret to the log."""

    def __init__(
        self, store: PeopleStore, rules: Rules | None = None, *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self.rules, self._clock = store, rules or Rules(), clock
        self._passwords = Passwords()
        self.staff = Staff(store, self.rules, self._passwords, clock)

    async def login(self, name: str, password: str, *, replaces: str | None = None) -> str:
        """The token of a new session. Raises LoginRefused: for an unknown name as for a wrong password.

        Args:
            name: in any case of letters.
            password: as typed.
            replaces: the token of a session of this browser, which ends.
        """
        name = tidy(name)
        account = await self._proved(name, password)
        if replaces:
            await self._store.sessions.end(fingerprint(replaces))
        token, now = secrets.token_urlsafe(32), self._clock()
        await self._store.sessions.open(
            Session(id=fingerprint(token), account=account.name, opened_at_ns=now, seen_at_ns=now)
        )
        await self.staff.record(account.name, "login", by=account.name)
        return token

    async def current(self, token: str | None, *, acts: bool = True) -> LoggedIn | None:
        """Who a token stands for now; None when it is unknown, idle for too long, too old, or its account is disabled.

        Args:
            token: from the cookie.
            acts: whether the person does something, so that the session stays alive. A page that listens does not count.
        """
        if not token or len(token) > 200:
            return None
        session, now = await self._store.sessions.get(fingerprint(token)), self._clock()
        if session is None:
            return None
        account = await self._store.accounts.get(session.account)
        idle = now - session.seen_at_ns > self.rules.idle_seconds * SECOND
        old = now - session.opened_at_ns > self.rules.longest_seconds * SECOND
        if account is None or account.disabled_at_ns is not None or idle or old:
            await self._store.sessions.end(session.id)
            return None
        if acts and now - session.seen_at_ns > self.rules.idle_seconds * SECOND / 60:
            await self._store.sessions.seen(session.id, at_ns=now)
        return LoggedIn(session=session, person=account.person)

    async def logout(self, token: str) -> None:
        """End a session; what is unknown is ended already."""
        session = await self._store.sessions.get(fingerprint(token))
        if session is not None and await self._store.sessions.end(session.id):
            await self.staff.record(session.account, "logout", by=session.account)

    async def prove(self, name: str, password: str) -> Person:
        """The person whose name and password these are: what a signature asks for. Raises LoginRefused, as a login does.

        A wrong password counts as a failed login.
        """
        return (await self._proved(tidy(name), password)).person

    async def choose_password(self, person: Person, old: str, new: str) -> None:
        """Another password; every session of the person ends. Raises LoginRefused, BadRequest."""
        account = await self._proved(person.name, old)
        self._passwords.check(new, account.name)
        secret = await self._passwords.hashed(new)
        await self.staff.change(account.name, Change(password=secret), "password", by=person.name)

    async def keep_tidy(self, on_lost: Callable[[str], None]) -> None:
        """Drop what has expired, for ever."""
        await keep(self._sweep, every_seconds=_SWEEP_SECONDS, what="session sweep", on_lost=on_lost)

    async def _sweep(self) -> None:
        now = self._clock()
        await self._store.sessions.sweep(
            opened_before_ns=now - int(self.rules.longest_seconds * SECOND),
            seen_before_ns=now - int(self.rules.idle_seconds * SECOND), now_ns=now,
        )  # fmt: skip

    def delay(self, failures: int) -> int:
        """Nanoseconds until the next attempt is heard, after so many failures in a row: 0, then doubling from two seconds."""
        over = failures - self.rules.free_failures
        return 0 if over <= 0 else int(min(2.0 ** min(over, 40), self.rules.longest_delay_seconds) * SECOND)

    async def _proved(self, name: str, password: str) -> Account:
        """The account whose password this is. Raises LoginRefused.

        The attempt is counted before the password is looked at, and an unknown name takes as long as a wrong password.
        """
        now = self._clock()
        failures, until_ns = await self._store.accounts.knock(door_of(name), at_ns=now, delay=self.delay)
        if not failures:
            raise LoginRefused("too many attempts", wait_seconds=max(1, -(-(until_ns - now) // SECOND)))
        account = await self._store.accounts.get(name)
        kept = account.password if account is not None and account.password else FAKE
        right = await self._passwords.match(password, kept)
        if not right or account is None or not account.password or account.disabled_at_ns is not None:
            if account is not None and failures == self.rules.free_failures + 1:
                await self.staff.record(account.name, "locked", by="", detail=f"after {failures} wrong passwords")
            log.info("a login was refused", failures=failures)
            raise LoginRefused("the name or the password is wrong")
        await self._store.accounts.relent(door_of(name))
        return account
