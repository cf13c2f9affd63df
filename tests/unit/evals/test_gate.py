"""The gate's verdicts on scores: three of them, and what each rests on."""

import numpy as np
import pytest

from surefoot.evals.gate import AGAINST, FAIL, FLOOR, OPEN, PASS, Finding, Item, Rules, conclude, look, plans


def items(better: int, worse: int, same: int, *, right: bool = True) -> list[Item]:
    """So many items on which the candidate is better, worse, and the same; in a mixed order."""
    scores = [((1.0,), (0.0,))] * better + [((0.0,), (1.0,))] * worse + [((float(right),), (float(right),))] * same
    order = np.random.default_rng(0).permutation(len(scores))
    return [Item(id=f"i{n}", group=f"g{n}", candidate=scores[n][0], other=scores[n][1]) for n in order]


def ended(given: list[Item], rules: Rules, *, whole: bool = True, **settled: Finding) -> tuple[str, Finding]:
    verdict = conclude(given, rules, dict(settled), whole=whole)
    return verdict.state, verdict.findings[0]


def test_it_passes_fails_or_says_how_many_items_are_missing() -> None:
    assert ended(items(60, 40, 900), Rules())[0] == PASS
    assert ended(items(20, 110, 870), Rules())[0] == FAIL
    state, found = ended(items(2, 2, 46), Rules())
    assert state == OPEN and found.low < -0.03 < found.high and 700 < (found.more_items or 0) < 1200
    state, found = ended([], Rules())
    assert (state, found.estimate, found.low, found.high) == (OPEN, None, -1.0, 1.0)
    assert found.more_items and found.more_items > 800


def test_items_that_are_all_the_same_pass_only_when_they_are_many() -> None:
    assert ended(items(0, 0, 20), Rules())[0] == OPEN
    assert ended(items(0, 0, 300), Rules())[0] == PASS


def test_a_run_that_was_broken_off_has_no_look_at_the_end() -> None:
    verdict = conclude(items(60, 40, 900), Rules(), {}, whole=False, stopped="the cap is reached")
    assert verdict.state == OPEN and verdict.reason.startswith("the cap is reached; ")


def test_what_the_bets_settled_stays_settled_with_an_interval_for_every_look() -> None:
    settled: dict[str, Finding] = {}
    bad = items(2, 60, 138)
    assert look(bad, Rules(), 1, settled) == FAIL
    found = settled[AGAINST]
    assert found.early and found.state == FAIL and found.high < -0.03 and found.low < (found.estimate or 0) < found.high
    assert conclude(bad, Rules(), settled, whole=False).state == FAIL
    assert look(bad, Rules(early=0.0), 1, {}) is None
    assert look(items(3, 5, 192), Rules(), 1, {}) is None


def test_a_floor_and_a_comparison_must_both_hold() -> None:
    both = Rules(at_least=0.9)
    good, poor = items(60, 40, 900), items(60, 40, 900, right=False)
    assert conclude(good, both, {}, whole=True).state == PASS
    verdict = conclude(poor, both, {}, whole=True)
    assert verdict.state == FAIL and [each.state for each in verdict.findings] == [PASS, FAIL]
    floor = Rules(margin=None, at_least=0.9)
    alone = [Item(id=i.id, group=i.group, candidate=i.candidate) for i in good]
    found = conclude(alone, floor, {}, whole=True)
    assert found.state == PASS and found.other is None and found.findings[0].kind == FLOOR


def test_too_many_items_without_a_score_are_no_verdict() -> None:
    holes = [Item(id=f"m{n}", group=f"m{n}", candidate=(1.0,)) for n in range(80)]
    verdict = conclude([*items(20, 110, 870), *holes], Rules(), {}, whole=True)
    assert verdict.state == OPEN and verdict.missing == 80 and "80 of 1080" in verdict.reason
    assert look([*items(2, 60, 100), *holes], Rules(), 1, {}) is None
    assert conclude([*items(20, 110, 870), *holes[:20]], Rules(), {}, whole=True).state == FAIL


def test_groups_that_go_alike_count_less() -> None:
    grouped = [Item(id=i.id, group=f"g{n // 40}", candidate=i.candidate, other=i.other)
               for n, i in enumerate(sorted(items(10, 60, 330), key=lambda i: i.candidate))]  # fmt: skip
    assert ended(items(10, 60, 330), Rules())[0] == FAIL
    assert ended(grouped, Rules())[0] == OPEN


def test_items_that_changed_are_named_and_repeats_weighed() -> None:
    given = [
        Item(id="much", group="a", candidate=(0.0, 0.0), other=(1.0, 1.0)),
        Item(id="little", group="b", candidate=(0.0, 1.0), other=(1.0, 1.0)),
        Item(id="same", group="c", candidate=(1.0, 0.0), other=(0.0, 1.0)),
        Item(id="up", group="d", candidate=(1.0, 1.0), other=(0.0, 0.0)),
    ]
    verdict = conclude(given, Rules(samples=2), {}, whole=True)
    assert (verdict.worse, verdict.better) == (("much", "little"), ("up",))
    assert verdict.sampling is not None and 0 < verdict.sampling < 1
    assert conclude(given, Rules(), {}, whole=True).sampling is None


def test_the_plan_says_what_the_items_can_show() -> None:
    (power,) = plans(Rules(margin=0.0), [str(n) for n in range(200)])
    assert power.needed_alone == 865 and power.needed is not None and 890 < power.needed < 980
    assert 0.15 < power.power < 0.3 and power.needed_grouped == power.needed
    (grouped,) = plans(Rules(margin=0.0), [str(n // 4) for n in range(200)])
    assert grouped.needed_grouped and 3.5 < grouped.needed_grouped / power.needed < 4.1
    assert [each.variance for each in plans(Rules(at_least=0.9), [])][1] == pytest.approx(0.09)
