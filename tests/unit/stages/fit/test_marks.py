"""Marks for the provider's prefix cache."""

from __future__ import annotations

import asyncio

import msgspec
from fit_support import ASKED, PRICE, asked, fit, model, request

from surefoot.records import Ask, Request
from surefoot.stages import Fit, Prefixes
from surefoot.stages.fit.marks import pays
from surefoot.wire.fields import body_of

LONG = "Answer briefly and politely. " * 400


def made(n: int, system: object = LONG, **more: object) -> Request:
    return request(
        [{"role": "user", "content": f"{ASKED} {n}"}],
        dialect="anthropic",
        at_s=n,
        id=f"req_{n}",
        max_tokens=10,
        system=system,
        **more,
    )


def ask(stage: Fit, given: Request) -> Ask:
    return asyncio.run(asked(stage, given))


def stage(**rules: object) -> Fit:
    return fit(model("small", kind="anthropic"), cache_marks=True, prefixes=Prefixes(), **rules)


def test_a_prefix_that_comes_again_is_marked_once_that_is_known():
    fitting = stage()
    found = [ask(fitting, made(n)) for n in range(30)]
    assert found[0].top is None
    assert found[-1].shortened is not None and found[-1].shortened.marked
    body = msgspec.json.decode(body_of(found[-1].top or {}))
    assert body["system"] == [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]


def test_a_prefix_that_is_another_every_time_is_never_marked():
    fitting = stage()
    assert all(ask(fitting, made(n, f"{n} {LONG}")).top is None for n in range(60))


def test_a_client_that_marks_itself_is_left_alone():
    fitting = stage()
    own = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    assert all(ask(fitting, made(n, own)).top is None for n in range(40))


def test_a_prefix_below_the_providers_least_is_not_marked():
    fitting = stage()
    assert all(ask(fitting, made(n, "Be brief.")).top is None for n in range(40))


def test_every_other_byte_stays_as_it_came():
    fitting = stage()
    blocks = [{"type": "text", "text": "First."}, {"type": "text", "text": LONG}]
    last = [ask(fitting, made(n, blocks)) for n in range(30)][-1]
    assert last.top is not None
    mark = b',"cache_control":{"type":"ephemeral"}'
    assert bytes(last.top["system"]).count(mark) == 1
    assert body_of(last.top).replace(mark, b"") == body_of(last.request.top)


def test_tools_are_marked_where_there_is_no_system_prompt():
    fitting = stage()
    tools = [{"name": f"tool{n}", "description": "words " * 60, "input_schema": {"type": "object"}} for n in range(20)]
    given = [
        request(
            [{"role": "user", "content": ASKED}], dialect="anthropic", at_s=n, id=f"req_{n}", max_tokens=10, tools=tools
        )
        for n in range(30)
    ]
    last = [ask(fitting, each) for each in given][-1]
    assert last.top is not None
    decoded = msgspec.json.decode(bytes(last.top["tools"]))
    assert [n for n, tool in enumerate(decoded) if "cache_control" in tool] == [19]


def test_without_the_option_nothing_is_marked():
    fitting = fit(model("small", kind="anthropic"))
    assert all(ask(fitting, made(n)).top is None for n in range(40))


def test_a_mark_pays_from_about_every_fifth_request_on():
    line = PRICE.line(2_000)
    assert pays(0.25, line) and not pays(0.2, line)
