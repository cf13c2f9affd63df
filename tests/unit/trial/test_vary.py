"""The same request many times: what is asked, at which temperature, and never for more than the cap."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.config.load import load_text
from surefoot.demo.places import CLINIC
from surefoot.errors import ConfigError
from surefoot.providers.rows import Row
from surefoot.trial.vary import Asked, Plan, Varied, run_vary

TOML = """
[store]
database = "memory"
[providers.simulation]
kind = "simulated"
folder = "handbook"
file = "messages.jsonl"
[models.big]
provider = "simulation"
simulation = { accuracy = 0.6, hallucination = 1.0, wavering = 1.0 }
max_output_tokens = 100
price = { input_usd_per_million = 2.5, output_usd_per_million = 10.0 }
[models.small]
provider = "simulation"
[features.clinic]
mode = "enforce"
ladder = ["cache", "big", "small"]
[[features.clinic.admit]]
name = "emergency"
red_flag = true
phrases = ["chest pain"]
holding = "Call 112 now."
"""
CONFIG = load_text(TOML, base=CLINIC)


def request(text: str) -> Row:
    messages = msgspec.json.encode([{"role": "user", "content": text}])
    return Row(id="r", query=text, request={"model": msgspec.Raw(b'"clinic"'), "messages": msgspec.Raw(messages)})


ASKED = Asked(config=CONFIG, feature="clinic", row=request("How far ahead can I book online?"), n=12)


def varied(**how: object) -> tuple[Varied, Plan]:
    plans: list[Plan] = []
    return asyncio.run(run_vary(replace(ASKED, **how), on_plan=plans.append)), plans[0]


def test_each_temperature_has_its_own_answers_and_the_cache_gives_none() -> None:
    found, plan = varied(temperatures=(0.0, 1.0))
    cold, hot = found.spreads
    assert (found.rung, plan.calls, cold.n, hot.n, found.simulated) == ("big", 24, 12, 12, True)
    assert cold.modal.estimate == 1.0 and hot.modal.estimate is not None and hot.modal.estimate < 1.0
    spent = cold.nanodollars + hot.nanodollars
    assert 0 < spent < plan.cost.worst and len(hot.meanings) >= 2


def test_a_cap_ends_it_with_what_was_asked_until_then() -> None:
    whole, _ = varied()
    cap = whole.spreads[0].nanodollars // 2 + 1_000_000
    found, _ = varied(max_nanodollars=cap, together=1, n=40)
    assert found.stopped == "the cap is reached" and 0 < found.spreads[0].n < 40
    assert found.spreads[0].nanodollars <= cap and found.spreads[0].failed == 0


def test_another_rung_may_be_named_and_one_that_is_not_there_is_refused() -> None:
    assert varied(rung="small", n=2)[0].rung == "small"
    for rung in ("huge", "cache"):
        with pytest.raises(ConfigError, match="no rung"):
            varied(rung=rung)


def test_a_red_flag_is_asked_of_no_model() -> None:
    found, _ = varied(row=request("I have chest pain"), n=2)
    assert found.spreads[0].n == 0 and found.spreads[0].failed == 2 and "never answered by a model" in found.why_failed
