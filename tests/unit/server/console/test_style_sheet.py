"""The style sheet's colours can be read, in daylight and at night."""

import re
from pathlib import Path

import pytest

import surefoot.server.console

CSS = (Path(surefoot.server.console.__file__).parent / "static" / "app.css").read_text("utf-8")
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "sunk"), ("soft", "paper"), ("soft", "card"), ("soft", "sunk"), ("accent", "card"),
    ("accent", "paper"), ("on-accent", "accent"), ("accent", "accent-soft"), ("good", "good-soft"), ("bad", "bad-soft"), ("bad", "card"),
    ("warn", "warn-soft"), ("on-mark", "mark"),
]  # fmt: skip
EDGES = [("edge", "card"), ("edge", "paper"), ("focus", "paper"), ("focus", "card")]  # of fields, of what has the focus


def colours(scheme: str) -> dict[str, tuple[int, ...]]:
    """The colours by name; what the dark scheme does not name is as by day."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found: dict[str, tuple[int, ...]] = {}
    for block in blocks[: 1 if scheme == "light" else 2]:
        for name, value in re.findall(r"--([\w-]+): #([0-9a-f]{6});", block):
            found[name] = tuple(bytes.fromhex(value))
    return found


def luminance(colour: tuple[int, ...]) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [c / 255 for c in colour]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(scheme: str, a: str, b: str) -> float:
    """From 1 to 21."""
    known = colours(scheme)
    dark, light = sorted((luminance(known[a]), luminance(known[b])))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    assert contrast(scheme, text, ground) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_and_the_focus_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    assert contrast(scheme, edge, ground) >= 3


def test_black_on_white_is_the_most_there_is() -> None:
    assert luminance((255, 255, 255)) == pytest.approx(1) and luminance((0, 0, 0)) == 0
