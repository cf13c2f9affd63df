"""Whether an answer is the JSON that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec

from surefoot.errors import ConfigError
from surefoot.records import Signal, Tried


def _deny(uri: str) -> Any:
    raise ValueError(f"schemas may not be fetched: {uri}")


class Schema:
    """1 when the answer's text is JSON that meets the feature's JSON Schema, else 0.

    Remote and file references are never fetched; a schema that needs one is refused when the configuration is read.
    Raises ConfigError for a schema that is none.
    """

    def __init__(self, schema: Mapping[str, object]) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(dict(schema), retriever=_deny)
        except ValueError as error:
            raise ConfigError(f"not a usable JSON Schema: {error}") from error

    def __call__(self, tried: Tried, /) -> tuple[Signal, ...]:
        """The signal "schema"; abstains when the answer has no text (a tool call)."""
        answer = tried.attempt.answer
        if answer is None or not answer.text:
            return (Signal(name="schema", score=None, detail="no text to check"),)
        return (Signal(name="schema", score=1.0 if self._meets(answer.text) else 0.0),)

    def _meets(self, text: str) -> bool:
        try:
            return bool(self._validator.is_valid(msgspec.json.decode(text)))
        except (ValueError, msgspec.DecodeError):
            return False
