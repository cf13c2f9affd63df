"""`surefoot bill` as a person reads it."""

import json
import time
from pathlib import Path

import pytest
from cli_support import surefoot
from staffing_support import live

from surefoot.config.load import load
from surefoot.records import Commit, Entry, Incident, JournalEntry, Settlement
from surefoot.store.open import open_store

DAY = 86_400_000_000_000


@pytest.fixture
def config(config: Path) -> Path:
    """With a monthly budget of the feature."""
    config.write_text(config.read_text() + '[features.f.budget]\nusd = 1.0\nwindow = "month"\n')
    return config


def line(at_ns: int, name: str, nanodollars: int, *, feature: str = "f", kind: str = "input") -> Entry:
    return Entry(
        request_id=name, at_ns=at_ns, tenant="t", key_id="k", feature=feature, rung="small", provider="p", model="m", kind=kind,
        quantity=1000, price_per_million=1, nanodollars=nanodollars, price_version="v",
    )  # fmt: skip


def spend(config: Path, days: int, *, feature: str = "f") -> None:
    """A tenth of a dollar or two a day, for so many days until today."""

    @live
    async def fill() -> None:
        settings = load(config).settings.store
        store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
        await store.start()
        now = time.time_ns()
        entries = tuple(
            line(now - day * DAY, f"{feature}{day}", 100_000_000 + 7_000_000 * (day * 5 % 9), feature=feature)
            for day in range(days)
        )
        entry = JournalEntry(
            request_id=feature, at_ns=now, draw="0", tenant="t", key_id="k", feature=feature, dialect="openai", surface="chat",
            subject="", policy="p", mode="observe", steps=(), action="deliver", rung=None,
        )  # fmt: skip
        await store.commit(Commit(entry=entry, settlements=(Settlement(reservation_id="", entries=entries),)))
        await store.close()

    fill()


def test_a_bill_of_nothing_says_so(config: Path) -> None:
    assert "nothing was spent yet" in surefoot("bill").output


def test_the_table_fits_eighty_columns_and_shows_interval_test_change_and_budget(config: Path) -> None:
    spend(config, 70)
    spend(config, 5, feature="a-feature-with-a-long-name")
    said = surefoot("bill")
    assert said.exit_code == 0 and all(len(row) <= 80 for row in said.output.splitlines())
    for word in (
        "month-end",
        "80 %",
        "95 %",
        "all together",
        "growth a week",
        "n = ",
        "since last week",
        "volume",
        "mix",
    ):
        assert word in said.output
    assert "not enough data: 16 more days" in said.output or "not enough data: 17 more days" in said.output
    assert "k on f" in said.output and " of 1.00: spent with p = " in said.output


def test_json_has_the_same_in_nanodollars_and_null_for_what_nobody_knows(config: Path) -> None:
    spend(config, 5)
    found = json.loads(surefoot("bill", "--format", "json").output)["bill"]
    (only,) = found["features"]
    assert only["median"] is None and only["interval95"] is None and only["so_far"] > 0
    assert found["risks"][0]["probability"] in (None, 1.0)
    change = found["change"]
    assert sum(change[cause] for cause in ("volume", "mix", "tokens", "price")) == change["after"] - change["before"]


def test_surges_of_the_month_are_shown_until_somebody_acknowledges_them(config: Path) -> None:
    spend(config, 5)
    detail = '{"window_hours": 4, "spent_nanodollars": 9000000000, "expected_nanodollars": 1000000000, "limit_nanodollars": 2}'

    @live
    async def alarm() -> None:
        settings = load(config).settings.store
        store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
        await store.start()
        for name, kind in (("inc_1", "spend"), ("inc_2", "drift")):
            await store.incidents.add(
                Incident(id=name, at_ns=time.time_ns(), feature="f", rung="", kind=kind, detail=detail)
            )
        await store.close()

    alarm()
    said = surefoot("bill").output
    assert "f spent 9.00 USD in 4 hours, where 1.00 were expected" in " ".join(said.split())
    assert "surefoot acknowledge inc_1" in said and "inc_2" not in said
    done = surefoot("acknowledge", "inc_1", "--by", "Ada", "--note", "a batch run")
    assert "inc_1, spend of f, is acknowledged by Ada" in done.output
    said = surefoot("bill").output
    assert "by Ada: a batch run" in said and "nobody has acknowledged" not in said
    (seen,) = json.loads(surefoot("bill", "--format", "json").output)["surges"]
    assert (seen["id"], seen["acknowledged"][0]["by"]) == ("inc_1", "Ada")
    trust = surefoot("confidence").output
    assert "inc_2" in trust and "inc_1" not in trust


def test_one_feature_alone_has_its_own_total(config: Path) -> None:
    spend(config, 30)
    spend(config, 30, feature="other")
    found = json.loads(surefoot("bill", "--feature", "f", "--format", "json").output)["bill"]
    assert [each["feature"] for each in found["features"]] == ["f"]
    assert found["total"]["so_far"] == found["features"][0]["so_far"]


def test_a_month_that_is_over_shows_what_it_cost_and_no_forecast(config: Path) -> None:
    spend(config, 70)
    last = time.gmtime(time.time() - 35 * 86_400)
    said = surefoot("bill", "--month", f"{last.tm_year}-{last.tm_mon:02}").output
    assert "the month is over" in said and "95 %" not in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--month", "2999-01"), "has not begun"),
        (("--month", "november"), "write 2026-11"),
        (("--month", "2026-13"), "month must be in 1..12"),
        (("--format", "xml"), "know table, json"),
    ],
)  # fmt: skip
def test_wrong_options_are_one_line_and_exit_two(config: Path, options: tuple[str, str], says: str) -> None:
    said = surefoot("bill", *options)
    assert said.exit_code == 2 and says in said.output and len(said.output.strip().splitlines()) == 1


def test_a_feature_that_is_nowhere_is_named(config: Path) -> None:
    said = surefoot("bill", "--feature", "moon")
    assert said.exit_code == 1 and "there is no feature 'moon'" in said.output


def test_a_budget_of_all_takes_what_every_key_and_feature_spent(config: Path) -> None:
    spend(config, 40)
    spend(config, 40, feature="g")
    config.write_text("[budget]\nusd = 500.0\n" + config.read_text())
    risks = json.loads(surefoot("bill", "--format", "json").output)["bill"]["risks"]
    spent = {(each["limit"]["key_id"], each["limit"]["feature"]): each["so_far"] for each in risks}
    month = json.loads(surefoot("bill", "--format", "json").output)["bill"]
    assert spent["", ""] == month["total"]["so_far"] > spent["k", "f"] > 0
