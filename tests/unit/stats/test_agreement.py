"""Krippendorff's alpha against a hand computation over pairs, and its edges."""

import itertools
import random
from collections.abc import Sequence

import pytest

from surefoot.stats.agreement import krippendorff

PRINTED = [  # four observers, twelve units, as in Krippendorff's own worked example; "." was not judged
    "1.11", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", ".3..",
]  # fmt: skip


def by_pairs(units: Sequence[str]) -> float:
    """Disagreement among ordered pairs: within units, over all values."""
    paired = [unit for unit in units if len(unit) > 1]
    values = "".join(paired)
    seen = sum(sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in paired) / len(
        values
    )
    chance = sum(a != b for a, b in itertools.permutations(values, 2)) / (len(values) * (len(values) - 1))
    return 1 - seen / chance


def test_the_worked_example_of_the_book() -> None:
    found = krippendorff([unit.replace(".", "") for unit in PRINTED])
    assert found.alpha == pytest.approx(0.743, abs=0.001)
    assert (found.units, found.values) == (11, 40)


def test_random_units_give_what_pairs_give() -> None:
    dice = random.Random(5)
    units = ["".join(dice.choices("aaab", k=dice.randint(1, 5))) for _ in range(60)]
    assert krippendorff(units).alpha == pytest.approx(by_pairs(units), abs=1e-12)


def test_full_agreement_is_one_and_opposition_below_zero() -> None:
    assert krippendorff(["aa", "bb", "aa", "bb"]).alpha == 1.0
    opposed = krippendorff(["ab"] * 20).alpha
    assert opposed is not None and opposed < 0


def test_who_always_says_the_same_shows_nothing() -> None:
    found = krippendorff(["aa"] * 30)
    assert found.alpha is None and (found.low, found.high) == (-1.0, 1.0)


@pytest.mark.parametrize("units", [[], ["ab"], ["a", "b", "c"]])
def test_too_few_judgements_are_not_enough_data(units: list[str]) -> None:
    assert krippendorff(units).alpha is None


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    # two raters, each right with probability .9 about a fair coin: alpha = (2 * .9 - 1)^2 = .64
    held = 0
    for seed in range(60):
        dice = random.Random(seed)
        units = []
        for _ in range(150):
            truth = dice.random() < 0.5
            units.append([truth if dice.random() < 0.9 else not truth for _ in range(2)])
        found = krippendorff(units, resamples=400, seed=seed)
        held += found.low <= 0.64 <= found.high
    assert held >= 51  # 95 % of 60 is 57; fewer than 51 happens once in two hundred


def test_the_same_seed_gives_the_same_interval() -> None:
    units = ["ab", "aa", "bb", "aa", "ba", "bb"]
    assert krippendorff(units, seed=4) == krippendorff(units, seed=4)
