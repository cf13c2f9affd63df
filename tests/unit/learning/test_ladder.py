"""A whole ladder learned from walks: one map a rung from what reached it, then what the aim asks for."""

import random

from surefoot.learning.examples import Example, Walk
from surefoot.learning.ladder import learn_ladder
from surefoot.policy import Feature, Map, Promise, apply_map, parse_ladder
from surefoot.records import Evidence, Signal

LADDER = parse_ladder(["cache", "small", "large"])


def walks(n: int, seed: int = 0, *, group_of: int = 1) -> list[Walk]:
    """`s` says how probable it is that a draft is right; large models are right more often."""
    rng, found = random.Random(seed), []
    for place in range(n):
        drafts = []
        for skill in (0.0, 0.15):
            score = rng.random()
            right = rng.random() < min(0.98, 0.3 + 0.65 * score + skill)
            signals = {"s": score, "other": rng.random()}
            drafts.append(Example(id=str(place), group=f"g{place // group_of}", signals=signals, accepted=right))
        found.append(Walk(id=str(place), group=f"g{place // group_of}", drafts=tuple(drafts)))
    return found


def feature(**given: object) -> Feature:
    return Feature(name="f", mode="enforce", ladder=LADDER, uncalibrated="climb", **given)


def test_each_rung_gets_a_map_of_its_own_and_the_upper_is_fitted_on_what_reached_it() -> None:
    found, report = learn_ladder(walks(800), feature(), {"small": ("v/s",), "large": ("v/l",)})
    assert set(found.rungs) == {"small", "large"} and found.thresholds == {}
    small, large = report.rungs
    assert small.labels == 800 and large.labels < 800
    assert found.rungs["small"].models == ("v/s",) and found.rungs["large"].map.labels == large.labels


def test_a_learned_map_says_what_a_score_is_worth() -> None:
    found, _ = learn_ladder(walks(3000), feature(), {})
    sure = apply_map(
        found.rungs["small"].map, Evidence(signals=(Signal(name="s", score=0.9), Signal(name="other", score=0.5)))
    )
    assert sure.p is not None and abs(sure.p - (0.3 + 0.65 * 0.9)) < 0.06


def test_before_and_after_stand_side_by_side() -> None:
    configured = Map(kind="fixed", p=0.99)
    _, report = learn_ladder(walks(600), feature(maps={"small": configured}), {})
    before, after = report.rungs[0].before, report.rungs[0].after
    assert before.n == after.n == 600 and before.ece > after.ece and before.brier > after.brier


def test_too_few_labels_teach_nothing_and_say_so() -> None:
    found, report = learn_ladder(walks(20), feature(), {})
    assert found.rungs == {} and [rung.map for rung in report.rungs] == ["not enough data", "not enough data"]


def test_a_promise_gets_one_threshold_for_all_rungs_from_groups_that_no_map_saw() -> None:
    found, report = learn_ladder(walks(3000), feature(promise=Promise(accuracy=0.8)), {})
    assert report.cut is not None and report.cut.state == "certified"
    assert len(set(found.thresholds.values())) == 1 and set(found.thresholds) == set(found.rungs)
    assert report.rungs[0].labels < 3000


def test_a_promise_out_of_reach_has_no_threshold() -> None:
    found, report = learn_ladder(walks(600), feature(promise=Promise(accuracy=0.995)), {})
    assert found.thresholds == {} and report.cut is not None and report.cut.state == "not certified yet"


def test_without_a_person_the_top_rung_ends_the_ladder() -> None:
    found, _ = learn_ladder(walks(600), feature(), {}, person=False)
    assert found.thresholds["large"] == 0 and found.thresholds["small"] > 0


def test_the_same_walks_in_another_order_teach_the_same_split_of_groups() -> None:
    given = walks(900, group_of=3)
    shuffled = given[:]
    random.Random(1).shuffle(shuffled)
    first, second = (learn_ladder(each, feature(promise=Promise(accuracy=0.8)), {})[1] for each in (given, shuffled))
    assert first.rungs[0].labels == second.rungs[0].labels and first.groups == second.groups == 300
