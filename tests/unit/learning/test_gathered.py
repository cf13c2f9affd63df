"""Labels joined with the journal: what each teaches, which of several counts, and what may certify a threshold."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.learning.examples import held_out
from surefoot.learning.gathered import Judged, cut_judged, gather_labels, learn_judged, of_today, walks_of
from surefoot.policy import Feature, Map, Promise, parse_ladder
from surefoot.records import Checked, Draft, Evidence, JournalEntry, Label, Lot, Signal, Step

LADDER = parse_ladder(["cache", "small", "big"])
MODELS = {"small": ("openai/small-1",), "big": ("openai/big-1",)}
SCORED = Map(kind="steps", signal="s", steps=tuple((step / 20, step / 20) for step in range(21)))
FEATURE = Feature(name="f", ladder=LADDER, uncalibrated="climb", maps={"small": SCORED, "big": SCORED})
PROMISED = replace(FEATURE, promise=Promise(accuracy=0.85))


def entry(name: str, scores: Mapping[str, float | None], *, models: Mapping[str, str] | None = None) -> JournalEntry:
    """A request whose rungs gave drafts with one signal each, in the order of `scores`."""
    steps = []
    for rung, score in scores.items():
        model = (models or {}).get(rung, f"{rung}-1")
        steps.append(Step(stage="call", rung=rung, value=Draft(rung=rung, provider="up", model=model, digest="")))
        seen = Evidence(signals=(Signal(name="s", score=score),))
        steps.append(Step(stage="check", rung=rung, value=Checked(evidence=seen)))
    return JournalEntry(
        request_id=name, at_ns=1, draw="0" * 32, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
        subject="", policy="p", mode="enforce", steps=tuple(steps), action="deliver", rung=list(scores)[-1], edition="e1",
    )  # fmt: skip


def label(name: str, rung: str = "small", verdict: str = "accepted", **given: object) -> Label:
    fields: dict[str, object] = dict(
        id=f"l-{name}-{rung}", request_id=name, at_ns=1, tenant="t", feature="f", rung=rung, edition="e1", verdict=verdict,
        source="audit", group=f"g-{name}", propensity=0.1,
    )  # fmt: skip
    return Label(**(fields | given))  # type: ignore[arg-type]


def judged(labels: list[Label], entries: list[JournalEntry]) -> tuple[Judged, ...]:
    return gather_labels(labels, {each.request_id: each for each in entries}, MODELS).judged


def test_a_label_teaches_about_its_own_rung_with_what_was_seen_of_it() -> None:
    (found,) = judged([label("r", "big", "wrong")], [entry("r", {"small": 0.2, "big": 0.9})])
    assert (found.example.signals, found.example.accepted, found.example.group) == ({"s": 0.9}, False, "g-r")
    assert found.tried == (("small", {"s": 0.2}),)
    (walk,) = walks_of([found], ["small", "big"])
    assert walk.drafts == (None, found.example)


def test_what_came_after_the_labelled_draft_is_no_draft_below_it() -> None:
    (found,) = judged([label("r", "small")], [entry("r", {"small": 0.2, "big": 0.9})])
    assert found.tried == ()


def test_a_draft_stands_for_as_many_as_its_propensity_says() -> None:
    known, unknown = label("a", propensity=0.05), label("b", source="client", propensity=None)
    weights = [
        each.example.weight for each in judged([known, unknown], [entry("a", {"small": 1}), entry("b", {"small": 1})])
    ]
    assert weights == [20.0, 1.0]


def test_an_audit_in_observe_weighs_by_its_lot_and_still_certifies_nothing() -> None:
    audited = replace(entry("r", {"small": 0.9}), lot=Lot(drawn=True, propensity=0.25))
    found = judged([label("r", propensity=None)], [audited])
    assert found[0].example.weight == 4.0
    assert cut_judged(found, PROMISED).n == 0


def test_of_several_labels_of_a_question_the_latest_of_the_best_source_counts() -> None:
    entries = [entry(name, {"small": 0.5}) for name in "abcd"]
    labels = [
        label("a", verdict="wrong", group="g", at_ns=1),
        label("b", verdict="accepted", group="g", at_ns=2),
        label("c", verdict="wrong", group="g", at_ns=3, source="round", propensity=None),
        label("d", verdict="wrong", group="g", at_ns=4, source="client", propensity=None),
    ]
    found = gather_labels(labels, {each.request_id: each for each in entries}, MODELS)
    assert [each.label.request_id for each in found.judged] == ["b"]
    assert found.left_out == {"repeats of a question": 3}


def test_labels_of_two_rungs_are_two_examples_of_one_group() -> None:
    found = judged([label("r", "small"), label("r", "big")], [entry("r", {"small": 0.2, "big": 0.9})])
    assert len(found) == 2 and len(walks_of(found, ["small", "big"])) == 1


def test_what_cannot_be_used_is_counted_by_its_reason() -> None:
    entries = {
        "other": entry("other", {"small": 0.5}, models={"small": "small-2"}),
        "climbed": entry("climbed", {"big": 1}),
    }
    found = gather_labels([label("gone"), label("other"), label("climbed")], entries, MODELS)
    assert found.judged == ()
    assert found.left_out == {
        "not in the journal": 1, "a draft of another model": 1, "no checked draft of that rung": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "meant", "same"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("gpt-4o-mini-2024-07-18", "gpt-4o", False),
        ("gpt-4o-mini", "gpt-4o", False),
        ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet-latest", True),
        ("claude-3-5-sonnet-20241022", "claude-3-opus-20240229", False),
        ("acme/small", "small", True),
    ],
)
def test_a_dated_snapshot_is_its_model_and_another_size_is_not(said: str, meant: str, same: bool) -> None:
    assert of_today(said, (f"openai/{meant}",)) is same


def traffic(n: int, *, seed: int = 3) -> tuple[list[Label], list[JournalEntry]]:
    """Drafts of rung small whose score is the chance that they are right."""
    draws = np.random.default_rng(seed).random((n, 2))
    entries = [entry(f"r{at}", {"small": float(score)}) for at, (score, _) in enumerate(draws)]
    labels = [
        label(f"r{at}", verdict="accepted" if luck < score else "wrong") for at, (score, luck) in enumerate(draws)
    ]
    return labels, entries


def test_a_map_is_fitted_for_the_judged_rung_alone() -> None:
    found, report = learn_judged(judged(*traffic(300)), replace(FEATURE, maps={}), MODELS)
    assert set(found.rungs) == {"small"} and found.rungs["small"].models == MODELS["small"]
    small, big = report.rungs
    assert (small.labels, small.before.n, big.labels, big.map) == (300, 0, 0, "not enough data")
    assert small.after.auroc > 0.75 and small.after.ece <= small.after.ece_perfect_p95


def test_a_promise_keeps_groups_from_every_map() -> None:
    labels, entries = traffic(400)
    _, whole = learn_judged(judged(labels, entries), FEATURE, MODELS)
    flipped = [
        replace(each, verdict="wrong" if each.accepted else "accepted") if held_out(each.group, 400) else each
        for each in labels
    ]
    one, report = learn_judged(judged(labels, entries), PROMISED, MODELS)
    other, _ = learn_judged(judged(flipped, entries), PROMISED, MODELS)
    assert one.rungs == other.rungs and report.rungs[0].labels < whole.rungs[0].labels
    assert report.labels == 400 and report.cut is not None


def test_a_threshold_keeps_the_promise_on_labels_that_were_held_out() -> None:
    labels, entries = traffic(1500)
    found, report = learn_judged(judged(labels, entries), PROMISED, MODELS)
    assert report.cut is not None and report.cut.state == "certified"
    assert 0.5 < found.thresholds["small"] < 0.95
    assert report.cut.wrong / report.cut.n < 0.15


def test_a_label_says_nothing_where_a_draft_below_would_be_delivered() -> None:
    names = [f"r{at}" for at in range(40)]
    climbed = judged(
        [label(name, "big") for name in names], [entry(name, {"small": 0.2, "big": 0.9}) for name in names]
    )
    below = judged([label(name, "big") for name in names], [entry(name, {"small": 0.95, "big": 0.9}) for name in names])
    assert cut_judged(climbed, PROMISED).state == "certified"
    assert cut_judged(below, PROMISED).n == 0


def test_a_draft_that_no_map_judges_is_delivered_where_the_feature_delivers_such() -> None:
    names = [f"r{at}" for at in range(40)]
    found = judged([label(name, verdict="wrong") for name in names], [entry(name, {"small": None}) for name in names])
    assert cut_judged(found, PROMISED).n == 0
    cut = cut_judged(found, replace(PROMISED, uncalibrated="deliver"))
    assert (cut.state, cut.n, cut.wrong) == ("not certified yet", 40, 40)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from(["client", "case"])), max_size=20))
@settings(max_examples=30, deadline=None)
def test_labels_of_unknown_propensity_move_no_threshold(more: list[tuple[float, bool, str]]) -> None:
    labels, entries = traffic(200)
    extra = [
        label(f"x{at}", verdict="accepted" if right else "wrong", source=source, propensity=None)
        for at, (_, right, source) in enumerate(more)
    ]
    extra_entries = [entry(f"x{at}", {"small": score}) for at, (score, _, _) in enumerate(more)]
    plain = cut_judged(judged(labels, entries), PROMISED)
    assert cut_judged(judged([*labels, *extra], [*entries, *extra_entries]), PROMISED) == plain


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_labels_changes_nothing(random: object) -> None:
    labels, entries = traffic(60)
    shuffled = list(labels)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judged(shuffled, entries) == judged(labels, entries)


def test_without_a_promise_there_is_no_cut() -> None:
    with pytest.raises(ValueError, match="no promise"):
        cut_judged([], FEATURE)
