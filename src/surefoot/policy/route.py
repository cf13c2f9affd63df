"""Where on the ladder to start. In this version: at the bottom; a learned start replaces it without moving a wall."""

from __future__ import annotations

from surefoot.policy.policy import Feature
from surefoot.records import Question, Rung

RELAY = Rung(name="relay", kind="relay")


def route(feature: Feature, question: Question) -> tuple[Rung, ...]:
    """The rungs to try, in order. Surfaces without an answer to judge (embeddings, token counts) are relayed."""
    if question.surface != "chat":
        return (RELAY,)
    return feature.ladder
