"""Whether an answer is the JSON that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import json_repair
import jsonschema_rs
import msgspec

from surefoot.errors import ConfigError
from surefoot.records import Signal
from surefoot.signals.values import unfenced
from surefoot.stages.check.seen import Findings, Seen

_LONGEST = 100_000  # characters that repairing is tried on


def _deny(uri: str) -> Any:
    raise ValueError(f"schemas may not be fetched: {uri}")


class Schema:
    """Two signals: "schema", 1 when the answer's text is JSON that meets the feature's JSON Schema as it stands, else 0; and
    "schema.repair", 1 when it is or could be mended to be so (a fence, a missing bracket, a single quote), else 0.

    The answer itself is never changed. Remote and file references are never fetched; a schema that needs one is refused when
    the configuration is read. None when the answer has no text (a tool call). Raises ConfigError for a schema that is none.
    """

    def __init__(self, schema: Mapping[str, object]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(dict(schema), retriever=_deny)
        except ValueError as error:
            raise ConfigError(f"not a usable JSON Schema: {error}") from error

    def __call__(self, seen: Seen, /) -> Findings:
        """The signals "schema" and "schema.repair"."""
        text = seen.text
        if not text:
            return _findings(None, None, "no text to check")
        if self._meets(text):
            return _findings(1.0, 1.0, "")
        return _findings(0.0, 1.0 if self._mended(text) else 0.0, "does not meet the schema")

    def _meets(self, text: str) -> bool:
        try:
            return bool(self._validator.is_valid(msgspec.json.decode(text)))
        except (ValueError, msgspec.DecodeError):
            return False

    def _mended(self, text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        try:
            value = json_repair.loads(unfenced(text.strip()))
        except (ValueError, RecursionError):
            return False
        return value != "" and bool(self._validator.is_valid(value))


def _findings(schema: float | None, repair: float | None, detail: str) -> Findings:
    return Findings(
        signals=(
            Signal(name="schema", score=schema, detail=detail),
            Signal(name="schema.repair", score=repair),
        )
    )
