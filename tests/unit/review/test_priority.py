"""Which case comes first, and what is said of why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.records import Case
from surefoot.review.priority import LEAST_RISK, SECOND_NS, priority, rank_ns, risk_of

T = 10**18
above = st.floats(0.05, 1.0)
weights = st.floats(0.1, 10.0)


def waiting(*, risk: float = 1.0, weight: float = 1.0, sla: float = 900.0) -> Case:
    return Case(
        id="c", request_id="r", tenant="t", feature="f", role="nurse", state="open", reason="", opened_at_ns=T, subject="",
        fingerprint="", risk=risk, weight=weight, rank_ns=rank_ns(T, sla_seconds=sla, risk=risk, weight=weight),
    )  # fmt: skip


def test_risk_is_what_the_draft_lacks_and_all_of_it_where_nobody_knows() -> None:
    assert risk_of(p=0.25, red_flag=False) == 0.75 and risk_of(p=None, red_flag=False) == 1.0
    assert risk_of(p=0.99, red_flag=True) == 1.0 and risk_of(p=1.0, red_flag=False) == LEAST_RISK


def test_a_priority_explains_itself() -> None:
    told = priority(waiting(risk=0.6, weight=2.0), now_ns=T + 720 * SECOND_NS)
    assert told.value == pytest.approx(0.96)
    assert told.explanation == "risk 0.60 x 12 of 15 min x customer 2 = 0.96"


@given(above, weights, st.floats(60.0, 86_400.0))
def test_a_case_is_urgent_exactly_at_its_rank(risk: float, weight: float, sla: float) -> None:
    case = waiting(risk=risk, weight=weight, sla=sla)
    assert priority(case, now_ns=case.rank_ns).value == pytest.approx(1.0)
    assert priority(case, now_ns=T - 1).value == 0.0


@given(above, above, weights, weights)
def test_of_two_opened_at_once_the_weightier_risk_is_ranked_first(a: float, b: float, u: float, v: float) -> None:
    one, other = waiting(risk=a, weight=u), waiting(risk=b, weight=v)
    if a * u > b * v:
        assert one.rank_ns <= other.rank_ns
        later = T + 60 * SECOND_NS
        assert priority(one, now_ns=later).value >= priority(other, now_ns=later).value * (1 - 1e-9)
