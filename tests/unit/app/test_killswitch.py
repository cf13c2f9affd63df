"""A stopped feature: no model, no cache; a person or a refusal."""

import asyncio
from collections.abc import Callable

import pytest
from app_support import Gateway

from surefoot.errors import BadRequest, FeatureStopped, StoreError
from surefoot.policy.decide import STOPPED
from surefoot.records import Read
from surefoot.records.audit import Stop
from surefoot.store import Store

FEATURE = """
[features.f]
mode = "{mode}"
ladder = ["cache", "small"]
[features.f.maps.small]
p = 0.9
[features.other]
ladder = ["small"]
"""


def stop(gateway: Gateway, feature: str = "f", **how: bool) -> None:
    gateway.runner.run(gateway.app.stops.stop(feature, by="amy", reason="wrong doses", **how))


@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize("named", ["f", "*"])
def test_a_stopped_feature_asks_no_model_and_gives_the_case_to_a_person(
    gateway: Callable[..., Gateway], mode: str, named: str
) -> None:
    running = gateway(FEATURE.format(mode=mode))
    assert running.ask().decision.action == "deliver"
    stop(running, named)
    entry = running.entry(reply := running.ask())
    assert (reply.decision.action, entry.nanodollars, entry.rung) == ("escalate", 0, None)
    case = running.case(reply)
    assert case is not None and case.reason == STOPPED
    assert [step.stage for step in entry.steps] == ["read", "admit"]


def test_a_cached_answer_is_not_given_while_stopped_and_is_again_afterwards(gateway: Callable[..., Gateway]) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    running.ask()
    assert running.ask().decision.rung.name == "cache"
    stop(running)
    assert running.ask().decision.rung is None
    assert running.runner.run(running.app.stops.resume("f", by="amy", reason="mended"))
    assert running.ask().decision.rung.name == "cache"


def test_a_feature_that_refuses_says_so_and_the_journal_keeps_it(gateway: Callable[..., Gateway]) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    stop(running, refuse=True)
    with pytest.raises(FeatureStopped) as told:
        running.ask()
    assert (told.value.status, told.value.code, told.value.retry) == (503, "feature_stopped", False)
    (entry,) = running.runner.run(entries(running.store))
    assert (entry.action, entry.error) == ("refuse", "feature_stopped")


async def entries(store: Store) -> list:
    return [entry async for entry in store.journal.entries()]


def test_another_feature_goes_on_and_a_stop_of_all_does_not_hide_its_own(gateway: Callable[..., Gateway]) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    stop(running)
    assert running.app.stops.stopped("other") is None
    stop(running, "*")
    assert running.app.stops.stopped("other").feature == "*"
    assert running.runner.run(running.app.stops.resume("*", by="amy", reason="mended"))
    assert running.app.stops.stopped("other") is None and running.app.stops.stopped("f").feature == "f"


def test_the_journal_says_that_it_was_stopped_so_that_a_replay_needs_no_switch(gateway: Callable[..., Gateway]) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    stop(running)
    first = running.entry(running.ask()).steps[0].value
    assert isinstance(first, Read) and first.question.stopped


def test_what_another_process_stops_is_known_after_the_next_reading(gateway: Callable[..., Gateway]) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    running.runner.run(running.store.audit.stop(Stop(feature="f", at_ns=1, by="ben", reason="x")))
    running.runner.run(asyncio.sleep(1.2))
    assert running.ask().decision.action == "escalate"


def test_when_the_store_does_not_answer_what_was_stopped_stays_stopped(gateway: Callable[..., Gateway]) -> None:
    running, lost = gateway(FEATURE.format(mode="enforce")), []
    stop(running)

    async def silent() -> list:
        raise StoreError("gone")

    async def follow() -> None:
        running.store.audit.stops = silent
        loop = asyncio.create_task(running.app.stops.keep_fresh(lost.append))
        await asyncio.sleep(1.1)
        loop.cancel()

    running.runner.run(follow())
    assert lost == ["kill switch"] and running.app.stops.stopped("f") is not None


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("amy", " ")])
def test_nobody_stops_or_resumes_without_a_name_and_a_reason(
    gateway: Callable[..., Gateway], by: str, reason: str
) -> None:
    running = gateway(FEATURE.format(mode="enforce"))
    for act in (running.app.stops.stop, running.app.stops.resume):
        with pytest.raises(BadRequest):
            running.runner.run(act("f", by=by, reason=reason))
    assert running.app.stops.stopped("f") is None


def test_while_stopped_a_deadline_delivers_no_draft_of_a_model(gateway: Callable[..., Gateway]) -> None:
    waits = '[people.person]\ndeadline_seconds = 0.01\nsafe_default = "draft"\n'
    running = gateway(FEATURE.format(mode="enforce").replace("p = 0.9", "p = 0.1") + waits)
    reply = running.ask()
    stop(running)
    running.runner.run(asyncio.sleep(0.05))
    running.runner.run(running.app.waiting.see_to_deadlines())
    case = running.case(reply)
    assert case is not None and case.rung == "small"
    assert case.verb == "default:decline" and "Answer 0" not in (case.told or "")
