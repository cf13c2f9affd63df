"""What simulated models get wrong, and how."""

import pytest

from surefoot.providers.simulated import _Lot, _with_a_slip


@pytest.mark.parametrize(
    "text", ["It costs 30 dollars.", "Call 555-0110 at 8:00.", "Cash is not accepted.", "Dogs are allowed."]
)
def test_a_slip_changes_what_is_said(text: str) -> None:
    assert _with_a_slip(text, _Lot("seed")) not in (None, text)


def test_a_slip_keeps_the_shape_of_times_and_numbers() -> None:
    changed = _with_a_slip("Open 08:30, 3.50 dollars", _Lot("seed"))
    assert changed is not None
    time, price = changed.removeprefix("Open ").removesuffix(" dollars").split(", ")
    assert len(time) == 5 and time.endswith(":30") and price.endswith(".50")


def test_nothing_to_change_is_said_so() -> None:
    assert _with_a_slip("Hello there", _Lot("seed")) is None


def test_lots_are_independent_of_one_another_and_the_same_every_time() -> None:
    assert _Lot("a").uniform("x") == _Lot("a").uniform("x")
    assert len({_Lot(seed).uniform(purpose) for seed in "ab" for purpose in "xy"}) == 4
