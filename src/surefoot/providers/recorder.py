"""Writes live traffic in the recorded format, in clear, for those who ask for it. Off unless a file is named; fails open."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from surefoot.errors import BadRequest
from surefoot.records import Attempt, Draft, Request
from surefoot.wire.dialects import DIALECTS

log = structlog.get_logger("surefoot")


class Recorder:
    """Appends one row a request; a verdict is left open (`correct` null) for a person to give."""

    def __init__(self, file: str) -> None:
        self._path = Path(file)
        self.failures = 0

    def record(self, request: Request, attempt: Attempt) -> None:
        """Append a row. What cannot be written is counted, never raised."""
        draft, answer = attempt.draft, attempt.answer
        if not isinstance(draft, Draft) or answer is None or request.surface != "chat":
            return
        try:
            query, passages = DIALECTS[request.dialect].question(request.top)
            row = {
                "id": request.id,
                "task": request.feature,
                "group": request.id,
                "query": query,
                "context": (*request.context, *passages),
                "answers": {draft.model: {"text": answer.text, "correct": None}},
            }
            with open(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(msgspec.json.encode(row) + b"\n")
        except (OSError, BadRequest) as error:
            self.failures += 1
            log.warning("a request could not be recorded", error=type(error).__name__)
