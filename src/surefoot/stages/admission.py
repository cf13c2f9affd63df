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
from surefoot.wire.passages import find

SIGNALS = ("injection", "personal")  # what can be said of a question and its passages
_BELOW = 0.5  # a signal of the question under this matches

Scores = tuple[tuple[str, float | None], ...]


class Said(Struct, frozen=True):
    """What users said, without the passages that came with it."""

    every: str  # in the whole conversation
    last: str  # since the last answer


class Rule(Struct, frozen=True, kw_only=True):
    """One rule, ready to match; it matches when any of its parts does.

    A red flag is looked for in everything that users said: a conversation in which it was raised stays with the person.
    Other rules look at what has not been answered yet.
    """

    name: str
    phrases: Phrases
    classifier: TextClassifier | None = None
    gate: ExecutableGate | HttpGate | None = None
    signal: str = ""  # one of SIGNALS
    red_flag: bool = False

    def text(self, said: Said) -> str:
        """What the rule looks at."""
        return said.every if self.red_flag else said.last


class Admission:
    """A feature's rules, and the signals of the question that its rules and maps look at."""

    def __init__(self, rules: Sequence[Rule], scored: Sequence[str] = ()) -> None:
        self._rules = tuple(rules)
        self._signals = tuple(sorted({*scored, *(rule.signal for rule in rules if rule.signal)}))

    @property
    def gates(self) -> tuple[ExecutableGate | HttpGate, ...]:
        """The rules' gates: whoever built them closes them."""
        return tuple(rule.gate for rule in self._rules if rule.gate is not None)

    async def __call__(self, feature: str, said: Said, passages: Sequence[str]) -> tuple[tuple[str, ...], Scores]:
        """(the names of the rules that match, the scores of the question and its passages).

        A gate that abstains or fails matches: when the watch does not answer, the request goes to the person.
        """
        scores = tuple((name, _score(name, (said.every, *passages))) for name in self._signals)
        low = {name for name, score in scores if score < _BELOW}
        asked = [rule for rule in self._rules if rule.gate is not None]
        said_no = await asyncio.gather(*(_alarmed(rule, feature, rule.text(said)) for rule in asked))
        alarmed = {rule.name for rule, alarm in zip(asked, said_no, strict=True) if alarm}
        matched = tuple(
            rule.name
            for rule in self._rules
            if rule.name in alarmed
            or rule.signal in low
            or rule.phrases.match(rule.text(said))
            or (rule.classifier is not None and rule.classifier.match(rule.text(said)))
        )
        return matched, scores


def said_by_users(texts: Sequence[tuple[str, str]]) -> Said:
    """What users said in a conversation of (role, text), passages in blocks left out.

    The last answer is the last assistant's text before something that a user said: a beginning of the answer that the client
    gives itself, calls of tools and their results answer nothing.
    """
    every: list[str] = []
    last: list[str] = []
    answered = False
    for role, text in texts:
        if role == "assistant" and text.strip():
            answered = True
        if role == "user" and text.strip():
            if answered:
                last.clear()
            answered = False
            words = find(text)[0] or text  # nothing but blocks: then they are what the user says
            every.append(words)
            last.append(words)
    return Said("\n".join(every), "\n".join(last))


def _score(name: str, texts: Sequence[str]) -> float:
    """The score of the worst of several texts."""
    if name == "injection":
        return min(injection(each).score for each in texts)
    return 0.0 if any(find_personal(each) for each in texts) else 1.0


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
