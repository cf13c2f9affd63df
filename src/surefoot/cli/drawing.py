"""Numbers and reliability diagrams for a terminal of 80 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from surefoot.stats import Estimate
from surefoot.stats.metrics import Bin

_PLOT = 41  # columns from 0 to 1
_UNKNOWN = "not enough data"


def share(rate: Estimate) -> str:
    """A rate with its interval and n; in words where nothing is known."""
    if rate.estimate is None:
        return f"{_UNKNOWN} (n = {rate.n})"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}], n = {rate.n}"


def percent(value: float | None) -> str:
    """A share; in words where it is unknown."""
    return "unknown" if value is None or math.isnan(value) else f"{value:.1%}"


def number(value: float) -> str:
    """Three places; a dash for what is unknown."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def diagram(bins: Sequence[Bin]) -> list[str]:
    """A reliability table, a line a bin, with its curve drawn beside it.

    What was claimed is `|`, what was right `o` with its 95 % interval; where they meet, `+`. Good calibration keeps every
    `|` inside the interval.
    """
    head = f"  {'claimed':>7} {'n':>6} {'right':>6}  {'interval':>11}  {_axis()}"
    lines = [head]
    for each in bins:
        right = each.right
        told = f"{right.estimate:.2f}" if right.estimate is not None else "-"
        interval = f"[{right.low:.2f}, {right.high:.2f}]"
        lines.append(f"  {each.claimed:7.2f} {right.n:6d} {told:>6} {interval:>12}  {_row(each)}")
    return lines


def _axis() -> str:
    axis = [" "] * _PLOT
    for value, text in ((0.0, "0"), (0.25, ".25"), (0.5, ".5"), (0.75, ".75"), (1.0, "1")):
        start = min(_PLOT - len(text), _column(value))
        axis[start : start + len(text)] = text
    return "".join(axis)


def _row(each: Bin) -> str:
    cells = [" "] * _PLOT
    low, high = _column(each.right.low), _column(each.right.high)
    for place in range(low, high + 1):
        cells[place] = "·"
    claimed = _column(each.claimed)
    cells[claimed] = "|"
    if each.right.estimate is not None:
        right = _column(each.right.estimate)
        cells[right] = "+" if right == claimed else "o"
    return "".join(cells).rstrip()


def _column(value: float) -> int:
    return round(min(1.0, max(0.0, value)) * (_PLOT - 1))
