"""A policy is one value with a version."""

from msgspec.structs import replace

from surefoot.policy import Feature, Map, Policy, Promise, parse_ladder
from surefoot.policy.policy import decode, encode


def policy(bar: float) -> Policy:
    maps = {"m": Map(kind="steps", signal="quote", steps=((0.5, 0.9),))}
    return Policy.of({"f": Feature(name="f", ladder=parse_ladder(["cache", "m"]), confidence=bar, maps=maps)})


def test_a_stored_policy_comes_back_as_it_was() -> None:
    assert decode(encode(policy(0.85).features)) == policy(0.85)


def test_the_version_changes_with_any_rule() -> None:
    assert policy(0.85).version != policy(0.86).version
    assert policy(0.85).version == policy(0.85).version


def test_an_edition_changes_with_what_decides_and_with_nothing_else() -> None:
    def edition(**changed: object) -> str:
        feature = Feature(name="f", ladder=parse_ladder(["a", "b"]), mode="enforce")
        return Policy.of({"f": replace(feature, **changed), "g": feature}).editions["f"]

    same = edition()
    for change in ({"audit": 0.1}, {"promise": Promise(accuracy=0.9)}, {"baseline": "b"}):
        assert edition(**change) == same
    for change in ({"confidence": 0.9}, {"mode": "observe"}, {"thresholds": {"a": 0.5}}, {"stream": "sentence"}):
        assert edition(**change) != same


def test_a_policy_that_was_stored_with_budgets_in_it_can_still_be_replayed() -> None:
    told = encode(policy(0.85).features).replace(b'"bulk":', b'"budget_nanodollars":5,"budget_window":"day","bulk":')
    assert decode(told).features == policy(0.85).features
