"""Revenue, append-only; and roll-ups of what is spent, asked and earned, filled from the ledger and the journal so far."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_DIMENSIONS = ("tenant", "feature", "key_id", "prompt", "outcome", "rung", "provider", "model", "kind")
_OUTCOMES = {"deliver": "delivered", "escalate": "escalated", "fail": "failed", "refuse": "refused"}
_DAY_NS = 86_400_000_000_000
_MANY = 5000

_Series = tuple[str, ...]


def upgrade() -> None:
    """Make the tables and the triggers, then fill the roll-ups."""
    op.create_table(
        "revenue",
        *_texts("id", "request_id"),
        *_numbers("at_ns"),
        *_texts("tenant", "key_id", "feature", "outcome"),
        *_numbers("nanodollars"),
        *_texts("price_version", "by"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("revenue_request", "revenue", ["request_id"])
    op.create_table(
        "series",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        *_texts(*_DIMENSIONS),
    )
    op.create_index("series_values", "series", list(_DIMENSIONS), unique=True)
    _rollup("daily_costs", "entries", "quantity", "nanodollars", "estimated_nanodollars")
    _rollup(
        "daily_requests", "requests", "earnings", "revenue_nanodollars", "baseline_requests", "baseline_nanodollars",
        "compared_nanodollars",
    )  # fmt: skip
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()
    _fill(op.get_bind())


def downgrade() -> None:
    """Refused: what was earned is not dropped by a command."""
    raise NotImplementedError("revenue is not dropped; restore a backup instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _rollup(name: str, *measures: str) -> None:
    place = ("series", "day", "shard")
    keys = [sa.Column(key, sa.BigInteger, nullable=False, autoincrement=False) for key in place]
    op.create_table(
        name, *keys, *_numbers(*measures), sa.PrimaryKeyConstraint(*place), sqlite_with_rowid=False
    )  # fmt: skip


def _guard_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER revenue_no_{verb.lower()} BEFORE {verb} ON revenue "
            "BEGIN SELECT RAISE(ABORT, 'revenue is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER revenue_no_replace BEFORE INSERT ON revenue "
        "WHEN EXISTS (SELECT 1 FROM revenue WHERE id = NEW.id) BEGIN SELECT RAISE(IGNORE); END"
    )


def _guard_postgres() -> None:
    op.execute(
        "CREATE TRIGGER revenue_no_change BEFORE UPDATE OR DELETE ON revenue "
        "FOR EACH ROW EXECUTE FUNCTION surefoot_append_only()"
    )
    op.execute(
        "CREATE TRIGGER revenue_no_truncate BEFORE TRUNCATE ON revenue "
        "FOR EACH STATEMENT EXECUTE FUNCTION surefoot_append_only()"
    )


_Journaled = dict[str, Any]  # a journal entry as it was written so far
_decode = msgspec.json.decode


def _fill(connection: sa.Connection) -> None:
    """Sum all that was written so far. Read as a stream: only the sums are held."""
    streamed = {"stream_results": True, "yield_per": _MANY}
    costs: dict[tuple[_Series, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    wanted = (
        "SELECT l.request_id, l.at_ns, l.tenant, l.feature, l.key_id, l.rung, l.provider, l.model, l.kind, l.quantity, "
        "l.nanodollars, l.estimated, j.body FROM ledger l LEFT JOIN journal j ON j.request_id = l.request_id "
        "ORDER BY l.request_id"
    )
    request, prompt, outcome = "", "", ""
    for row in connection.execute(sa.text(wanted), execution_options=streamed):
        if row.request_id != request:
            request, (prompt, outcome) = row.request_id, _ended(row.body)
        ahead = row.kind == "reservation"
        ended = ("", "unsettled") if ahead else (prompt, outcome)
        series = (row.tenant, row.feature, row.key_id, *ended, row.rung, row.provider, row.model, row.kind)
        sums = costs[series, row.at_ns // _DAY_NS]
        for place, more in enumerate((1, row.quantity, row.nanodollars, row.nanodollars if row.estimated else 0)):
            sums[place] += more
    requests: dict[tuple[_Series, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    for (body,) in connection.execute(sa.text("SELECT body FROM journal"), execution_options=streamed):
        entry = _decode(body)
        ended = (_prompt(entry), _OUTCOMES.get(entry["action"], entry["action"]))
        series = (entry["tenant"], entry["feature"], entry["key_id"], *ended, *_answered(entry), "")
        requests[series, entry["at_ns"] // _DAY_NS][0] += 1
    _write(connection, {"daily_costs": costs, "daily_requests": requests})


def _write(connection: sa.Connection, sums: dict[str, dict[tuple[_Series, int], list[int]]]) -> None:
    every = sorted({series for places in sums.values() for series, _ in places})
    numbers: dict[_Series, int] = {}
    rows = [dict(zip(_DIMENSIONS, series, strict=True)) for series in every]
    table = sa.table("series", *(sa.column(name) for name in _DIMENSIONS))
    if rows:
        connection.execute(table.insert(), rows)
        known = sa.text(f"SELECT id, {', '.join(_DIMENSIONS)} FROM series")
        numbers = {tuple(row[1:]): row[0] for row in connection.execute(known)}
    for name, places in sums.items():
        columns = ["series", "day", "shard", *(column["name"] for column in sa.inspect(connection).get_columns(name)[3:])]
        added = [
            dict(zip(columns, (numbers[series], day, 0, *each), strict=True)) for (series, day), each in places.items()
        ]
        if added:
            connection.execute(sa.table(name, *(sa.column(column) for column in columns)).insert(), added)


def _ended(body: bytes | None) -> tuple[str, str]:
    """(prompt, outcome) of a request; of one that never ended ("", "unsettled")."""
    if body is None:
        return "", "unsettled"
    entry = _decode(body)
    return _prompt(entry), _OUTCOMES.get(entry["action"], entry["action"])


def _prompt(entry: _Journaled) -> str:
    found = (step["value"]["question"] for step in entry["steps"] if step["value"].get("type") == "read")
    return str(next((question.get("prompt", "") for question in found), ""))


def _answered(entry: _Journaled) -> tuple[str, str, str]:
    """(rung, provider, model) of whoever answered; three times "" when nobody did."""
    found = ("", "", "")
    for step in entry["steps"]:
        value = step["value"]
        if value.get("type") == "draft" and entry["action"] == "deliver" and step["rung"] == entry["rung"]:
            found = (value["rung"], value["provider"], value["model"][:200])
        elif value.get("type") == "escalate" and entry["action"] == "escalate":
            found = ("person", "person", value["role"])
    return found
