"""Learning from a file asks no vendor: neither for drafts nor as a judge."""

from pathlib import Path

import pytest

from surefoot.config.load import Config, load_text
from surefoot.demo.places import CLINIC
from surefoot.errors import ConfigError
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.trial.offline import offline

CONFIG = f"""
[providers.up]
kind = "openai"
api_key = "x"
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.small]
provider = "up"
model = "gpt-4o-mini"
fallbacks = ["other"]
[models.other]
provider = "up"
[models.quotes]
provider = "docs"
[features.f]
ladder = ["quotes", "small"]
judge = {{ model = "other" }}
"""


def quiet(*names: str) -> Config:
    row = Row(id="r", answers={name: RecordedAnswer("x", True) for name in names})
    return offline(load_text(CONFIG), "f", Path("rows.jsonl"), [row])


@pytest.mark.parametrize("name", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "small"])
def test_a_vendors_model_answers_from_the_file_under_any_of_its_names(name: str) -> None:
    settings = quiet(name, "gpt-4o").settings
    given = settings.models["small"]
    assert (settings.providers[given.provider].kind, given.model, given.fallbacks) == ("recorded", name, ())


def test_what_answers_in_this_process_and_other_models_stay_as_they_are() -> None:
    settings, before = quiet("small").settings, load_text(CONFIG).settings
    assert settings.models["quotes"] == before.models["quotes"] and settings.models["other"] == before.models["other"]


def test_a_vendor_is_not_asked_to_judge() -> None:
    assert quiet("small").settings.features["f"].judge is None


def test_another_size_of_the_model_is_not_taken_for_it() -> None:
    with pytest.raises(ConfigError, match=r"no answers of model 'small' \(gpt-4o-mini\).*in it: gpt-4o"):
        quiet("gpt-4o")
