"""Every question: its number where there is one, its ends where there is none, and what would make it known."""

import numpy as np
import pytest
from msgspec.structs import replace

from surefoot.evals.columns import Row, Side, chance_of, side_of
from surefoot.evals.paths import BLIND, MISSED, SEEN, Path
from surefoot.evals.whatif import (
    AUTOMATION,
    COST,
    ERROR,
    ESTIMATED,
    EXACT,
    MINUTES,
    MODELS,
    NO_DATA,
    UNIDENTIFIED,
    Terms,
    WhatIf,
    what_if,
)
from surefoot.records import Escalate, JournalEntry, Label, Lot, Step
from surefoot.stats import Mean
from surefoot.stats.metrics import rate

TERMS = Terms(handling=Mean(value=120.0, low=90.0, high=150.0, n=30), now_hourly=60_000_000_000, then_hourly=30_000_000_000)  # fmt: skip


def delivered(
    rung: str = "small", *, p: float | None = 0.9, cost: int = 100, wrong: bool | None = None, chance: float = 0.0,
    share: float = 1.0,
) -> Side:  # fmt: skip
    path = Path(state=SEEN, propensity=share, asked=(rung,), action="deliver", rung=rung, p=p)
    return Side(path=path, nanodollars=cost, chance=chance, drawn=wrong is not None, wrong=wrong)


def escalated(cost: int = 200) -> Side:
    path = Path(state=SEEN, propensity=1.0, asked=("small",), action="escalate", rung="small", role="nurse")
    return Side(path=path, nanodollars=cost)


def blind(cost: int = 100, ceiling: int | None = 900) -> Side:
    path = Path(state=BLIND, propensity=1.0, asked=("small",), missing="draft of rung big", stopped="big")
    return Side(path=path, nanodollars=cost, ceiling=ceiling)


def missed(share: float) -> Side:
    return Side(path=Path(state=MISSED, propensity=share, missing="start at big"))


def row(at: int, now: Side, then: Side) -> Row:
    return Row(request_id=f"r{at}", at_ns=at, group=str(at), now=now, then=then)


def asked(*rows: Row, terms: Terms = TERMS) -> WhatIf:
    return what_if(rows, terms, feature="f")


def test_what_the_journal_holds_is_counted_and_nothing_else() -> None:
    found = asked(*(row(at, delivered(), delivered() if at < 30 else escalated()) for at in range(40)))
    automation = found.question(AUTOMATION)
    assert (automation.then.state, automation.then.estimate, automation.now.estimate) == (EXACT, 0.75, 1.0)
    assert automation.then.low == pytest.approx(0.60, abs=0.02)
    assert automation.then.high == pytest.approx(0.87, abs=0.02)
    assert automation.change is not None
    assert automation.change.value == pytest.approx(-0.25)
    assert found.question(MODELS).then.estimate == pytest.approx(125)
    assert found.question(MINUTES).then.estimate == pytest.approx(100 * 0.25 * 2)
    assert found.question(COST).then.estimate == pytest.approx(125 + 0.25 * 1e9)  # 2 minutes at 30 USD an hour
    assert found.changes == 10
    assert found.question(AUTOMATION).fix == ""


def test_a_policy_that_changes_nothing_changes_nothing() -> None:
    found = asked(*(row(at, delivered(cost=at), delivered(cost=at)) for at in range(20)))
    assert found.changes == 0
    for name in (AUTOMATION, MODELS):
        change = found.question(name).change
        assert change is not None
        assert (change.value, change.low, change.high) == (0.0, 0.0, 0.0)


def test_one_blind_request_is_enough_for_ends_instead_of_a_number() -> None:
    found = asked(*(row(at, delivered(), delivered() if at < 50 else blind()) for at in range(60)))
    for each in found.questions:
        assert each.then.estimate is None
        assert each.change is None
    automation = found.question(AUTOMATION)
    assert automation.then.state == UNIDENTIFIED
    assert automation.then.low is not None
    assert automation.then.low < 50 / 60
    assert automation.then.high == pytest.approx(1.0)
    assert "draft of rung big" in automation.fix
    cost = found.question(MODELS).then
    assert cost.low is not None
    assert cost.high is not None
    assert cost.low <= 100
    assert cost.high >= 250  # 900 more for a sixth of them
    assert (found.unidentified.estimate, found.missing) == (pytest.approx(1 / 6), {"draft of rung big": 10})


def test_without_a_limit_to_a_missing_rung_the_cost_has_no_upper_end() -> None:
    found = asked(*(row(at, delivered(), blind(ceiling=None)) for at in range(10)))
    assert found.question(MODELS).then.high is None
    assert found.question(MODELS).then.low is not None


def test_a_lot_lets_few_speak_for_many() -> None:
    rng = np.random.default_rng(1)
    rows = []
    for at in range(2000):
        drawn, passes = rng.random() < 0.2, rng.random() < 0.7
        then = missed(0.2)
        if drawn:
            then = delivered("big", cost=1000, share=0.2)
            if not passes:
                then = replace(then, path=replace(then.path, action="escalate", role="nurse"))
        rows.append(row(at, delivered(share=1.0), then))
    found = asked(*rows)
    automation = found.question(AUTOMATION).then
    assert automation.state == ESTIMATED
    assert automation.low is not None
    assert automation.high is not None
    assert automation.low < 0.7 < automation.high
    assert automation.high - automation.low < 0.12
    assert automation.effective_n == pytest.approx(400, rel=0.15)
    assert found.question(MODELS).then.estimate == pytest.approx(
        1000, rel=1e-6
    )  # all the same: chance takes no part in it
    assert found.estimated.estimate == pytest.approx(0.8, abs=0.03)


def test_the_error_is_that_of_the_judged_weighed_by_their_chance() -> None:
    rows = []
    for at in range(300):
        chance = 0.5 if at % 3 else 0.25
        judged = at % 2 == 0 if at % 3 else at % 4 == 0
        side = delivered(chance=chance, wrong=at % 5 == 0 if judged else None)
        rows.append(row(at, side, side))
    found = asked(*rows).question(ERROR).then
    told = [(each.then.wrong, each.then.chance) for each in rows if each.then.wrong is not None]
    weight = np.array([1 / chance for _, chance in told])
    wrong = np.array([bool(wrong) for wrong, _ in told])
    assert found.state == ESTIMATED
    assert found.n == len(told)
    assert found.estimate == pytest.approx(float(weight @ wrong / weight.sum()), abs=0.02)
    assert found.effective_n == pytest.approx(weight.sum() ** 2 / (weight @ weight))


def test_a_calibrated_p_narrows_the_error_and_never_biases_it() -> None:
    rng = np.random.default_rng(3)
    sure, plain = [], []
    for at in range(4000):
        p = float(rng.choice([0.6, 0.99]))
        wrong = bool(rng.random() > p) if rng.random() < 0.1 else None
        for rows, told in ((sure, p - 0.05), (plain, None)):  # the p that is told is off by a twentieth
            side = delivered(p=told, chance=0.1, wrong=wrong)
            rows.append(row(at, side, side))
    with_p, without = asked(*sure).question(ERROR).then, asked(*plain).question(ERROR).then
    assert with_p.low is not None
    assert with_p.high is not None
    assert without.low is not None
    assert without.high is not None
    assert with_p.low < 0.205 < with_p.high
    assert with_p.high - with_p.low < 0.95 * (without.high - without.low)


def test_deliveries_that_no_lot_chose_leave_the_error_open_by_their_share() -> None:
    rows = [row(at, delivered(), delivered(chance=1.0, wrong=at % 10 == 0)) for at in range(90)]
    rows += [row(at, delivered(), delivered(chance=0.0)) for at in range(90, 100)]
    found = asked(*rows).question(ERROR)
    assert (found.then.state, found.then.estimate) == (UNIDENTIFIED, None)
    inside = rate([at % 10 == 0 for at in range(90)])
    assert found.then.low == pytest.approx(0.9 * inside.low, abs=0.01)
    assert found.then.high == pytest.approx(0.9 * inside.high + 0.1, abs=0.01)
    assert "audit" in found.fix


def test_no_labels_are_no_error_of_0() -> None:
    found = asked(*(row(at, delivered(chance=0.1), delivered(chance=0.1)) for at in range(10))).question(ERROR)
    assert (found.then.state, found.then.estimate, found.then.low, found.then.high) == (NO_DATA, None, 0.0, 1.0)


def test_without_handling_times_people_have_no_price() -> None:
    terms = Terms(handling=Mean(value=None, low=None, high=None, n=0), now_hourly=1, then_hourly=1)
    found = asked(*(row(at, escalated(), escalated()) for at in range(10)), terms=terms)
    assert found.question(COST).then.state == NO_DATA
    assert "--person-minutes" in found.question(MINUTES).fix
    told = asked(*(row(at, escalated(), escalated()) for at in range(10)), terms=replace(terms, now_seconds=60.0, then_seconds=90.0))  # fmt: skip
    assert told.question(MINUTES).now.estimate == pytest.approx(100)
    assert told.question(MINUTES).then.estimate == pytest.approx(150)


def test_what_is_not_known_of_handling_times_is_in_the_interval() -> None:
    rows = [row(at, escalated(), escalated()) for at in range(10)]
    found = asked(*rows).question(MINUTES).then
    assert (found.low, found.high) == (pytest.approx(150), pytest.approx(250))  # 90 to 150 seconds


def test_changes_come_worst_first() -> None:
    rows = [
        row(0, delivered(), escalated()),
        row(1, escalated(), delivered(p=0.99)),
        row(2, escalated(), delivered(p=0.5)),
        row(3, escalated(), delivered(p=0.9, chance=1.0, wrong=True)),
        row(4, escalated(), delivered(p=None)),
        row(5, escalated(), delivered(p=0.1, chance=1.0, wrong=False)),
        row(6, delivered(), blind()),
    ]
    found = asked(*rows)
    assert [each.request_id for each in found.changed] == ["r3", "r4", "r2", "r1", "r0", "r5"]
    assert (found.changed[0].now, found.changed[0].then) == ("escalate nurse", "deliver small")


def test_nothing_asked_is_nothing_known() -> None:
    found = asked()
    assert found.seen.estimate is None
    assert all(each.then.estimate is None for each in found.questions)


def entry(**given: object) -> JournalEntry:
    fields: dict[str, object] = dict(
        request_id="r", at_ns=1, draw="0" * 32, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
        subject="", policy="p", mode="enforce", steps=(), action="deliver", rung="small", lot=Lot(drawn=True, propensity=0.2),
    )  # fmt: skip
    return JournalEntry(**(fields | given))  # type: ignore[arg-type]


def test_a_chance_to_be_judged_is_the_lots_or_that_of_what_was_withheld() -> None:
    assert chance_of(entry(), "small") == (0.2, True)
    assert chance_of(entry(), "big") == (0.0, False)
    withheld = Step(stage="decide", rung="big", value=Escalate("x", "nurse", withheld=True))
    assert chance_of(entry(action="escalate", lot=None, steps=(withheld,)), "big") == (1.0, True)


def test_a_judge_is_paid_with_the_rung_it_judged() -> None:
    path = Path(state=SEEN, propensity=1.0, asked=("small",), action="deliver", rung="small")
    label = Label(
        id="l", request_id="r", at_ns=1, tenant="t", feature="f", rung="small", edition="", verdict="wrong", source="audit",
        group="g", propensity=None,
    )  # fmt: skip
    found = side_of(entry(), path, {"small": 10, "judge.small": 3, "big": 100}, {("r", "small"): label})
    assert (found.nanodollars, found.chance, found.wrong) == (13, 0.2, True)
