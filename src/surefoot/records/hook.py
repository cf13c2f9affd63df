"""Whom to call when a case has its answer, and what became of each call."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct


class Hook(Struct, frozen=True, kw_only=True):
    """One address to be called once about one case. A row: it survives restarts, and replicas share the work."""

    id: str  # "hook_...", of case and address: registering twice is registering once; what the receiver knows a repeat by
    case_id: str
    tenant: str
    feature: str
    url: str  # whole; "" when its tenant was erased. It may hold secrets: people are shown `place`
    at_ns: int  # when it was registered
    state: str = "waiting"  # "waiting" | "delivered" | "failed": given up, or refused
    attempts: int = 0
    due_at_ns: int = 0  # not before; counts once the case has ended

    @property
    def place(self) -> str:
        """The address as it may be shown and kept in clear: without path and query."""
        return place_of(self.url)


def place_of(url: str) -> str:
    """An address without what may be secret: "https://shop.example/…"; path, query and userinfo are left out."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/…" if url else ""


class HookClaim(Struct, frozen=True, kw_only=True):
    """A hook that this process may call until its lease ends; the fence tells a late report from a current one."""

    hook: Hook
    fence: int


class HookAttempt(Struct, frozen=True, kw_only=True):
    """One line of the delivery log. Append-only."""

    hook_id: str
    at_ns: int
    number: int  # from 1
    outcome: str  # "delivered" | "failed": tried again | "given_up": the last one | "refused": never sent
    status: int | None = None  # the receiver's HTTP status; None when there was none
    detail: str = ""  # for people
    milliseconds: int = 0
