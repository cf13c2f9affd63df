"""Equations in answers are recomputed exactly; what is not arithmetic is left alone."""

import gzip
import json
from pathlib import Path

import pytest

from surefoot.signals.arithmetic import Arithmetic, arithmetic


@pytest.mark.parametrize(
    "text",
    [
        "12 * 3 = 36", "12 × 3 = 36", "She has 5 + 7 = 12 apples.", "$5 * 4 = $20", "10 / 4 = 2.5", "(2 + 3) * 4 = 20",
        "15% of 80 is 12", "2 + 3 = 5 = 10 / 2", "10 / 3 = 3.33", "1,200 - 200 = 1,000", r"\frac{6}{3} = 2", "3 x 4 = 12",
        "5 apples * 2 = 10 apples", "7 − 9 = -2", "20 * 15% = 3", "1 / 4 = 25%", r"4 \times 5 = 20",
    ],
)  # fmt: skip
def test_an_equation_that_holds_is_counted_as_right(text: str) -> None:
    found = arithmetic(text)
    assert found.score == 1.0 and found.equations >= 1


@pytest.mark.parametrize(
    "text",
    ["12 * 3 = 35", "15% of 80 is 13", "10 / 3 = 3.4", "$5 * 4 = $21", "2 + 3 = 10 / 2 = 6", "100 - 1 = 98 apples"],
)
def test_an_equation_that_does_not_hold_is_counted_as_wrong(text: str) -> None:
    found = arithmetic(text)
    assert found.wrong == 1 and found.score is not None and found.score < 1


@pytest.mark.parametrize(
    "text",
    [
        "", "no sums here", "x = 5", "2x = 10", "y + 3 = 8", "price of 5 apples = 10", "a == b", "3 >= 2", "5 / 0 = 1",
        "2^3 = 8", "n = 3 + k", "area = 12", "1" * 40 + " + 1 = 2", "f(2) = 3", "at 12:30 = noon",
    ],
)  # fmt: skip
def test_what_is_not_plain_arithmetic_is_left_alone(text: str) -> None:
    assert arithmetic(text) == Arithmetic(None)


def test_the_score_is_the_share_that_holds() -> None:
    assert arithmetic("1 + 1 = 2\n2 + 2 = 5\n3 * 3 = 9\n4 - 1 = 3") == Arithmetic(0.75, 4, 1)


@pytest.mark.parametrize("piece", ["1", "1 ", "1=", "(", "1+", "1 a b c ", "5% of ", "=", r"\frac{1}{", "1,000"])
def test_a_text_made_to_stall_is_read_like_any_other(piece: str) -> None:
    found = arithmetic(piece * (50_000 // len(piece)))
    assert found.score is None or 0 <= found.score <= 1


@pytest.mark.data
def test_right_answers_are_hardly_ever_flagged(data_dir: Path) -> None:
    with gzip.open(data_dir / "gsm8k.jsonl.gz") as file:
        answers = [answer for line in file for answer in json.loads(line)["answers"].values() if answer.get("text")]
    flagged = {True: [0, 0], False: [0, 0]}
    for answer in answers:
        found = arithmetic(answer["text"])
        flagged[answer["correct"]][0] += found.wrong > 0
        flagged[answer["correct"]][1] += 1
    right, wrong = (hits / n for hits, n in (flagged[True], flagged[False]))
    assert right < 0.01 and wrong > 5 * right
