"""The tables: one schema for SQLite and PostgreSQL. Only the migrations make them; here they are named for queries.

Money is in nano-dollars, times are UTC nanoseconds since the epoch. What is in APPEND_ONLY is
append-only: triggers refuse UPDATE and DELETE. Erasing a person destroys the key in `subjects`, nothing else.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Table

from surefoot.store import rolluptables
from surefoot.store.columns import SERIAL as _SERIAL
from surefoot.store.columns import integer as _int
from surefoot.store.columns import metadata as _metadata
from surefoot.store.columns import octets as _bytes
from surefoot.store.columns import text as _text

HEAD = "0013"  # the migration that this program's tables are at

APPEND_ONLY = (
    "journal",
    "ledger",
    "case_events",
    "labels",
    "revisions",
    "promotions",
    "incidents",
    "hook_attempts",
    "audit_events",
    "stops",
    "holds",
    "revenue",
    "bet_events",
)

metadata = _metadata
series, histograms = rolluptables.series, rolluptables.histograms
daily_costs, daily_requests = rolluptables.daily_costs, rolluptables.daily_requests

chains = Table("chains", metadata, _text("id", key=True), _int("started_at_ns"), _bytes("genesis"))

journal = Table(
    "journal",
    metadata,
    _text("chain", key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    _text("request_id"),
    _int("at_ns"),
    _text("tenant"),
    _text("key_id"),
    _text("feature"),
    _text("subject"),
    _bytes("body"),
    _bytes("prev_hash"),
    _bytes("hash"),
    Index("journal_request", "request_id", unique=True),
    Index("journal_time", "at_ns"),
)

contents = Table(
    "contents",
    metadata,
    _text("request_id", key=True),
    _text("subject"),
    _int("generation"),
    _bytes("nonce"),
    _bytes("ciphertext"),
    Index("contents_subject", "subject", "generation"),
)

subjects = Table(
    "subjects",
    metadata,
    _text("subject", key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    _bytes("wrapped_key", null=True),
    _int("created_at_ns"),
    _int("destroyed_at_ns", null=True),
)

settings = Table("settings", metadata, _text("name", key=True), _bytes("value"))

ledger = Table(
    "ledger",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _text("request_id"),
    _int("at_ns"),
    _text("tenant"),
    _text("key_id"),
    _text("feature"),
    _text("rung"),
    _text("provider"),
    _text("model"),
    _text("kind"),
    _int("quantity"),
    _int("price_per_million"),
    _int("nanodollars"),
    _text("price_version"),
    Column("estimated", Boolean, nullable=False),
    _text("note"),
    Index("ledger_request", "request_id"),
    Index("ledger_time", "at_ns"),
)

reservations = Table(
    "reservations",
    metadata,
    _text("id", key=True),
    _text("request_id"),
    _int("at_ns"),
    _text("tenant"),
    _text("key_id"),
    _text("feature"),
    _text("rung"),
    _text("provider"),
    _text("model"),
    _int("nanodollars"),
    _text("limits"),  # JSON of the BudgetLimits
    _text("owner"),  # the process life that made it: the id of its chain
    _int("booked_at_ns", null=True),  # when it was booked as an orphan; a late settlement still finds it
)

budgets = Table(
    "budgets",
    metadata,
    _text("scope", key=True),
    _text("window", key=True),
    _int("spent"),
    _int("reserved"),
)

revenue = Table(
    "revenue",
    metadata,
    _text("id", key=True),
    _text("request_id"),
    _int("at_ns"),
    _text("tenant"),
    _text("key_id"),
    _text("feature"),
    _text("outcome"),
    _int("nanodollars"),
    _text("price_version"),
    _text("by"),
    Index("revenue_request", "request_id"),
)

bet_events = Table(
    "bet_events",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _text("bet_id"),
    _int("at_ns"),
    _text("kind"),
    _text("by"),
    _text("body"),  # JSON of what is told
    Index("bet_events_bet", "bet_id"),
)

budget_warnings = Table(
    "budget_warnings",
    metadata,
    _text("scope", key=True),
    _text("window", key=True),
    Column("limit_nanodollars", BigInteger, primary_key=True, autoincrement=False),
    Column("level_ppm", BigInteger, primary_key=True, autoincrement=False),  # share of the limit, in millionths
    _int("at_ns"),
    _int("spent"),
    _int("told_at_ns"),  # 0: nobody was told yet
    _int("attempts"),
    _int("due_at_ns"),  # before which nobody else tries to tell
    Index("budget_warnings_due", "told_at_ns", "due_at_ns"),
)

rates = Table(
    "rates",
    metadata,
    _text("scope", key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),  # since the epoch
    _int("requests"),  # granted to processes
    _int("tokens"),
)

cases = Table(
    "cases",
    metadata,
    _text("id", key=True),
    _text("request_id"),
    _text("tenant"),
    _text("feature"),
    _text("role"),
    _text("state"),
    _text("reason"),
    _int("opened_at_ns"),
    _text("subject"),
    _text("fingerprint"),
    Column("p", Double, nullable=True),
    _int("generation", null=True),
    _bytes("answer", null=True),  # sealed under the subject's key
    _text("kind"),
    _text("rung"),
    Column("propensity", Double, nullable=True),
    Column("risk", Double, nullable=False),
    Column("weight", Double, nullable=False),
    Column("red_flag", Boolean, nullable=False),
    Column("two_persons", Boolean, nullable=False),
    _text("wait"),
    _text("webhook"),
    _int("rank_ns"),
    _int("due_at_ns"),
    _int("deadline_ns"),
    _int("fence"),
    _text("claimed_by"),
    _int("lease_until_ns"),
    _int("lease_ns"),
    _int("snoozed_until_ns"),
    _bytes("autosave", null=True),  # sealed, as the answer and the note are
    _bytes("note", null=True),
    _text("verb"),
    Column("general", Boolean, nullable=False),
    _text("answered_by"),
    _int("answered_at_ns"),
    _text("approved_by"),
    _int("deliver_at_ns"),
    _int("delivered_at_ns"),
    _bytes("label", null=True),  # JSON, until it is appended to `labels`
    Index("cases_state", "state", "opened_at_ns"),
    Index("cases_queue", "state", "rank_ns", "id", "role", "snoozed_until_ns"),
    Index("cases_question", "fingerprint"),
    Index("cases_request", "request_id"),
    Index("cases_subject", "subject"),
    Index("cases_over", "state", "delivered_at_ns", "deadline_ns"),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _text("case_id"),
    _int("at_ns"),
    _text("kind"),
    _text("detail"),
    _text("by"),
    _text("state"),  # of the case after it
    _int("generation", null=True),
    _bytes("text", null=True),  # sealed under the case's subject's key
    Index("case_events_case", "case_id"),
)

cache = Table(
    "cache",
    metadata,
    _text("tenant", key=True),
    _text("feature", key=True),
    _text("fingerprint", key=True),
    _int("epoch"),
    _text("request_id"),
    _int("at_ns"),
    _int("expires_at_ns"),
    _text("model"),
    _text("provider"),
    _text("finish"),
    Column("p", Double, nullable=False),
    Column("low", Double, nullable=False),
    _text("subject"),
    _int("generation"),
    _bytes("body"),  # sealed under the subject's key
    _text("context"),  # "": no near question may have the answer
    _text("answer"),
    _bytes("near", null=True),  # vector and facts of the question, sealed as the body is
    Index("cache_request", "request_id"),
    Index("cache_answer", "tenant", "feature", "answer"),
    Index("cache_newest", "at_ns", "fingerprint"),
    Index("cache_expiry", "expires_at_ns"),
)

near_proposals = Table(
    "near_proposals",
    metadata,
    _text("request_id", key=True),
    _int("at_ns"),
    _text("tenant"),
    _text("feature"),
    _text("answer"),
    _text("item"),
    _text("inputs"),  # JSON list of the map's inputs
    Column("p", Double, nullable=True),
    _text("action"),
    Column("vetoed", Boolean, nullable=False),
    Column("right", Boolean, nullable=True),
    _text("source"),
    _int("judged_at_ns"),
    _int("nanodollars"),
    Index("near_proposals_time", "feature", "at_ns"),
    Index("near_proposals_judged", "feature", "judged_at_ns"),
)

near_accounts = Table(
    "near_accounts",
    metadata,
    _text("feature", key=True),
    *(_int(name) for name in ("requests", "hits", "explored", "seen_wrong", "pending")),
)

near_maps = Table(
    "near_maps",
    metadata,
    _text("feature", key=True),
    Column("labels", BigInteger, primary_key=True, autoincrement=False),
    _int("at_ns"),
    _bytes("data"),
)

cache_epochs = Table("cache_epochs", metadata, _text("tenant", key=True), _text("feature", key=True), _int("epoch"))

policies = Table("policies", metadata, _text("version", key=True), _bytes("data"), _int("at_ns"))

keys = Table(
    "keys",
    metadata,
    _text("id", key=True),
    _text("prefix"),
    _text("hash"),
    _text("tenant"),
    _text("features"),  # JSON list
    _int("budget_nanodollars", null=True),
    _text("budget_window"),
    _int("created_at_ns"),
    _int("revoked_at_ns", null=True),
    _text("scopes"),  # JSON list
    _text("budgets"),  # JSON of the Budgets over all features
    Index("keys_hash", "hash", unique=True),
)

labels = Table(
    "labels",
    metadata,
    _text("id", key=True),
    _text("request_id"),
    _int("at_ns"),
    _text("tenant"),
    _text("feature"),
    _text("rung"),
    _text("edition"),
    _text("verdict"),
    _text("source"),
    _text("grouped"),  # `group` is a word of SQL
    Column("propensity", Double, nullable=True),
    _text("reason"),
    _text("by"),
    Index("labels_feature", "feature", "at_ns"),
    Index("labels_request", "request_id"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _int("at_ns"),
    _text("note"),
    _bytes("data"),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _int("at_ns"),
    _int("number"),  # 0: nothing learned, the configuration alone
)

incidents = Table(
    "incidents",
    metadata,
    _text("id", key=True),
    _int("at_ns"),
    _text("feature"),
    _text("rung"),
    _text("kind"),
    _text("detail"),
)

hooks = Table(
    "hooks",
    metadata,
    _text("id", key=True),
    _text("case_id"),
    _text("tenant"),
    _text("feature"),
    _text("url"),
    _int("at_ns"),
    _text("state"),
    _int("attempts"),
    _int("due_at_ns"),
    _int("fence"),  # grows with every claim
    _int("leased_until_ns"),  # 0: nobody is calling
    _text("subject"),  # the tenant's pseudonym: whose key the address is sealed under; "" while it is in clear
    _int("generation", null=True),
    _bytes("sealed", null=True),  # the whole address; `url` is without path and query
    Index("hooks_due", "state", "due_at_ns"),
    Index("hooks_case", "case_id"),
)

hook_attempts = Table(
    "hook_attempts",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _text("hook_id"),
    _int("at_ns"),
    _int("number"),
    _text("outcome"),
    _int("status", null=True),
    _text("detail"),
    _int("milliseconds"),
    Index("hook_attempts_hook", "hook_id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    _text("chain", key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    _int("at_ns"),
    _text("kind"),
    _text("by"),
    _text("on"),
    _bytes("body"),  # the event, as it was hashed
    _bytes("prev_hash"),
    _bytes("hash"),
    Index("audit_events_time", "at_ns"),
    Index("audit_events_on", "on"),
)

stops = Table(
    "stops",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _int("at_ns"),
    _text("feature"),  # "*": all
    _text("verb"),  # "stop" | "resume"
    _text("by"),
    _text("reason"),
    Column("refuse", Boolean, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    _int("at_ns"),
    _text("subject"),
    _text("verb"),  # "hold" | "release"
    _text("by"),
    _text("reason"),
    Index("holds_subject", "subject"),
)

accounts = Table(
    "accounts",
    metadata,
    _text("name", key=True),
    _text("shown"),
    _text("role"),
    _text("password"),  # its scrypt hash with salt and parameters; "" until one is chosen
    _int("created_at_ns"),
    _int("disabled_at_ns", null=True),
)

sessions = Table(
    "sessions",
    metadata,
    _text("id", key=True),  # a hash of the token
    _text("account"),
    _int("opened_at_ns"),
    _int("seen_at_ns"),
    Index("sessions_account", "account"),
)

links = Table(
    "links",
    metadata,
    _text("id", key=True),  # a hash of the token
    _text("purpose"),
    _text("account"),
    _int("expires_at_ns"),
)

knocks = Table(
    "knocks", metadata, _text("door", key=True), _int("failures"), _int("until_ns"), _int("last_ns")
)  # failed attempts to log in, by a digest of the name
