"""What a feature says of its cache is taken, or refused with what to write instead."""

import pytest

from surefoot.config.load import load_text
from surefoot.errors import ConfigError

BASE = '[providers.up]\nkind = "openai"\n[models.m]\nprovider = "up"\nmodel = "gpt-4o"\n[features.f]\nladder = ["cache", "m"]\n{}\n[features.f.cache]\n'


def test_a_near_cache_and_its_bounds_are_read() -> None:
    text = 'kind = "near"\nerrors_per_request = 0.01\nerrors_per_hit = 0.05\nshadow_requests = 10\nlabel_error = 0.02\nttl_seconds = 60'
    rules = load_text(BASE.format("") + text, environ={}).policy.features["f"].cache
    near = rules.near
    assert near is not None and rules.ttl_seconds == 60
    assert (near.errors_per_request, near.errors_per_hit, near.shadow_requests, near.label_error) == (
        0.01,
        0.05,
        10,
        0.02,
    )


@pytest.mark.parametrize("more", ["", 'kind = "exact"'])
def test_an_exact_cache_is_the_default(more: str) -> None:
    assert load_text(BASE.format("") + more, environ={}).policy.features["f"].cache.near is None


@pytest.mark.parametrize(
    ("feature", "cache", "said"),
    [
        ("", 'kind = "nearly"', "unknown kind"),
        ("", "errors_per_request = 0.1", "does nothing for an exact cache"),
        ("", "shadow_requests = 5", "does nothing for an exact cache"),
        ("", 'kind = "near"\nerrors_per_request = 0.0', "not between 0 and 1"),
        ("", 'kind = "near"\nerrors_per_hit = 1.0', "not between 0 and 1"),
        ("", 'kind = "near"\nshadow_requests = -1', "below 0"),
        ("", 'kind = "near"\nlabel_error = 1.0', "not between 0 and 1"),
        ("confidence = 0", 'kind = "near"', "no answer is believed"),
        ("", "ttl_seconds = 0", "above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(feature: str, cache: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_text(BASE.format(feature) + cache, environ={})


def test_a_near_cache_needs_its_rung() -> None:
    with pytest.raises(ConfigError, match='the rung "cache"'):
        load_text(BASE.format("").replace('"cache", ', "") + 'kind = "near"', environ={})
