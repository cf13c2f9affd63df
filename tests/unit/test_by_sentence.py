"""The page's third verb over scripted models: what the caller hears, and that a replay needs no verb of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from surefoot import pipeline
from surefoot.errors import BadAnswer, ProviderError
from surefoot.pipeline import Released, Stages
from surefoot.policy import Feature, Map, Person, Policy, parse_ladder
from surefoot.records import (
    Answer,
    Ask,
    Attempt,
    Caller,
    Decision,
    Draft,
    Escalate,
    Evidence,
    JournalEntry,
    NoDraft,
    Question,
    Request,
    Signal,
    Span,
    Tried,
    Try,
)
from surefoot.replay import replay_entry
from surefoot.trace import LiveTrace

REQUEST = Request(
    id="req_1", at_ns=1, draw="0" * 32, dialect="openai", surface="chat", caller=Caller(key_id="k", tenant="t"),
    feature="f", model="surefoot", stream=True, body=b"{}",
)  # fmt: skip
BREAKS = "BREAKS"


class Read:
    name = "read"

    async def __call__(self, request: Request, /) -> Question:
        return Question(
            fingerprint="fp", model="surefoot", dialect="openai", surface="chat", stream=True, input_tokens=3,
            max_output_tokens=None, by_sentence=True,
        )  # fmt: skip


class Fit:
    name = "fit"

    async def __call__(self, value: Try, /) -> Ask:
        return Ask(request=value.request, question=value.question, rung=value.rung, said=value.said)


class Flow:
    """A model that says its sentences one by one; each ends with a full stop, a bad one with an exclamation mark."""

    def __init__(self, ask: Ask, script: Sequence[str]) -> None:
        self.ask, self.script, self.cancelled = ask, script, False

    def events(self) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def sentences(self) -> AsyncGenerator[str, None]:
        text = self.ask.said
        for place, sentence in enumerate(self.script):
            if sentence == BREAKS:
                raise BadAnswer("broken")
            text += sentence
            if place < len(self.script) - 1:
                yield text

    def attempt(self) -> Attempt:
        return self._attempt(self.ask.said + "".join(self.script), "stop", 0)

    def until(self, text: str, released: int) -> Attempt:
        return self._attempt(text, "stopped", released)

    def stopped(self, text: str, released: int) -> Attempt:
        return self._attempt(text, "stopped", released)

    def broken(self, error: ProviderError, released: int) -> Attempt:
        return Attempt(draft=NoDraft(rung=self.ask.rung.name, kind="unavailable", reason="broken", released=released))

    async def cancel(self) -> None:
        self.cancelled = True

    def _attempt(self, text: str, finish: str, released: int) -> Attempt:
        draft = Draft(rung=self.ask.rung.name, provider="p", model="m", digest="d", finish=finish, released=released)
        return Attempt(draft=draft, answer=Answer(body=b"{}", text=text))


class Call:
    name = "call"

    def __init__(self, script: Mapping[str, Sequence[str]]) -> None:
        self.script, self.flows = script, list[Flow]()

    async def __call__(self, ask: Ask, /) -> Attempt:
        raise AssertionError("every rung is opened")

    async def open(self, ask: Ask, /) -> Attempt | Flow:
        self.flows.append(Flow(ask, self.script[ask.rung.name.removeprefix("continued:")]))
        return self.flows[-1]


class Check:
    """A sentence that ends with "!" is unsupported; "?" brings the score down; the rest is fine."""

    name = "check"

    async def __call__(self, tried: Tried, /) -> Evidence:
        text = tried.attempt.answer.text if tried.attempt.answer else ""
        spans = tuple(
            Span(start=place, end=place + 1, score=1.0, supported=sign != "!")
            for place, sign in enumerate(text)
            if sign in ".!?"
        )
        return Evidence(signals=(Signal(name="s", score=0.2 if "?" in text else 0.9),), spans=spans)


def policy(rungs: Sequence[str], *, continued: bool = True) -> Policy:
    steps = Map(kind="steps", signal="s", steps=((0.0, 0.1), (0.5, 0.95)))
    names = [*rungs, *(f"continued:{rung}" for rung in rungs[1:] if continued)]
    feature = Feature(
        name="f", mode="enforce", ladder=parse_ladder(rungs), person=Person(role="nurse"), uncalibrated="climb",
        stream="sentence", maps=dict.fromkeys(names, steps),
    )  # fmt: skip
    return Policy.of({"f": feature})


def hear(script: Mapping[str, Sequence[str]], used: Policy) -> tuple[list[str], Decision, LiveTrace, Call]:
    async def run() -> tuple[list[str], Decision, LiveTrace, Call]:
        call, trace, heard = Call(script), LiveTrace(), list[str]()
        stages = Stages(read=Read(), fit=Fit(), call=call, check=Check())
        async for item in pipeline.by_sentence(REQUEST, used, stages, trace):
            if isinstance(item, Released):
                heard.append(item.text)
            else:
                return heard, item, trace, call
        raise AssertionError("no decision")

    return asyncio.run(run())


def told(heard: Sequence[str], decision: Decision) -> str:
    """All that the caller has in the end."""
    text = "".join(heard)
    if decision.action == "deliver" and decision.attempt is not None and decision.attempt.answer is not None:
        assert decision.attempt.answer.text.startswith(text)
        return decision.attempt.answer.text
    return text


def test_sentences_are_released_one_by_one_and_the_last_with_the_decision() -> None:
    heard, decision, _, call = hear({"small": ["A.", "B.", "C."]}, policy(["small"]))
    assert heard == ["A.", "B."] and decision.action == "deliver" and told(heard, decision) == "A.B.C."
    assert not call.flows[0].cancelled


def test_at_the_first_unsupported_sentence_the_model_is_stopped_and_the_next_goes_on() -> None:
    heard, decision, _, call = hear({"small": ["A.", "B!", "C."], "large": ["D.", "E."]}, policy(["small", "large"]))
    assert told(heard, decision) == "A.D.E." and decision.rung is not None and decision.rung.name == "continued:large"
    assert call.flows[0].cancelled and call.flows[1].ask.said == "A."


def test_a_last_sentence_that_is_unsupported_is_never_told() -> None:
    heard, decision, _, _ = hear({"small": ["A.", "B!"]}, policy(["small"]))
    assert told(heard, decision) == "A." and isinstance(decision.verdict, Escalate)


def test_without_a_map_of_its_own_a_rung_that_goes_on_is_uncalibrated_and_escalates() -> None:
    script = {"small": ["A.", "B!", "C."], "large": ["D.", "E."]}
    heard, decision, _, _ = hear(script, policy(["small", "large"], continued=False))
    assert told(heard, decision) == "A." and decision.action == "escalate" and decision.confidence.p is None


def test_what_is_supported_but_below_the_bar_is_held_back_and_climbs_from_the_start() -> None:
    heard, decision, _, call = hear({"small": ["A?", "B.", "C."], "large": ["D."]}, policy(["small", "large"]))
    assert heard == [] and told(heard, decision) == "D." and not call.flows[0].cancelled


def test_a_stream_that_breaks_is_gone_on_with() -> None:
    heard, decision, _, _ = hear({"small": ["A.", "B.", BREAKS], "large": ["D."]}, policy(["small", "large"]))
    assert told(heard, decision) == "A.B.D."


def test_a_caller_that_leaves_stops_the_model_and_leaves_an_attempt_behind() -> None:
    async def run() -> tuple[LiveTrace, Call]:
        call, trace = Call({"small": ["A.", "B.", "C."]}), LiveTrace()
        stages = Stages(read=Read(), fit=Fit(), call=call, check=Check())
        page = pipeline.by_sentence(REQUEST, policy(["small"]), stages, trace)
        assert await anext(page) == Released("A.", "m")
        await page.aclose()
        return trace, call

    trace, call = asyncio.run(run())
    assert call.flows[0].cancelled and [attempt.draft.released for attempt in trace.attempts] == [2]


SENTENCES = st.lists(st.sampled_from(["A.", "B.", "C?", "D!"]), min_size=1, max_size=5)


@given(SENTENCES, SENTENCES, SENTENCES, st.booleans(), st.booleans())
def test_no_unsupported_sentence_is_ever_told_and_a_replay_is_the_same(
    small: list[str], middle: list[str], large: list[str], breaks: bool, continued: bool
) -> None:
    script = {"small": [*small, BREAKS] if breaks else small, "middle": middle, "large": large}
    used = policy(["small", "middle", "large"], continued=continued)
    heard, decision, trace, _ = hear(script, used)
    assert "!" not in told(heard, decision)
    entry = JournalEntry(
        request_id="req_1", at_ns=1, draw=REQUEST.draw, tenant="t", key_id="k", feature="f", dialect="openai",
        surface="chat", subject="s", policy=used.version, mode="enforce", steps=tuple(trace.steps),
        action=decision.action, rung=decision.rung.name if decision.rung else None,
    )  # fmt: skip
    replayed = asyncio.run(replay_entry(entry, used))
    assert replayed.same, replayed.differs_at
