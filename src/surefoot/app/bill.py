"""The month's bill, read from the store."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.app.keys import caller_of
from surefoot.ledger.bill import DAY_NS, PROFILE_DAYS, Bill, Limit, Month, bill, billed
from surefoot.ledger.changes import Change, Period, compare, period
from surefoot.policy import Budgets
from surefoot.records import BudgetLimit, Caller, Spent
from surefoot.stats.forecast import LONGEST
from surefoot.store import Store

WEEK_NS = 7 * DAY_NS
_ALL_NS = 2**62  # one stretch, whatever the time: each request counts once
_CELL = ("feature", "rung", "model", "kind")


async def read_bill(store: Store, budgets: Budgets, month: Month, *, feature: str | None = None) -> Bill:
    """The bill of a month. Raises StoreError.

    Args:
        feature: only this one; the total is then its own.
    """
    today_ns = month.now_ns // DAY_NS * DAY_NS
    since_ns = month.start_ns if month.over else min(month.start_ns, today_ns - LONGEST * DAY_NS)
    until_ns = min(month.end_ns, month.now_ns + 1)
    by = ("tenant", "key_id", "feature", "kind")
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
        month, change=change,
        limits=[each for each in await _limits(store, budgets, days, month) if feature in (None, each.feature)],
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


async def _limits(store: Store, budgets: Budgets, days: Sequence[Spent], month: Month) -> list[Limit]:
    """Monthly budgets that some of the spending counts in; of several over one pot the lowest. Those that count people's
    minutes too are left out: the bill does not.
    """
    callers = {key.id: caller_of(key) for key in await store.keys.all()}
    found: dict[str, Limit] = {}
    for key_id, tenant, name in sorted({(row.key_id, row.tenant, row.feature) for row in billed(days)}):
        caller = callers.get(key_id) or Caller(key_id=key_id, tenant=tenant)
        for limit in budgets.limits(caller, name, month.now_ns):
            lowest = found.get(limit.scope)
            if limit.window != month.name or limit.scope.startswith("people+"):
                continue
            if lowest is None or limit.limit_nanodollars < lowest.nanodollars:
                found[limit.scope] = _limit(limit, caller, name)
    return list(found.values())


def _limit(limit: BudgetLimit, caller: Caller, feature: str) -> Limit:
    """What counts in a pot, read from its name."""
    places = {part.partition(":")[0] for part in limit.scope.split("/")}
    return Limit(
        key_id=caller.key_id if "key" in places else "", feature=feature if "feature" in places else "",
        tenant=caller.tenant if "tenant" in places else "", nanodollars=limit.limit_nanodollars,
    )  # fmt: skip
