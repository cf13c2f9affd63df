"""`surefoot ledger`: groupings, formats and exports over one small past."""

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from surefoot.cli.main import app
from surefoot.records import Commit, Entry, JournalEntry, Revenue, Settlement
from surefoot.store.open import open_store

CONFIG = """
[store]
database = "{folder}/s.db"
key_file = "{folder}/s.key"
[providers.v]
kind = "openai"
[models.top]
provider = "v"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 2.0 }}
[features.f]
ladder = ["top"]
"""
NAMES = (
    "feature",
    "customer",
    "outcome",
    "key",
    "prompt",
    "model",
    "rung",
    "provider",
    "kind",
    "day",
    "tags",
    "subject",
)


async def _write(folder: Path) -> None:
    store = open_store(str(folder / "s.db"), key_file=str(folder / "s.key"))
    await store.start()
    line = Entry(
        request_id="a", at_ns=1, tenant="acme", key_id="k", feature="f", rung="top", provider="v", model="top", kind="input",
        quantity=100, price_per_million=1, nanodollars=1_500, price_version="v", estimated=True,
    )  # fmt: skip
    made = JournalEntry(
        request_id="a", at_ns=1, draw="", tenant="acme", key_id="k", feature="f", dialect="openai", surface="chat", subject="",
        policy="", mode="observe", steps=(), action="deliver", rung=None, tags=("blue",), baseline_nanodollars=2_000,
    )  # fmt: skip
    await store.commit(Commit(entry=made, settlements=(Settlement(reservation_id="", entries=(line,)),)))
    other = replace(made, request_id="b", tenant="other", baseline_nanodollars=None)
    await store.commit(Commit(entry=other, settlements=()))
    earned = Revenue(
        id="r", request_id="a", at_ns=2, tenant="acme", key_id="k", feature="f", outcome="resolved", nanodollars=990_000_000,
        price_version="config",
    )  # fmt: skip
    await store.ledger.earn([earned])
    await store.close()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("money")
    file = folder / "surefoot.toml"
    file.write_text(CONFIG.format(folder=folder))
    asyncio.run(_write(folder))
    return str(file)


def ledger(config: str, *given: str) -> str:
    said = CliRunner().invoke(app, ["ledger", "-c", config, *given], env={"COLUMNS": "80"})
    assert said.exit_code == 0, said.output
    return said.output


@pytest.mark.parametrize("by", NAMES)
def test_every_grouping_adds_up_to_the_same(config: str, by: str) -> None:
    rows = json.loads(ledger(config, "--by", by, "--json"))
    assert sum(row["nanodollars"] for row in rows) == 1_500 and sum(row["requests"] for row in rows) == 2
    assert sum(row["margin_nanodollars"] for row in rows) == 990_000_000 - 1_500


def test_the_table_fits_eighty_columns_and_keeps_the_memo_apart(config: str) -> None:
    said = ledger(config, "--by", "outcome")
    assert max(map(len, said.splitlines())) <= 80
    assert "resolved" in said and "estimated" in said and "Memo, not in the sums: over 1 of these requests" in said
    assert "f: top" in said


def test_a_part_of_the_past_can_be_asked_for(config: str) -> None:
    [row] = json.loads(ledger(config, "--tenant", "other", "--by", "tenant", "--format", "json"))
    assert (row["group"], row["nanodollars"]) == ("other", 0)
    assert json.loads(ledger(config, "--since", "7d", "--json")) == []
    assert json.loads(ledger(config, "--feature", "none", "--json")) == []


def test_requests_are_exported_with_what_they_spent_and_earned(config: str) -> None:
    first, second = csv.DictReader(io.StringIO(ledger(config, "--requests", "--format", "csv")))
    assert (first["request_id"], first["outcome"], first["tags"]) == ("a", "resolved", "blue")
    assert (first["cost_usd"], first["revenue_usd"], first["memo_baseline_usd"]) == (
        "0.000001500",
        "0.990000000",
        "0.000002000",
    )
    assert (second["outcome"], second["memo_baseline_usd"]) == ("delivered", "")
    assert [json.loads(line)["request_id"] for line in ledger(config, "--requests").splitlines()] == ["a", "b"]


@pytest.mark.parametrize(
    "given",
    [["--format", "xml"], ["--requests", "--format", "table"], ["--json", "--format", "csv"], ["--since", "soon"]],
)
def test_what_cannot_be_shown_is_refused_on_one_line(config: str, given: list[str]) -> None:
    said = CliRunner().invoke(app, ["ledger", "-c", config, *given])
    assert said.exit_code == 2 and said.output.startswith("surefoot: ")
