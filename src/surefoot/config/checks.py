"""What a schema cannot say: whether names exist, numbers make sense and no option does nothing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from msgspec import UNSET, UnsetType

from surefoot.config.budgets import budget_problems
from surefoot.config.cache import cache_problems
from surefoot.config.embedder import embedder_problems
from surefoot.config.evidence import evidence_problems
from surefoot.config.notices import notify_problems
from surefoot.config.objectives import objective_problems
from surefoot.config.people import desk_problems, people_problems
from surefoot.config.problem import Problem, near
from surefoot.config.prompt import prompt_problems
from surefoot.config.revenue import revenue_problems
from surefoot.config.schema import FeatureSettings, File, MapSettings, ModelSettings, ProviderSettings
from surefoot.config.waiting import waiting_problems
from surefoot.errors import ConfigError
from surefoot.policy import parse_rung, rung_names
from surefoot.records import Rung

KINDS = ("openai", "anthropic", "extractive", "recorded", "simulated")
SIGNALS = (
    "agreement", "agreement.below", "arithmetic", "complete", "compression", "grounded", "hedging", "injection", "judge",
    "logprob.mean", "logprob.min", "personal", "quote", "refusal", "schema", "schema.repair", "self_score",
)  # fmt: skip
_DIALECT = {"openai": "openai", "anthropic": "anthropic"}
_NETWORK = frozenset({"openai", "anthropic"})
_FOLDER, _FILE = frozenset({"extractive", "simulated"}), frozenset({"recorded", "simulated"})
_ONLY = {  # option -> the kinds of provider it means something for
    "base_url": _NETWORK, "api_key": _NETWORK, "headers": _NETWORK, "proxy": _NETWORK, "ca_file": _NETWORK,
    "connect_seconds": _NETWORK, "first_token_seconds": _NETWORK, "idle_seconds": _NETWORK, "retries": _NETWORK,
    "connections": _NETWORK, "break_after": _NETWORK, "break_seconds": _NETWORK, "folder": _FOLDER, "file": _FILE,
    "seed": frozenset({"simulated"}),
}  # fmt: skip
_POSITIVE = ("connect_seconds", "first_token_seconds", "idle_seconds", "connections", "break_seconds")


def problems_of(settings: File) -> Iterator[Problem]:
    """Everything that is wrong with settings that fit the schema."""
    yield from _server(settings)
    for name, provider in settings.providers.items():
        yield from _provider(name, provider)
    for name, model in settings.models.items():
        yield from _model(name, model, settings)
    if not settings.features:
        yield Problem((), "no feature is configured: add [features.NAME] with a ladder")
    yield from budget_problems(settings)
    yield from embedder_problems(settings)
    for name, feature in settings.features.items():
        yield from _feature(("features", name), feature, settings)


_LONGEST_RETENTION_DAYS = 36_500


def _server(settings: File) -> Iterator[Problem]:
    server, store = settings.server, settings.store
    if not 0 <= server.port <= 65_535:
        yield Problem(("server", "port"), f"port {server.port} is not between 0 and 65535")
    if server.max_body_bytes <= 0 or server.body_seconds <= 0:
        yield Problem(("server",), "max_body_bytes and body_seconds must be above 0")
    if server.held_per_tenant < 0:
        yield Problem(("server", "held_per_tenant"), "held_per_tenant may not be below 0")
    telemetry = settings.telemetry
    if telemetry.endpoint and not telemetry.endpoint.startswith(("http://", "https://")):
        yield Problem(("telemetry", "endpoint"), "endpoint is the address of an OTLP collector, http:// or https://")
    if not telemetry.endpoint and (telemetry.content or telemetry.headers):
        yield Problem(("telemetry",), "nothing is sent without an endpoint")
    learning = settings.learning
    for name, value in (("after_labels", learning.after_labels), ("every_hours", learning.every_hours)):
        if value < 0:
            yield Problem(("learning", name), f"{name} is 0 (never for this reason) or above")
    if learning.promote not in ("propose", "auto"):
        yield Problem(("learning", "promote"), f"promote is propose or auto, not {learning.promote!r}")
    if learning.promote == "auto" and not learning.after_labels and not learning.every_hours:
        yield Problem(("learning", "promote"), "nothing is learned by itself: set after_labels or every_hours")
    if not 0 <= settings.store.retention_days <= _LONGEST_RETENTION_DAYS:
        yield Problem(("store", "retention_days"), "retention_days is from 0 (for ever) to 36500")
    if not 60 <= server.idle_seconds <= 12 * 3600:
        yield Problem(("server", "idle_seconds"), "idle_seconds is from 60 to 43200, a working day")
    if store.durability not in ("acknowledged", "batched"):
        yield Problem(("store", "durability"), 'durability is "acknowledged" or "batched"')
    yield from people_problems(settings)
    yield from notify_problems(settings.notify)


def _provider(name: str, given: ProviderSettings) -> Iterator[Problem]:
    path = ("providers", name)
    if given.kind not in KINDS:
        yield Problem((*path, "kind"), f"unknown kind {given.kind!r}{near(given.kind, KINDS)}")
        return
    plain = ProviderSettings(kind=given.kind)
    for option, kinds in _ONLY.items():
        if given.kind not in kinds and getattr(given, option) != getattr(plain, option):
            yield Problem((*path, option), f"{option} does nothing for a provider of kind {given.kind}")
    for option in _POSITIVE:
        if getattr(given, option) <= 0:
            yield Problem((*path, option), f"{option} must be above 0")
    if given.retries < 0 or given.break_after < 0:
        yield Problem(path, "retries and break_after may not be below 0")
    if given.base_url and not given.base_url.startswith(("http://", "https://")):
        yield Problem((*path, "base_url"), "base_url must begin with http:// or https://")
    if given.kind in _FOLDER and not Path(given.folder or "\0missing").is_dir():
        yield Problem(
            (*path, "folder"), f"folder {given.folder!r} is not there" if given.folder else "folder is needed"
        )
    if (given.file or given.kind == "recorded") and not Path(given.file or "\0missing").is_file():
        yield Problem((*path, "file"), f"file {given.file!r} is not there" if given.file else "file is needed")
    for header, value in given.headers.items():
        if any(c in header + value for c in "\r\n\0"):
            yield Problem((*path, "headers"), "a header may not hold line breaks")


def _model(name: str, given: ModelSettings, settings: File) -> Iterator[Problem]:
    path = ("models", name)
    provider = settings.providers.get(given.provider)
    if provider is None:
        hint = near(given.provider, settings.providers)
        yield Problem((*path, "provider"), f"there is no provider {given.provider!r}{hint}")
        return
    if given.simulation is not None and provider.kind != "simulated":
        yield Problem((*path, "simulation"), f"simulation does nothing for a provider of kind {provider.kind}")
    if given.simulation is not None:
        for share in ("accuracy", "hallucination", "variation", "wavering"):
            if not 0 <= getattr(given.simulation, share) <= 1:
                yield Problem((*path, "simulation"), f"{share} is not between 0 and 1")
    if given.max_output_tokens <= 0 or (given.context_tokens is not None and given.context_tokens <= 0):
        yield Problem(path, "max_output_tokens and context_tokens must be above 0")
    if given.price is not None and min(given.price.input_usd_per_million, given.price.output_usd_per_million) < 0:
        yield Problem((*path, "price"), "a price may not be below 0")
    if "+" in name or name in ("cache", "requested", "person"):
        yield Problem(path, f"a model may not be called {name!r}: the word has a meaning in ladders")
    yield from _fallbacks(path, name, given, settings)


def _fallbacks(path: tuple[str, ...], name: str, given: ModelSettings, settings: File) -> Iterator[Problem]:
    here = _DIALECT.get(settings.providers[given.provider].kind)
    for other in given.fallbacks:
        found = settings.models.get(other)
        if found is None or other == name:
            hint = near(other, settings.models)
            yield Problem((*path, "fallbacks"), f"there is no other model {other!r}{hint}")
            continue
        kind = settings.providers[found.provider].kind if found.provider in settings.providers else ""
        if here and _DIALECT.get(kind, here) != here:
            yield Problem((*path, "fallbacks"), f"{other} speaks another dialect than {name}")


def _feature(path: tuple[str, ...], given: FeatureSettings, settings: File) -> Iterator[Problem]:
    rungs = yield from _ladder(path, given, settings)
    names = set(rung_names(rungs))
    if given.mode not in ("observe", "enforce"):
        yield Problem((*path, "mode"), 'mode is "observe" or "enforce"')
    if given.uncalibrated not in ("", "deliver", "climb"):
        yield Problem((*path, "uncalibrated"), 'uncalibrated is "deliver" or "climb"')
    if given.stream not in ("", "hold", "sentence", "through"):
        yield Problem((*path, "stream"), 'stream is "hold", "sentence" or "through"')
    yield from _by_sentence((*path, "stream"), given)
    yield from waiting_problems(path, given)
    if given.mode == "enforce" and given.stream == "through":
        yield Problem((*path, "stream"), '"through" passes on before it judges: only mode = "observe" may do that')
    if not isinstance(given.confidence, UnsetType) and not 0 <= given.confidence <= 1:
        yield Problem((*path, "confidence"), f"confidence {given.confidence} is not between 0 and 1")
    if given.person != "person" and given.person not in settings.people:
        hint = near(given.person, settings.people)
        yield Problem((*path, "person"), f"there is no [people.{given.person}]{hint}")
    if given.baseline and given.baseline not in settings.models:
        yield Problem(
            (*path, "baseline"), f"there is no model {given.baseline!r}{near(given.baseline, settings.models)}"
        )
    yield from cache_problems((*path, "cache"), given)
    yield from revenue_problems((*path, "revenue"), given.revenue)
    yield from objective_problems(path, given)
    yield from evidence_problems(path, given, settings)
    yield from prompt_problems(path, given, settings)
    yield from desk_problems(path, given, settings)
    for rung, each in given.maps.items():
        if rung not in names:
            yield Problem((*path, "maps", rung), f"the ladder has no rung {rung!r}{near(rung, names)}")
        yield from _map((*path, "maps", rung), each)
    if given.schema is not UNSET:
        yield from _schema((*path, "schema"), given.schema)


def _by_sentence(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    """What releasing sentence by sentence cannot go together with."""
    if given.stream != "sentence":
        return
    if given.mode == "observe":
        yield Problem(path, '"sentence" acts while it streams: only mode = "enforce"; in observe, "through" passes on')
    if given.judge is not None or given.gates:
        yield Problem(path, '"sentence" releases before a judge or a gate is asked: leave them out, or "hold"')
    if "grounding" not in given.checks or given.confidence == 0:
        yield Problem(
            path, '"sentence" needs the check "grounding" and a bar above 0: else nothing says what is supported'
        )
    if given.mask:
        yield Problem(path, 'what is masked is put back in complete answers only: not with stream = "sentence"')


def _ladder(path: tuple[str, ...], given: FeatureSettings, settings: File) -> Generator[Problem, None, list[Rung]]:
    """Yields what is wrong; returns the rungs that make sense."""
    rungs: list[Rung] = []
    for place, text in enumerate(given.ladder):
        try:
            rung = parse_rung(text)
        except ConfigError as error:
            yield Problem((*path, "ladder"), error.message)
            continue
        rungs.append(rung)
        if rung.kind == "cache" and place:
            yield Problem((*path, "ladder"), "the cache is the cheapest rung: it can only stand first")
        if text == "person":
            yield Problem((*path, "ladder"), 'the person always stands last: write `person = "ROLE"` instead')
            continue
        for model in rung.models:
            if model not in settings.models:
                hint = near(model, settings.models)
                yield Problem((*path, "ladder"), f"there is no model {model!r}{hint}")
    if not given.ladder:
        yield Problem((*path, "ladder"), "a ladder needs at least one rung")
    if len({rung.name for rung in rungs}) != len(rungs):
        yield Problem((*path, "ladder"), "a rung stands twice")
    return rungs


def _map(path: tuple[str, ...], given: MapSettings) -> Iterator[Problem]:
    forms = (given.p is not None, bool(given.steps), given.a is not None or given.b is not None)
    if sum(forms) != 1:
        yield Problem(path, "a map is either `p`, or `signal` with `steps`, or `signal` with `a` and `b`")
        return
    if given.p is not None and given.signal:
        yield Problem((*path, "signal"), "a fixed p does not look at a signal")
    if given.p is None and given.signal not in SIGNALS and not given.signal.startswith(("gate.", "grounded.")):
        yield Problem((*path, "signal"), f"unknown signal {given.signal!r}{near(given.signal, SIGNALS)}")
    if given.p is not None and not 0 <= given.p <= 1:
        yield Problem((*path, "p"), f"p {given.p} is not between 0 and 1")
    if not 0 <= given.margin <= 1:
        yield Problem((*path, "margin"), "margin is not between 0 and 1")
    if given.a is not None and given.a < 0:
        yield Problem((*path, "a"), "a below 0 would make a better score worth less")
    for (score, p), (later, more) in zip(given.steps, given.steps[1:], strict=False):
        if later <= score or more < p:
            yield Problem((*path, "steps"), "steps must ascend in score and may not fall in p")
            break
    if any(not (0 <= score <= 1 and 0 <= p <= 1) for score, p in given.steps):
        yield Problem((*path, "steps"), "scores and probabilities lie between 0 and 1")


def _schema(path: tuple[str, ...], schema: object) -> Iterator[Problem]:
    """A schema may refer to itself only: nothing is fetched, nothing is read from disk."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            if (
                name in ("$ref", "$dynamicRef", "$recursiveRef")
                and isinstance(inner, str)
                and not inner.startswith("#")
            ):
                yield Problem((*path, name), f"a schema may not refer to {inner!r}: only to itself, with #...")
            elif name in ("$id", "id") and isinstance(inner, str) and ":" in inner:
                yield Problem((*path, name), f"a schema may not carry the address {inner!r}")
            yield from _schema((*path, name), inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            yield from _schema(path, inner)
