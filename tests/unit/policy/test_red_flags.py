"""Red flags rule before everything else, and no learned threshold undoes that."""

import pytest

from surefoot.policy import Admit, Feature, Learned, LearnedFeature, Policy, admit, overlay, parse_ladder
from surefoot.records import Question

LEGAL = Admit(name="legal", role="lawyer", holding="A lawyer answers.")
HEART = Admit(name="heart", role="nurse", holding="Call 112.", red_flag=True)


def feature(*admits: Admit) -> Feature:
    return Feature(name="f", ladder=parse_ladder(["small", "large"]), admits=admits)


def question(*matched: str, surface: str = "chat") -> Question:
    return Question(
        fingerprint="fp", model="m", dialect="openai", surface=surface, stream=False, input_tokens=3,
        max_output_tokens=None, matched=matched,
    )  # fmt: skip


def test_of_several_rules_that_match_the_red_flag_decides() -> None:
    sent = admit(feature(LEGAL, HEART), question("legal", "heart"))
    assert sent is not None and (sent.role, sent.rule) == ("nurse", "heart")


def test_a_rule_that_is_no_longer_configured_sends_nobody() -> None:
    assert admit(feature(LEGAL), question("heart")) is None


def test_surfaces_without_an_answer_are_not_sent_to_a_person() -> None:
    assert admit(feature(HEART), question("heart", surface="embeddings")) is None


@pytest.mark.parametrize(("admits", "kept"), [((HEART,), {"small": 0.7}), ((LEGAL,), {"small": 0.7, "large": 0.0})])
def test_a_learned_threshold_of_0_does_not_reach_a_feature_with_red_flags(
    admits: tuple[Admit, ...], kept: dict[str, float]
) -> None:
    found = Learned(features={"f": LearnedFeature(thresholds={"small": 0.7, "large": 0.0})})
    policy, _ = overlay(Policy.of({"f": feature(*admits)}), found, {})
    assert policy.features["f"].thresholds == kept
