"""The first tables, and the triggers that keep journal, ledger and case events append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_APPEND_ONLY = ("journal", "ledger", "case_events")


def upgrade() -> None:
    """Make every table, then the triggers."""
    _journal()
    _content()
    _money()
    _cases()
    _cache()
    _settings()
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgres()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """Refused: there is nothing before the first tables, and an audit record is not dropped by a command."""
    raise NotImplementedError("the first migration cannot be undone; delete the database instead")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def _bytes(*names: str, null: bool = False) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=null) for name in names]


def _journal() -> None:
    op.create_table(
        "chains", *_texts("id"), *_ints("started_at_ns"), *_bytes("genesis"), sa.PrimaryKeyConstraint("id")
    )
    op.create_table(
        "journal",
        *_texts("chain"),
        sa.Column("position", sa.BigInteger, nullable=False, autoincrement=False),
        *_texts("request_id"),
        *_ints("at_ns"),
        *_texts("tenant", "key_id", "feature", "subject"),
        *_bytes("body", "prev_hash", "hash"),
        sa.PrimaryKeyConstraint("chain", "position"),
    )
    op.create_index("journal_request", "journal", ["request_id"], unique=True)
    op.create_index("journal_time", "journal", ["at_ns"])


def _content() -> None:
    op.create_table(
        "contents",
        *_texts("request_id", "subject"),
        *_ints("generation"),
        *_bytes("nonce", "ciphertext"),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("contents_subject", "contents", ["subject", "generation"])
    op.create_table(
        "subjects",
        *_texts("subject"),
        sa.Column("generation", sa.BigInteger, nullable=False, autoincrement=False),
        *_bytes("wrapped_key", null=True),
        *_ints("created_at_ns"),
        *_ints("destroyed_at_ns", null=True),
        sa.PrimaryKeyConstraint("subject", "generation"),
    )


def _money() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        *_texts("request_id"),
        *_ints("at_ns"),
        *_texts("tenant", "key_id", "feature", "rung", "provider", "model", "kind"),
        *_ints("quantity", "price_per_million", "nanodollars"),
        *_texts("price_version"),
        sa.Column("estimated", sa.Boolean, nullable=False),
        *_texts("note"),
    )
    op.create_index("ledger_request", "ledger", ["request_id"])
    op.create_table(
        "reservations",
        *_texts("id", "request_id"),
        *_ints("at_ns"),
        *_texts("tenant", "key_id", "feature", "rung", "provider", "model"),
        *_ints("nanodollars"),
        *_texts("limits", "owner"),
        *_ints("booked_at_ns", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "budgets", *_texts("scope", "window"), *_ints("spent", "reserved"), sa.PrimaryKeyConstraint("scope", "window")
    )


def _cases() -> None:
    op.create_table(
        "cases",
        *_texts("id", "request_id", "tenant", "feature", "role", "state", "reason"),
        *_ints("opened_at_ns"),
        *_texts("subject", "fingerprint"),
        sa.Column("p", sa.Double, nullable=True),
        *_ints("generation", null=True),
        *_bytes("answer", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("cases_state", "cases", ["state", "opened_at_ns"])
    op.create_table(
        "case_events",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True, nullable=False),
        *_texts("case_id"),
        *_ints("at_ns"),
        *_texts("kind", "detail"),
    )
    op.create_index("case_events_case", "case_events", ["case_id"])


def _cache() -> None:
    op.create_table(
        "cache",
        *_texts("tenant", "feature", "fingerprint"),
        *_ints("epoch"),
        *_texts("request_id"),
        *_ints("at_ns", "expires_at_ns"),
        *_texts("model", "provider", "finish"),
        sa.Column("p", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        *_texts("subject"),
        *_ints("generation"),
        *_bytes("body"),
        sa.PrimaryKeyConstraint("tenant", "feature", "fingerprint"),
    )
    op.create_index("cache_request", "cache", ["request_id"])
    op.create_index("cache_newest", "cache", ["at_ns", "fingerprint"])
    op.create_index("cache_expiry", "cache", ["expires_at_ns"])
    op.create_table(
        "cache_epochs", *_texts("tenant", "feature"), *_ints("epoch"), sa.PrimaryKeyConstraint("tenant", "feature")
    )


def _settings() -> None:
    op.create_table("settings", *_texts("name"), *_bytes("value"), sa.PrimaryKeyConstraint("name"))
    op.create_table("policies", *_texts("version"), *_bytes("data"), *_ints("at_ns"), sa.PrimaryKeyConstraint("version"))
    op.create_table(
        "keys",
        *_texts("id", "prefix", "hash", "tenant", "features"),
        *_ints("budget_nanodollars", null=True),
        *_texts("budget_window"),
        *_ints("created_at_ns"),
        *_ints("revoked_at_ns", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("keys_hash", "keys", ["hash"], unique=True)


def _guard_sqlite() -> None:
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgres() -> None:
    op.execute(
        "CREATE FUNCTION surefoot_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION surefoot_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION surefoot_append_only()"
        )
