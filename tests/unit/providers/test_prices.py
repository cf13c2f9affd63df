"""The price book, and what the configuration says instead."""

import pytest

from surefoot.config.schema import PriceSettings
from surefoot.providers.prices import PriceBook, from_settings
from surefoot.records.money import cost


@pytest.mark.parametrize(
    ("model", "input_usd", "output_usd"),
    [
        ("gpt-4o-mini-2024-07-18", "0.15", "0.6"),
        ("claude-3-5-sonnet-20241022", "3", "15"),
        ("gpt-4-0613", "30", "60"),
        ("gpt-3.5-turbo-0613", "1.5", "2"),
        ("claude-3-haiku-20240307", "0.25", "1.25"),
    ],
)
def test_known_models_have_their_list_price_exactly(model: str, input_usd: str, output_usd: str) -> None:
    line = PriceBook().price("openai", model, None).line(10)
    assert line.input == round(float(input_usd) * 1e9) and line.output == round(float(output_usd) * 1e9)
    assert line.cached <= line.input


def test_tiers_begin_above_their_threshold() -> None:
    price = PriceBook().price("openai", "gemini-1.5-flash", None)
    assert price.line(128_000).input == 75_000_000 and price.line(128_001).input == 150_000_000


def test_an_unknown_model_has_no_price_and_a_block_to_paste() -> None:
    book = PriceBook()
    assert book.price("openai", "no-such-model-1", None) is None
    assert '[models."no-such-model-1".price]' in book.block("no-such-model-1")


def test_a_configured_price_counts_before_the_book() -> None:
    price = PriceBook().price("openai", "gpt-4o", PriceSettings(input_usd_per_million=0.1, output_usd_per_million=0.2))
    assert price == from_settings(PriceSettings(input_usd_per_million=0.1, output_usd_per_million=0.2))
    assert cost(1_000_000, price.line(1).input) == 100_000_000 and price.line(1).cached == price.line(1).input
