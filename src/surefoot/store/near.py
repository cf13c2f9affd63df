"""The near cache's part of a store: what lies near, what was proposed, and each feature's account of wrong answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec.structs import replace

from surefoot.records import Label, NearAccount, NearItem, NearMapRow, Proposal
from surefoot.records.near import EXPLORED, HIT


class Near(Protocol):
    """Vectors lie in the cache's own entries: whatever ends an entry ends them. Accounts are shared by all processes."""

    async def items(self, *, since_ns: int = 0) -> Sequence[NearItem]:
        """The cache's entries with a vector, put in from then on, oldest first; not those of erased subjects or old epochs."""

    async def held(self) -> Collection[tuple[str, str, str]]:
        """(tenant, feature, fingerprint) of every entry that `items` could give: what an index may still hold."""

    async def account(self, feature: str) -> NearAccount:
        """How a feature stands; zeros before its first request."""

    async def count(self, feature: str, requests: int) -> NearAccount:
        """Add requests to an account; how it stands then. Durable before it returns."""

    async def propose(self, proposal: Proposal, *, requests: int, room: int | None) -> tuple[bool, NearAccount]:
        """Whether a proposal within the bound may go ahead, and the account then; one transaction, durable before it returns.

        Args:
            proposal: HIT or EXPLORED, without a verdict. An explored one is pending from now on, and counts as wrong.
            requests: further ones that this process counted.
            room: wrong ones, pending included, that the account may come to if this one is wrong as well; None: no limit.
                Where it may not, only the requests are counted.
        """

    async def judge(self, request_id: str, right: bool, *, source: str, at_ns: int) -> bool:
        """Whether a verdict on a proposal is news: the first, or "wrong" after "right". Durable before it returns."""

    async def give_up(self, *, before_ns: int, at_ns: int) -> int:
        """Judge explored proposals from before then that have no verdict as wrong, by "silence"; returns how many."""

    async def get(self, request_id: str) -> Proposal | None:
        """What was proposed to a request, or None."""

    async def proposals(self, feature: str, *, judged_since_ns: int | None = None) -> Sequence[Proposal]:
        """A feature's proposals, oldest first; or only those judged from then on, in the order of their verdicts."""

    async def put_map(self, row: NearMapRow) -> bool:
        """Whether a fitted map is new: of a feature and a number of labels the first stands. Durable before it returns."""

    async def maps(self) -> Sequence[NearMapRow]:
        """Each feature's newest map, by feature."""


def judged(proposal: Proposal, right: bool, *, source: str, at_ns: int) -> Proposal | None:
    """A proposal with a verdict; None when it is no news. Pure, shared by every back-end."""
    if proposal.right is not None and (right or not proposal.right):
        return None
    return replace(proposal, right=right, source=source, judged_at_ns=at_ns)


def moved(account: NearAccount, before: Proposal | None, after: Proposal) -> NearAccount:
    """An account after a proposal's verdict, or its beginning (`before` None)."""
    if after.action != EXPLORED:
        return account
    pending = account.pending - (before is not None and before.right is None) + (after.right is None)
    wrong = account.seen_wrong + (after.right is False) - (before is not None and before.right is False)
    return replace(account, pending=pending, seen_wrong=wrong)


def proposed(
    account: NearAccount, proposal: Proposal, *, requests: int, room: int | None
) -> tuple[bool, NearAccount]:  # fmt: skip
    """What `Near.propose` does to an account."""
    account = replace(account, requests=account.requests + requests)
    if room is not None and account.seen_wrong + account.pending + 1 > room:
        return False, account
    explored = proposal.action == EXPLORED
    account = replace(account, explored=account.explored + explored, hits=account.hits + (not explored))
    return True, moved(account, None, proposal)


def told_by(proposal: Proposal, label: Label) -> Proposal | None:
    """A proposal after what somebody said of a draft of its request; None when that says nothing of it, or no news.

    A hit is what was judged. Of one that was withheld the model's own answer was: was that wrong, so was what agreed with it.
    """
    right = label.verdict == "accepted"
    if proposal.action == HIT:
        if label.rung != "cache":
            return None
    elif right or not proposal.right:
        return None
    source = "client" if label.source == "client" else "person"
    return judged(proposal, right, source=source, at_ns=label.at_ns)
