"""check: what can be seen of a draft, as scores. Each check is a small object that says what its score means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from surefoot.records import Draft, Evidence, Signal, Tried
from surefoot.stages.check.agreement import Agreement
from surefoot.stages.check.complete import Complete
from surefoot.stages.check.reported import Reported
from surefoot.stages.check.schema import Schema

__all__ = ["Agreement", "Check", "Checks", "Complete", "Reported", "Schema"]


class Check(Protocol):
    """Looks at a draft and gives signals, in a fixed order; none when it does not apply."""

    def __call__(self, tried: Tried, /) -> tuple[Signal, ...]:
        """The signals of this check."""


class Checks:
    """The stage: all checks of a feature, one after the other (none of these waits for anything)."""

    name = "check"

    def __init__(self, common: Sequence[Check], by_feature: Mapping[str, Sequence[Check]] | None = None) -> None:
        self._common, self._by_feature = tuple(common), dict(by_feature or {})

    async def __call__(self, tried: Tried, /) -> Evidence:
        """The evidence on a draft; empty when there is no draft."""
        if not isinstance(tried.attempt.draft, Draft) or tried.ask.rung.kind == "relay":
            return _NOTHING
        checks = (*self._common, *self._by_feature.get(tried.ask.request.feature, ()))
        return Evidence(signals=tuple(signal for check in checks for signal in check(tried)))


_NOTHING = Evidence()
