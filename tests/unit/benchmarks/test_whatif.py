"""The what-if benchmark: answers beside a truth, and no number where no lot could tell."""

import pytest

from benchmarks import whatif
from benchmarks.whatif import ASKED, ERROR, UNIDENTIFIED, deterministic, in_worlds


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "REQUESTS", 300)
    monkeypatch.setattr(whatif, "TRUTH", 300)


def test_every_question_of_a_world_is_answered_beside_its_truth() -> None:
    found = in_worlds(1, 5)
    assert [each.question for each in found] == [*ASKED, f"served {ERROR}"]
    assert all(each.width > 0 for each in found)


def test_a_log_without_lots_gives_no_number() -> None:
    assert deterministic(5) == UNIDENTIFIED
