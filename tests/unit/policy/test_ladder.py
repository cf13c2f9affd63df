"""How a ladder is written."""

import pytest

from surefoot.errors import ConfigError
from surefoot.policy import parse_ladder, parse_rung


def test_a_rung_with_a_plus_asks_both_models() -> None:
    rung = parse_rung(" small + other ")
    assert (rung.name, rung.kind, rung.models) == ("small+other", "pair", ("small", "other"))


@pytest.mark.parametrize("wrong", ["", "a+", "a+a", "a+b+c"])
def test_a_rung_that_makes_no_sense_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError):
        parse_rung(wrong)


@pytest.mark.parametrize("wrong", [[], ["small", "small"], ["small", "cache"]])
def test_a_ladder_that_makes_no_sense_is_refused(wrong: list[str]) -> None:
    with pytest.raises(ConfigError):
        parse_ladder(wrong)
