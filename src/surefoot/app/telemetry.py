"""OpenTelemetry: a span for each request and each model call, an evaluation event for each check and each verdict of a person.

Names follow the GenAI conventions, which are still in development, so that all of them stand in one table. Made when a request
is durable, from what the journal keeps; sent by threads of the SDK. It fails open: what could not be sent is counted, and no
request waits for it. Without `content = true` nothing that was said is in it.
Source: OpenTelemetry semantic conventions for generative AI (development), and OpenInference's and Langfuse's names of costs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import structlog

from surefoot.app.loops import keep
from surefoot.app.settle import Outcome
from surefoot.config.schema import TelemetrySettings
from surefoot.errors import ConfigError
from surefoot.records import Attempt, Checked, Draft, Label, NoDraft, Weighed
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.trace import Span

OPERATION, PROVIDER = "gen_ai.operation.name", "gen_ai.provider.name"
REQUEST_MODEL, RESPONSE_MODEL = "gen_ai.request.model", "gen_ai.response.model"
RESPONSE_ID, FINISH = "gen_ai.response.id", "gen_ai.response.finish_reasons"
INPUT_TOKENS, OUTPUT_TOKENS = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED_TOKENS, WRITTEN_TOKENS = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS, CONVERSATION = "gen_ai.usage.reasoning.output_tokens", "gen_ai.conversation.id"
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
EVALUATION, NAME = "gen_ai.evaluation.result", "gen_ai.evaluation.name"
SCORE, VERDICT = "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"
TOKENS, DURATION, TOKEN_TYPE = "gen_ai.client.token.usage", "gen_ai.client.operation.duration", "gen_ai.token.type"
COST, COST_ALIAS, COST_DETAILS = "surefoot.cost_usd", "llm.cost.total", "langfuse.observation.cost_details"

LABELS_SECONDS = 15.0
_OPERATIONS = {"chat": "chat", "embeddings": "embeddings", "count_tokens": "count_tokens"}
_KINDS = {"miss", "abstained"}  # of no draft: nothing went wrong

log = structlog.get_logger("surefoot")


class Telemetry:
    """Spans and metrics of one process."""

    def __init__(
        self, settings: TelemetrySettings, processor: SpanProcessor, reader: MetricReader, lost: Callable[[str], None]
    ) -> None:
        from opentelemetry.sdk.metrics import MeterProvider  # an optional extra
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        self.settings, self._lost = settings, lost
        self._ids = _ids()
        resource = Resource.create({"service.name": settings.service_name})
        self._spans = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._spans.add_span_processor(processor)
        self._meters = MeterProvider(metric_readers=[reader], resource=resource, shutdown_on_exit=False)
        self._tracer = self._spans.get_tracer("surefoot")
        meter = self._meters.get_meter("surefoot")
        self._tokens = meter.create_histogram(TOKENS, unit="{token}", description="Tokens of a model call")
        self._duration = meter.create_histogram(DURATION, unit="s", description="Time of a model call")
        self._labels_ns = time.time_ns()

    def ended(self, outcome: Outcome) -> None:
        """A request is durable. Never raises: what cannot be told is counted as lost."""
        try:
            self._request(outcome)
        except Exception as error:  # telemetry fails open, whatever an SDK under development does
            self._lost("telemetry")
            log.warning("a request was not traced", error=type(error).__name__)

    async def keep_judging(self, store: Store) -> None:
        """For ever: tell the verdicts of people that are new."""
        await keep(lambda: self.judge(store), every_seconds=LABELS_SECONDS, what="telemetry", on_lost=self._lost)

    async def judge(self, store: Store) -> int:
        """Tell verdicts since the last look; how many. Every replica tells them, under the same ids. Raises StoreError."""
        labels = await store.labels.all(since_ns=self._labels_ns + 1)
        for label in labels:
            self._labels_ns = max(self._labels_ns, label.at_ns)
            self._verdict(label)
        return len(labels)

    def close(self) -> None:
        """Send what waits, for at most a few seconds."""
        self._spans.shutdown()
        self._meters.shutdown()

    def _request(self, outcome: Outcome) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        request, steps = outcome.request, outcome.trace.steps
        took_ns = sum(attempt.draft.upstream_us for attempt in outcome.trace.attempts) * 1000 + outcome.own_us * 1000
        parent = _parent(request.attribution.trace)
        self._ids.next(_trace_id(request.id) if parent is None else None, _span_id(request.id))
        root = self._tracer.start_span(
            f"invoke_workflow {outcome.feature.name}", parent, SpanKind.SERVER, start_time=request.at_ns,
            attributes={
                OPERATION: "invoke_workflow", RESPONSE_ID: request.id, REQUEST_MODEL: request.model,
                "surefoot.feature": outcome.feature.name, "surefoot.policy": outcome.policy,
                "surefoot.action": outcome.action, "surefoot.mode": outcome.feature.mode,
                "surefoot.simulated": any(getattr(each.draft, "simulated", False) for each in outcome.trace.attempts),
                **_cost(outcome.nanodollars),
                **({CONVERSATION: request.attribution.session} if request.attribution.session else {}),
                **({"surefoot.case_id": outcome.case_id} if outcome.case_id else {}),
            },
        )  # fmt: skip
        if outcome.error:
            root.set_status(Status(StatusCode.ERROR, outcome.error))
            root.set_attribute("error.type", outcome.error)
        at_ns, inside = request.at_ns, set_span_in_context(root)
        for attempt in outcome.trace.attempts:
            at_ns = self._call(outcome, attempt, at_ns, inside)
        for step in steps:
            if isinstance(step.value, Weighed) and step.value.confidence.p is not None:
                root.add_event(
                    EVALUATION, {NAME: f"confidence.{step.rung}", SCORE: step.value.confidence.p}, request.at_ns + took_ns
                )
        root.end(request.at_ns + took_ns)

    def _call(self, outcome: Outcome, attempt: Attempt, at_ns: int, inside: Context) -> int:
        """One rung's span; the journal keeps how long each took, so that they are laid end to end. Returns where it ends."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        draft, surface = attempt.draft, outcome.request.surface
        operation, end_ns = _OPERATIONS.get(surface, surface), at_ns + draft.upstream_us * 1000
        span = self._tracer.start_span(
            f"{operation} {draft.model or draft.rung}", inside, SpanKind.CLIENT, start_time=at_ns,
            attributes={
                OPERATION: operation, "surefoot.rung": draft.rung, **_usage(draft), **_cost(_spent(outcome, draft.rung)),
            },
        )  # fmt: skip
        labels = {OPERATION: operation, RESPONSE_MODEL: draft.model or "none"}
        if isinstance(draft, Draft):
            labels[PROVIDER] = draft.provider
            span.set_attributes({PROVIDER: draft.provider, RESPONSE_MODEL: draft.model, FINISH: (draft.finish,)})
            if draft.upstream_id:
                span.set_attribute(RESPONSE_ID, draft.upstream_id)
        elif draft.kind not in _KINDS:
            span.set_status(Status(StatusCode.ERROR, draft.kind))
            span.set_attribute("error.type", draft.kind)
        for name, score in _scores(outcome, draft.rung):
            span.add_event(EVALUATION, {NAME: name, SCORE: score}, end_ns)
        if self.settings.content:
            self._content(span, outcome, attempt)
        span.end(end_ns)
        if draft.upstream_us:
            self._duration.record(draft.upstream_us / 1e6, labels)
            self._tokens.record(draft.usage.input_tokens, {**labels, TOKEN_TYPE: "input"})
            self._tokens.record(draft.usage.output_tokens, {**labels, TOKEN_TYPE: "output"})
        return end_ns

    def _content(self, span: Span, outcome: Outcome, attempt: Attempt) -> None:
        request = outcome.request
        if request.surface == "chat":
            said = DIALECTS[request.dialect].texts(request.top)
            span.set_attribute(INPUT, json.dumps([_message(role, text) for role, text in said]))
        if attempt.answer is not None:
            span.set_attribute(OUTPUT, json.dumps([_message("assistant", attempt.answer.text)]))

    def _verdict(self, label: Label) -> None:
        """A person's verdict as a span of its own below the request's, with the evaluation event on it."""
        from opentelemetry.trace import (
            NonRecordingSpan,
            SpanContext,
            SpanKind,
            TraceFlags,
            set_span_in_context,
        )

        above = SpanContext(
            _trace_id(label.request_id), _span_id(label.request_id), is_remote=False, trace_flags=TraceFlags(1)
        )
        self._ids.next(None, _span_id(label.id))
        span = self._tracer.start_span(
            f"evaluate {label.feature}", set_span_in_context(NonRecordingSpan(above)), SpanKind.INTERNAL,
            start_time=label.at_ns, attributes={RESPONSE_ID: label.request_id, "surefoot.rung": label.rung},
        )  # fmt: skip
        score: dict[str, Any] = {NAME: f"person.{label.source}", SCORE: float(label.accepted), VERDICT: label.verdict}
        span.add_event(EVALUATION, {**score, RESPONSE_ID: label.request_id}, label.at_ns)
        span.end(label.at_ns)


def telemetry_of(settings: TelemetrySettings, lost: Callable[[str], None]) -> Telemetry | None:
    """What the configuration asks for; None where it names no endpoint. Raises ConfigError when the extra is not installed."""
    if not settings.endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    except ImportError as error:
        raise ConfigError("[telemetry] needs `pip install 'surefoot[otel]'`", file="telemetry") from error

    class Counted(OTLPSpanExporter):
        """Counts what was not taken."""

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            found = super().export(spans)
            if found is not SpanExportResult.SUCCESS:
                lost("telemetry")
            return found

    base, headers = settings.endpoint.rstrip("/"), dict(settings.headers)
    processor = BatchSpanProcessor(Counted(endpoint=f"{base}/v1/traces", headers=headers, timeout=5))
    exporter = OTLPMetricExporter(endpoint=f"{base}/v1/metrics", headers=headers, timeout=5)
    return Telemetry(settings, processor, PeriodicExportingMetricReader(exporter), lost)


def _ids() -> Any:
    """Random ids, but where the next one is known: a verdict finds its request's span by it."""
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """Random ids, but where the next one is known."""

        def __init__(self) -> None:
            self._trace: int | None = None
            self._span: int | None = None

        def next(self, trace: int | None, span: int) -> None:
            self._trace, self._span = trace, span

        def generate_trace_id(self) -> int:
            found, self._trace = self._trace, None
            return super().generate_trace_id() if found is None else found

        def generate_span_id(self) -> int:
            found, self._span = self._span, None
            return super().generate_span_id() if found is None else found

    return Ids()


def _parent(trace: str) -> Context | None:
    """The caller's span, where it sent a W3C `traceparent`."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found = TraceContextTextMapPropagator().extract({"traceparent": trace}) if trace.count("-") == 3 else None
    return found or None


def _usage(draft: Draft | NoDraft) -> dict[str, int]:
    usage = draft.usage
    found = {
        INPUT_TOKENS: usage.input_tokens, OUTPUT_TOKENS: usage.output_tokens, CACHED_TOKENS: usage.cached_tokens,
        WRITTEN_TOKENS: usage.cache_write_tokens, REASONING_TOKENS: usage.reasoning_tokens,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _cost(nanodollars: int) -> dict[str, float | str]:
    usd = nanodollars / 1e9
    return {COST: usd, COST_ALIAS: usd, COST_DETAILS: json.dumps({"total": usd})}


def _spent(outcome: Outcome, rung: str) -> int:
    lines = [line for settlement in outcome.settlements for line in settlement.entries]
    return sum(line.nanodollars for line in lines if line.rung == rung)


def _scores(outcome: Outcome, rung: str) -> Iterator[tuple[str, float]]:
    for step in outcome.trace.steps:
        if step.rung == rung and isinstance(step.value, Checked):
            for signal in step.value.evidence.signals:
                if signal.score is not None:
                    yield signal.name, signal.score


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _trace_id(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=16).digest()) or 1


def _span_id(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) or 1
