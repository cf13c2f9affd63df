"""`surefoot ask`: one question on a folder of documents: answer, quoted evidence, confidence, cost, verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import Struct

from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.demo.places import DOCS_FEATURE, docs_toml
from surefoot.providers.rows import Row
from surefoot.records.money import usd
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of


class Told(Struct, frozen=True, kw_only=True):
    """What came of the question."""

    answer: str | None  # the quotes with their sources; None when a person has to answer
    verdict: str  # "deliver" | "escalate"
    reason: str
    rung: str | None
    p: float | None  # calibrated probability; None: uncalibrated
    signals: dict[str, float | None]  # scores, not probabilities
    cost_usd: str


def ask(question: str, docs: Path) -> Told:
    """Answer from the documents, or say that a person has to. Nothing is kept. Raises SurefootError."""
    return asyncio.run(_ask(question, docs))


async def _ask(question: str, docs: Path) -> Told:
    app = await App.start(load_text(docs_toml(docs, None), file="surefoot ask"), store=MemoryStore())
    try:
        request = request_of(app, app.policy.features[DOCS_FEATURE], Row(id="ask", query=question))
        reply = await app.answer(request)
        decision = reply.decision
        assert decision is not None
        attempt = decision.attempt
        delivered = decision.action == "deliver" and attempt is not None and attempt.answer is not None
        return Told(
            answer=attempt.answer.text if delivered and attempt and attempt.answer else None,
            verdict=decision.action,
            reason=decision.verdict.reason,
            rung=decision.rung.name if delivered and decision.rung else None,
            p=decision.confidence.p,
            signals={signal.name: signal.score for signal in decision.evidence.signals},
            cost_usd=usd(reply.nanodollars),
        )
    finally:
        await app.close()
