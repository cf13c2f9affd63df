"""On tables: what is append-only refuses every change, two processes count once, an old database keeps its rows."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from samples import KEY, case, commit, incident, label
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from surefoot.store import Store
from surefoot.store.migrate import version
from surefoot.store.open import open_store
from surefoot.store.schema import HEAD


def engine_of(database: str) -> Engine:
    if database.startswith("postgresql"):
        return create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    return create_engine(f"sqlite:///{database}")


@pytest.fixture
def filled(open_, runner, database: str) -> str:
    """A database with a label, a promotion and an incident."""
    store: Store = open_(database)

    async def fill() -> None:
        await store.labels.add(label("l1"))
        await store.incidents.add(incident("i1"))
        await store.revisions.promote(await store.revisions.add(b"x", note="", at_ns=1), at_ns=2)

    runner.run(fill())
    return database


@pytest.mark.parametrize("table", ["labels", "revisions", "promotions", "incidents"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET at_ns = 9", "DELETE FROM {table}"])
def test_what_is_append_only_refuses_every_change(filled: str, table: str, change: str):
    engine = engine_of(filled)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change.format(table=table)))
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT at_ns FROM {table}")).scalar_one() < 9
    engine.dispose()


def in_threads(database: str, work) -> list:
    """What `work(store, number)` returns in three stores of their own on one database, begun together."""
    results, together = [], threading.Barrier(3)

    async def run(number: int) -> None:
        store = open_store(database, key_file=KEY, durability="acknowledged")
        await store.start()
        together.wait()
        try:
            results.append(await work(store, number))
        finally:
            await store.close()

    threads = [threading.Thread(target=lambda n=n: asyncio.run(run(n))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_label_of_several_processes_is_new_for_one(database: str):
    async def work(store: Store, number: int) -> int:
        return sum([await store.labels.add(label(f"l{each}")) for each in range(20)])

    assert sum(in_threads(database, work)) == 20


def test_revisions_of_several_processes_leave_no_gap(database: str):
    async def work(store: Store, number: int) -> list[int]:
        return [await store.revisions.add(b"x", note=str(number), at_ns=1) for _ in range(5)]

    assert sorted(number for some in in_threads(database, work) for number in some) == list(range(1, 16))


def test_a_case_is_judged_by_one_of_several_processes(database: str, open_, runner):
    async def open_cases() -> None:
        for each in range(10):
            await store.commit(commit(f"r{each}", case=case(f"r{each}", kind="audit")))

    async def work(store: Store, number: int) -> int:
        labels = [label(f"l{each}-{number}", request=f"r{each}") for each in range(10)]
        return sum([await store.cases.judge(f"case-{one.request_id}", label=one, at_ns=7) for one in labels])

    store: Store = open_(database)
    runner.run(open_cases())
    assert sum(in_threads(database, work)) == 10
    assert runner.run(store.labels.count(feature="triage")) == 10


def at_first_migration(path: Path) -> None:
    """A database as the first release made it, with a case and a key in it."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "surefoot.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert version(connection) == "0001"
    engine.dispose()
    rows = sqlite3.connect(path)
    rows.execute(
        "INSERT INTO cases (id, request_id, tenant, feature, role, state, reason, opened_at_ns, subject, fingerprint, p)"
        " VALUES ('case-a', 'a', 'clinic', 'triage', 'nurse', 'open', 'unsure', 1, 's', 'f1', 0.4)"
    )
    rows.execute(
        "INSERT INTO keys (id, prefix, hash, tenant, features, budget_window, created_at_ns)"
        " VALUES ('k1', 'sf', 'h', 'clinic', ?, 'month', 1)",
        [json.dumps(["triage"])],
    )
    rows.commit()
    rows.close()


def test_an_older_database_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path, open_, runner):
    path = tmp_path / "old.db"
    at_first_migration(path)
    store: Store = open_(str(path))
    found = runner.run(store.cases.get("case-a", tenant="clinic"))
    assert found is not None and (found.kind, found.rung, found.propensity, found.p) == ("question", "", None, 0.4)
    (key,) = runner.run(store.keys.all())
    assert (key.features, key.scopes) == (("triage",), ())
    assert runner.run(store.cases.judge("case-a", label=label("l1", source="case"), at_ns=7))
    with sqlite3.connect(path) as rows:
        assert rows.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)


def test_batched_commits_can_be_read_after_a_flush(tmp_path: Path, open_, runner):
    store: Store = open_(str(tmp_path / "b.db"), "batched")

    async def write() -> object:
        for each in range(30):
            await store.commit(commit(f"r{each}"))
        await store.flush()
        return await store.journal.get("r29")

    assert runner.run(write()) is not None
