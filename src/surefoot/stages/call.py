"""call: ask a rung. Money is set aside before a model is asked, and every call made is on the bill, whatever came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from hashlib import sha256
from time import perf_counter_ns

from msgspec import Raw, Struct
from msgspec.structs import replace

from surefoot.errors import BudgetSpent, ProviderError, Rejected, SurefootError, UpstreamFailed
from surefoot.providers import Abstained, Call, Live, Said
from surefoot.providers.billing import worst_case
from surefoot.providers.imagetokens import size_of
from surefoot.providers.registry import Model, Registry
from surefoot.providers.tokens import Estimator
from surefoot.records import Answer, Ask, Attempt, Draft, NoDraft, PricedCall, Reservation, Rung, Usage
from surefoot.stages.masking import masked_top, unmasked
from surefoot.stages.recall import Recall
from surefoot.stages.spoken import Spoken
from surefoot.store import Store
from surefoot.wire import Top
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import answer_id, body_of


class _Asked:
    """One model call under way: what it will be billed as, and its reservation."""

    __slots__ = ("began", "kind", "priced", "request_id", "reserved", "top")

    def __init__(self, request_id: str, priced: PricedCall, reserved: asyncio.Future[None], kind: str) -> None:
        self.request_id, self.priced, self.reserved, self.kind = request_id, priced, reserved, kind
        self.began = perf_counter_ns()
        self.top: Top = {}  # what is sent, once that is known

    def elapsed_us(self) -> int:
        return (perf_counter_ns() - self.began) // 1000


class _Outcome(Struct, frozen=True, kw_only=True):
    """What asking a model and its fallbacks came to: `said` by `model`, or `failed`; and the bill of all calls made."""

    bill: tuple[PricedCall, ...]
    said: Said | None = None
    model: Model | None = None
    failed: NoDraft | None = None
    error_body: bytes = b""


class Calls:
    """The stage, over the models of one configuration. What is asked and not yet on a bill is `pending`."""

    name = "call"

    def __init__(
        self, registry: Registry, store: Store, *, on_lost: Callable[[BaseException], None],
        masks: Mapping[str, tuple[str, ...]] | None = None, estimator: Estimator | None = None,
        recall: Recall | None = None,
    ) -> None:  # fmt: skip
        """A stage over the models of a configuration.

        Args:
            recall: the cache's rung; default: exact hits only.
            estimator: learns what providers count; None where no prompt is ever counted.
        """
        self._estimator = estimator
        self._registry, self._store, self._on_lost = registry, store, on_lost
        self._masks = dict(masks or {})  # kinds of personal data that no model sees, by feature
        self._recall = recall or Recall(store.cache)
        self._pending: dict[str, list[_Asked]] = {}
        self._kept: dict[str, tuple[PricedCall, ...]] = {}  # by request: billed calls that no attempt tells of

    async def __call__(self, ask: Ask, /) -> Attempt:
        """The complete attempt of a rung. Raises BudgetSpent where a budget refuses, not only leaves out what does not fit."""
        if ask.rung.kind == "cache":
            return await self._recall(ask)
        if ask.refusal is not None:
            kind, status = ("too_long", 400) if ask.too_long else ("unavailable", 404)
            return Attempt(draft=NoDraft(rung=ask.rung.name, kind=kind, reason=ask.refusal, status=status))
        try:
            return await self._complete(ask)
        except BudgetSpent as spent:
            return _unaffordable(ask, spent)

    async def _complete(self, ask: Ask) -> Attempt:
        if len(ask.models) == 1:
            return _attempt(ask, [await self._ask(ask, 0)])
        # All are awaited even when one is refused, so that the others' bills are not lost.
        asked = (self._ask(ask, place) for place in range(len(ask.models)))
        every = await asyncio.gather(*asked, return_exceptions=True)
        refused = next((outcome for outcome in every if isinstance(outcome, BaseException)), None)
        if refused is not None:
            for outcome in every:
                if isinstance(outcome, _Outcome):
                    self._keep(ask, outcome.bill)
            raise refused
        return _attempt(ask, [outcome for outcome in every if isinstance(outcome, _Outcome)])

    async def consult(self, ask: Ask, model: str, prompt: str) -> tuple[str | None, tuple[PricedCall, ...]]:
        """(what a model says to a prompt, what that cost); None when it fails. Raises BudgetSpent like any other call."""
        found = self._registry.get(model)
        if found is None:
            return None, ()
        name = next((each for each in (ask.request.dialect, *sorted(DIALECTS)) if found.speaks(each)), "openai")
        body = DIALECTS[name].ask(prompt, (), model=model)
        request = replace(
            ask.request,
            dialect=name,
            body=body,
            top=DIALECTS[name].parse(body, surface="chat").top,
            stream=False,
            context=(),
        )
        tokens = len(body) // 3 + 1
        price, tries, longest = found.price, found.provider.tries, found.max_output_tokens
        reserve = worst_case(price, tokens, longest, 1, tries=tries) if price is not None else 0
        outcome = await self._ask(
            Ask(
                request=request, question=replace(ask.question, input_tokens=tokens), models=(model,), limits=ask.limits,
                rung=Rung(name=f"judge.{ask.rung.name}", kind="model", models=(model,)),
                reserve_nanodollars=(reserve,),
            ),
            0,
        )  # fmt: skip
        return (outcome.said.answer.text if outcome.said is not None else None), outcome.bill

    async def aside(self, ask: Ask) -> Said | None:
        """What an ask's last model gives, for an ask that is no rung's; None when it fails. The request's bill has it.

        Raises BudgetSpent like any other call.
        """
        outcome = await self._ask(ask, len(ask.models) - 1)
        self._keep(ask, outcome.bill)
        return outcome.said

    async def open(self, ask: Ask, /) -> Attempt | ModelFlow:
        """A flow when one model is asked, else the complete attempt. Raises BudgetSpent as asking for a whole one does."""
        if ask.rung.kind not in ("model", "requested", "continued") or ask.refusal is not None:
            return await self(ask)
        try:
            return await self._opened(ask)
        except BudgetSpent as spent:
            return _unaffordable(ask, spent)

    async def _opened(self, ask: Ask) -> Attempt | ModelFlow:
        outcome = _Outcome(bill=())
        for model in self._family(ask, 0):
            asked = await self._reserve(ask, model, 0, outcome.bill)
            try:
                call, _ = self._call(ask, model)  # masks are refused for streams passed through
                asked.top = call.request.top
                live = await model.provider.open(call)
            except ProviderError as error:
                outcome = self._failed(ask, model, asked, error, outcome.bill)
                if isinstance(error, Rejected):
                    break
                continue
            try:
                await asked.reserved  # durable before the first byte
            except SurefootError:
                if not isinstance(live, Abstained):
                    await live.cancel()
                raise
            if isinstance(live, Abstained):
                return _attempt(ask, [self._abstained(ask, model, asked, live, outcome.bill)])
            return ModelFlow(self, ask, model, live, asked, outcome.bill)
        return _attempt(ask, [outcome])

    def abandoned(self, request_id: str) -> tuple[PricedCall, ...]:
        """What was asked for a request and is in no attempt: what never came back is billed by its prompt, as estimated."""
        asked = tuple(asked.priced for asked in self._pending.pop(request_id, ()))
        return (*self._kept.pop(request_id, ()), *asked)

    def billed(self, asked: _Asked, usage: Usage, *, lost: int = 0, note: str = "") -> PricedCall:
        """The call with what it used, and the tokens that its earlier tries `lost`; from here on it is no longer pending."""
        if self._estimator is not None and asked.top and not usage.estimated:
            size = size_of(asked.top)
            tokens = usage.input_tokens - size.image_tokens(asked.kind, asked.priced.model)
            self._estimator.learn(asked.priced.model, size.text, tokens)
        waiting = self._pending.get(asked.request_id, [])
        if asked in waiting:
            waiting.remove(asked)
        return replace(asked.priced, usage=usage, lost_tokens=lost, note=note)

    async def _ask(self, ask: Ask, place: int) -> _Outcome:
        """One model, then its fallbacks, until one answers."""
        outcome = _Outcome(bill=())
        for model in self._family(ask, place):
            asked = await self._reserve(ask, model, place, outcome.bill)
            try:
                call, masked = self._call(ask, model)
                asked.top = call.request.top
                said = await model.provider.complete(call)
            except ProviderError as error:
                outcome = self._failed(ask, model, asked, error, outcome.bill)
                if isinstance(error, Rejected):
                    break
                continue
            if isinstance(said, Abstained):
                return self._abstained(ask, model, asked, said, outcome.bill)
            told = replace(said, answer=unmasked(said.answer, masked, ask.request.dialect)) if masked else said
            billed = self.billed(asked, said.usage, lost=said.lost_tokens)
            return _Outcome(bill=(*outcome.bill, billed), said=told, model=model)
        return outcome

    def _call(self, ask: Ask, model: Model) -> tuple[Call, dict[str, str]]:
        """(the call as it goes out, what was masked in it): with the handbook's passages, without personal data."""
        request = ask.request
        top = request.top if ask.top is None else ask.top
        passages = ask.passages if ask.sent is None else ask.sent
        if passages:
            top = DIALECTS[request.dialect].with_passages(top, passages)
        if ask.said:
            top = DIALECTS[request.dialect].continuing(top, ask.said)
        if model.logprobs and request.surface == "chat" and request.dialect == "openai" and "logprobs" not in top:
            top = {**top, "logprobs": Raw(b"true")}
        kinds = self._masks.get(request.feature)
        masked: dict[str, str] = {}
        if kinds and request.surface == "chat":
            top, masked = masked_top(top, kinds)
        if top is not request.top:
            request = replace(request, top=top, body=body_of(top))
        return Call(request=request, model=model.upstream, top=top, stream=ask.request.stream and not masked), masked

    def _family(self, ask: Ask, place: int) -> list[Model]:
        """The model to ask and its fallbacks; `fit` made sure that the first exists."""
        name = ask.models[place]
        first = self._registry.get(name) or self._registry.requested(name, ask.request.dialect)
        if first is None:
            raise UpstreamFailed(f"model {name} is gone from the configuration", status=503)
        return [first, *(found for other in first.fallbacks if (found := self._registry.get(other)))]

    async def _reserve(self, ask: Ask, model: Model, place: int, before: tuple[PricedCall, ...]) -> _Asked:
        """Set the money aside; waits for it where a budget may refuse, else the asking begins at once.

        When it is refused, the calls made `before` stay to be billed. Raises BudgetSpent.
        """
        request, reserve = ask.request, ask.reserve_nanodollars[place]
        priced = PricedCall(
            rung=_booked(ask), provider=model.provider.name, model=model.upstream, price=model.price, note="abandoned",
            left_out_tokens=ask.shortened.saved_tokens if ask.shortened is not None else 0,
            marked=ask.shortened is not None and ask.shortened.marked, embedding=ask.rung.kind == "embedder",
            usage=Usage(input_tokens=ask.question.input_tokens, estimated=True),
            reservation_id=f"{request.id}.{ask.rung.name}.{model.name}{f'.{place}' if place else ''}" if reserve else "",
        )  # fmt: skip
        reserved = self._set_aside(ask, priced, reserve) if reserve else _done()
        if ask.limits:
            try:
                await reserved
            except SurefootError:
                self._keep(ask, before)
                raise
        else:
            reserved.add_done_callback(self._seen)
        asked = _Asked(request.id, priced, reserved, model.provider.kind)
        self._pending.setdefault(request.id, []).append(asked)
        return asked

    def _keep(self, ask: Ask, bill: tuple[PricedCall, ...]) -> None:
        """Bill calls whose rung has no attempt: a budget stopped it half-way."""
        if bill:
            self._kept[ask.request.id] = (*self._kept.get(ask.request.id, ()), *bill)

    def _set_aside(self, ask: Ask, priced: PricedCall, reserve: int) -> asyncio.Future[None]:
        request = ask.request
        return self._store.reserve(
            Reservation(
                id=priced.reservation_id, request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant,
                key_id=request.caller.key_id, feature=request.feature, rung=priced.rung, provider=priced.provider,
                model=priced.model, nanodollars=reserve, limits=ask.limits,
            )
        )  # fmt: skip

    def _seen(self, reserved: asyncio.Future[None]) -> None:
        """Where nobody waits for a reservation, its loss is counted; the settlement that follows still fails closed."""
        if not reserved.cancelled() and (error := reserved.exception()) is not None:
            self._on_lost(error)

    def _failed(
        self, ask: Ask, model: Model, asked: _Asked, error: ProviderError, before: tuple[PricedCall, ...]
    ) -> _Outcome:
        worked = error.input_tokens + error.output_tokens > 0
        usage = Usage(input_tokens=error.input_tokens, output_tokens=error.output_tokens, estimated=worked)
        failed = NoDraft(
            rung=ask.rung.name, kind="rejected" if isinstance(error, Rejected) else "unavailable", status=error.status,
            reason=f"{model.name}: {error.message}", usage=usage, model=model.name, upstream_us=asked.elapsed_us(),
        )  # fmt: skip
        billed = self.billed(asked, usage, lost=error.lost_tokens, note="unanswered" if worked else "")
        return _Outcome(bill=(*before, billed), failed=failed, error_body=error.body)

    def _abstained(
        self, ask: Ask, model: Model, asked: _Asked, said: Abstained, before: tuple[PricedCall, ...]
    ) -> _Outcome:
        failed = NoDraft(rung=ask.rung.name, kind=said.kind, reason=said.reason, usage=said.usage, model=model.name)
        return _Outcome(bill=(*before, self.billed(asked, said.usage)), failed=failed)


class ModelFlow:
    """A model's answer on its way: the events as they come, or its sentences; the attempt when they are over."""

    def __init__(
        self, calls: Calls, ask: Ask, model: Model, live: Live, asked: _Asked, before: tuple[PricedCall, ...]
    ) -> None:
        self._calls, self._ask, self._model, self._live = calls, ask, model, live
        self._asked, self._before = asked, before
        self._spoken: Spoken | None = None  # while it is taken sentence by sentence

    def events(self) -> AsyncIterator[bytes]:
        """Raw events. Raises ProviderError when the stream breaks."""
        return self._live.events()

    def sentences(self) -> AsyncGenerator[str, None]:
        """The text so far at the end of each sentence but the last. Raises ProviderError when the stream breaks."""
        self._spoken = Spoken(self._ask.request.dialect, self._ask.said)
        return self._spoken.sentences(self._live.events())

    def attempt(self) -> Attempt:
        """What was said, with its bill; call it once."""
        said = self._live.said()
        if self._spoken is not None and self._ask.said:
            said = replace(said, answer=self._answer(self._spoken.text, said.usage))
        elif self._spoken is not None:  # the caller has its beginning letter by letter
            said = replace(said, answer=replace(said.answer, text=self._spoken.text))
        return _attempt(self._ask, [_Outcome(bill=self._bill(said), said=said, model=self._model)])

    def until(self, text: str, released: int) -> Attempt:
        """The answer as if it had ended here: what is judged before more of it is released. It is on no bill."""
        return Attempt(draft=self._cut_off(released), answer=Answer(body=b"", text=text))

    def stopped(self, text: str, released: int) -> Attempt:
        """The attempt of an answer that we stopped at the end of a sentence; call it once, after `cancel`."""
        said = self._live.said()
        usage = said.usage
        answer = self._answer(text, usage)
        draft = replace(self._cut_off(released), usage=usage, digest=sha256(answer.body).hexdigest())
        return Attempt(draft=draft, answer=answer, priced=self._bill(said))

    def broken(self, error: ProviderError, released: int) -> Attempt:
        """The attempt of a stream that broke off; what was said is paid for. Call it once."""
        said = self._live.said()
        draft = NoDraft(
            rung=self._ask.rung.name, kind="unavailable", reason=f"{self._model.name}: {error.message}",
            status=error.status, usage=said.usage, model=self._model.name, released=released,
        )  # fmt: skip
        return Attempt(draft=draft, priced=self._bill(said), error_body=error.body)

    async def cancel(self) -> None:
        """Stop the provider."""
        await self._live.cancel()

    def _bill(self, said: Said) -> tuple[PricedCall, ...]:
        return (*self._before, self._calls.billed(self._asked, said.usage, lost=said.lost_tokens))

    def _cut_off(self, released: int) -> Draft:
        model = self._model
        return Draft(
            rung=self._ask.rung.name, provider=model.provider.name, model=model.upstream, digest="", finish="stopped",
            simulated=model.provider.simulated, released=released, upstream_us=self._asked.elapsed_us(),
            price_version=model.price.version if model.price else "",
        )  # fmt: skip

    def _answer(self, text: str, usage: Usage) -> Answer:
        """A body of ours around a text that no vendor's body holds as a whole."""
        request = self._ask.request
        body = DIALECTS[request.dialect].compose(
            text, model=self._model.upstream, id=answer_id(request), created=request.at_ns // 1_000_000_000, usage=usage
        )  # fmt: skip
        return Answer(body=body, text=text)


def _booked(ask: Ask) -> str:
    """The rung that a call is booked on: a shadow call's has a name of its own, so that its cost is seen."""
    if not ask.request.shadow_of:
        return ask.rung.name
    return f"{'again' if ask.request.again else 'shadow'}.{ask.rung.name}"


def _unaffordable(ask: Ask, spent: BudgetSpent) -> Attempt:
    """The attempt of a rung that may not cost what it might. Raises the refusal unless other rungs may be tried."""
    if not spent.cheaper:
        raise spent
    limit = next(each for each in ask.limits if (each.scope, each.window) == (spent.scope, spent.window))
    return Attempt(
        draft=NoDraft(rung=ask.rung.name, kind="budget", reason=spent.message, status=spent.status, limit=limit)
    )


def _attempt(ask: Ask, outcomes: list[_Outcome]) -> Attempt:
    """One attempt out of one model's outcome or two: a draft when every model asked gave an answer."""
    bill = tuple(priced for outcome in outcomes for priced in outcome.bill)
    for outcome in outcomes:
        if outcome.failed is not None:
            return Attempt(draft=outcome.failed, priced=bill, error_body=outcome.error_body)
    first, said = outcomes[0], [outcome.said for outcome in outcomes if outcome.said is not None]
    return Attempt(
        draft=_draft(ask, first.model, said),
        answer=said[0].answer,
        others=tuple(other.answer for other in said[1:]),
        priced=bill,
    )


def _draft(ask: Ask, model: Model | None, said: list[Said]) -> Draft:
    first = said[0]
    return Draft(
        rung=ask.rung.name,
        provider=model.provider.name if model else "",
        model=first.model,
        digest=sha256(first.answer.body).hexdigest(),
        usage=first.usage,
        finish=first.finish,
        signals=first.signals,
        simulated=any(each.simulated for each in said),
        attempts=sum(each.attempts for each in said),
        upstream_us=max(each.upstream_us for each in said),
        upstream_id=first.upstream_id,
        price_version=model.price.version if model and model.price else "",
    )


def _done() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future
