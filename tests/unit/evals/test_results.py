"""Results out of files: by hand, of a gate, of two trials; and what tells none."""

from __future__ import annotations

import json

import msgspec
import pytest

from surefoot.errors import BadRequest
from surefoot.evals.gate import AGAINST, FLOOR, Finding
from surefoot.evals.power import plan
from surefoot.evals.results import result_of
from surefoot.records.bet import Result
from surefoot.stats import clopper_pearson
from surefoot.trial.gate import Run, Spent
from surefoot.trial.told import Told

POWER = plan(0.03, 0.1, [1] * 400, assurance=0.95)


def gate(*kinds: str) -> bytes:
    """What `surefoot gate --json` prints, as far as it matters."""
    findings = [
        Finding(
            kind=kind, bound=0.0, state="pass", estimate=0.03, low=0.01, high=0.05, n=400, groups=400, early=False,
            design_effect=None, apart=0.1, more_items=0, power=POWER,
        )
        for kind in kinds
    ]  # fmt: skip
    sides = [Spent(name=name, nanodollars=2 * 10**9, delivered=1, escalated=0, failed=0, ungraded=0) for name in "ab"]
    assert {"verdict", "sides"} <= set(Run.__struct_fields__) and "run" in Told.__struct_fields__
    return msgspec.json.encode({"run": {"verdict": {"findings": findings}, "sides": sides}})


def trial(wrong: int, n: int) -> bytes:
    found = clopper_pearson(wrong, n)
    rate = {"estimate": found.estimate, "low": found.low, "high": found.high, "n": n}
    return json.dumps({"by_rung": {}, "delivered_error": rate, "escalated_share": rate, "cost_usd": 0.5}).encode()


def read(data: object, **more: object) -> Result:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return result_of(text, **{"measure": "delivered_error", "source": "x.json", **more})  # type: ignore[arg-type]


def test_a_result_by_hand_is_what_it_says():
    given = {"stage": "ab", "effect": 0.02, "error": 0.004, "n": 900, "cost_usd": 3.0}
    assert read(given) == Result(stage="ab", effect=0.02, error=0.004, n=900, cost_usd=3.0, source="x.json")


def test_a_gate_tells_its_paired_difference():
    found = read(gate(FLOOR, AGAINST))
    assert (found.stage, found.effect, found.n, found.cost_usd) == (
        "trial",
        0.03,
        400,
        4.0,
    ) and found.error == pytest.approx(0.0102, abs=1e-4)


def test_two_trials_tell_how_much_better_the_newer_one_is():
    found = read(trial(20, 400), against=trial(40, 400))
    assert found.effect == pytest.approx(0.05) and found.cost_usd == 1.0 and found.n == 400
    assert 0.015 < found.error < 0.025
    assert read(trial(20, 400), against=trial(40, 400), measure="automation_rate").effect == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("data", "more", "words"),
    [
        (b"nope", {}, "not JSON"),
        ([1], {}, "tells no result"),
        ({"effect": 1}, {}, "tells no result"),
        ({"stage": "ab", "effect": 0.1, "error": 0.0, "n": 9}, {}, "standard error"),
        ({"stage": "ab", "effect": 0.1, "error": 0.1, "n": 0}, {}, "n of at least 1"),
        ({"stage": "guess", "effect": 0.1, "error": 0.1, "n": 9}, {}, "no stage 'guess'"),
        (gate(AGAINST), {"measure": "margin"}, "not margin"),
        (gate(FLOOR), {}, "--against"),
        (trial(1, 10), {}, "beside another"),
        (trial(1, 10), {"against": b"{}"}, "beside another"),
        (trial(1, 10), {"against": trial(1, 10), "measure": "margin"}, "by hand"),
        (trial(0, 0), {"against": trial(1, 10)}, "not enough labelled"),
    ],
)
def test_what_tells_no_result_is_refused_in_words(data: object, more: dict[str, object], words: str):
    with pytest.raises(BadRequest, match=words):
        read(data, **more)
