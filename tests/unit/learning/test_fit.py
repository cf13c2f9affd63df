"""Maps fitted in worlds whose probabilities are known."""

from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import pytest

from surefoot.learning.examples import Example
from surefoot.learning.fit import Fit, fit_map
from surefoot.learning.measure import applied
from surefoot.policy import Map, apply_map
from surefoot.records import Evidence, Signal
from surefoot.stats.arrays import Floats, sigmoid
from surefoot.stats.metrics import ece, ece_perfect

Truth = tuple[list[Example], Floats]
World = Callable[..., Truth]
BAR = 0.85


def examples_of(signals: dict[str, Floats], p: Floats, weight: Floats, rng: np.random.Generator) -> Truth:
    right = rng.random(p.size) < p
    made = [
        Example(
            id=str(row), group=str(row), accepted=bool(right[row]), weight=float(weight[row]),
            signals={name: None if np.isnan(column[row]) else float(column[row]) for name, column in signals.items()},
        )
        for row in range(p.size)
    ]  # fmt: skip
    return made, p


def well(n: int, seed: int) -> Truth:
    """A logistic truth of two signals beside one that says nothing."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.random((3, n))
    return examples_of({"a": a, "b": b, "c": c}, sigmoid(5 * a + 3 * b - 2), np.ones(n), rng)


def bent(n: int, seed: int) -> Truth:
    """A truth of steps, which no sigmoid follows."""
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, n))
    p = np.where(a < 0.3, 0.25, np.where(a < 0.75, 0.7, 0.95)) - 0.1 * (b < 0.5)
    return examples_of({"a": a, "b": b}, p, np.ones(n), rng)


def gaps(n: int, seed: int) -> Truth:
    """A signal is missing in 40 % of drafts, more often in bad ones, and its absence is itself a bad sign."""
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, n))
    gone = rng.random(n) < np.where(a < 0.5, 0.6, 0.2)
    p = sigmoid(5 * a + 3 * b - 2) * np.where(gone, 0.6, 1.0)
    return examples_of({"a": a, "b": np.where(gone, np.nan, b)}, p, np.ones(n), rng)


def audited(n: int, seed: int) -> Truth:
    """Good drafts are labelled one time in ten, the others always; right answers are rarer than the signals say."""
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 8 * n))
    propensity = np.where(a + b > 1.1, 0.1, 1.0)
    kept = np.flatnonzero(rng.random(8 * n) < propensity)[:n]
    p = sigmoid(5 * a + 3 * b - 2)
    return examples_of({"a": a[kept], "b": b[kept]}, p[kept], 1 / propensity[kept], rng)


WORLDS = [(well, 300), (well, 1200), (bent, 1200), (gaps, 300), (audited, 400)]
SEEDS = range(5)


@cache
def fit_in(world: World, n: int, seed: int) -> Fit:
    return fit_map(world(n, seed)[0], seed=seed)


@pytest.mark.parametrize(("world", "n"), WORLDS)
def test_cross_fitted_probabilities_are_as_calibrated_as_a_perfect_calibrators(world: World, n: int) -> None:
    kept = 0
    for seed in SEEDS:
        examples, p = world(n, seed)[0], fit_in(world, n, seed).p
        right, weight = [example.accepted for example in examples], [example.weight for example in examples]
        kept += ece(p, right, weights=weight) <= ece_perfect(p, weights=weight)
    assert kept >= 3  # in most seeds


@pytest.mark.parametrize(("world", "n"), WORLDS)
def test_new_drafts_whose_lower_end_reaches_the_bar_are_right_more_often_than_it(world: World, n: int) -> None:
    for seed in SEEDS:
        new, truth = world(1500, 100 + seed)
        low, _ = applied(fit_in(world, n, seed).map, new)
        assert (low >= BAR).any()
        assert truth[low >= BAR].mean() >= BAR


@pytest.mark.parametrize(("world", "n"), WORLDS)
def test_the_lower_end_is_below_the_truth_at_most_scores(world: World, n: int) -> None:
    below = []
    for seed in SEEDS:
        new, truth = world(1500, 100 + seed)
        low, _ = applied(fit_in(world, n, seed).map, new)
        below += [low[part].mean() <= truth[part].mean() for part in np.array_split(np.argsort(low, kind="stable"), 15)]
    assert np.mean(below) >= 0.85


def test_signals_that_say_nothing_deliver_nothing_above_the_rate() -> None:
    rng = np.random.default_rng(1)
    examples, _ = examples_of({"a": rng.random(1200)}, np.full(1200, 0.8), np.ones(1200), rng)
    low, p = applied(fit_map(examples).map, examples)
    assert np.mean(low >= BAR) < 0.02
    assert p.mean() == pytest.approx(0.8, abs=0.03)


def test_an_absence_that_is_a_bad_sign_lowers_p() -> None:
    found = fit_map(gaps(600, 1)[0]).map
    assert found is not None
    there = apply_map(found, evidence(a=0.9, b=0.5)).p
    gone = apply_map(found, evidence(a=0.9, b=None)).p
    assert there is not None and gone is not None
    assert gone < there - 0.1


def evidence(**scores: float | None) -> Evidence:
    return Evidence(signals=tuple(Signal(name=name, score=score) for name, score in scores.items()))


def test_a_signal_never_seen_while_labels_were_gathered_is_ignored() -> None:
    found = fitted(well(100, 2)[0])
    assert apply_map(found, evidence(a=0.5, b=0.5, c=0.5, new=0.0)) == apply_map(found, evidence(a=0.5, b=0.5, c=0.5))


def test_a_signal_that_was_always_there_may_not_be_missing() -> None:
    found = fitted(well(100, 3)[0])
    assert not apply_map(found, evidence(a=0.5, b=0.5)).calibrated
    assert not apply_map(found, evidence(a=0.5, b=0.5, c=None)).calibrated


def fitted(examples: list[Example]) -> Map:
    found = fit_map(examples).map
    assert found is not None
    return found


@pytest.mark.parametrize(("absent", "judged"), [(4, False), (5, True)])
def test_an_absence_seen_too_rarely_is_not_judged(absent: int, judged: bool) -> None:
    examples = well(100, 4)[0]
    examples[:absent] = [cut(example, "a") for example in examples[:absent]]
    fit = fit_map(examples)
    assert fit.map is not None
    assert apply_map(fit.map, evidence(a=None, b=0.5, c=0.5)).calibrated == judged
    assert np.isnan(applied(fit.map, examples)[1][:absent]).all() != judged
    assert not np.isnan(fit.p[absent:]).any()


def cut(example: Example, name: str) -> Example:
    signals = {key: score for key, score in example.signals.items() if key != name}
    return Example(id=example.id, group=example.group, accepted=example.accepted, signals=signals)


def test_thirty_labels_of_five_groups_are_enough_and_fewer_are_not() -> None:
    examples = well(30, 5)[0]
    assert fit_map(examples).map is not None
    few = fit_map(examples[:29])
    assert few.map is None and np.isnan(few.low).all() and np.isnan(few.p).all()
    four = [Example(id=e.id, group=str(n % 4), signals=e.signals, accepted=e.accepted) for n, e in enumerate(examples)]
    assert fit_map(four).map is None
    assert fit_map([]).map is None


@pytest.mark.parametrize("accepted", [True, False])
def test_labels_of_one_kind_give_a_flat_map_with_the_exact_interval(accepted: bool) -> None:
    examples = [
        Example(id=e.id, group=e.group, signals=e.signals, accepted=accepted) for e in well(40, 6)[0]
    ]  # fmt: skip
    sure = apply_map(fitted(examples), evidence(a=0.1, b=0.1, c=0.1))
    assert sure.low is not None and sure.high is not None and sure.p is not None
    assert (sure.low, sure.high) == pytest.approx((0.05 ** (1 / 40), 1) if accepted else (0, 1 - 0.05 ** (1 / 40)))
    assert sure.p == pytest.approx(41 / 42 if accepted else 1 / 42, abs=1e-4)


def test_repeats_of_six_right_answers_are_no_evidence_of_sixty() -> None:
    examples = [Example(id=str(n), group=str(n % 6), signals={"a": 0.5}, accepted=True) for n in range(60)]
    low = apply_map(fitted(examples), evidence(a=0.5)).low
    assert low == pytest.approx(0.05 ** (1 / 6))


def test_signals_that_part_right_from_wrong_do_not_say_certain() -> None:
    examples = [
        Example(id=str(n), group=str(n), signals={"a": n / 60}, accepted=n >= 30) for n in range(60)
    ]  # fmt: skip
    low, p = applied(fitted(examples), examples)
    assert 0 < p.min() < 0.2 and 0.8 < p.max() < 1
    assert low.max() <= 0.05 ** (1 / 60)  # all that sixty right answers in a row would say


def test_a_constant_signal_and_no_signal_at_all_give_the_rate() -> None:
    for signals in ({"a": 0.7}, {}, {"a": None}):
        examples = [Example(id=str(n), group=str(n), signals=signals, accepted=n % 4 > 0) for n in range(80)]
        sure = apply_map(fitted(examples), evidence(a=0.7))
        assert sure.p == pytest.approx(0.75, abs=0.02)


def test_the_kind_of_curve_follows_the_number_of_effective_labels() -> None:
    assert curve_kind(well(1000, 7)[0]) == "venn-abers"
    assert curve_kind(audited(1000, 7)[0]) != "venn-abers"


def curve_kind(examples: list[Example]) -> str:
    curve = fitted(examples).curve
    assert curve is not None
    return curve.kind


def test_what_is_reported_of_a_group_does_not_depend_on_its_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [
        Example(id=e.id, group=str(n % 30), signals=e.signals, accepted=e.accepted)
        for n, e in enumerate(well(120, 8)[0])
    ]
    turned = [
        Example(id=e.id, group=e.group, signals=e.signals, accepted=e.accepted != (e.group == "7")) for e in examples
    ]
    mine = np.array([example.group == "7" for example in examples])
    assert fit_map(examples).p[mine] == pytest.approx(fit_map(turned).p[mine])


def test_the_same_examples_and_seed_give_the_same_map() -> None:
    examples = well(60, 9)[0]
    assert fit_map(examples, seed=3).map == fit_map(examples, seed=3).map


def test_a_map_of_thousands_of_labels_is_some_kilobytes_of_policy() -> None:
    found = fitted(well(6000, 10)[0])
    assert len(msgspec.json.encode(found)) < 20_000
    assert found.labels == 6000
