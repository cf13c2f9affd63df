"""Proposals, accounts and cached answers within a transaction that does something else too: a commit, a label, a verdict.

Locks: proposals by request, then accounts by feature; whoever enters a proposal locks its account and then adds a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from surefoot.records import Label, NearAccount, Proposal
from surefoot.records.near import HIT
from surefoot.store import schema
from surefoot.store.near import judged, moved, told_by

_table, _accounts = schema.near_proposals, schema.near_accounts
_inputs = msgspec.json.Decoder(tuple[float, ...]).decode
_MOST_GROUPS = 500  # answers that are looked for in one statement


def write(connection: Connection, proposals: Iterable[Proposal | None]) -> None:
    """What commits bring: watched proposals, and verdicts on explored ones; one that stands and has a verdict stays."""
    changes: list[tuple[Proposal, Proposal]] = []
    some = [proposal for proposal in proposals if proposal is not None]
    for proposal in sorted(some, key=lambda each: each.request_id):
        if add(connection, proposal) or proposal.right is None:
            continue
        before = locked(connection, proposal.request_id)
        if before is None:
            continue
        after = judged(before, proposal.right, source=proposal.source, at_ns=proposal.judged_at_ns)
        if after is not None:
            changes.append((before, msgspec.structs.replace(after, nanodollars=proposal.nanodollars)))
    if changes:
        take(connection, changes)


def hear(connection: Connection, label: Label) -> None:
    """What somebody said of a draft of a request; nothing where it had no proposal."""
    before = locked(connection, label.request_id)
    after = told_by(before, label) if before is not None else None
    if before is not None and after is not None:
        take(connection, [(before, after)])


def take(connection: Connection, changes: Sequence[tuple[Proposal, Proposal]]) -> None:
    """Write proposals' verdicts and move their accounts by them."""
    for _, after in changes:
        values = {name: getattr(after, name) for name in ("right", "source", "judged_at_ns", "nanodollars")}
        connection.execute(_table.update().where(_table.c.request_id == after.request_id).values(values))
    for feature in sorted({after.feature for _, after in changes}):
        account = held(connection, feature)
        for before, after in changes:
            if after.feature == feature:
                account = moved(account, before, after)
        keep(connection, account, feature)


def add(connection: Connection, proposal: Proposal) -> bool:
    """Whether a request had no proposal yet; now it has."""
    row = msgspec.structs.asdict(proposal) | {"inputs": msgspec.json.encode(proposal.inputs).decode()}
    insert = _insert(connection)(_table).values(row).on_conflict_do_nothing().returning(_table.c.request_id)
    return connection.execute(insert).first() is not None


def locked(connection: Connection, request_id: str) -> Proposal | None:
    """A request's proposal, locked until the transaction ends; None when it has none."""
    row = connection.execute(select(_table).where(_table.c.request_id == request_id).with_for_update()).first()
    return None if row is None else proposal_of(row)


def held(connection: Connection, feature: str) -> NearAccount:
    """A feature's account, its row made where there is none, and locked."""
    names = NearAccount.__struct_fields__
    wanted = select(*(_accounts.c[name] for name in names)).where(_accounts.c.feature == feature).with_for_update()
    row = connection.execute(wanted).first()
    if row is None:
        zeros = {"feature": feature} | dict.fromkeys(names, 0)
        connection.execute(_insert(connection)(_accounts).values(zeros).on_conflict_do_nothing())
        row = connection.execute(wanted).one()
    return NearAccount(**row._mapping)


def keep(connection: Connection, account: NearAccount, feature: str) -> None:
    """Write an account that `held` locked."""
    changed = _accounts.update().where(_accounts.c.feature == feature)
    connection.execute(changed.values(msgspec.structs.asdict(account)))


def retract(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    """Drop the cached answers for which all conditions hold, and every entry that is the same answer; how many went."""
    cache = schema.cache.c
    found = connection.execute(select(cache.tenant, cache.feature, cache.answer).where(*conditions)).all()
    count = connection.execute(schema.cache.delete().where(*conditions)).rowcount
    groups = sorted({tuple(row) for row in found if row.answer})
    for start in range(0, len(groups), _MOST_GROUPS):
        same = [
            and_(cache.tenant == tenant, cache.feature == feature, cache.answer == answer)
            for tenant, feature, answer in groups[start : start + _MOST_GROUPS]
        ]
        count += connection.execute(schema.cache.delete().where(or_(*same))).rowcount
    return count


def given(request_id: str) -> Any:
    """The fingerprint of the entry that a request was given for a near question, as a subquery; empty when there is none."""
    return select(_table.c.item).where(_table.c.request_id == request_id, _table.c.action == HIT)


def proposal_of(row: Row[Any]) -> Proposal:
    """The proposal that a row holds."""
    fields = dict(row._mapping)
    fields["inputs"] = _inputs(fields["inputs"])
    return Proposal(**fields)


def _insert(connection: Connection) -> Callable[..., Any]:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
