"""From a feature's settings to what it reads of a request and what it checks of a draft."""

from __future__ import annotations

from pathlib import Path

import msgspec

from surefoot.config.schema import AdmitSettings, FeatureSettings, GateSettings, JudgeSettings
from surefoot.errors import ConfigError
from surefoot.records import PricedCall
from surefoot.signals.classifier import TextClassifier
from surefoot.signals.phrases import compile_phrases
from surefoot.stages import Calls
from surefoot.stages.admission import SIGNALS, Admission, Rule
from surefoot.stages.check import (
    AboutQuestion,
    Agreement,
    Asking,
    Below,
    Check,
    CheckSet,
    Complete,
    Compression,
    ExecutableGate,
    Grounding,
    HttpGate,
    Judge,
    LogProbs,
    Refusal,
    Reported,
    Schema,
    Seen,
    Sums,
)
from surefoot.stages.check.gate import Patience
from surefoot.stages.handbook import Handbook
from surefoot.stages.read import Reading

_LOOKING: dict[str, tuple[Check, ...]] = {
    "complete": (Complete(),),
    "reported": (Reported(),),
    "agreement": (Agreement(), Below()),
    "grounding": (Grounding(),),
    "refusal": (Refusal(),),
    "arithmetic": (Sums(),),
    "logprobs": (LogProbs(),),
    "question": (AboutQuestion(),),
}
_UNJUDGED = ("complete", "reported", "agreement")  # all that a feature needs whose bar is 0


def reading(given: FeatureSettings) -> Reading:
    """What a feature reads of its requests. Raises ConfigError for a classifier file that is none."""
    rules = [_rule(each) for each in given.admit]
    scored = SIGNALS if "question" in given.checks and given.confidence != 0 else ()
    return Reading(
        admission=Admission(rules, scored) if rules or scored else None,
        handbook=Handbook(given.handbook) if given.handbook else None,
        by_sentence=given.stream == "sentence",
    )


def check_set(given: FeatureSettings, calls: Calls) -> CheckSet:
    """A feature's checks, in the order of their names here; one that delivers everything runs only what pairs need."""
    names = [name for name in given.checks if given.confidence != 0 or name in _UNJUDGED]
    looking = [check for name, checks in _LOOKING.items() if name in names for check in checks]
    if given.compress is not None:
        looking.append(Compression())
    if isinstance(given.schema, dict):
        looking.append(Schema(given.schema))
    asking: list[Asking] = [_gate(name, each) for name, each in given.gates.items()]
    if given.judge is not None:
        asking.append(_judge(given.judge, calls))
    return CheckSet(tuple(looking), tuple(asking))


def _judge(given: JudgeSettings, calls: Calls) -> Judge:
    async def ask(seen: Seen, prompt: str) -> tuple[str | None, tuple[PricedCall, ...]]:
        return await calls.consult(seen.tried.ask, given.model, prompt)

    return Judge(ask, given.instructions)


def _gate(name: str, given: GateSettings) -> ExecutableGate | HttpGate:
    patience = Patience(
        timeout_seconds=given.timeout_seconds, failures=given.failures, pause_seconds=given.pause_seconds
    )
    if given.command:
        return ExecutableGate(name, given.command, patience)
    return HttpGate(name, given.url, given.headers, patience)


def _rule(given: AdmitSettings) -> Rule:
    return Rule(
        name=given.name,
        phrases=compile_phrases(given.phrases, given.patterns),
        classifier=_classifier(given) if given.classifier is not None else None,
        gate=_gate(given.name, given.gate) if given.gate is not None else None,
        signal=given.signal,
        red_flag=given.red_flag,
    )


def _classifier(given: AdmitSettings) -> TextClassifier:
    assert given.classifier is not None
    try:
        found = msgspec.json.decode(Path(given.classifier.file).read_bytes(), type=TextClassifier)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{given.classifier.file!r} is no classifier: {error}", key=f"admit {given.name}") from error
    if given.classifier.threshold is not None:
        return msgspec.structs.replace(found, threshold=given.classifier.threshold)
    return found
