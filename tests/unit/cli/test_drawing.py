"""A reliability diagram of 80 columns, and numbers that say when they are none."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.cli.drawing import diagram, number, percent, share
from surefoot.stats import clopper_pearson
from surefoot.stats.metrics import Bin


def test_claim_and_truth_stand_where_they_are_and_share_a_column_when_they_meet() -> None:
    head, apart, together = diagram(
        [Bin(0.2, 0.3, 0.25, clopper_pearson(15, 20)), Bin(0.4, 0.6, 0.5, clopper_pearson(10, 20))]
    )
    assert (apart.index("|"), apart.index("o"), together.index("+")) == tuple(
        head.index(mark) for mark in (".25", ".75", ".5 ")
    )
    assert "o" not in together and "0.25     20   0.75" in apart


@given(st.floats(0, 1), st.integers(0, 10**6), st.floats(0, 1))
def test_a_row_never_leaves_eighty_columns(claimed: float, n: int, rate: float) -> None:
    lines = diagram([Bin(0.0, 1.0, claimed, clopper_pearson(int(rate * n), n))])
    assert all(len(line) <= 80 for line in lines)


def test_what_is_unknown_is_said_in_words() -> None:
    nan = float("nan")
    assert (share(clopper_pearson(0, 0)), percent(None), percent(nan), number(nan)) == (
        "not enough data (n = 0)", "unknown", "unknown", "-",
    )  # fmt: skip
