"""A classifier of messages is fitted from labels and measured on groups it did not see."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from surefoot.errors import DataError
from surefoot.learning.classifier import Message, _lines, fit_classifier

BAD = ("overdose", "bleeding", "unconscious", "seizure")
GOOD = ("invoice", "opening", "parking", "letter")
FILLER = "please could somebody tell me about this before monday thank you very much indeed".split()


def messages(n: int, *, noise: float = 0.0, seed: int = 1) -> list[Message]:
    """A message in five is positive; its word says so, but for a share of noise. Synthetic."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        positive = number % 5 == 0
        words = BAD if positive != (rng.random() < noise) else GOOD
        text = " ".join([*rng.choice(FILLER, 6), str(rng.choice(words)), *rng.choice(FILLER, 4)])
        made.append(Message(text=text, group=f"g{number % 40}", positive=positive))
    return made


def test_what_can_be_told_apart_is_told_apart() -> None:
    fitted = fit_classifier(messages(200))
    assert fitted.recall.low > 0.8 and fitted.false_alarms.high < 0.1
    assert fitted.classifier.match("he is bleeding") and not fitted.classifier.match("a parking letter")


@pytest.mark.parametrize("recall", [0.7, 0.9, 0.99])
def test_the_wanted_recall_is_about_reached_on_groups_that_were_not_seen(recall: float) -> None:
    fitted = fit_classifier(messages(400, noise=0.1), recall=recall)
    assert fitted.recall.n == 80 and fitted.false_alarms.n == 320
    assert fitted.recall.low <= recall <= fitted.recall.high


def test_more_recall_costs_more_false_alarms() -> None:
    rows = messages(300, noise=0.15)
    few, many = (fit_classifier(rows, recall=recall) for recall in (0.6, 0.99))
    assert few.classifier.threshold > many.classifier.threshold
    assert (few.false_alarms.estimate or 0) < (many.false_alarms.estimate or 0)


def test_noise_is_not_learned() -> None:
    rows = messages(300)
    rng = np.random.default_rng(3)
    shuffled = [Message(text=row.text, group=row.group, positive=bool(rng.random() < 0.3)) for row in rows]
    fitted = fit_classifier(shuffled, recall=0.8)
    assert fitted.recall.estimate is not None and fitted.false_alarms.estimate is not None
    assert abs(fitted.recall.estimate - fitted.false_alarms.estimate) < 0.15


def test_the_same_labels_give_the_same_classifier() -> None:
    assert fit_classifier(messages(200), seed=4) == fit_classifier(messages(200), seed=4)


@pytest.mark.parametrize("positive", [True, False])
def test_too_few_groups_of_a_kind_cannot_be_measured(positive: bool) -> None:
    rows = [Message(text=f"m {n}", group=f"g{n}", positive=(n < 4) == positive) for n in range(40)]
    with pytest.raises(DataError, match="come from 4 groups"):
        fit_classifier(rows)


@pytest.mark.parametrize("recall", [0.0, 1.1])
def test_a_recall_that_is_none_is_refused(recall: float) -> None:
    with pytest.raises(ValueError, match="recall"):
        fit_classifier(messages(100), recall=recall)


def test_wide_tables_have_the_same_line_as_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((60, 300)) < 0.05).astype(float)
    y = x[:, 0] + rng.normal(0, 0.4, 60) > 0.3
    weights, bias = _lines(x, y, (5.0, 2.0))[1]
    oracle = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000).fit(x, y)
    assert weights == pytest.approx(oracle.coef_[0], abs=1e-4) and bias == pytest.approx(oracle.intercept_[0], abs=1e-4)
