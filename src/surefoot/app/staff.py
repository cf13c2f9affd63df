"""The staff: accounts, and the one-time links by which people first come in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from surefoot.app.passwords import Passwords
from surefoot.app.peoplerules import SECOND, PeopleStore, Rules, door_of, fingerprint, tidy
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.records.audit import AuditEvent, AuditRow
from surefoot.records.person import ROLES, Account, Change, Link

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Staff:
    """Every account. Each verb says who does it, and the audit trail keeps that."""

    def __init__(self, store: PeopleStore, rules: Rules, passwords: Passwords, clock: Callable[[], int]) -> None:
        self._store, self._rules, self._passwords, self._clock = store, rules, passwords, clock

    async def create(self, name: str, role: str, *, shown: str = "", by: str) -> Account:
        """A new account without a password; a link lets its person choose one. Raises BadRequest when the name is taken."""
        account = self._new(name, role, shown)
        if not await self._store.accounts.add(account, by=by):
            raise BadRequest(f"there is an account {account.name} already; names are never used twice", param="name")
        return account

    async def link(self, name: str, *, by: str) -> str:
        """The token of a one-time link by which a person chooses a password. Raises NotFound, BadRequest for a disabled one."""
        account = await self._account(name)
        if account.disabled_at_ns is not None:
            raise BadRequest(f"account {account.name} is disabled")
        token = await self._offer("password", account.name)
        await self.record(account.name, "link", by=by)
        return token

    async def first_link(self) -> str | None:
        """The token of the link that makes the first manager; None when there is any account."""
        return None if await self._store.accounts.all() else await self._offer("first", "")

    async def invited(self, token: str) -> Link | None:
        """What a link is for, without using it; None when it is used, expired or unknown."""
        link = await self._store.sessions.look(fingerprint(token), at_ns=self._clock())
        if link is not None and link.purpose == "first" and await self._store.accounts.all():
            return None
        return link

    async def accept(self, token: str, password: str, *, name: str = "", shown: str = "") -> str:
        """Use a link: choose a password, or become the first manager. The account's name.

        Everything that can be mistyped is looked at before the link is used up.

        Raises: BadRequest for a password or name that will not do, NotAllowed when the link can no longer be used.
        """
        link = await self.invited(token)
        if link is None:
            raise NotAllowed("this link was used or is too old; ask for another one")
        first = link.purpose == "first"
        account = self._new(name, "manager", shown) if first else await self._account(link.account)
        self._passwords.check(password, account.name)
        secret = await self._passwords.hashed(password)
        if await self._store.sessions.take(link.id, at_ns=self._clock()) is None:
            raise NotAllowed("this link was used or is too old; ask for another one")
        if first:
            if not await self._store.accounts.add(replace(account, password=secret), by="link", only_first=True):
                raise NotAllowed("there is an account already; ask a manager for one of your own")
            return account.name
        if account.disabled_at_ns is not None:
            raise NotAllowed("this account is disabled")
        await self.change(account.name, Change(password=secret), "password", by="link")
        await self._store.accounts.relent(door_of(account.name))
        return account.name

    async def grant(self, name: str, role: str, *, by: str) -> None:
        """Another role; the person's sessions end. Raises NotFound, BadRequest: the last manager stays one."""
        if role not in ROLES:
            raise BadRequest(f"there is no role {role!r}; write one of {', '.join(ROLES)}", param="role")
        account = await self._account(name)
        if account.role == "manager" and role != "manager":
            await self._keep_a_manager(account.name)
        await self.change(account.name, Change(role=role), "role", by=by, detail=f"{account.role} -> {role}")

    async def disable(self, name: str, *, by: str) -> None:
        """Nobody logs in as this any more; its sessions end at once. Raises NotFound, BadRequest for the last manager."""
        account = await self._account(name)
        if account.disabled_at_ns is None:
            await self._keep_a_manager(account.name)
            await self.change(account.name, Change(disabled_at_ns=self._clock()), "disabled", by=by)

    async def enable(self, name: str, *, by: str) -> None:
        """Let somebody back in. Raises NotFound."""
        account = await self._account(name)
        if account.disabled_at_ns is not None:
            await self.change(account.name, Change(disabled_at_ns=None), "enabled", by=by)

    async def all(self) -> Sequence[Account]:
        """Every account by name, without passwords' hashes: "set" where there is one."""
        return [replace(each, password="set" if each.password else "") for each in await self._store.accounts.all()]

    async def events(self, account: str = "") -> Sequence[AuditRow]:
        """What happened to accounts, newest first."""
        return await self._store.audit.events(kind="account.", on=account)

    async def change(self, name: str, change: Change, kind: str, *, by: str, detail: str = "") -> None:
        """Change an account; its sessions and links end. Raises NotFound."""
        if not await self._store.accounts.change(name, change, kind=kind, by=by, detail=detail):
            raise NotFound(f"there is no account {name!r}")

    async def record(self, account: str, kind: str, *, by: str, detail: str = "") -> None:
        """Write down what happened to an account and changed nothing about it."""
        await self._store.audit.add(AuditEvent(kind=f"account.{kind}", by=by, on=account, detail=detail))

    async def _account(self, name: str) -> Account:
        account = await self._store.accounts.get(tidy(name))
        if account is None:
            raise NotFound(f"there is no account {tidy(name)!r}")
        return account

    async def _offer(self, purpose: str, account: str) -> str:
        token = secrets.token_urlsafe(32)
        expires = self._clock() + int(self._rules.link_seconds * SECOND)
        await self._store.sessions.offer(
            Link(id=fingerprint(token), purpose=purpose, account=account, expires_at_ns=expires)
        )
        return token

    async def _keep_a_manager(self, name: str) -> None:
        """Raises BadRequest when nobody else could manage accounts."""
        managers = [
            a.name for a in await self._store.accounts.all() if a.role == "manager" and a.disabled_at_ns is None
        ]
        if managers == [name]:
            raise BadRequest(f"{name} is the last manager; make another one first")

    def _new(self, name: str, role: str, shown: str) -> Account:
        name, shown = tidy(name), " ".join(shown.split())
        if not _NAME.fullmatch(name):
            raise BadRequest("an account's name is of a-z, 0-9 and . _ @ -, at most 64 characters", param="name")
        if role not in ROLES:
            raise BadRequest(f"there is no role {role!r}; write one of {', '.join(ROLES)}", param="role")
        if len(shown) > 100 or not shown.isprintable():
            raise BadRequest("a name as colleagues read it has at most 100 printable characters", param="shown")
        return Account(name=name, shown=shown or name, role=role, created_at_ns=self._clock())
