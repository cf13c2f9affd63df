"""How good probabilities are, beside the verdicts they were about."""

import math

import numpy as np
import pytest

from surefoot.learning.examples import Example
from surefoot.learning.measure import applied, evidence_of, measure
from surefoot.policy import Map
from surefoot.stats import clopper_pearson
from surefoot.stats.metrics import auroc, brier


def drafts(verdicts: str, *, weight: float = 1.0, groups: str = "") -> list[Example]:
    return [
        Example(
            id=str(row), group=groups[row] if groups else str(row), signals={"s": row / len(verdicts)},
            accepted=verdict == "+", weight=weight,
        )
        for row, verdict in enumerate(verdicts)
    ]  # fmt: skip


def test_probabilities_stand_beside_their_verdicts() -> None:
    examples = drafts("--+-++-+++++++++++++")
    p = np.linspace(0.1, 0.95, 20)
    found = measure(p - 0.1, p, examples, bar=0.6)
    right = [example.accepted for example in examples]
    assert (found.auroc, found.brier) == pytest.approx((auroc(p, right), brier(p, right)))
    assert found.coverage == clopper_pearson(6, 20)
    assert found.right_at_bar == clopper_pearson(6, 6)
    assert found.right == clopper_pearson(16, 20) and sum(row.right.n for row in found.bins) == 20


def test_drafts_that_nothing_judges_count_against_coverage_only() -> None:
    p = np.array([0.9] * 10 + [np.nan] * 10)
    found = measure(p, p, drafts("+" * 10 + "-" * 10), bar=0.85)
    assert (found.n, found.unjudged, found.coverage.estimate, found.right.estimate) == (10, 10, 0.5, 1.0)


def test_a_draft_counts_for_what_it_stands_for() -> None:
    examples = [*drafts("+" * 10, weight=9.0), *drafts("-" * 10)]
    p = np.array([0.9] * 10 + [0.2] * 10)
    found = measure(p, p, examples, bar=0.85)
    assert found.right.estimate == pytest.approx(0.9) and found.coverage.estimate == pytest.approx(0.9)


def test_repeats_of_a_group_do_not_narrow_an_interval() -> None:
    examples = drafts("++++----++", groups="aaaabbbbcc")
    found = measure(np.full(10, 0.9), np.full(10, 0.9), examples, bar=0.5)
    assert found.right.estimate == 0.6
    assert found.right.high - found.right.low > 0.8


def test_of_nothing_nothing_is_known() -> None:
    found = measure(np.array([]), np.array([]), [], bar=0.85)
    assert (found.n, found.right.estimate, found.coverage.estimate, found.bins) == (0, None, None, ())
    assert math.isnan(found.ece) and math.isnan(found.auroc)


def test_a_map_is_applied_as_it_would_serve() -> None:
    examples = [*drafts("+-"), Example(id="x", group="x", signals={"s": None}, accepted=True)]
    chosen = Map(kind="steps", signal="s", steps=((0.0, 0.3), (0.5, 0.9)), margin=0.1)
    low, p = applied(chosen, examples)
    assert p[:2].tolist() == [0.3, 0.9] and low[:2] == pytest.approx([0.2, 0.8])
    assert np.isnan(p[2]) and np.isnan(low[2])
    assert np.isnan(applied(None, examples)[1]).all()


def test_the_evidence_of_an_example_is_its_signals() -> None:
    example = Example(id="x", group="x", signals={"a": 0.5, "b": None}, accepted=True)
    assert [(signal.name, signal.score) for signal in evidence_of(example).signals] == [("a", 0.5), ("b", None)]
