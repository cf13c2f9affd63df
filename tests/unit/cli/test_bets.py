"""`surefoot bet`: opened, told results, valued by the ledger, ended; in 80 columns, with errors in the caller's words."""

import asyncio
import json
import random
import time
from pathlib import Path

import pytest
from cli_support import CONFIG, surefoot
from msgspec.structs import replace

from benchmarks.ledger import commit
from surefoot.store.open import open_store

WRITTEN = """audit = 0.05
[[features.f.objectives]]
measure = "delivered_error"
at_most = 0.05
[[features.f.objectives]]
measure = "cost_per_resolution"
at_most = 0.5
name = "cost"
"""
OPEN = (
    "bet", "open", "dose", "--feature", "f", "--objective", "delivered_error", "--change", "prompt", "--what", "ask for the dose",
    "--moves", "0.02", "--by", "Max",
)  # fmt: skip
FOUND = ("bet", "add", "dose", "--by", "Max", "--stage", "ab", "--effect", "0.03", "--error", "0.005", "-n", "1000")


async def _month(folder: Path) -> None:
    store = open_store(str(folder / "s.db"), key_file=str(folder / "s.key"))
    await store.start()
    dice, now = random.Random(1), time.time_ns()
    for number in range(200):
        made = commit(number, now - (number % 20 + 1) * 86_400 * 10**9, dice)
        parts = tuple(
            replace(part, entries=tuple(replace(e, feature="f") for e in part.entries)) for part in made.settlements
        )
        await store.commit(replace(made, entry=replace(made.entry, feature="f"), settlements=parts))
    await store.close()


@pytest.fixture
def place(config: Path) -> Path:
    config.write_text(CONFIG + WRITTEN)
    return config.parent


def test_a_bet_from_the_first_word_to_the_last(place: Path):
    asyncio.run(_month(place))
    assert surefoot(*OPEN, "--worth-usd", "2").exit_code == 0
    assert "P(as hoped) 0.10" in surefoot("bet", "list").output
    assert surefoot(*FOUND).exit_code == 0
    shown = surefoot("bet", "show", "dose").output
    assert "ab: 3.00 pp better, standard error 0.50 pp, n = 1,000" in shown and "the A/B says better" in shown
    assert "a month" in shown and "USD [" in shown and max(map(len, shown.splitlines())) <= 80
    assert surefoot("bet", "promote", "dose", "--by", "Max", "--why", "it works").exit_code == 0
    found = json.loads(surefoot("bet", "list", "--json").output)
    assert [(each["bet"]["state"], each["bet"]["why"]) for each in found] == [("promoted", "it works")]
    assert "has ended" in surefoot(*FOUND).output


def test_without_a_worth_or_a_past_no_amount_is_told(place: Path):
    surefoot(*OPEN)
    assert "unknown: nothing was asked in the last four weeks" in surefoot("bet", "list").output.replace(
        "\n" + " " * 13, " "
    )
    asyncio.run(_month(place))
    said = " ".join(surefoot("bet", "show", "dose").output.split())
    assert "nobody said what a unit is worth" in said and "without a unit's worth" in said and "n = 0" in said


def test_what_a_dollar_is_worth_needs_no_word(place: Path):
    asyncio.run(_month(place))
    surefoot(*(each if each != "delivered_error" else "cost" for each in OPEN))
    surefoot(
        "bet", "add", "dose", "--by", "Max", "--stage", "trial", "--effect", "0.01", "--error", "0.002", "-n", "100"
    )
    (found,) = json.loads(surefoot("bet", "list", "--json").output)
    assert found["odds"]["month_usd"] > 0 and found["odds"]["month_low_usd"] < found["odds"]["month_usd"]


def test_a_result_from_a_file(place: Path):
    surefoot(*OPEN)
    (place / "r.json").write_text(json.dumps({"stage": "replay", "effect": 0.01, "error": 0.01, "n": 80}))
    assert "replay, effect +0.01" in surefoot("bet", "add", "dose", "--by", "Max", "--from", "r.json").output
    assert "r.json" in surefoot("bet", "show", "dose").output
    assert surefoot("bet", "add", "dose", "--by", "Max", "--from", "gone.json").exit_code == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((*OPEN[:-1], " "), "say who"),
        (("bet", "open", "A b", *OPEN[3:]), "1 to 64 of"),
        (tuple(e if e != "prompt" else "luck" for e in OPEN), "not on 'luck'"),
        (tuple(e if e != "delivered_error" else "margin" for e in OPEN), "there are f/delivered_error, f/cost"),
        (tuple(e if e != "0.02" else "0" for e in OPEN), "above 0"),
        ((*OPEN, "--worth-usd", "0"), "above 0 USD"),
        (("bet", "show", "gone"), "no bet 'gone'"),
        (("bet", "drop", "gone", "--by", "Max", "--why", "x"), "no bet 'gone'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(place: Path, command: tuple[str, ...], words: str):
    said = surefoot(*command)
    assert said.exit_code == 1 and words in said.output


def test_a_result_by_hand_needs_all_of_it_and_a_bet_is_opened_once(place: Path):
    assert surefoot(*OPEN).exit_code == 0 and "already" in surefoot(*OPEN).output
    assert "needs --stage" in surefoot(*FOUND[:-2]).output
    assert "either --from" in surefoot(*FOUND, "--from", "r.json").output
