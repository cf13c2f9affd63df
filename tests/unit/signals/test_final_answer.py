"""Final answers are compared by what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.final_answer import agree, final_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('```json\n{"reasoning": "so", "answer": "3"}\n```', "3"),
        ('{"answer": "$70,000.00"}', "70000"),
        ('{"reasoning": "say \\"answer\\": no", "answer": "12 apples"', "12"),
        ('{"answer": [1, 2]}', "[1, 2]"),
        ('{"answer": "[(4, 1), (2,3)]"}', "[(4, 1), (2, 3)]"),
        ("Thus 6 * 7 = 42.\n#### 42", "42"),
        ("so \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("Because of that, the answer is 18%.", "18"),
        ("Final answer: Paris.", "Paris"),
        ("(B) the second", "B"),
        ("'POO'", "POO"),
        ("50.0", "50"),
        ("-0.50", "-0.5"),
        ("# 3", "3"),
        ("A long explanation of many things that never comes to any point at all, I fear.", None),
        ("", None),
    ],
)
def test_a_final_answer_is_found_and_undressed(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


def test_two_models_agree_on_the_value_not_the_wording() -> None:
    assert agree('{"answer": "1,200"}', "The answer is $1200.") == 1.0
    assert agree('{"answer": "1,200"}', "The answer is 1201") == 0.0
    assert (
        agree('{"answer": "1"}', "a text without any final answer whatsoever, as models sometimes like to write it")
        is None
    )


@given(st.text(max_size=200), st.text(max_size=200))
def test_agreement_is_symmetric_and_everything_agrees_with_itself(one: str, other: str) -> None:
    assert agree(one, other) == agree(other, one)
    assert agree(one, one) in (1.0, None)
