"""The page of objectives: who may look, what it says without data, and that every figure has its n."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from console_support import Office
from door_support import CONFIG

from surefoot.config.load import load_text
from surefoot.records import Label

FEATURE = next(iter(load_text(CONFIG).settings.features))
WRITTEN = f"""
[[features.{FEATURE}.objectives]]
measure = "delivered_error"
at_most = 0.05
by = ["customer"]
[[features.{FEATURE}.objectives]]
measure = "p95_latency"
at_most = 2.0
"""


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def aim(office: Office) -> None:
    text = CONFIG.replace(f"[features.{FEATURE}]\n", f"[features.{FEATURE}]\naudit = 0.05\n", 1)
    office.run(office.app.reload(load_text(text + WRITTEN)))


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("auditor", 200)])
def test_those_who_read_reports_may_look(office: Office, role: str, status: int) -> None:
    assert office.login(role).send("GET", "/objectives").status_code == status


def test_without_objectives_it_says_how_to_write_one(office: Office) -> None:
    assert "No objective is configured" in office.login("lead").send("GET", "/objectives").text


def test_without_data_nothing_is_a_percentage_but_the_target(office: Office) -> None:
    aim(office)
    shown = office.login("lead").send("GET", "/objectives").text
    assert "unknown (about" in shown and "more labels)" in shown and "not enough data (n = 0 labels)" in shown
    assert shown.count("%") == shown.count("5.0%") + shown.count("95 %")
    assert "<svg" not in shown.partition("<h1>")[2]


def test_a_missed_objective_shows_its_interval_and_the_customer_it_comes_from(office: Office) -> None:
    aim(office)
    now = time.time_ns()
    labels = [
        Label(
            id=f"l{n}", request_id=f"r{n}", at_ns=now - n * 10**12, tenant="acme & co" if n % 2 else "ward", feature=FEATURE,
            rung="small", edition="e", verdict="wrong" if n % 4 == 1 else "accepted", source="audit", group=f"g{n}",
            propensity=0.05,
        )
        for n in range(400)
    ]  # fmt: skip
    office.run(office.store.labels.add_all(labels))
    shown = office.login("manager").send("GET", "/objectives?feature=" + FEATURE).text
    assert 'chip bad">missed' in shown and "n = 400 labels" in shown and "acme &amp; co" in shown
    assert "1 missed, 1 met" in shown and "Holm" in shown


def test_a_feature_that_does_not_exist_is_refused_in_words(office: Office) -> None:
    answer = office.login("lead").send("GET", "/objectives?feature=nope")
    assert answer.status_code == 400 and "There is no feature" in answer.text


def test_the_first_page_says_how_objectives_stand_in_a_line_each(office: Office) -> None:
    assert "Objectives</a></h2>" not in office.login("lead").send("GET", "/today").text
    aim(office)
    shown = office.login("lead").send("GET", "/today").text.partition("Objectives</a></h2>")[2]
    assert "delivered_error, at most 5.0% over 28d: not enough data (n = 0 labels)" in shown and "p95_latency" in shown
