"""How a ladder is written."""

import pytest
from msgspec.structs import replace

from surefoot.errors import ConfigError
from surefoot.policy import above, parse_ladder, parse_rung, rung_names
from surefoot.records import Draft


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


def test_above_a_draft_that_was_partly_released_only_models_go_on_each_as_a_rung_of_its_own() -> None:
    first, *rest = parse_ladder(["small", "a+b", "large", "requested"])
    draft = Draft(rung=first.name, provider="p", model="m", digest="d")
    assert above(tuple(rest), draft) == tuple(rest)
    found = above(tuple(rest), replace(draft, released=5))
    assert [(rung.name, rung.kind, rung.models) for rung in found] == [
        ("continued:large", "continued", ("large",)), ("continued:requested", "continued", ()),
    ]  # fmt: skip
    assert above(found[1:], replace(draft, released=9)) == found[1:]


def test_maps_may_be_named_for_continuations_of_all_rungs_but_the_first() -> None:
    assert rung_names(parse_ladder(["small", "a+b", "large"])) == ("small", "a+b", "large", "continued:large")
