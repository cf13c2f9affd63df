"""Callers who wait for a person: held connections and streams, the same question again, patience that ends."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest
from app_support import Gateway
from msgspec.structs import replace
from waiting_support import give

from surefoot.app import App, held, repeats
from surefoot.app.reply import Reply
from surefoot.errors import BadRequest
from surefoot.records import Attribution, Case, Request, Wait
from surefoot.replay import replay_entry
from surefoot.trial.asking import request_of

FEATURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
held_seconds = 20
person = "nurse"
[people.nurse]
holding = "A nurse will answer."
retry_after_seconds = 7
"""
HELD, PLAIN = Wait(manner="held", joins=True), Wait(joins=True)
Make = Callable[..., Gateway]


@pytest.fixture
def made(gateway: Make) -> Gateway:
    return gateway(FEATURE)


def asked(made: Gateway, wait: Wait = PLAIN, *, stream: bool = False, user: str = "", number: int = 0) -> Request:
    request = request_of(made.app, made.app.policy.features["f"], made.rows[number])
    return replace(
        request, wait=wait, stream=stream, at_ns=time.time_ns(), id=f"req_{time.time_ns():032x}",
        attribution=Attribution(end_user=user),
    )  # fmt: skip


def note(reply: Reply) -> dict:
    return msgspec.json.decode(reply.body)["surefoot"]


def said(reply: Reply) -> str:
    return msgspec.json.decode(reply.body)["choices"][0]["message"]["content"]


async def only_case(made: Gateway) -> Case:
    """The case that waits, once there is one."""
    async with asyncio.timeout(20):
        while not (found := await made.store.cases.open_cases()):
            await asyncio.sleep(0.01)
        return found[0]


async def read(made: Gateway, request: Request) -> bytes:
    reply = await made.app.stream(request, include_usage=False)
    return b"".join([event async for event in reply.events])


def test_a_held_call_gets_the_persons_answer(made: Gateway) -> None:
    async def run() -> Reply:
        call = asyncio.create_task(made.app.answer(asked(made, HELD)))
        await give(made.store, (await only_case(made)).id, "Within two days.")
        return await call

    reply = made.runner.run(run())
    assert said(reply) == "Within two days."
    assert (note(reply)["decision"], note(reply)["rung"], note(reply)["verdict"]) == ("deliver", "person", "escalate")
    assert note(reply)["confidence"] is None and note(reply)["case"]


def test_a_held_call_gets_the_holding_answer_when_its_time_is_over(gateway: Make) -> None:
    made = gateway(FEATURE.replace("held_seconds = 20", "held_seconds = 0.1"))
    reply = made.runner.run(made.app.answer(asked(made, HELD)))
    assert said(reply) == "A nurse will answer." and note(reply)["decision"] == "escalate"
    assert dict(reply.headers)["x-surefoot-case"] and dict(reply.headers)["x-should-retry"] == "false"


def test_no_other_manner_holds_a_call(made: Gateway) -> None:
    for manner in ("", "poll", "sse"):
        assert said(made.runner.run(made.app.answer(asked(made, Wait(manner=manner))))) == "A nurse will answer."


def test_a_caller_that_leaves_loses_nothing(made: Gateway) -> None:
    async def run() -> Reply:
        call = asyncio.create_task(made.app.answer(asked(made, HELD)))
        case = await only_case(made)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await give(made.store, case.id, "Within two days.")
        assert (await made.store.cases.get(case.id, tenant="local")).told == "Within two days."
        return await made.app.answer(asked(made))

    assert said(made.runner.run(run())) == "Within two days."


def test_the_same_request_again_joins_its_case(made: Gateway) -> None:
    first, second = (made.runner.run(made.app.answer(asked(made))) for _ in range(2))
    assert note(first)["case"] == note(second)["case"]
    assert len(made.runner.run(made.store.cases.open_cases())) == 1
    entry = made.entry(second)
    assert entry.case_id == note(first)["case"] and entry.action == "escalate"


def test_another_person_who_asks_the_same_has_a_case_of_its_own(made: Gateway) -> None:
    cases = [note(made.runner.run(made.app.answer(asked(made, user=user))))["case"] for user in ("ann", "ben", "ann")]
    assert cases[0] != cases[1] and cases[0] == cases[2]


def test_an_answer_of_long_ago_is_not_given_again(made: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> tuple[Reply, Reply]:
        first = await made.app.answer(asked(made))
        await give(made.store, note(first)["case"], "Within two days.")
        soon = await made.app.answer(asked(made))
        monkeypatch.setattr(repeats, "REMEMBERED_NS", -1)
        return soon, await made.app.answer(asked(made))

    soon, late = made.runner.run(run())
    assert said(soon) == "Within two days." and said(late) == "A nurse will answer."
    assert note(late)["case"] != note(soon)["case"]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_held_stream_stays_alive_and_ends_with_the_answer(
    made: Gateway, monkeypatch: pytest.MonkeyPatch, dialect: str
) -> None:
    monkeypatch.setattr(held, "KEEP_ALIVE_SECONDS", 0.05)

    alive = b": waiting for a person\n\n" if dialect == "openai" else b'event: ping\ndata: {"type":"ping"}\n\n'

    async def run() -> bytes:
        reply = await made.app.stream(replace(asked(made, HELD, stream=True), dialect=dialect), include_usage=False)
        events: list[bytes] = []
        async for event in reply.events:
            events.append(event)
            if events.count(alive) == 3 and event == alive:
                await give(made.store, (await only_case(made)).id, "Within two days.")
        return b"".join(events)

    body = made.runner.run(run())
    assert body.count(alive) >= 3 and body.count(b"Within two days.") == 1
    assert body.index(alive) < body.index(b"Within two days.")
    assert body.endswith(b"data: [DONE]\n\n" if dialect == "openai" else b'data: {"type":"message_stop"}\n\n')
    assert b'"decision":"pending"' in body and b'"decision":"deliver"' in body


def test_a_held_stream_ends_with_the_holding_text_when_its_time_is_over(gateway: Make) -> None:
    made = gateway(FEATURE.replace("held_seconds = 20", "held_seconds = 0.1"))
    body = made.runner.run(read(made, asked(made, HELD, stream=True)))
    assert b"A nurse will answer." in body and b'"decision":"escalate"' in body


def test_a_stream_of_a_question_that_was_answered_meanwhile_has_the_answer_at_once(made: Gateway) -> None:
    async def run() -> bytes:
        first = await made.app.answer(asked(made))
        await give(made.store, note(first)["case"], "Within two days.")
        return await read(made, asked(made, HELD, stream=True))

    body = made.runner.run(run())
    assert b"Within two days." in body and b"waiting for a person" not in body


@pytest.mark.parametrize(
    ("timeout", "seconds"), [(None, 20.0), (600.0, 20.0), (10.0, 9.0), (3.0, 2.0), (1.0, 0.0), (0.2, 0.0)]
)
def test_a_call_is_never_held_longer_than_its_client_reads(
    made: Gateway, timeout: float | None, seconds: float
) -> None:
    assert made.app.held.seconds(asked(made, Wait(manner="held", timeout_seconds=timeout))) == seconds


def test_a_process_that_ends_lets_held_callers_go(made: Gateway) -> None:
    async def run() -> Reply:
        call = asyncio.create_task(made.app.answer(asked(made, HELD)))
        await only_case(made)
        made.app.held.release()
        return await call

    assert said(made.runner.run(run())) == "A nurse will answer."


def test_a_case_that_is_withdrawn_ends_the_waiting(made: Gateway) -> None:
    async def run() -> Reply:
        call = asyncio.create_task(made.app.answer(asked(made, HELD)))
        case = await made.app.held.withdraw(await only_case(made))
        assert case.state == "withdrawn"
        return await call

    assert said(made.runner.run(run())) == "A nurse will answer."


def test_a_webhook_needs_an_address(made: Gateway) -> None:
    with pytest.raises(BadRequest, match=r"surefoot\.webhook"):
        made.runner.run(made.app.answer(asked(made, Wait(manner="webhook"))))


def test_many_held_calls_are_all_answered_by_one_reader(made: Gateway) -> None:
    async def run() -> list[str]:
        calls = [asyncio.create_task(made.app.answer(asked(made, HELD, user=f"u{n}"))) for n in range(40)]
        async with asyncio.timeout(20):
            while len(found := await made.store.cases.open_cases()) < 40:
                await asyncio.sleep(0.01)
        for case in found:
            await give(made.store, case.id, f"For {case.id}.")
        replies = await asyncio.gather(*calls)
        return [said(reply) == f"For {note(reply)['case']}." for reply in replies]

    assert made.runner.run(run()) == [True] * 40


def test_a_question_that_waits_is_not_asked_of_any_model_again(made: Gateway) -> None:
    first, second = (made.runner.run(made.app.answer(asked(made))) for _ in range(2))
    assert [step.stage for step in made.entry(first).steps] == ["read", "fit", "call", "check", "weigh", "decide"]
    assert [step.stage for step in made.entry(second).steps] == ["read", "admit"]
    assert note(second)["reason"] == "the same question has a case already"
    assert made.runner.run(replay_entry(made.entry(second), made.app.policy)).same


def test_under_another_policy_only_a_clients_own_retry_is_not_asked_anew(made: Gateway) -> None:
    made.runner.run(made.app.answer(asked(made)))
    made.reload(FEATURE)
    repeated = made.runner.run(made.app.answer(asked(made, Wait(joins=True, repeated=True))))
    assert [step.stage for step in made.entry(repeated).steps] == ["read", "admit"]
    made.reload(FEATURE)
    unmarked = made.runner.run(made.app.answer(asked(made)))
    assert note(unmarked)["case"] == note(repeated)["case"]
    assert [step.stage for step in made.entry(unmarked).steps][-1] == "decide"


def test_the_same_question_twice_at_once_opens_one_case(made: Gateway) -> None:
    async def run() -> set[str]:
        replies = await asyncio.gather(*(made.app.answer(asked(made)) for _ in range(8)))
        return {note(reply)["case"] for reply in replies}

    assert len(made.runner.run(run())) == 1
    assert len(made.runner.run(made.store.cases.open_cases())) == 1


def test_what_we_ask_ourselves_joins_no_case(made: Gateway) -> None:
    first, second = (made.runner.run(made.app.answer(asked(made, Wait()))) for _ in range(2))
    assert note(first)["case"] != note(second)["case"]


def test_a_case_knows_how_its_caller_waits(gateway: Make) -> None:
    made = gateway(FEATURE)
    reply = made.runner.run(made.app.answer(asked(made, Wait(manner="sse", joins=True))))
    assert made.case(reply).wait == "sse"
    reply = made.runner.run(made.app.answer(asked(made, number=1)))
    assert made.case(reply).wait == "poll"


RED = """
[[features.f.admit]]
name = "emergency"
red_flag = true
holding = "Call 112 now."
phrases = ["question"]
"""


@pytest.mark.parametrize("times", [1, 2])
def test_a_red_flag_is_never_held_and_says_its_own_words_each_time(gateway: Make, times: int) -> None:
    made = gateway(FEATURE.replace("[people.nurse]", RED + "[people.nurse]"))
    for _ in range(times):
        reply = made.runner.run(made.app.answer(asked(made, HELD)))
        assert said(reply) == "Call 112 now."
        assert b"Call 112 now." in made.runner.run(read(made, asked(made, HELD, stream=True)))
    assert len(made.runner.run(made.store.cases.open_cases())) == 1


def test_a_red_flag_that_was_answered_is_a_new_case_when_it_comes_again(gateway: Make) -> None:
    made = gateway(FEATURE.replace("[people.nurse]", RED + "[people.nurse]"))

    async def run() -> tuple[Reply, Reply]:
        first = await made.app.answer(asked(made))
        await give(made.store, note(first)["case"], "You are fine.")
        return first, await made.app.answer(asked(made))

    first, again = made.runner.run(run())
    assert said(again) == "Call 112 now." and note(again)["case"] != note(first)["case"]


class Blind(repeats.Repeats):
    """Looks a moment too soon: what another replica is opening is not there yet."""

    async def find(self, request: Request, fingerprint: str) -> str:
        return ""


WEBHOOK = FEATURE.replace('person = "nurse"', 'person = "nurse"\nwebhook_secret = "s"\nwebhook_allow = ["127.0.0.0/8"]')


def test_a_replica_that_comes_second_by_a_moment_tells_its_caller_of_the_case_that_there_is(gateway: Make) -> None:
    made = gateway(WEBHOOK)
    other = made.runner.run(App.start(made.config(WEBHOOK), store=made.store))
    other.held._repeats = Blind(made.store)
    first = made.runner.run(made.app.answer(asked(made)))
    wait = Wait(joins=True, webhook="http://127.0.0.1:9/told")
    late = made.runner.run(other.answer(asked(made, wait)))
    case = note(first)["case"]
    assert note(late)["case"] == case == dict(late.headers)["x-surefoot-case"] and said(late) == "A nurse will answer."
    assert made.entry(late).case_id == case and len(made.runner.run(made.store.cases.open_cases())) == 1
    hooks = made.runner.run(made.store.hooks.of(case))
    assert [hook.url for hook in hooks] == ["http://127.0.0.1:9/told"]
    made.runner.run(give(made.store, case, "Rest."))
    assert note(made.runner.run(other.answer(asked(made, Wait(joins=True, repeated=True)))))["decision"] == "deliver"
    made.runner.run(other.close())


CROWDED = "[server]\nheld_per_tenant = 1\n" + FEATURE


def gauge(made: Gateway, name: str, kind: str) -> float:
    lines = made.app.metrics.text().decode().splitlines()
    found = [line for line in lines if line.startswith(f'{name}{{kind="{kind}"}}')]
    return float(found[0].split()[-1]) if found else 0.0


def test_beyond_its_cap_a_tenants_caller_gets_the_holding_answer_at_once_and_its_case(gateway: Make) -> None:
    made = gateway(CROWDED)

    async def run() -> tuple[Reply, Reply, Reply]:
        first = asyncio.create_task(made.app.answer(asked(made, HELD)))
        case = await only_case(made)
        async with asyncio.timeout(10):
            while not gauge(made, "surefoot_held_connections", "call"):
                await asyncio.sleep(0.01)
        second = await asyncio.wait_for(made.app.answer(asked(made, HELD, number=1)), 10)
        assert gauge(made, "surefoot_held_connections", "call") == 1
        await give(made.store, case.id, "Rest.")
        waited = await first
        later = made.app.answer(asked(made, HELD))  # the place is free again, and its answer is there
        return waited, second, await later

    first, second, third = made.runner.run(run())
    assert said(first) == said(third) == "Rest."
    assert said(second) == "A nurse will answer." and note(second)["case"]
    assert gauge(made, "surefoot_holds_refused_total", "call") == 1
    assert gauge(made, "surefoot_held_connections", "call") == 0


def test_one_tenants_crowd_takes_no_place_from_another_and_streams_count_too(gateway: Make) -> None:
    made = gateway(CROWDED)

    async def run() -> bytes:
        crowd = made.app.held._crowd
        with crowd.place("events", "other", 1) as theirs, crowd.place("call", "local", 1) as ours:
            assert theirs and ours
            assert gauge(made, "surefoot_held_connections", "events") == 1
            return await asyncio.wait_for(read(made, asked(made, HELD, stream=True)), 10)

    assert b"A nurse will answer." in made.runner.run(run())
    assert gauge(made, "surefoot_holds_refused_total", "stream") == 1


def test_nobody_is_held_where_the_cap_is_nought(gateway: Make) -> None:
    made = gateway(CROWDED.replace("= 1", "= 0"))
    assert said(made.runner.run(made.app.answer(asked(made, HELD)))) == "A nurse will answer."
