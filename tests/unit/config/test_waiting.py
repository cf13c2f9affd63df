"""How callers wait is configured, or refused with its line."""

import pytest

from surefoot.config.load import load_text
from surefoot.errors import ConfigError

GOOD = """
[providers.up]
kind = "openai"
[models.small]
provider = "up"
[features.f]
ladder = ["small"]
"""


def test_the_default_is_to_poll_and_a_held_call_fits_usual_proxies() -> None:
    feature = load_text(GOOD).settings.features["f"]
    assert feature.wait == "poll" and feature.held_seconds < 60 and not feature.webhook_allow


def test_a_secret_comes_from_the_environment_for_each_tenant_too() -> None:
    text = GOOD + 'webhook_secret = "env:A"\nwebhook_secrets = { acme = "env:B" }\n'
    feature = load_text(text, environ={"A": "one", "B": "two"}).settings.features["f"]
    assert (feature.webhook_secret, feature.webhook_secrets) == ("one", {"acme": "two"})


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('wait = "hold"', "did you mean 'held'"),
        ("held_seconds = 0", "above 0"),
        ("held_seconds = 600", "at most 590"),
        ('wait = "webhook"', "needs webhook_secret"),
        ('webhook = "https://example.org/"', "calls are signed"),
        ('webhook = "example.org"\nwebhook_secret = "s"', "https://"),
        ('webhook_allow = ["localhost"]', "no address and no network"),
    ],
)
def test_what_makes_no_sense_is_refused(lines: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_text(GOOD + lines + "\n")
    assert words in str(refused.value) and (refused.value.line or 0) >= 6
