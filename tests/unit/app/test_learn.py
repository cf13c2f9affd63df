"""What serves, candidates beside it, what they would have done, and the error of what is delivered."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.app.confidence import error_rate
from surefoot.app.learn import (
    Learnt,
    Served,
    Shadow,
    before_this,
    candidate,
    carried,
    judged_with_chance,
    would_deliver,
)
from surefoot.learning.ladder import LadderReport
from surefoot.policy import Feature, Learned, LearnedFeature, LearnedRung, Map, Policy, Promise, parse_ladder
from surefoot.records import (
    Checked,
    Confidence,
    Deliver,
    Draft,
    Escalate,
    Evidence,
    Fitted,
    JournalEntry,
    Label,
    Lot,
    Question,
    Read,
    Signal,
    Step,
    Stronger,
    Verdict,
    Weighed,
)
from surefoot.stats.sequential import certify

READ = Question(
    fingerprint="q", model="m", dialect="openai", surface="chat", stream=False, input_tokens=1, max_output_tokens=None
)
BY_SCORE = Map(kind="steps", signal="s", steps=((0.0, 0.1), (0.5, 0.95)))


def entry(
    name: str, *tried: tuple[str, float, Verdict], share: float = 0.1, judge: float | None = None
) -> JournalEntry:
    """A request with a draft, a score and a verdict for each rung tried."""
    steps = [Step(stage="read", rung=None, value=Read(question=READ))]
    for rung, score, verdict in tried:
        signals = (Signal(name="s", score=score), Signal(name="judge", score=judge))
        steps += [
            Step(stage="fit", rung=rung, value=Fitted()),
            Step(stage="call", rung=rung, value=Draft(rung=rung, provider="up", model=rung, digest="")),
            Step(stage="check", rung=rung, value=Checked(evidence=Evidence(signals=signals))),
            Step(stage="weigh", rung=rung, value=Weighed(confidence=Confidence())),
            Step(stage="decide", rung=rung, value=verdict),
        ]
    return JournalEntry(
        request_id=name, at_ns=1, draw="0" * 32, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
        subject="", policy="p", mode="enforce", steps=tuple(steps), action="deliver", rung=tried[-1][0],
        lot=Lot(drawn=True, propensity=share),
    )  # fmt: skip


def label(name: str, wrong: bool, *, rung: str = "small", share: float | None = 0.1, source: str = "audit") -> Label:
    return Label(
        id=f"l-{name}", request_id=name, at_ns=1, tenant="t", feature="f", rung=rung, edition="e", source=source,
        verdict="wrong" if wrong else "accepted", group=name, propensity=share,
    )  # fmt: skip


def policy(**given: object) -> Policy:
    fields: dict[str, object] = dict(
        name="f", mode="enforce", ladder=parse_ladder(["small", "big"]), uncalibrated="climb", maps={"small": BY_SCORE}
    )
    return Policy.of({"f": Feature(**(fields | given))})  # type: ignore[arg-type]


def would(found: JournalEntry, rules: Policy) -> tuple[str | None, bool]:
    return asyncio.run(would_deliver(found, rules))


def test_another_policy_delivers_what_the_journal_holds_or_nobody_knows() -> None:
    climbed = entry("r", ("small", 0.9, Stronger("x")), ("big", 0.9, Deliver("x")))
    assert would(climbed, policy()) == ("small", True)
    assert would(climbed, policy(maps={"big": BY_SCORE})) == ("big", True)
    assert would(climbed, policy(maps={})) == (None, True)
    assert would(entry("r", ("small", 0.2, Deliver("x"))), policy()) == (None, False)


def test_what_only_lacks_its_certificate_would_be_delivered() -> None:
    assert would(entry("r", ("small", 0.9, Deliver("x"))), policy(promise=Promise(accuracy=0.9))) == ("small", True)


def test_a_chance_to_be_judged_is_that_of_audits_and_withheld_drafts() -> None:
    withheld = Escalate("x", "person", withheld=True)
    assert judged_with_chance(entry("r", ("small", 0.9, Deliver("x")))) == "small"
    assert judged_with_chance(entry("r", ("small", 0.9, Deliver("x")), share=0.0)) is None
    assert judged_with_chance(entry("r", ("small", 0.9, withheld), share=0.0)) == "small"
    assert judged_with_chance(entry("r", ("small", 0.9, Escalate("x", "person")))) is None


def test_several_rollbacks_go_further_and_further_back() -> None:
    told = [(1, 1), (2, 2), (3, 3)]
    for at, wanted in enumerate((2, 1, 0), start=4):
        assert before_this(told) == wanted
        told.append((at, wanted))
    assert before_this(told) is None


@given(st.lists(st.integers(0, 4), max_size=12))
def test_rollbacks_always_end_at_the_configuration_alone(numbers: list[int]) -> None:
    told = list(enumerate(numbers))
    for _ in range(len(numbers) + 1):
        number = before_this(told)
        if number is None:
            break
        told.append((len(told), number))
    assert before_this(told) is None and (not told or told[-1][1] == 0)


def test_a_candidate_keeps_what_it_says_nothing_about_unless_its_model_is_another() -> None:
    def learnt(name: str, p: float, models: tuple[str, ...]) -> dict[str, LearnedRung]:
        return {name: LearnedRung(map=Map(kind="fixed", p=p), models=models)}

    rungs = learnt("small", 0.1, ("a/small",)) | learnt("big", 0.2, ("a/big",)) | learnt("gone", 0.3, ("a/old",))
    before = Learned(
        features={"f": LearnedFeature(rungs=rungs, thresholds={"big": 0.9}), "g": LearnedFeature(labels=7)}
    )
    models = {"small": ("a/small",), "big": ("a/big",), "gone": ("a/new",)}
    now = Served(policy=policy(), learned=before, revision=None, models=models, left_out=())
    found = LearnedFeature(rungs=learnt("small", 0.8, ("a/small",)))
    report = LadderReport(feature="f", labels=1, groups=1, rungs=())
    after = candidate(now, [Learnt(found=found, report=report, sources={})])
    assert {name: rung.map.p for name, rung in after.features["f"].rungs.items()} == {"small": 0.8, "big": 0.2}
    assert after.features["f"].thresholds == {} and after.features["g"].labels == 7


def test_the_error_of_deliveries_is_weighted_by_what_each_label_stands_for() -> None:
    often = [entry(f"o{at}", ("small", 0.9, Deliver("x")), share=0.5) for at in range(40)]
    seldom = [entry(f"s{at}", ("small", 0.9, Deliver("x")), share=0.05) for at in range(40)]
    labels = [label(f"o{at}", True, share=0.5) for at in range(20)] + [
        label(f"s{at}", False, share=0.05) for at in range(2)
    ]
    found = error_rate([*often, *seldom], labels)
    assert round(found.wrong.estimate or 0, 9) == 0.5 and (found.wrong.n, found.deliveries) == (22, 80)


def test_labels_of_another_draft_or_without_a_propensity_do_not_count() -> None:
    entries = [entry(f"r{at}", ("small", 0.2, Stronger("x")), ("big", 0.9, Deliver("x"))) for at in range(4)]
    labels = [
        label("r0", True, rung="small"), label("r1", True, rung="big", source="client", share=None),
        label("r2", False, rung="big"), label("gone", True, rung="big"),
    ]  # fmt: skip
    found = error_rate(entries, labels)
    assert (found.wrong.n, found.wrong.estimate) == (1, 0.0) and found.wrong.high > 0.9


def test_a_judge_makes_the_interval_narrower_and_never_wrong() -> None:
    rng = np.random.default_rng(11)
    wrong = rng.random(4000) < 0.3
    doubt = np.where(wrong, 0.9, 0.3) + rng.uniform(-0.1, 0.1, 4000)  # says 48 % by itself
    entries = [
        entry(f"r{at}", ("small", 0.9, Deliver("x")), judge=float(1 - doubt[at])) for at in range(4000)
    ]  # fmt: skip
    labels = [label(f"r{at}", bool(wrong[at])) for at in range(400)]
    with_judge, alone = error_rate(entries, labels), error_rate([unjudged(each) for each in entries], labels)
    assert (with_judge.method, alone.method) == ("PPI++", "inverse propensity")
    assert with_judge.wrong.low < 0.3 < with_judge.wrong.high and (with_judge.judge_alone or 0) > 0.4
    assert with_judge.wrong.high - with_judge.wrong.low < 0.6 * (alone.wrong.high - alone.wrong.low)


def unjudged(found: JournalEntry) -> JournalEntry:
    """The same request without a judge."""
    return entry(found.request_id, ("small", 0.9, Deliver("x")))


def test_labels_of_a_shadow_go_with_the_candidate_only_where_they_speak_for_all_it_delivers() -> None:
    found = Shadow(
        requests=9, delivers=5, unknown=0, judgeable=5, labels=(label("a", False), label("b", True)),
        standing=certify([], [], accuracy=0.9, assurance=0.95),
    )  # fmt: skip
    assert [(each.id, each.edition, each.accepted) for each in carried(found, "new")] == [
        ("l-a.new", "new", True), ("l-b.new", "new", False),
    ]  # fmt: skip
    assert carried(replace(found, unknown=1), "new") == carried(replace(found, judgeable=4), "new") == []
