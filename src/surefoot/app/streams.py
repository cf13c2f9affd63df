"""Answers in events. What announces the end is held back until the bill is durable, and carries the note."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import msgspec

from surefoot.app.build import Runtime
from surefoot.app.reply import Note, StreamReply, headers_of, note_of, pending_note
from surefoot.app.settler import Settler
from surefoot.errors import ProviderError, StoreError
from surefoot.pipeline import Passing, judge_passed
from surefoot.trace import LiveTrace
from surefoot.wire import Dialect
from surefoot.wire.dialects import DIALECTS


def cut_tagged(
    dialect: Dialect, events: Sequence[bytes], note: Note, *, include_usage: bool, whole: bool = True
) -> list[bytes]:
    """Events of a decided answer, the note in the first that announces the end.

    A `whole` Anthropic stream carries it in its start too, since that is what the SDK keeps.
    """
    said = msgspec.json.encode(note)
    out, tagged = [], False
    for place, event in enumerate(events):
        if dialect.is_usage_only(event) and not include_usage:
            continue
        starts = whole and place == 0 and dialect.name == "anthropic"
        if starts or (not tagged and dialect.is_closing(event) and not dialect.is_last(event)):
            tagged = tagged or not starts
            event = dialect.tag(event, said)
        out.append(event)
    return out


def pass_on(
    settler: Settler, runtime: Runtime, passing: Passing, trace: LiveTrace, *, include_usage: bool, began: int
) -> StreamReply:
    """An answer that is passed on while it is written. Its headers go out before anything is known of it."""
    request = passing.ask.request
    note = pending_note(request, passing.feature, runtime.policy.version, trace, passing.ask.rung.name)
    flow = _Flow(settler=settler, runtime=runtime, passing=passing, trace=trace, began=began)
    events = flow.events(msgspec.json.encode(note), include_usage=include_usage)
    return StreamReply(headers=headers_of(note), events=events, request_id=request.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """One answer on its way through."""

    settler: Settler
    runtime: Runtime
    passing: Passing
    trace: LiveTrace
    began: int

    async def events(self, pending: bytes, *, include_usage: bool) -> AsyncIterator[bytes]:
        """Events as they come; the closing ones after the settlement, an error event when the stream breaks."""
        dialect = DIALECTS[self.passing.ask.request.dialect]
        closing: list[bytes] = []
        ended = False
        try:
            first = dialect.name == "anthropic"
            async for event in self.passing.flow.events():
                if first:
                    event, first = dialect.tag(event, pending), False
                if dialect.is_closing(event):
                    closing.append(event)
                    continue
                if closing:  # one of several choices ended, others go on
                    yield b"".join(closing)
                    closing.clear()
                yield event
            ended = True
            note = await self._settled()
            for event in cut_tagged(dialect, closing, note, include_usage=include_usage, whole=False):
                yield event
        except ProviderError as error:
            ended = True
            await self._broken("stream_broken")
            yield dialect.error_event(
                status=error.status or 502, code="upstream_failed", message=error.message,
                request_id=self.passing.ask.request.id,
            )  # fmt: skip
        except StoreError:
            yield dialect.error_event(
                status=500, code="not_durable", message="the answer could not be settled",
                request_id=self.passing.ask.request.id,
            )  # fmt: skip
        finally:
            if not ended:
                await self._left()

    async def _settled(self) -> Note:
        """Judge what was passed on, settle it, and wait until that is durable."""
        decision = await judge_passed(self.passing, self.runtime.stages, self.trace)
        request = self.passing.ask.request
        outcome = await self.settler.finish(request, self.runtime, self.trace, decision, self.began)
        return note_of(outcome, decision)

    async def _broken(self, error: str) -> None:
        """Settle a stream that the provider broke off: what was said is paid for."""
        self.trace.called(self.passing.ask.rung, self.passing.flow.attempt())
        await self.settler.finish(self.passing.ask.request, self.runtime, self.trace, None, self.began, error)

    async def _left(self) -> None:
        """The caller left: stop the provider, settle without waiting."""
        self.trace.called(self.passing.ask.rung, self.passing.flow.attempt())
        self.settler.finish_later(self.passing.ask.request, self.runtime, self.trace, self.began, "client_closed")
        await self.passing.flow.cancel()
