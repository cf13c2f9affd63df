"""What a schema cannot say of revenue: names that mean something else, amounts that are none, prices that do nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from surefoot.config.problem import Problem
from surefoot.config.schema import RevenueSettings
from surefoot.records.units import MOST_USD, OUTCOMES, UNSETTLED

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_TAKEN = (*OUTCOMES.values(), UNSETTLED)


def revenue_problems(path: tuple[str, ...], given: RevenueSettings | None) -> Iterator[Problem]:
    """Everything that is wrong with a feature's revenue."""
    if given is None:
        return
    if not given.request_usd and not given.outcomes:
        yield Problem(path, "revenue says nothing: set request_usd, or outcomes with their prices")
    if not 0 <= given.request_usd <= MOST_USD:
        yield Problem((*path, "request_usd"), f"request_usd is from 0 to {MOST_USD:,}")
    for name, usd in given.outcomes.items():
        if not _NAME.fullmatch(name):
            yield Problem((*path, "outcomes"), f"the outcome {name!r} is not 1 to 64 of a-z, 0-9, _ and -")
        if name in _TAKEN:
            yield Problem((*path, "outcomes"), f"the outcome {name!r} is ours: it says how a request ended")
        if not (math.isfinite(usd) and abs(usd) <= MOST_USD):
            yield Problem((*path, "outcomes", name), f"an outcome earns from -{MOST_USD:,} to {MOST_USD:,} USD")
