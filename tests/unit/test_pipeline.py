"""The page, run over scripted effects: what climbs, what is delivered, what a person gets."""

import asyncio
from collections.abc import Mapping

import pytest

from surefoot import pipeline
from surefoot.pipeline import Stages
from surefoot.policy import Feature, Map, Person, Policy, parse_ladder
from surefoot.records import (
    Answer,
    Ask,
    Attempt,
    Caller,
    Decision,
    Deliver,
    Draft,
    Escalate,
    Evidence,
    Fail,
    JournalEntry,
    NoDraft,
    Question,
    Request,
    Signal,
    Stronger,
    Tried,
    Try,
)
from surefoot.replay import replay_entry
from surefoot.trace import LiveTrace

REQUEST = Request(
    id="req_1", at_ns=1, draw="0" * 32, dialect="openai", surface="chat", caller=Caller(key_id="k", tenant="t"),
    feature="f", model="surefoot", stream=False, body=b"{}",
)  # fmt: skip


class Read:
    name = "read"

    async def __call__(self, request: Request, /) -> Question:
        return Question(
            fingerprint="fp", model=request.model, dialect="openai", surface=request.surface, stream=False,
            input_tokens=3, max_output_tokens=None,
        )  # fmt: skip


class Fit:
    name = "fit"

    async def __call__(self, value: Try, /) -> Ask:
        return Ask(request=value.request, question=value.question, rung=value.rung)


class Call:
    """Yields what is scripted for a rung: a score, or a reason why there is no draft."""

    name = "call"

    def __init__(self, script: Mapping[str, NoDraft | float]) -> None:
        self.script, self.asked = script, list[str]()

    async def __call__(self, ask: Ask, /) -> Attempt:
        self.asked.append(ask.rung.name)
        said = self.script[ask.rung.name]
        if isinstance(said, NoDraft):
            return Attempt(draft=said)
        draft = Draft(rung=ask.rung.name, provider="p", model="m", digest="d", signals=(("s", said),))
        return Attempt(draft=draft, answer=Answer(body=b"{}", text="text"))

    async def open(self, ask: Ask, /) -> Attempt:
        return await self(ask)


class Check:
    name = "check"

    async def __call__(self, tried: Tried, /) -> Evidence:
        draft = tried.attempt.draft
        signals = draft.signals if isinstance(draft, Draft) else ()
        return Evidence(signals=tuple(Signal(name=name, score=score) for name, score in signals))


MISS = NoDraft(rung="cache", kind="miss", reason="not in the cache")
BUSY = NoDraft(rung="large", kind="unavailable", reason="busy", status=503)


def policy(mode: str = "enforce") -> Policy:
    steps = Map(kind="steps", signal="s", steps=((0.0, 0.2), (0.5, 0.9)))
    feature = Feature(
        name="f", mode=mode, ladder=parse_ladder(["cache", "small", "large"]), person=Person(role="nurse"),
        uncalibrated="climb", maps={"small": steps, "large": steps},
    )  # fmt: skip
    return Policy.of({"f": feature})


def climb(script: Mapping[str, NoDraft | float], mode: str = "enforce") -> tuple[Decision, list[str], LiveTrace]:
    call, trace = Call(script), LiveTrace()
    stages = Stages(read=Read(), fit=Fit(), call=call, check=Check())
    return asyncio.run(pipeline.answer(REQUEST, policy(mode), stages, trace)), call.asked, trace


def test_the_cheapest_draft_over_the_bar_is_delivered_and_nothing_dearer_is_asked() -> None:
    decision, asked, _ = climb({"cache": MISS, "small": 0.8})
    assert (decision.action, asked) == ("deliver", ["cache", "small"])
    assert isinstance(decision.verdict, Deliver)


def test_a_draft_below_the_bar_climbs_to_the_stronger_model() -> None:
    decision, asked, _ = climb({"cache": MISS, "small": 0.3, "large": 0.8})
    assert decision.rung is not None and decision.rung.name == "large"
    assert asked == ["cache", "small", "large"]


def test_when_every_draft_is_below_the_bar_a_person_gets_the_last_one() -> None:
    decision, _, _ = climb({"cache": MISS, "small": 0.3, "large": 0.3})
    assert decision.action == "escalate" and isinstance(decision.verdict, Escalate)
    assert decision.attempt is not None and decision.attempt.draft.rung == "large"


def test_a_person_sees_the_best_draft_also_when_the_last_rung_had_none() -> None:
    decision, _, _ = climb({"cache": MISS, "small": 0.3, "large": BUSY})
    assert decision.action == "escalate"
    assert decision.attempt is not None and decision.attempt.draft.rung == "small"


def test_observe_delivers_the_first_draft_and_keeps_the_verdict() -> None:
    decision, asked, _ = climb({"cache": MISS, "small": 0.3}, mode="observe")
    assert decision.action == "deliver" and asked == ["cache", "small"]
    assert isinstance(decision.verdict, Stronger)


def test_observe_without_any_draft_fails_with_the_providers_own_status() -> None:
    decision, _, _ = climb({"cache": MISS, "small": BUSY, "large": BUSY}, mode="observe")
    assert decision.verdict == Fail("busy", 503)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("small", [0.8, 0.3, BUSY])
@pytest.mark.parametrize("large", [0.8, 0.3, BUSY])
def test_a_replay_of_the_journal_is_the_live_page(mode: str, small: NoDraft | float, large: NoDraft | float) -> None:
    decision, _, trace = climb({"cache": MISS, "small": small, "large": large}, mode)
    replayed = asyncio.run(replay_entry(entry_of(decision, trace, mode), policy(mode)))
    assert replayed.same, replayed.text


def test_a_replay_under_another_bar_says_which_step_differs() -> None:
    decision, _, trace = climb({"cache": MISS, "small": 0.8})
    features = policy().features
    strict = Policy.of(
        {"f": Feature(**{**{k: getattr(features["f"], k) for k in Feature.__struct_fields__}, "confidence": 0.95})}
    )
    replayed = asyncio.run(replay_entry(entry_of(decision, trace, "enforce"), strict))
    assert not replayed.same and replayed.differs_at == "decide of rung small"


def test_a_replay_never_guesses_what_the_journal_does_not_hold() -> None:
    decision, _, trace = climb({"cache": MISS, "small": 0.8})
    entry = entry_of(decision, trace, "enforce", without="call")
    replayed = asyncio.run(replay_entry(entry, policy()))
    assert replayed.differs_at == "the journal holds no 'call' for rung 'cache'"


def entry_of(decision: Decision, trace: LiveTrace, mode: str, without: str = "") -> JournalEntry:
    return JournalEntry(
        request_id="req_1", at_ns=1, draw="0" * 32, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
        subject="s", policy=policy(mode).version, mode=mode, action=decision.action,
        steps=tuple(step for step in trace.steps if step.stage != without),
        rung=decision.rung.name if decision.rung else None,
    )  # fmt: skip
