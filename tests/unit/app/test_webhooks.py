"""Webhooks from an App in this process to a receiver on loopback: signed, repeated, logged, never inside unless allowed."""

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest
from app_support import Gateway
from msgspec.structs import replace
from waiting_support import give

from surefoot.app import webhooks
from surefoot.app.inside import networks
from surefoot.app.receiving import Receiver, Told
from surefoot.app.webhooks import Refused, admissible, is_signed, post, sign, wait_seconds
from surefoot.errors import BadRequest
from surefoot.records import Request, Wait
from surefoot.records.hook import Hook, HookAttempt
from surefoot.trial.asking import request_of

LOOPBACK = networks(["127.0.0.1"])
FEATURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
webhook_secret = "shared"
webhook_secrets = { other = "own" }
webhook_allow = ["127.0.0.1"]
"""
Make = Callable[..., Gateway]


def asked(gateway: Gateway, url: str, number: int = 0) -> Request:
    request = request_of(gateway.app, gateway.app.policy.features["f"], gateway.rows[number])
    return replace(request, wait=Wait(webhook=url, joins=True))


async def log(gateway: Gateway, count: int) -> tuple[Hook, Sequence[HookAttempt]]:
    """The only hook and its log, once it has so many lines."""
    async with asyncio.timeout(20):
        while True:
            (hook,) = await gateway.store.hooks.all()
            if len(lines := await gateway.store.hooks.attempts(hook.id)) >= count:
                return hook, lines
            await asyncio.sleep(0.02)


async def told(gateway: Gateway, receiver: Receiver, calls: int = 1) -> list[Told]:
    reply = await gateway.app.answer(asked(gateway, f"{receiver.url}/told?token=1"))
    await give(gateway.store, dict(reply.headers)["x-surefoot-case"], "Within two days.")
    return await receiver.wait(calls)


def test_the_receiver_gets_the_answer_signed(gateway: Make) -> None:
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver() as receiver:
            (call,) = await told(made, receiver)
            signed = call.headers["x-surefoot-signature"]
            assert is_signed("shared", signed, call.body, now_seconds=time.time())
            event = call.json()
            assert (event["id"], event["type"]) == (call.headers["x-surefoot-delivery"], "case.delivered")
            case = event["case"]
            assert (case["state"], case["answer"]) == ("delivered", "Within two days.")
            assert case["response"]["choices"][0]["message"]["content"] == "Within two days."
            hook, (line,) = await log(made, 1)
            assert (line.outcome, line.status, hook.id) == ("delivered", 200, event["id"])

    made.runner.run(run())


def test_a_receiver_that_fails_is_called_again_with_the_same_id(gateway: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_FIRST_SECONDS", 0.01)
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver([500, 302, 429], location="http://127.0.0.1:9/") as receiver:
            calls = await told(made, receiver, 4)
            assert len({call.json()["id"] for call in calls}) == 1
            hook, lines = await log(made, 4)
            assert [line.outcome for line in lines] == ["failed", "failed", "failed", "delivered"]
            assert hook.state == "delivered" and hook.attempts == 4

    made.runner.run(run())


def test_a_receiver_that_is_gone_is_not_called_again(gateway: Make) -> None:
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver([410]) as receiver:
            await told(made, receiver)
            hook, (line,) = await log(made, 1)
            assert (hook.state, line.outcome, line.status) == ("failed", "given_up", 410)

    made.runner.run(run())


def test_the_same_request_again_registers_no_second_call(gateway: Make) -> None:
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver() as receiver:
            first = await made.app.answer(asked(made, receiver.url))
            second = await made.app.answer(asked(made, receiver.url))
            assert dict(first.headers)["x-surefoot-case"] == dict(second.headers)["x-surefoot-case"]
            assert len(await made.store.hooks.all()) == 1

    made.runner.run(run())


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.2/x", "https://localhost/x", "https://169.254.169.254/latest", "https://[::1]/", "https://127.1/"],
)
def test_an_address_inside_the_network_is_refused_before_anything_is_asked(gateway: Make, url: str) -> None:
    made = gateway(FEATURE.replace('["127.0.0.1"]', '["127.0.0.9"]'))
    with pytest.raises(BadRequest) as refused:
        made.runner.run(made.app.answer(asked(made, url)))
    assert refused.value.param == "surefoot.webhook" and "network" in refused.value.message
    assert made.runner.run(made.store.hooks.all()) == []


def test_without_a_secret_nobody_is_called(gateway: Make) -> None:
    made = gateway('[features.f]\nmode = "enforce"\nladder = ["small"]\n')
    with pytest.raises(BadRequest, match="webhook_secret"):
        made.runner.run(made.app.answer(asked(made, "https://example.org/")))


def test_an_address_that_is_not_allowed_any_more_is_refused_when_it_is_called(gateway: Make) -> None:
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver() as receiver:
            reply = await made.app.answer(asked(made, receiver.url))
            await made.app.reload(made.config(FEATURE.replace('["127.0.0.1"]', "[]")))
            await give(made.store, dict(reply.headers)["x-surefoot-case"], "Yes.")
            hook, (line,) = await log(made, 1)
            assert (hook.state, line.outcome, receiver.told) == ("failed", "refused", [])

    made.runner.run(run())


def test_a_redirect_is_not_followed() -> None:
    async def run() -> None:
        async with Receiver() as inner, Receiver([302], location=inner.url) as receiver:
            assert (await post(receiver.url, b"{}", {}, LOOPBACK)).status == 302
            assert inner.told == []

    asyncio.run(run())


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"])
def test_every_name_of_loopback_is_refused_when_it_is_called(host: str) -> None:
    with pytest.raises(Refused, match="inside"):
        asyncio.run(post(f"https://{host}/", b"{}", {}, ()))


def test_a_name_is_called_at_the_address_that_was_checked() -> None:
    async def run() -> None:
        async with Receiver() as receiver:
            allowed = networks(["127.0.0.1", "::1"])
            assert (await post(receiver.url.replace("127.0.0.1", "localhost"), b"{}", {}, allowed)).status == 200
            assert receiver.told[0].headers["host"].startswith("localhost:")

    asyncio.run(run())


def test_a_name_that_cannot_be_resolved_now_is_checked_later() -> None:
    asyncio.run(admissible("https://nobody.invalid/", ()))


def test_waits_grow_and_have_an_end() -> None:
    waits = [wait_seconds(number) for number in range(1, 15)]
    assert waits[0] == 2.0 and waits == sorted(waits) and waits[-1] == 6 * 3600
    assert 24 * 3600 < sum(waits[:-1]) < 36 * 3600


def test_a_signature_holds_for_its_body_its_secret_and_its_time_only() -> None:
    header = sign("s", 1000, b"{}")
    assert is_signed("s", header, b"{}", now_seconds=1100)
    assert not is_signed("s", header, b"{ }", now_seconds=1100)
    assert not is_signed("other", header, b"{}", now_seconds=1100)
    assert not is_signed("s", header, b"{}", now_seconds=1400)
    assert not is_signed("s", header.replace("t=1000", "t=1001"), b"{}", now_seconds=1100)


@pytest.mark.parametrize(
    "header", ["", "t=,v1=", "t=abc,v1=1", "v1=1", "t=99999999999999999999999,v1=1", "t=\u0661,v1=\u00e9"]
)
def test_what_is_no_signature_is_none(header: str) -> None:
    assert not is_signed("s", header, b"{}", now_seconds=0)


def test_a_receiver_is_not_called_sooner_than_it_asked(gateway: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_FIRST_SECONDS", 0.01)
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver([503], retry_after="3600") as receiver:
            await told(made, receiver)
            hook, (line,) = await log(made, 1)
            assert (line.outcome, hook.state, hook.due_at_ns - line.at_ns) == ("failed", "waiting", 3600 * 10**9)

    made.runner.run(run())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("", 0.0),
    ],
)
def test_what_a_receiver_asks_for_is_read_or_nothing(given: str, seconds: float) -> None:
    async def run() -> float:
        async with Receiver([429], retry_after=given) as receiver:
            return (await post(receiver.url, b"{}", {}, LOOPBACK)).retry_after_seconds

    assert asyncio.run(run()) == seconds


def test_asking_for_a_week_is_asking_for_six_hours_and_asking_for_less_changes_nothing() -> None:
    assert wait_seconds(1, 7 * 86_400.0) == 6 * 3600.0
    assert wait_seconds(4, 1.0) == wait_seconds(4) == 54.0
    assert wait_seconds(1, 30.0) == 30.0


def test_the_log_of_calls_and_the_case_hold_no_secret_of_the_address(gateway: Make) -> None:
    made = gateway(FEATURE)

    async def run() -> None:
        async with Receiver() as receiver:
            pass  # nobody listens there any more
        reply = await made.app.answer(asked(made, f"{receiver.url}/xyzzy?token=xyzzy"))
        case_id = dict(reply.headers)["x-surefoot-case"]
        await give(made.store, case_id, "Rest.")
        _, (line, *_) = await log(made, 1)
        case = await made.store.cases.find(case_id)
        assert line.outcome == "failed" and "xyzzy" not in line.detail
        assert case is not None and case.webhook == f"{receiver.url}/…"

    made.runner.run(run())
