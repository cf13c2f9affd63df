"""Tokens of images, by the examples that the vendors publish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.providers.imagetokens import Image, image_tokens


@pytest.mark.parametrize(
    ("model", "size", "low", "tokens"),
    [
        ("gpt-4o", (1024, 1024), False, 765),
        ("gpt-4o", (2048, 4096), False, 1105),
        ("gpt-4o", (4096, 8192), True, 85),
        ("gpt-4o", (512, 512), False, 255),
        ("gpt-4o-mini-2024-07-18", (512, 512), False, 2_833 + 5_667),
        ("gpt-5", (1024, 1024), False, 70 + 4 * 140),
        ("o1", (1024, 1024), False, 75 + 4 * 150),
        ("gpt-4.1-mini", (1024, 1024), False, 1659),  # 1,024 patches times 1.62
        ("gpt-5-nano", (9000, 9000), False, 3779),  # 1,536 patches at most
    ],
)
def test_openais_published_examples(model: str, size: tuple[int, int], low: bool, tokens: int) -> None:
    assert image_tokens("openai", model, Image(size, low)) == tokens


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("claude-sonnet-4-5", (200, 200), 54),
        ("claude-sonnet-4-5", (1000, 1000), 1334),
        ("claude-sonnet-4-5", (1092, 1092), 1590),
        ("claude-sonnet-4-5", (4000, 3000), 1600),
        ("claude-opus-4-7", (2000, 1500), 4000),
        ("claude-opus-4-7", (8000, 6000), 4784),
    ],
)
def test_anthropics_published_examples(model: str, size: tuple[int, int], tokens: int) -> None:
    assert image_tokens("anthropic", model, Image(size)) == tokens


names = st.sampled_from(["gpt-4o", "gpt-4o-mini", "gpt-5-mini", "o3", "claude-haiku-4-5", "claude-opus-4-7", "other"])


@given(st.sampled_from(["openai", "anthropic", "simulated"]), names, st.integers(1, 8000), st.integers(1, 8000))
def test_an_image_that_nobody_has_seen_counts_as_the_largest(kind: str, model: str, width: int, height: int) -> None:
    assert 1 <= image_tokens(kind, model, Image((width, height))) <= image_tokens(kind, model, Image())
