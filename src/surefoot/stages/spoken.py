"""An answer as it is written, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator

from surefoot.signals.text import sentences
from surefoot.wire.speech import added

_MAY_END = re.compile(r"[.!?…。！？\n]")  # only where one of these came can a sentence have ended


class Spoken:
    """The text of a stream. With `before`, what the caller has already, the text goes on from there."""

    def __init__(self, dialect: str, before: str = "") -> None:
        self._dialect, self._before = dialect, before
        self._own = ""  # what this model wrote
        self._plain = True  # whether it wrote nothing but text

    @property
    def text(self) -> str:
        """Everything so far, what the caller has already included."""
        return joined(self._before, self._own)

    async def sentences(self, events: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
        """The whole text at the end of each sentence but the last, as soon as the next one has begun.

        Nothing more is given once the model does something else than write (calls a tool, thinks): that is not judged
        sentence by sentence. The stream is read to its end all the same.
        """
        told, waiting = len(self._before), False
        async for event in events:
            piece = added(self._dialect, event) if self._plain else None
            self._plain = piece is not None
            if not piece:
                continue
            self._own += piece
            waiting = waiting or bool(_MAY_END.search(piece))
            if not waiting:
                continue
            text = self.text
            found = sentences(text[told:])
            if len(found) > 1:
                told, waiting = told + found[-2].end, bool(_MAY_END.search(text, told + found[-2].end))
                yield text[:told]


def joined(before: str, own: str) -> str:
    """The rest put behind the beginning: what a model says again of it is left out, a missing space put in."""
    if not before:
        return own
    start, rest = before.strip(), own.lstrip()
    if start.startswith(rest):
        return before  # nothing yet but the beginning again
    if rest.startswith(start):
        own = rest[len(start) :]
    if before[-1:].isspace() or own[:1].isspace():
        return before + own
    return f"{before} {own}" if own else before
