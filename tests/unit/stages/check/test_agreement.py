"""Agreement: of the answers of one rung, and with the rungs below."""

import pytest
from check_support import scores, seen

from surefoot.stages.check import Agreement, Below


def test_one_answer_alone_says_nothing() -> None:
    assert scores(Agreement()(seen("It takes 2 days."))) == {}
    assert scores(Below()(seen("It takes 2 days.")))["agreement.below"] is None


@pytest.mark.parametrize(
    ("text", "others", "score"),
    [
        ("#### 5", ("The answer is 5",), 1.0),
        ("#### 5", ("#### 6",), 0.0),
        ("#### 5", ("#### 5", "#### 6"), 0.5),
        ("#### 5", ("#### 5", "#### 6", "#### 5", "#### 5"), 0.75),
        ('{"days": 2}', ('{ "days" : 2 }',), 1.0),
        ('{"days": 2}', ('{"days": 3}',), 0.0),
        ("", ("#### 5",), None),
        ("#### 5", ("", "#### 5"), 1.0),
    ],
)
def test_the_score_is_the_mean_likeness_to_the_other_answers(
    text: str, others: tuple[str, ...], score: float | None
) -> None:
    assert scores(Agreement()(seen(text, others=others))) == {"agreement": score}


def test_prose_agrees_in_part() -> None:
    long = "Repeat prescriptions take two working days, and the app shows when they can be collected at the desk."
    found = scores(Agreement()(seen(long, others=(long.replace("two", "three"),))))["agreement"]
    assert found is not None and 0.5 < found < 1


def test_a_stronger_model_is_compared_with_every_answer_of_the_rungs_below() -> None:
    assert scores(Below()(seen("#### 5", before=("#### 5", "#### 6")))) == {"agreement.below": 0.5}
