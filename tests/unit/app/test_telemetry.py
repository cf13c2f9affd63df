"""OpenTelemetry: what a collector gets of a request, of its checks and of people's verdicts, and that it fails open."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from msgspec.structs import replace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from surefoot.app import App
from surefoot.app.settle import Outcome
from surefoot.app.telemetry import (
    DURATION,
    EVALUATION,
    INPUT,
    NAME,
    OUTPUT,
    RESPONSE_ID,
    SCORE,
    TOKENS,
    Telemetry,
    telemetry_of,
)
from surefoot.config.load import load_text
from surefoot.config.schema import TelemetrySettings
from surefoot.demo.places import CLINIC
from surefoot.records import Attribution, Label, Request, Usage
from surefoot.store.memory import MemoryStore
from surefoot.wire.dialects import DIALECTS

CONFIG = f"""
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.clinic]
mode = "enforce"
ladder = ["quotes"]
person = "nurse"
[features.clinic.maps.quotes]
p = 0.9
[people.nurse]
"""
QUESTION = "How long do repeat prescriptions take?"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Seen:
    """A collector in memory."""

    def __init__(self, *, content: bool = False) -> None:
        self.exporter, self.metrics, self.lost = InMemorySpanExporter(), InMemoryMetricReader(), list[str]()
        settings = TelemetrySettings(endpoint="http://127.0.0.1:4318", content=content)
        self.telemetry = Telemetry(settings, SimpleSpanProcessor(self.exporter), self.metrics, self.lost.append)

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name.split()[0]: span for span in self.exporter.get_finished_spans()}


def asked(
    seen: Seen, *, trace: str = "", after: Callable[[App], Awaitable[None]] | None = None,
    told: Callable[[Outcome], None] | None = None,
) -> None:  # fmt: skip
    async def run() -> None:
        app = await App.start(load_text(CONFIG), store=MemoryStore())
        app.settler.on_ended = lambda outcome, runtime: (told or seen.telemetry.ended)(outcome)
        body = DIALECTS["openai"].ask(QUESTION, (), model="surefoot")
        parsed = DIALECTS["openai"].parse(body, surface="chat")
        await app.answer(
            Request(
                id="req_1", at_ns=time.time_ns(), draw="0" * 32, dialect="openai", surface="chat", caller=app.caller(None),
                feature="clinic", model="clinic", stream=False, body=body, top=parsed.top, attribution=Attribution(trace=trace),
            )
        )  # fmt: skip
        if after is not None:
            await after(app)
        await app.close()

    asyncio.run(run())


def test_a_request_is_a_span_with_one_for_each_rung_below_it() -> None:
    seen = Seen()
    asked(seen)
    root, call = seen.spans()["invoke_workflow"], seen.spans()["chat"]
    assert root.attributes is not None
    assert call.attributes is not None
    assert call.parent is not None
    assert root.context is not None
    assert call.parent.span_id == root.context.span_id
    assert (root.attributes["surefoot.feature"], root.attributes["surefoot.action"]) == ("clinic", "deliver")
    assert call.attributes["gen_ai.provider.name"] == "docs"
    assert call.attributes["surefoot.cost_usd"] == 0
    assert seen.lost == []


def test_each_check_is_an_evaluation_event_and_so_is_the_confidence() -> None:
    seen = Seen()
    asked(seen)
    checks = {str((event.attributes or {})[NAME]) for event in seen.spans()["chat"].events if event.name == EVALUATION}
    assert "quote" in checks
    (confidence,) = (event for event in seen.spans()["invoke_workflow"].events if event.name == EVALUATION)
    assert (confidence.attributes or {})[SCORE] == pytest.approx(0.9)


@pytest.mark.parametrize("content", [False, True])
def test_nothing_that_was_said_is_sent_unless_it_is_asked_for(content: bool) -> None:
    seen = Seen(content=content)
    asked(seen)
    whole = json.dumps([json.loads(span.to_json()) for span in seen.exporter.get_finished_spans()])
    assert ("repeat prescriptions" in whole) is content
    assert ((seen.spans()["chat"].attributes or {}).keys() >= {INPUT, OUTPUT}) is content


def test_the_callers_own_trace_goes_on() -> None:
    seen = Seen()
    asked(seen, trace=TRACE)
    root = seen.spans()["invoke_workflow"]
    assert root.context is not None
    assert root.parent is not None
    assert f"{root.context.trace_id:032x}" == TRACE.split("-")[1]
    assert f"{root.parent.span_id:016x}" == TRACE.split("-")[2]


def test_a_persons_verdict_is_an_event_below_the_requests_span() -> None:
    seen = Seen()

    async def judge(app: App) -> None:
        label = Label(
            id="l1", request_id="req_1", at_ns=time.time_ns() + 1, tenant="t", feature="clinic", rung="quotes", edition="e",
            verdict="wrong", source="audit", group="1", propensity=0.5,
        )  # fmt: skip
        await app.store.labels.add(label)
        assert await seen.telemetry.judge(app.store) == 1
        assert await seen.telemetry.judge(app.store) == 0

    asked(seen, after=judge)
    root, verdict = seen.spans()["invoke_workflow"], seen.spans()["evaluate"]
    assert root.context is not None
    assert verdict.parent is not None
    assert verdict.parent.span_id == root.context.span_id
    assert (verdict.attributes or {})[RESPONSE_ID] == "req_1"
    assert (verdict.events[0].attributes or {})[SCORE] == 0.0


def test_what_breaks_in_telling_is_counted_and_the_answer_goes_out() -> None:
    seen = Seen()
    seen.telemetry._tracer = None  # type: ignore[assignment]
    asked(seen)
    assert seen.lost == ["telemetry"]


def test_tokens_and_times_of_calls_are_metrics() -> None:
    seen = Seen()

    def told(outcome: Outcome) -> None:
        used = Usage(input_tokens=10, output_tokens=5)
        outcome.trace.attempts[:] = [
            replace(each, draft=replace(each.draft, upstream_us=1500, usage=used)) for each in outcome.trace.attempts
        ]
        seen.telemetry.ended(outcome)

    asked(seen, told=told)
    data = seen.metrics.get_metrics_data()
    assert data is not None
    metrics = [metric for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]
    found = {metric.name: sum(point.sum for point in metric.data.data_points) for metric in metrics}  # type: ignore[union-attr]
    assert found == {TOKENS: 15, DURATION: pytest.approx(0.0015)}


class Collector(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    posted: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.posted.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_collector_gets_spans_and_metrics_before_the_process_ends() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lost: list[str] = []
    telemetry = telemetry_of(TelemetrySettings(endpoint=f"http://127.0.0.1:{server.server_port}/"), lost.append)
    assert telemetry is not None
    asked(Seen(), told=telemetry.ended)
    telemetry.close()
    server.shutdown()
    server.server_close()
    assert "/v1/traces" in Collector.posted
    assert lost == []


def test_without_an_endpoint_nothing_is_made() -> None:
    assert telemetry_of(TelemetrySettings(), lambda what: None) is None
