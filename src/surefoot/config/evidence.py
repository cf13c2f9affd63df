"""What a schema cannot say of admit rules, checks, judges, gates, promises and handbooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from surefoot.config.problem import Problem, near
from surefoot.config.schema import AdmitSettings, FeatureSettings, File, GateSettings
from surefoot.errors import ConfigError
from surefoot.records.units import MOST_USD
from surefoot.signals.personal import KINDS
from surefoot.signals.phrases import compile_phrases

CHECKS = ("complete", "reported", "agreement", "grounding", "refusal", "arithmetic", "logprobs", "question")
_QUESTION_SIGNALS = ("injection", "personal")


def evidence_problems(path: tuple[str, ...], given: FeatureSettings, settings: File) -> Iterator[Problem]:
    """Everything that is wrong with how a feature gathers and uses evidence."""
    for name in given.checks:
        if name not in CHECKS:
            yield Problem((*path, "checks"), f"unknown check {name!r}{near(name, CHECKS)}")
    if given.judge is not None and given.judge.model not in settings.models:
        hint = near(given.judge.model, settings.models)
        yield Problem((*path, "judge", "model"), f"there is no model {given.judge.model!r}{hint}")
    for name, gate in given.gates.items():
        yield from _gate((*path, "gates", name), gate)
    if given.handbook and not Path(given.handbook).is_dir():
        yield Problem((*path, "handbook"), f"folder {given.handbook!r} is not there")
    for kind in given.mask:
        if kind not in KINDS:
            yield Problem((*path, "mask"), f"unknown kind {kind!r}{near(kind, KINDS)}")
    if given.mask and given.stream not in ("", "hold"):
        yield Problem((*path, "mask"), 'what is masked is put back in complete answers only: stream = "hold"')
    yield from _promise(path, given)
    yield from _route(path, given)
    yield from _admits(path, given, settings)


def _route(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    if given.route is None:
        return
    for name, share in (("explore", given.route.explore), ("shadow", given.route.shadow)):
        if not 0 <= share <= 1:
            yield Problem((*path, "route", name), f"{name} {share} is not a share between 0 and 1")
    if not 0 <= given.route.person_seconds < float("inf"):
        yield Problem((*path, "route", "person_seconds"), "person_seconds may not be below 0")
    if not 0 <= given.route.second_value <= MOST_USD:
        yield Problem((*path, "route", "second_value"), f"second_value lies between 0 and {MOST_USD:,} USD")
    if sum(name.strip() not in ("cache", "requested") for name in given.ladder) < 2:
        yield Problem(
            (*path, "route"), "there is nothing to choose: the ladder has fewer than two rungs of named models"
        )


def _promise(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    if not 0 <= given.vary <= 1:
        yield Problem((*path, "vary"), f"vary {given.vary} is not a share between 0 and 1")
    if not 0 <= given.audit <= 1:
        yield Problem((*path, "audit"), f"audit {given.audit} is not a share between 0 and 1")
    if given.promise is None:
        return
    if not (0 < given.promise.accuracy < 1 and 0 < given.promise.assurance < 1):
        yield Problem((*path, "promise"), "accuracy and assurance lie between 0 and 1, both left out")
    if given.audit == 0:
        yield Problem(
            (*path, "promise"), "a promise needs audit > 0: without labels of delivered answers nothing certifies it"
        )


def _admits(path: tuple[str, ...], given: FeatureSettings, settings: File) -> Iterator[Problem]:
    seen: set[str] = set()
    for rule in given.admit:
        where = (*path, "admit")
        if rule.name in seen:
            yield Problem(where, f"two rules are called {rule.name!r}")
        seen.add(rule.name)
        yield from _rule(where, rule, settings)
    flagged = any(rule.red_flag for rule in given.admit)
    if not flagged or given.mode != "enforce":
        return
    if given.uncalibrated == "deliver":
        yield Problem(
            (*path, "uncalibrated"), 'a feature with red flags may not deliver drafts that nobody judged: "climb"'
        )
    if given.confidence == 0:
        yield Problem(
            (*path, "confidence"), "a feature with red flags needs a bar above 0: at 0 every draft is delivered"
        )


def _rule(where: tuple[str, ...], rule: AdmitSettings, settings: File) -> Iterator[Problem]:
    if not (rule.phrases or rule.patterns or rule.classifier or rule.gate or rule.signal):
        yield Problem(where, f"rule {rule.name!r} has nothing to match: phrases, patterns, classifier, gate or signal")
    if rule.role and rule.role not in settings.people:
        yield Problem(where, f"rule {rule.name!r}: there is no [people.{rule.role}]{near(rule.role, settings.people)}")
    if rule.signal and rule.signal not in _QUESTION_SIGNALS:
        yield Problem(
            where, f"rule {rule.name!r}: unknown signal {rule.signal!r}{near(rule.signal, _QUESTION_SIGNALS)}"
        )
    if rule.red_flag and not rule.holding:
        yield Problem(where, f"rule {rule.name!r}: a red flag needs a holding text of its own (the emergency number)")
    if rule.classifier is not None and not Path(rule.classifier.file).is_file():
        yield Problem(where, f"rule {rule.name!r}: file {rule.classifier.file!r} is not there")
    if rule.gate is not None:
        yield from _gate(where, rule.gate)
    try:
        compile_phrases(rule.phrases, rule.patterns)
    except ConfigError as error:
        yield Problem(where, f"rule {rule.name!r}: {error.message}")


def _gate(where: tuple[str, ...], gate: GateSettings) -> Iterator[Problem]:
    if bool(gate.command) == bool(gate.url):
        yield Problem(where, "a gate has either a command or a url")
    if gate.url and not gate.url.startswith(("http://", "https://")):
        yield Problem(where, "url must begin with http:// or https://")
    if gate.headers and not gate.url:
        yield Problem(where, "headers do nothing for a command")
    if gate.timeout_seconds <= 0 or gate.failures <= 0 or gate.pause_seconds <= 0:
        yield Problem(where, "timeout_seconds, failures and pause_seconds must be above 0")
