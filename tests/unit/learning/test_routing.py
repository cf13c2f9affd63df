"""Route models: they find who needs the strong model, serve what was fitted, and say nothing where nothing is known."""

import random

import numpy as np
import pytest

from surefoot.learning.routing import Asked, RouteFit, fit_route
from surefoot.signals.router import Router, read_route, write_route
from surefoot.stats.routing import apgr

EASY = ["opening hours", "address of the shop", "price of a ticket"]
HARD = ["prove the theorem", "derive the integral", "bound the eigenvalue"]
LOST = ["tomorrow's lottery numbers", "winner of the next race", "weather in ten years"]  # nobody knows: hard, no gain


def questions(n: int, seed: int) -> list[Asked]:
    """Invented: the small model answers easy ones, the large one hard ones too, and neither the lost ones."""
    drawn = random.Random(seed)
    found = []
    for place in range(n):
        kind = drawn.choice(["easy", "hard", "lost"])
        words = drawn.choice({"easy": EASY, "hard": HARD, "lost": LOST}[kind])
        text = f"{words} please, {drawn.choice(['Anna', 'Ben', 'Cleo'])} {drawn.choice(['asks', 'wonders'])} {drawn.random():.2f}"
        right = {"small": kind == "easy", "large": kind != "lost"}
        found.append(
            Asked(text=text, group=str(place), accepted={k: v ^ (drawn.random() < 0.1) for k, v in right.items()})
        )
    return found


@pytest.fixture(scope="module")
def fit() -> RouteFit:
    found = fit_route(questions(300, 1), ("small", "large"))
    assert found is not None
    return found


def test_the_gain_is_found_and_not_the_difficulty(fit: RouteFit) -> None:
    router = Router(fit.model)
    easy, hard, lost = (np.mean([router.estimates(text)[1].gain for text in texts]) for texts in (EASY, HARD, LOST))
    assert hard > easy + 0.3 and hard > lost + 0.3


def test_on_new_questions_it_recovers_more_than_chance_does(fit: RouteFit) -> None:
    fresh, router = questions(300, 2), Router(fit.model)
    gains = [router.estimates(each.text)[1].gain for each in fresh]
    weak, strong = (np.array([each.accepted[rung] for each in fresh]) for rung in ("small", "large"))
    assert apgr(gains, weak, strong) > 0.65


def test_what_is_stored_serves_the_same(fit: RouteFit) -> None:
    again = Router(read_route(write_route(fit.model)))
    assert again.estimates(HARD[0]) == Router(fit.model).estimates(HARD[0])


def test_probabilities_are_calibrated_on_average(fit: RouteFit) -> None:
    fresh, router = questions(300, 3), Router(fit.model)
    found = [router.estimates(each.text) for each in fresh]
    for place, rung in enumerate(("small", "large")):
        told = np.mean([each[place].p for each in found])
        assert told == pytest.approx(np.mean([each.accepted[rung] for each in fresh]), abs=0.08)


def test_the_same_questions_give_the_same_model(fit: RouteFit) -> None:
    again = fit_route(questions(300, 1), ("small", "large"))
    assert again is not None and write_route(again.model) == write_route(fit.model)


def test_verdicts_without_a_pattern_teach_no_gain() -> None:
    drawn = random.Random(5)
    asked = [
        Asked(text=each.text, group=each.group, accepted={rung: drawn.random() < 0.7 for rung in ("small", "large")})
        for each in questions(200, 4)
    ]
    found = fit_route(asked, ("small", "large"))
    assert found is not None
    assert np.std([each[1].gain for each in found.estimates]) < 0.2


def test_a_rung_with_too_few_verdicts_is_left_out_and_one_rung_alone_is_no_choice() -> None:
    asked = [Asked(text=each.text, group=each.group, accepted={"small": True}) for each in questions(60, 6)]
    assert fit_route(asked, ("small", "large")) is None
    assert fit_route(questions(20, 7), ("small", "large")) is None


def test_labels_of_either_rung_alone_are_enough() -> None:
    asked = [
        Asked(text=each.text, group=each.group, accepted={rung: each.accepted[rung]})
        for place, each in enumerate(questions(400, 8))
        for rung in (("small", "large")[place % 2],)
    ]
    found = fit_route(asked, ("small", "large"))
    assert found is not None and found.model.apgr is None
    router = Router(found.model)
    assert np.mean([router.estimates(text)[1].gain for text in HARD]) > 0.3
