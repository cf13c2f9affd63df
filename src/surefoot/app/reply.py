"""What goes back: the draft's own bytes with a `surefoot` object beside them, or a holding answer, and short headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from surefoot.app.settle import Outcome
from surefoot.policy import Feature
from surefoot.records import Decision, Draft, Fitted, Request, Routed, Shortened, Usage
from surefoot.records.money import usd
from surefoot.trace import LiveTrace
from surefoot.wire import Dialect
from surefoot.wire.fields import answer_id, tag_body

Headers = tuple[tuple[str, str], ...]


class Note(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `surefoot` object in the body of every answer."""

    request_id: str
    decision: str  # what was done: "deliver" | "escalate" | "default" | "fail" | "pending" in a stream's first event
    verdict: str  # what the policy says: "deliver" | "stronger" | "escalate" | "fail"
    reason: str
    feature: str
    mode: str
    rung: str | None
    model: str | None
    confidence: float | None  # p; None: nobody knows
    calibrated: bool  # whether labels fitted what p means; a map set by hand did not
    source: str
    case: str | None
    cost_usd: str | None  # exact decimal; None while it is not known
    cache: str  # "hit" | "miss" | "off"
    simulated: bool
    policy: str
    prompt: Shortened | None = None  # what was left out of the prompt or marked in it; None: it went out as it came
    route: Routed | None = None  # why the ladder began where it did; only where the caller asked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete answer."""

    status: int
    body: bytes
    headers: Headers
    request_id: str
    decision: Decision | None = None
    nanodollars: int = 0
    own_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReply:
    """An answer in events; the last one comes only after the settlement is durable."""

    headers: Headers
    events: AsyncIterator[bytes]
    request_id: str


def note_of(outcome: Outcome, decision: Decision) -> Note:
    """The note on a decided request."""
    draft = decision.attempt.draft if decision.attempt else None
    real = draft if isinstance(draft, Draft) else None
    return Note(
        request_id=outcome.request.id,
        decision=decision.action,
        verdict=type(decision.verdict).__name__.lower(),
        reason=decision.verdict.reason,
        feature=outcome.feature.name,
        mode=decision.mode,
        rung=decision.rung.name if decision.rung else None,
        model=real.model if real else None,
        confidence=decision.confidence.p,
        calibrated=decision.confidence.calibrated,
        source=decision.confidence.source,
        case=outcome.case_id,
        cost_usd=usd(outcome.nanodollars),
        cache=_cache(outcome.trace),
        simulated=bool(real and real.simulated),
        policy=outcome.policy,
        prompt=_prompt(outcome.trace, decision.rung.name if decision.rung else None),
        route=outcome.trace.route if outcome.request.debug else None,
    )


def pending_note(request: Request, feature: Feature, policy: str, trace: LiveTrace, rung: str) -> Note:
    """The note on a stream's first event: it is passed on before it is judged, so cost and confidence are unknown."""
    return Note(
        request_id=request.id, decision="pending", verdict="pending", reason="passed on, judged at the end",
        feature=feature.name, mode=feature.mode, rung=rung, model=None, confidence=None, calibrated=False,
        source="not judged yet", case=None, cost_usd=None, cache=_cache(trace), simulated=False, policy=policy,
    )  # fmt: skip


def headers_of(note: Note) -> Headers:
    """The short set of headers."""
    confidence = f"{note.confidence:.4f}" if note.confidence is not None else "uncalibrated"
    headers = [
        ("x-surefoot-decision", note.decision),
        ("x-surefoot-confidence", "pending" if note.decision == "pending" else confidence),
        ("x-surefoot-calibrated", "true" if note.calibrated else "false"),
        ("x-surefoot-rung", _safe(note.rung or "none")),
        ("x-surefoot-cache", note.cache),
    ]
    if note.model:
        headers.append(("x-surefoot-model", _safe(note.model)))
    if note.cost_usd is not None:
        headers.append(("x-surefoot-cost-usd", note.cost_usd))
    if note.case:
        headers += [("x-surefoot-case", note.case), ("x-should-retry", "false")]
    return tuple(headers)


def delivered(decision: Decision, note: Note) -> bytes:
    """The draft's body, byte for byte, with the note as its last field."""
    if decision.attempt is None or decision.attempt.answer is None:
        raise AssertionError("a delivered decision has an answer")
    return tag_body(decision.attempt.answer.body, msgspec.json.encode(note))


def held(request: Request, dialect: Dialect, text: str, note: Note) -> bytes:
    """The holding answer of an escalation, in the caller's dialect."""
    body = dialect.compose(
        text, model=request.model, id=answer_id(request), created=request.at_ns // 1_000_000_000, usage=Usage()
    )
    return tag_body(body, msgspec.json.encode(note))


def _prompt(trace: LiveTrace, rung: str | None) -> Shortened | None:
    asked = (step.value for step in trace.steps if step.rung == rung and isinstance(step.value, Fitted))
    return next((value.shortened for value in asked), None)


def _cache(trace: LiveTrace) -> str:
    for attempt in trace.attempts:
        if attempt.draft.rung == "cache":
            return "hit" if isinstance(attempt.draft, Draft) else "miss"
    return "off"


def _safe(value: str) -> str:
    """A header value: a provider's model name is not trusted with line breaks."""
    return "".join(c for c in value if " " <= c <= "~")[:200]
