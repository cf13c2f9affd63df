"""A promise's standing: blind labels of one edition, a group once, live, and not beyond an alarm."""

import itertools

import pytest

from surefoot.learning.standing import Tally, standing
from surefoot.policy import Promise
from surefoot.records import Label

PROMISE = Promise(accuracy=0.85)


def label(at: int, **given: object) -> Label:
    fields: dict[str, object] = dict(
        id=f"l{at:05}", request_id=f"r{at}", at_ns=at, tenant="t", feature="f", rung="small", edition="e1",
        verdict="accepted", source="audit", group=f"g{at}", propensity=0.05,
    )  # fmt: skip
    return Label(**(fields | given))  # type: ignore[arg-type]


def right(n: int, start: int = 0, **given: object) -> list[Label]:
    return [label(at, **given) for at in range(start, start + n)]


def test_twenty_four_right_in_a_row_certify_whatever_share_is_audited() -> None:
    for propensity in (1.0, 0.05, 0.01):
        found = right(24, propensity=propensity)
        assert standing(found, PROMISE, edition="e1").state == "certified"
        assert standing(found[1:], PROMISE, edition="e1").labels_needed == 1


def test_the_change_from_all_to_an_audit_does_not_end_a_certificate() -> None:
    cold, warm = right(30, propensity=1.0), right(1, 30, propensity=0.05)
    assert standing([*cold, *warm], PROMISE, edition="e1").state == "certified"


@pytest.mark.parametrize(
    "given",
    [{"edition": "e2"}, {"source": "client"}, {"source": "case"}, {"propensity": None}, {"propensity": 0.0}],
)
def test_other_labels_do_not_certify(given: dict[str, object]) -> None:
    assert standing(right(100, **given), PROMISE, edition="e1").n == 0


def test_a_new_edition_begins_anew_and_a_rollback_finds_its_certificate() -> None:
    found = [*right(50), *right(5, 50, edition="e2")]
    assert standing(found, PROMISE, edition="e2").labels_needed == 19
    assert standing(found, PROMISE, edition="e1").state == "certified"


def test_repeats_of_a_question_are_one_unit() -> None:
    assert standing(right(100, group="the same"), PROMISE, edition="e1").n == 1


def test_a_unit_does_not_change_once_it_was_looked_at() -> None:
    repeats = [label(100 + at, group=f"g{at}", verdict="wrong") for at in range(30)]
    assert standing([*right(30), *repeats], PROMISE, edition="e1") == standing(right(30), PROMISE, edition="e1")


def test_the_first_label_is_the_first_by_time_in_whatever_order_it_is_read() -> None:
    found = [label(3, group="a"), label(1, group="a", verdict="wrong"), label(2, group="a"), label(4)]
    for order in itertools.permutations(found):
        assert standing(order, PROMISE, edition="e1").accuracy == 0.5


def test_edited_drafts_count_as_wrong() -> None:
    assert standing([label(1, verdict="edited")], PROMISE, edition="e1").accuracy == 0.0


def test_a_smaller_share_later_does_not_make_earlier_labels_worth_less() -> None:
    waves = [*right(10, propensity=1.0), *right(7, 10, propensity=0.1), *right(7, 17, propensity=0.01)]
    assert standing(waves, PROMISE, edition="e1") == standing(right(24), PROMISE, edition="e1")


def test_a_later_wave_of_wrong_labels_ends_a_certificate() -> None:
    wave = [label(at, verdict="wrong") for at in range(60, 100)]
    states = [standing([*right(60), *wave[:n]], PROMISE, edition="e1").state for n in range(41)]
    assert (states[0], states[-1]) == ("certified", "broken")
    assert "not certified yet" in states


def test_the_need_is_unknown_when_the_estimate_is_beyond_the_limit() -> None:
    found = [*right(16), *right(4, 16, verdict="wrong")]
    assert standing(found, PROMISE, edition="e1").labels_needed is None


def test_after_an_alarm_the_labels_since_must_certify_by_themselves() -> None:
    found = right(1000)
    assert standing(found, PROMISE, edition="e1", alarm_ns=990).state == "not certified yet"
    assert standing(found, PROMISE, edition="e1", alarm_ns=990).labels_needed == 15
    assert standing(found, PROMISE, edition="e1", alarm_ns=975).state == "certified"


def test_an_alarm_never_makes_a_certificate_easier() -> None:
    bad_then_good = [*right(200, verdict="wrong"), *right(50, 200)]
    assert standing(bad_then_good, PROMISE, edition="e1", alarm_ns=199).state != "certified"
    assert standing(bad_then_good, PROMISE, edition="e1", alarm_ns=199).accuracy == 1.0


def test_a_known_question_counts_again_after_an_alarm() -> None:
    again = [label(100 + at, group=f"g{at}") for at in range(30)]
    assert standing([*right(30), *again], PROMISE, edition="e1", alarm_ns=50).n == 30


def test_of_nothing_nothing_is_known() -> None:
    found = Tally("e1").certified(PROMISE)
    assert (found.state, found.n, found.accuracy, found.labels_needed) == ("not certified yet", 0, None, 24)
