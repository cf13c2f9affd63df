"""A near answer is given only where map, guards, bar and account all allow it; pure arithmetic on scalars."""

import pytest
from msgspec.structs import replace

from surefoot.config.load import load_text
from surefoot.policy import Feature, NearLine, NearRules, Policy, closed, inputs_of, near_lot, near_p
from surefoot.records import Gate, Nearness

NEAR = Nearness(answer="a", item="i", lead=0.25, score=0.8, nearest=0.9, support=3, crowd=2, record=0.1)
LINE = NearLine(center=(0.0,) * 6, scale=(1.0,) * 6, weight=(0.0,) * 6, bias=4.0, labels=300)  # p = 0.982 of anything
RULES = NearRules(errors_per_request=0.02, errors_per_hit=0.05, shadow_requests=100, line=LINE)
OPEN = Gate(requests=5000, most_wrong=60, lowest=0.9, certified=0.95)


def why(rules: NearRules = RULES, near: Nearness = NEAR, gate: Gate | None = OPEN, low: float = 0.95) -> str:
    return closed(rules, 0.85, near, gate, believed_low=low)


def test_what_passes_everything_may_be_given() -> None:
    assert why() == "" == why(gate=None)


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("number", {"near": replace(NEAR, vetoed="number: 1 / 2")}),
        ("too few labels", {"rules": replace(RULES, line=None)}),
        ("no bound", {"rules": replace(RULES, errors_per_request=None, errors_per_hit=None)}),
        ("below the bar", {"low": 0.86}),
        ("shadow", {"gate": replace(OPEN, requests=100)}),
        ("budget of wrong", {"gate": replace(OPEN, most_wrong=101)}),
        ("budget of wrong", {"gate": replace(OPEN, most_wrong=None)}),
        ("below what the budget", {"gate": replace(OPEN, lowest=0.99)}),
        ("not certified", {"gate": replace(OPEN, certified=0.99)}),
        ("not certified", {"gate": replace(OPEN, certified=None)}),
    ],
)
def test_each_reason_alone_makes_a_miss(said: str, changed: dict[str, object]) -> None:
    assert said in why(**changed)


def test_each_bound_is_asked_only_where_it_is_declared() -> None:
    per_hit = replace(RULES, errors_per_request=None)
    assert why(per_hit, gate=replace(OPEN, most_wrong=None, lowest=1.0)) == ""
    assert why(replace(RULES, errors_per_hit=None), gate=replace(OPEN, certified=None)) == ""


def test_the_line_reads_its_inputs_in_order() -> None:
    assert inputs_of(NEAR)[:3] == (0.5, 0.8, 0.9) and inputs_of(NEAR)[5] == 0.1
    steep = replace(LINE, weight=(2.0, 0.0, 0.0, 0.0, 0.0, 0.0), center=(0.5,) * 6, bias=0.0)
    assert near_p(replace(RULES, line=steep), NEAR) == 0.5
    assert near_p(replace(RULES, line=steep), replace(NEAR, lead=1.0)) == pytest.approx(0.731, abs=1e-3)
    assert near_p(replace(RULES, line=replace(steep, bias=-1e4)), NEAR) == 0.0


def test_a_lot_withholds_as_often_as_it_says() -> None:
    drawn = [near_lot(RULES, f"{number:032x}") for number in range(2000)]
    assert {lot.propensity for lot in drawn} == {0.3} and 500 < sum(lot.drawn for lot in drawn) < 700


def feature(more: str = "") -> Feature:
    text = '[providers.up]\nkind = "openai"\n[models.m]\nprovider = "up"\nmodel = "gpt-4o"\n[features.f]\nladder = ["cache", "m"]\n'
    return load_text(text + more, environ={}).policy.features["f"]


def test_a_new_map_is_another_policy_and_no_other_edition() -> None:
    found = feature('[features.f.cache]\nkind = "near"\nerrors_per_request = 0.01\n')
    assert found.cache.near is not None and found.cache.near.errors_per_request == 0.01
    taught = replace(found, cache=replace(found.cache, near=replace(found.cache.near, line=LINE)))
    before, after = Policy.of({"f": found}), Policy.of({"f": taught})
    assert before.version != after.version and before.editions == after.editions
    looser = replace(found, cache=replace(found.cache, near=replace(found.cache.near, errors_per_request=0.02)))
    assert Policy.of({"f": looser}).editions != before.editions


def test_a_feature_without_a_near_cache_has_the_edition_that_it_always_had() -> None:
    assert Policy.of({"f": feature()}).editions == {"f": "e98e681b1f01e6e2"}
