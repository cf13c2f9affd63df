"""Admit rules, checks, judges, gates, promises and masks are refused where they could not work, or not be safe."""

from pathlib import Path

import pytest

from surefoot.config.load import load_text, problems

GOOD = """
[providers.up]
kind = "openai"
[models.small]
provider = "up"
[people.nurse]
holding = "A nurse answers."
[features.f]
ladder = ["cache", "small"]
person = "nurse"
"""
FLAG = """
[[features.f.admit]]
name = "pain"
phrases = ["chest pain"]
holding = "Call 112 now."
red_flag = true
"""


def told(more: str) -> list[str]:
    return [error.message for error in problems(GOOD + more, environ={})]


def test_a_rule_takes_role_and_holding_text_from_its_feature_or_itself() -> None:
    text = GOOD + FLAG + '[[features.f.admit]]\nname = "legal"\nphrases = ["lawyer"]\n'
    pain, legal = load_text(text, environ={}).policy.features["f"].admits
    assert (pain.role, pain.holding, pain.red_flag) == ("nurse", "Call 112 now.", True)
    assert (legal.role, legal.holding, legal.red_flag) == ("nurse", "A nurse answers.", False)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('checks = ["groundng"]\n', "did you mean 'grounding'"),
        ('judge = { model = "smal" }\n', "did you mean 'small'"),
        ("gates.g = { }\n", "either a command or a url"),
        ('gates.g = { command = ["x"], url = "http://h/" }\n', "either a command or a url"),
        ('gates.g = { url = "ftp://h/" }\n', "http:// or https://"),
        ('gates.g = { command = ["x"], headers = { a = "b" } }\n', "headers do nothing"),
        ('gates.g = { command = ["x"], timeout_seconds = 0.0 }\n', "must be above 0"),
        ('handbook = "nowhere"\n', "is not there"),
        ('mask = ["emial"]\n', "did you mean 'email'"),
        ('mask = ["email"]\nstream = "through"\n', "complete answers only"),
        ("audit = 1.5\n", "between 0 and 1"),
        ("promise = { accuracy = 0.9 }\n", "a promise needs audit"),
        ("audit = 0.1\npromise = { accuracy = 1.0 }\n", "lie between 0 and 1"),
        ('[[features.f.admit]]\nname = "a"\n', "nothing to match"),
        ('[[features.f.admit]]\nname = "a"\nphrases = ["x"]\nrole = "nurze"\n', "did you mean 'nurse'"),
        ('[[features.f.admit]]\nname = "a"\nsignal = "injektion"\n', "did you mean 'injection'"),
        ('[[features.f.admit]]\nname = "a"\nphrases = ["..."]\n', "no word"),
        ('[[features.f.admit]]\nname = "a"\npatterns = ["("]\n', "not a regular expression"),
        ('[[features.f.admit]]\nname = "a"\nclassifier = { file = "none.json" }\n', "is not there"),
        ('[[features.f.admit]]\nname = "a"\ngate = { }\n', "either a command or a url"),
        (FLAG + FLAG, "two rules are called"),
        (FLAG.replace('holding = "Call 112 now."\n', ""), "needs a holding text of its own"),
        ('mode = "enforce"\nuncalibrated = "deliver"\n' + FLAG, "may not deliver drafts that nobody judged"),
        ('mode = "enforce"\nconfidence = 0.0\n' + FLAG, "needs a bar above 0"),
    ],
)
def test_what_cannot_work_or_is_not_safe_is_refused_with_what_to_write(more: str, words: str) -> None:
    assert any(words in message for message in told(more)), told(more)


@pytest.mark.parametrize(
    "more",
    [
        FLAG,
        'mode = "enforce"\n' + FLAG,
        "confidence = 0.0\n" + FLAG,
        'mode = "enforce"\nuncalibrated = "deliver"\n' + FLAG.replace("red_flag = true", ""),
        'checks = ["question", "grounding"]\n[features.f.maps.small]\nsignal = "injection"\nsteps = [[0.0, 0.1], [1.0, 0.9]]\n',
        'mask = ["email"]\nstream = "hold"\n',
    ],
)
def test_what_works_is_taken(more: str) -> None:
    assert told(more) == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_masked_feature_holds_its_streams_unless_told_otherwise(mode: str) -> None:
    text = GOOD + f'mode = "{mode}"\nmask = ["email"]\n'
    assert load_text(text, environ={}).policy.features["f"].stream == "hold"


def test_a_classifier_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "urgent.json").write_text("{}")
    text = GOOD + '[[features.f.admit]]\nname = "a"\nclassifier = { file = "urgent.json" }\n'
    found = load_text(text, environ={}, base=tmp_path).settings.features["f"].admit[0].classifier
    assert found is not None and found.file == str(tmp_path / "urgent.json")
