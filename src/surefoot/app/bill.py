"""The month's bill, read from the store."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.ledger.bill import DAY_NS, PROFILE_DAYS, Bill, Limit, Month, bill, billed
from surefoot.ledger.changes import Change, Period, compare, period
from surefoot.policy import Policy
from surefoot.records import Spent
from surefoot.stats.forecast import LONGEST
from surefoot.store import Store

WEEK_NS = 7 * DAY_NS
_ALL_NS = 2**62  # one stretch, whatever the time: each request counts once
_CELL = ("feature", "rung", "model", "kind")


async def read_bill(store: Store, policy: Policy, month: Month, *, feature: str | None = None) -> Bill:
    """The bill of a month. Raises StoreError.

    Args:
        feature: only this one; the total is then its own.
    """
    today_ns = month.now_ns // DAY_NS * DAY_NS
    since_ns = month.start_ns if month.over else min(month.start_ns, today_ns - LONGEST * DAY_NS)
    until_ns = min(month.end_ns, month.now_ns + 1)
    by = ("key_id", "feature", "kind")
    days = await store.ledger.spent(by=by, since_ns=since_ns, until_ns=until_ns, step_ns=DAY_NS)
    hours: Sequence[Spent] = ()
    if not month.over:
        hours = await store.ledger.spent(by=by, since_ns=today_ns - PROFILE_DAYS * DAY_NS, until_ns=until_ns)
    change = None
    if not month.over:
        change = await read_change(store, today_ns, feature=feature)
    return bill(
        [row for row in days if feature in (None, row.feature)],
        [row for row in hours if feature in (None, row.feature)],
        month, change=change, limits=[each for each in await _limits(store, policy, days) if feature in (None, each.feature)],
    )  # fmt: skip


async def read_change(store: Store, end_ns: int, *, feature: str | None = None) -> Change | None:
    """The seven days before a moment against the seven before them; None when nothing was spent in either."""
    return await compare_windows(store, end_ns - WEEK_NS, end_ns, feature=feature)


async def compare_windows(store: Store, start_ns: int, end_ns: int, *, feature: str | None = None) -> Change | None:
    """A stretch of time against the same of a week before; None when nothing was spent in either. Raises StoreError."""
    before = await _period(store, start_ns - WEEK_NS, end_ns - WEEK_NS, feature)
    after = await _period(store, start_ns, end_ns, feature)
    return compare(before, after) if before.cells or after.cells else None


async def _period(store: Store, start_ns: int, end_ns: int, feature: str | None) -> Period:
    rows = billed(await store.ledger.spent(by=_CELL, since_ns=start_ns, until_ns=end_ns, step_ns=_ALL_NS))
    counted = await store.ledger.spent(by=("feature",), since_ns=start_ns, until_ns=end_ns, step_ns=_ALL_NS)
    known = {row.feature for row in rows if feature in (None, row.feature)}
    return period(
        (row for row in rows if row.feature in known),
        requests=sum(row.requests for row in counted if row.feature in known),
    )


async def _limits(store: Store, policy: Policy, days: Sequence[Spent]) -> list[Limit]:
    """Monthly budgets of keys that spent something: of the feature for each key, and the key's own for each feature."""
    keys = {key.id: key for key in await store.keys.all() if key.revoked_at_ns is None}
    found = []
    for key_id, name in sorted({(row.key_id, row.feature) for row in billed(days)}):
        limits = []
        rules, key = policy.features.get(name), keys.get(key_id)
        if rules is not None and rules.budget_nanodollars is not None and rules.budget_window == "month":
            limits.append(rules.budget_nanodollars)
        if key is not None and key.budget_nanodollars is not None and key.budget_window == "month":
            limits.append(key.budget_nanodollars)
        if limits:
            found.append(Limit(key_id=key_id, feature=name, nanodollars=min(limits)))
    return found
