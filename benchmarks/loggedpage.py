"""Journals without a server: the real page over prepared drafts and evidence, with its lots, as it would have been written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from surefoot import pipeline
from surefoot.app.candidate import Candidate
from surefoot.evals.paths import enforced
from surefoot.pipeline import Stages
from surefoot.policy import Feature, Policy, audit_lot, shadow_call
from surefoot.records import (
    Ask,
    Attempt,
    Caller,
    Checked,
    Decision,
    Draft,
    Evidence,
    Fitted,
    JournalEntry,
    NoDraft,
    Question,
    Read,
    Request,
    Step,
    Tried,
    Try,
)
from surefoot.replay import shadow_id
from surefoot.trace import LiveTrace

HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the stages give for one request."""

    question: Question
    drafts: Mapping[str, Draft | NoDraft]
    evidence: Mapping[tuple[str, tuple[str, ...]], Evidence]  # by (rung, rungs with a draft before it)


class _Stage:
    def __init__(self, name: str, give: Any) -> None:
        self.name, self._give = name, give

    async def __call__(self, value: Any, /) -> Any:
        return self._give(value)

    async def open(self, value: Any, /) -> Any:
        raise NotImplementedError


def logged(prepared: Prepared, policy: Policy, *, name: str, draw: str, at_ns: int) -> JournalEntry:
    """The journal's entry of a request that a policy answered."""
    decision, trace = answered(prepared, policy, name=name, draw=draw, at_ns=at_ns)
    feature = policy.features["f"]
    rung = decision.rung.name if decision.rung is not None else None
    lot = audit_lot(feature, draw, rung) if decision.action == "deliver" and rung and feature.audit else None
    return JournalEntry(
        request_id=name, at_ns=at_ns, draw=draw, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
        subject="", policy=policy.version, mode=feature.mode, steps=tuple(trace.steps), action=decision.action, rung=rung,
        lot=lot,
    )  # fmt: skip


def shadow_of(prepared: Prepared, policy: Policy, entry: JournalEntry) -> JournalEntry | None:
    """The entry of the request's shadow call; None where its lot drew none."""
    asked = tuple(step.rung or "" for step in entry.steps if step.stage == "call")
    chosen = shadow_call(policy.features["f"], asked, entry.draw)
    if chosen is None:
        return None
    draft = prepared.drafts[chosen.rung]
    before = tuple(rung for rung in asked if isinstance(prepared.drafts[rung], Draft))
    evidence = prepared.evidence.get((chosen.rung, before)) or prepared.evidence.get((chosen.rung, ())) or Evidence()
    steps = (
        Step(stage="read", rung=None, value=Read(question=prepared.question)),
        Step(stage="shadow", rung=chosen.rung, value=chosen),
        Step(stage="fit", rung=chosen.rung, value=Fitted()),
        Step(stage="call", rung=chosen.rung, value=draft),
        Step(stage="check", rung=chosen.rung, value=Checked(evidence=evidence)),
    )
    return replace(
        entry, request_id=shadow_id(entry.request_id), shadow_of=entry.request_id, steps=steps, action="shadow", rung=None,
        lot=None,
    )  # fmt: skip


def answered(
    prepared: Prepared, policy: Policy, *, name: str = "r", draw: str = "0" * 32, at_ns: int = 0
) -> tuple[Decision, LiveTrace]:
    """The page's decision and its trace."""
    drafted: list[str] = []

    def call(ask: Ask) -> Attempt:
        draft = prepared.drafts[ask.rung.name]
        if isinstance(draft, Draft):
            drafted.append(ask.rung.name)
        return Attempt(draft=draft)

    def check(tried: Tried) -> Evidence:
        rung = tried.ask.rung.name
        before = tuple(each for each in drafted if each != rung)
        return prepared.evidence.get((rung, before)) or prepared.evidence.get((rung, ())) or Evidence()

    def fit(tried: Try) -> Ask:
        return Ask(request=tried.request, question=tried.question, rung=tried.rung)

    stages = Stages(
        read=_Stage("read", lambda request: prepared.question), fit=_Stage("fit", fit), call=_Stage("call", call),
        check=_Stage("check", check),
    )  # fmt: skip
    request = Request(
        id=name, at_ns=at_ns, draw=draw, dialect="openai", surface="chat", caller=Caller(key_id="k", tenant="t"), feature="f",
        model="m", stream=False, body=b"",
    )  # fmt: skip
    trace = LiveTrace()
    page = pipeline.answer(request, policy, stages, trace)
    try:
        page.send(None)  # type: ignore[attr-defined]  # an async function is a coroutine
    except StopIteration as end:
        return end.value, trace
    raise RuntimeError("a prepared page waited for something")


def candidate(feature: Feature) -> Candidate:
    """A feature as a candidate whose rungs mean any model and whose prices are those of the bill."""
    policy = Policy.of({"f": enforced(feature)})
    return Candidate(
        policy=policy, version=policy.version, meant={}, prices={}, models={}, judged=True, hourly_nanodollars=0,
        sla_seconds=900.0, role=feature.person.role,
    )  # fmt: skip
