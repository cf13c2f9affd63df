"""Where things stand, out of the store: shares, costs and errors of the rungs add up to what the ledger says."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from benchmarks.ledger import commit
from surefoot.app.incidents import acknowledge
from surefoot.app.today import GONE, Today, today
from surefoot.config.budgets import build_budgets
from surefoot.config.load import load_text
from surefoot.demo.places import CLINIC
from surefoot.records import Incident, Label
from surefoot.store.memory import MemoryStore

DAY_NS = 86_400_000_000_000
NOW_NS = 20_000 * DAY_NS + DAY_NS // 2
CONFIG = load_text(
    f"""
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.small]
provider = "docs"
[features.clinic]
mode = "enforce"
ladder = ["cache", "small"]
person = "nurse"
[features.quiet]
ladder = ["small"]
[people.nurse]
"""
)


def told(labels: int = 0, *, requests: int = 200, days: int = 7) -> Today:
    async def run() -> Today:
        store, dice = MemoryStore(), random.Random(7)
        await store.start()
        for number in range(requests):
            made = commit(number, NOW_NS - number * DAY_NS // 40, dice)
            parts = tuple(
                replace(part, entries=tuple(replace(line, feature="clinic") for line in part.entries))
                for part in made.settlements
            )
            await store.commit(replace(made, entry=replace(made.entry, feature="clinic"), settlements=parts))
            if number < labels:
                label = Label(
                    id=f"l{number}", request_id=made.entry.request_id, at_ns=made.entry.at_ns, tenant="t", feature="clinic",
                    rung="small", edition="e", verdict="wrong" if number % 4 == 0 else "accepted", source="audit",
                    group=str(number), propensity=0.5,
                )  # fmt: skip
                await store.labels.add(label)
                await store.labels.add(
                    replace(label, id=f"c{number}", source="client", propensity=None, verdict="wrong")
                )
        for name in ("seen", "new"):
            await store.incidents.add(
                Incident(id=name, at_ns=NOW_NS, feature="clinic", rung="small", kind="drift", detail="{}")
            )
        await acknowledge(store, "seen", by="max", note="the vendor changed its model; the bar was raised")
        budgets = build_budgets(CONFIG.settings)
        return await today(store, CONFIG.policy, budgets, {"clinic": "certified"}, now_ns=NOW_NS, days=days)

    return asyncio.run(run())


def test_every_request_ends_at_one_rung_or_at_nobody() -> None:
    (clinic, quiet) = told().features
    assert (clinic.feature, clinic.requests, clinic.standing) == ("clinic", 200, "certified")
    assert sum(step.requests for step in clinic.steps) + clinic.unanswered == 200
    assert sum(map(sum, clinic.shares.values())) == 200 and len(clinic.days) == 7
    assert quiet.requests == 0 and all(step.answered.estimate is None for step in quiet.steps)


def test_money_is_where_it_was_booked_and_adds_up() -> None:
    clinic = told().features[0]
    assert sum(step.nanodollars for step in clinic.steps) == clinic.nanodollars == sum(clinic.spend) > 0
    small = next(step for step in clinic.steps if step.rung == "small")
    assert small.per_answer == round(small.nanodollars / small.requests)


def test_what_lies_before_the_time_is_not_counted() -> None:
    clinic = told(days=2).features[0]
    assert 0 < clinic.requests < 200 and len(clinic.days) == 2


def test_a_rung_of_the_past_is_shown_as_such_and_the_person_stands_on_top() -> None:
    clinic = told().features[0]
    assert [step.rung for step in clinic.steps] == ["flagship", "cache", "small", "person"]
    assert clinic.steps[0].kind == GONE


@pytest.mark.parametrize(("labels", "wrong"), [(0, None), (40, 0.25)])
def test_the_error_is_that_of_blind_labels(labels: int, wrong: float | None) -> None:
    small = told(labels).features[0].steps[2]
    assert small.wrong.estimate == wrong and small.wrong.n == labels and small.wrong.low < 0.25 < small.wrong.high


def test_alarms_are_shown_until_somebody_acknowledges_them() -> None:
    assert {alarm.id for alarm in told(requests=1).alarms} == {"new"}
