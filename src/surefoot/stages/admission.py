"""Which admit rules match a request: looked at before the cache and every model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec
from msgspec import Struct

from surefoot.signals.classifier import TextClassifier
from surefoot.signals.injection import injection
from surefoot.signals.personal import find_personal
from surefoot.signals.phrases import Phrases
from surefoot.stages.check.gate import ExecutableGate, HttpGate

_BELOW = 0.5  # a signal of the question under this matches

Scores = tuple[tuple[str, float | None], ...]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule, ready to match; it matches when any of its parts does."""

    name: str
    phrases: Phrases
    classifier: TextClassifier | None = None
    gate: ExecutableGate | HttpGate | None = None
    signal: str = ""  # "injection" | "personal"


class Admission:
    """A feature's rules."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._signals = {rule.signal for rule in rules if rule.signal}

    async def __call__(self, feature: str, text: str, passages: Sequence[str]) -> tuple[tuple[str, ...], Scores]:
        """(the names of the rules that match, the scores that rules asked for).

        A gate that abstains or fails matches: when the watch does not answer, the request goes to the person.
        """
        scores = tuple((name, self._score(name, text, passages)) for name in sorted(self._signals))
        low = {name for name, score in scores if score is not None and score < _BELOW}
        asked = [rule for rule in self._rules if rule.gate is not None]
        said = await asyncio.gather(*(_alarmed(rule, feature, text) for rule in asked))
        alarmed = {rule.name for rule, alarm in zip(asked, said, strict=True) if alarm}
        matched = tuple(
            rule.name
            for rule in self._rules
            if rule.name in alarmed
            or rule.signal in low
            or rule.phrases.match(text)
            or (rule.classifier is not None and rule.classifier.match(text))
        )
        return matched, scores

    def _score(self, name: str, text: str, passages: Sequence[str]) -> float:
        if name == "injection":
            return min(injection(each).score for each in (text, *passages))
        return 0.0 if find_personal(text) else 1.0


async def _alarmed(rule: Rule, feature: str, text: str) -> bool:
    gate = rule.gate
    if gate is None:
        return False
    if gate.breaker.open:
        return True
    given = msgspec.json.encode({"feature": feature, "question": text})
    try:
        said = await gate.ask(given)
    except (TimeoutError, OSError, ValueError, aiohttp.ClientError):
        gate.breaker.ended(failed=True)
        return True
    gate.breaker.ended(failed=False)
    return said.verdict != "pass"
