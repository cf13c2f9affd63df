"""Virtual keys in memory: looked up by hash on every request, read again every second."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from surefoot.app.loops import keep
from surefoot.errors import NotAuthenticated
from surefoot.records import Caller, Key
from surefoot.store import Store

LOCAL = Caller(key_id="local", tenant="local", scopes=("outcomes",))
_SECONDS = 1.0  # a revoked key is refused, a new one accepted, within this time


class KeyRing:
    """The living keys of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._callers: dict[str, Caller] = {}
        self._any = False

    def keyed(self) -> bool:
        """Whether any key was ever made: revoking the last one does not open the door."""
        return self._any

    def caller(self, key: str | None) -> Caller:
        """Whom a key stands for; the local caller when no key was ever made. Raises NotAuthenticated."""
        if not self._any:
            return LOCAL
        if not key:
            raise NotAuthenticated("a key is needed: send it as `Authorization: Bearer` or `x-api-key`")
        found = self._callers.get(sha256(key.encode()).hexdigest())
        if found is None:
            raise NotAuthenticated("this key is not known here or was revoked")
        return found

    async def refresh(self) -> None:
        """Read the keys again."""
        keys = await self._store.keys.all()
        self._any = bool(keys)
        self._callers = {
            key.hash: caller_of(key)
            for key in keys
            if key.revoked_at_ns is None
        }  # fmt: skip

    async def keep_fresh(self, on_lost: Callable[[str], None]) -> None:
        """Refresh for ever; when the store does not answer, the keys known so far go on counting."""
        await keep(self.refresh, every_seconds=_SECONDS, what="key refresh", on_lost=on_lost)


def caller_of(key: Key) -> Caller:
    """Whom a key stands for."""
    return Caller(
        key_id=key.id, tenant=key.tenant, features=key.features, budget_nanodollars=key.budget_nanodollars,
        budget_window=key.budget_window, budgets=key.budgets, scopes=key.scopes,
    )  # fmt: skip
