"""check: what can be seen of a draft, as scores. Each check is a small object that says what its score means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.records import Draft, Evidence, Tried
from surefoot.stages.check.agreement import Agreement, Below
from surefoot.stages.check.arithmetic import Sums
from surefoot.stages.check.complete import Complete
from surefoot.stages.check.compression import Compression
from surefoot.stages.check.gate import ExecutableGate, HttpGate
from surefoot.stages.check.grounding import Grounding
from surefoot.stages.check.judge import Judge
from surefoot.stages.check.logprobs import LogProbs
from surefoot.stages.check.question import AboutQuestion
from surefoot.stages.check.refusal import Refusal
from surefoot.stages.check.reported import Reported
from surefoot.stages.check.schema import Schema
from surefoot.stages.check.seen import Asking, Check, Findings, Seen

__all__ = [
    "AboutQuestion", "Agreement", "Asking", "Below", "Check", "CheckSet", "Checks", "Complete", "Compression",
    "ExecutableGate", "Findings",
    "Grounding", "HttpGate", "Judge", "LogProbs", "Refusal", "Reported", "Schema", "Seen", "Sums",
]  # fmt: skip


class CheckSet(Struct, frozen=True):
    """A feature's checks: those that only look, and those that ask."""

    looking: Sequence[Check] = ()
    asking: Sequence[Asking] = ()


class Checks:
    """The stage: a feature's checks in their order; those that ask run side by side."""

    name = "check"

    def __init__(self, by_feature: Mapping[str, CheckSet]) -> None:
        self._by_feature = dict(by_feature)

    async def __call__(self, tried: Tried, /) -> Evidence:
        """The evidence on a draft; empty when there is no draft."""
        draft = tried.attempt.draft
        if not isinstance(draft, Draft) or tried.ask.rung.kind == "relay":
            return _NOTHING
        checks = self._by_feature[tried.ask.request.feature]
        seen = Seen(tried, draft)
        found = [check(seen) for check in checks.looking]
        if checks.asking:
            found += await asyncio.gather(*(check(seen) for check in checks.asking))
        return Evidence(
            signals=tuple(signal for each in found for signal in each.signals),
            spans=tuple(span for each in found for span in each.spans),
            priced=tuple(call for each in found for call in each.priced),
        )


_NOTHING = Evidence()
