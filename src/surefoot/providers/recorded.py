"""Answers from a labelled file: what real models said, given again."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from surefoot.config.schema import ProviderSettings
from surefoot.providers import Abstained, Call, Said
from surefoot.providers.local import LocalProvider, estimated_usage, said_text
from surefoot.providers.rows import Row, read_rows


class Recorded(LocalProvider):
    """Within `trial` a call is bound to its row's id; live it is matched by query and passages.

    A model without an answer in a row is unavailable there. Usage is estimated: recordings hold none. Ambiguity is refused.
    """

    kind = "recorded"

    def __init__(self, name: str, rows: Sequence[Row]) -> None:
        super().__init__(name)
        self._by_id = {row.id: row for row in rows}
        self._by_question: dict[bytes, list[Row]] = {}
        for row in rows:
            self._by_question.setdefault(_key(row.query, row.context), []).append(row)

    @classmethod
    def of(cls, name: str, settings: ProviderSettings) -> Recorded:
        """The provider of a configured file. Raises DataError."""
        return cls(name, read_rows(settings.file))

    async def answer(self, call: Call, query: str, passages: tuple[str, ...]) -> Said | Abstained:
        """The row's answer of the model, word for word."""
        row = self._row(call, query, passages)
        if isinstance(row, Abstained):
            return row
        recorded = row.answers.get(call.model)
        if recorded is None or (recorded.text is None and recorded.correct is None):
            return Abstained(reason=f"row {row.id} has no answer of {call.model}", kind="unavailable")
        text = recorded.text or ""
        return said_text(call, text, usage=estimated_usage(row.query, row.context, text))

    def _row(self, call: Call, query: str, passages: tuple[str, ...]) -> Row | Abstained:
        if call.request.row is not None:
            row = self._by_id.get(call.request.row)
            return row or Abstained(reason="the row is not in this recording", kind="unavailable")
        rows = self._by_question.get(_key(query, passages), [])
        if len(rows) == 1:
            return rows[0]
        reason = f"ambiguous: {len(rows)} rows match" if rows else "no row matches"
        return Abstained(reason=reason, kind="unavailable")


def _key(query: str, passages: Sequence[str]) -> bytes:
    """A digest of query and passages, in which nothing can be shifted from one to the other."""
    digest = sha256()
    for part in (query, *passages):
        data = part.encode("utf-8")
        digest.update(b"%d:" % len(data) + data)
    return digest.digest()
