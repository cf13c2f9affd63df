"""An answer that is released sentence by sentence: our own events around judged pieces, the end after the settlement."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from surefoot.app.build import Runtime
from surefoot.app.held import Held
from surefoot.app.reply import Note, StreamReply, headers_of, note_of, pending_note
from surefoot.app.settle import Outcome
from surefoot.app.settler import Settler
from surefoot.errors import RequestRefused, SurefootError, UpstreamFailed
from surefoot.pipeline import Released
from surefoot.records import Decision, Draft, Request, Usage
from surefoot.trace import LiveTrace
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import answer_id
from surefoot.wire.speech import Speech, speech

Page = AsyncGenerator[Released | Decision, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """One answer on its way out."""

    settler: Settler
    held: Held
    runtime: Runtime
    request: Request
    trace: LiveTrace
    began: int
    include_usage: bool

    def reply(self, first: Released, page: Page) -> StreamReply:
        """The reply that begins with a released piece. Its headers go out before anything is decided."""
        feature = self.runtime.policy.features[self.request.feature]
        rung = next((step.rung for step in reversed(self.trace.steps) if step.rung), "")
        note = pending_note(self.request, feature, self.runtime.policy.version, self.trace, rung)
        return StreamReply(
            headers=headers_of(note), events=self._events(first, page, note), request_id=self.request.id
        )  # fmt: skip

    async def _events(self, first: Released, page: Page, pending: Note) -> AsyncIterator[bytes]:
        dialect = DIALECTS[self.request.dialect]
        created = self.request.at_ns // 1_000_000_000
        ours = speech(dialect.name, model=first.model, id=answer_id(self.request), created=created)
        told, ended = len(first.text), False
        try:
            for event in ours.begin(msgspec.json.encode(pending)):
                yield event
            yield ours.say(first.text)
            async for item in page:
                if isinstance(item, Released):
                    told += len(item.text)
                    yield ours.say(item.text)
                    continue
                ended = True
                async with aclosing(self._end(ours, item, told)) as events:
                    async for event in events:
                        yield event
        except RequestRefused as error:  # the money ran out on a rung above, or the last provider failed
            if not ended:
                ended = True
                await self._finish(None, error.code)
            yield dialect.error_event(
                status=error.status, code=error.code, message=error.message, request_id=self.request.id
            )  # fmt: skip
        except SurefootError:
            yield dialect.error_event(
                status=500, code="not_durable", message="the answer could not be settled", request_id=self.request.id
            )  # fmt: skip
        finally:
            if not ended:
                await page.aclose()
                self.settler.finish_later(self.request, self.runtime, self.trace, self.began, "client_closed")

    async def _end(self, ours: Speech, decision: Decision, told: int) -> AsyncGenerator[bytes, None]:
        """What is left to say, once the settlement is durable. Raises UpstreamFailed when nobody can go on."""
        outcome = await self._settled(decision)
        if decision.action == "fail":
            raise UpstreamFailed(decision.verdict.reason, status=getattr(decision.verdict, "status", 502))
        attempt, note = decision.attempt, note_of(outcome, decision)
        draft = attempt.draft if attempt else None
        real = draft if isinstance(draft, Draft) else None
        if decision.action == "deliver" and attempt is not None and attempt.answer is not None:
            rest, finish = attempt.answer.text[told:], real.finish if real else "stop"
            if self.runtime.recorder is not None:
                self.runtime.recorder.record(self.request, attempt)
        else:
            rest, finish = "", "stop"
            async with aclosing(
                self.held.said(self.request, note, outcome.holding, self.held.seconds(self.request, outcome))
            ) as parts:
                async for part in parts:
                    if part is None:
                        yield ours.alive()
                    else:
                        note, rest = part[0], f"\n\n{part[1]}"
        if rest:
            yield ours.say(rest)
        usage = real.usage if real else Usage()
        said = msgspec.json.encode(note)
        for event in ours.end(said, finish=finish, usage=usage, include_usage=self.include_usage):
            yield event

    async def _settled(self, decision: Decision) -> Outcome:
        if decision.action == "escalate":
            return await self.held.opened(self.request, self.runtime, self.trace, decision, self.began)
        return await self._finish(decision, "")

    async def _finish(self, decision: Decision | None, error: str) -> Outcome:
        return await self.settler.finish(self.request, self.runtime, self.trace, decision, self.began, error)
