"""Marks in conversations, read by a simulation of the vendor's cache."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import msgspec
import pytest
from fit_support import asked, fit, model, request
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.providers.prefixcache import PrefixCache
from surefoot.records import Ask, Request
from surefoot.stages import Fit, Prefixes
from surefoot.stages.fit.turns import MARK, marked_turns
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import body_of

LONG = "A word after a word after a word is power. " * 200  # about 2,100 tokens, so that every turn is long enough


def stage(**rules: Any) -> Fit:
    return fit(model("small", kind="anthropic"), cache_marks=True, prefixes=Prefixes(), **rules)


def turn(conversation: int, messages: list[Any], at_s: int) -> Request:
    return request(messages, dialect="anthropic", at_s=at_s, id=f"req_{conversation}_{len(messages)}", max_tokens=9)


def conversation(number: int, turns: int, between: list[Any] | None = None) -> list[list[Any]]:
    """The messages of each request."""
    found: list[list[Any]] = [[{"role": "user", "content": f"{number}. {LONG}"}]]
    for place in range(1, turns):
        said = between or [
            {"role": "assistant", "content": f"Answer {place}."},
            {"role": "user", "content": f"And {place}?"},
        ]
        found.append([*found[-1], *said])
    return found


def asks(fitting: Fit, conversations: int, turns: int, **more: Any) -> list[Ask]:
    """All requests of conversations, one after the other, ten seconds apart."""
    every = [
        turn(n, each, 10 * k) for n in range(conversations) for k, each in enumerate(conversation(n, turns, **more))
    ]

    async def run() -> list[Ask]:
        return [await asked(fitting, each) for each in every]

    return asyncio.run(run())


def messages_of(ask: Ask) -> Any:
    return json.loads(bytes((ask.top or ask.request.top)["messages"]))


def marks(ask: Ask) -> int:
    return body_of(ask.top or ask.request.top).count(MARK)


def test_the_last_turn_is_marked_once_conversations_are_known_to_go_on():
    found = asks(stage(), conversations=30, turns=3)
    assert marks(found[0]) == 0 and found[0].top is None
    later = found[-2]  # a second turn, after which most conversations went on
    assert later.shortened is not None and later.shortened.marked and marks(later) == 1
    (last,) = messages_of(later)[-1]["content"]
    assert last == {"type": "text", "text": "And 1?", "cache_control": {"type": "ephemeral"}}


def test_questions_that_nobody_follows_up_are_never_marked():
    assert all(ask.top is None for ask in asks(stage(), conversations=60, turns=1))


def test_a_conversation_that_goes_on_too_late_did_not_go_on():
    fitting = stage()

    async def run() -> list[Ask]:
        every = [turn(n, each, 400 * k) for n in range(40) for k, each in enumerate(conversation(n, 2))]
        return [await asked(fitting, each) for each in every]

    assert all(ask.top is None for ask in asyncio.run(run()))


def test_the_same_turn_sent_again_is_no_turn_of_its_own():
    fitting, first = stage(), conversation(1, 1)[0]

    async def run() -> list[Ask]:
        return [await asked(fitting, turn(1, first, n)) for n in range(60)]

    assert all(ask.top is None for ask in asyncio.run(run()))


def test_what_a_turn_wrote_the_next_one_reads():
    cache = PrefixCache()
    found = asks(stage(), conversations=30, turns=4)
    usages = [cache.usage(ask.top or ask.request.top, ask.request.at_ns) for ask in found]
    second, third, last = usages[-3:]
    assert second.cached_tokens > 2_000 and third.cached_tokens == second.cached_tokens + second.cache_write_tokens
    assert last.input_tokens - last.cached_tokens < 40


def test_a_turn_of_many_blocks_is_read_because_the_mark_before_it_is_set_again():
    calls = [{"type": "tool_use", "id": f"t{n}", "name": "look", "input": {"content": "x"}} for n in range(15)]
    results = [{"type": "tool_result", "tool_use_id": f"t{n}", "content": "x"} for n in range(15)]
    tools = [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]
    cache = PrefixCache()
    found = asks(stage(), conversations=30, turns=3, between=tools)
    usages = [cache.usage(ask.top or ask.request.top, ask.request.at_ns) for ask in found]
    assert (
        marks(found[-1]) == 2 and usages[-1].cached_tokens == usages[-2].cached_tokens + usages[-2].cache_write_tokens
    )


def test_passages_of_ours_stand_before_what_was_said_so_that_no_turn_comes_again():
    fitting = stage()
    texts = ("A passage of the handbook.",)
    fitting._handbooks["f"] = type("Book", (), {"texts": lambda self, found: texts})()  # type: ignore[assignment]
    assert all(ask.top is None for ask in asks(fitting, conversations=30, turns=3))


def test_a_passage_that_is_sent_in_part_leaves_the_mark_to_what_was_said_before_it():
    asked_for = turn(1, conversation(1, 2)[1], 0)
    messages = messages_of(Ask(request=asked_for, question=None, rung=None))  # type: ignore[arg-type]
    sent = msgspec.json.encode([*messages[:2], {"role": "user", "content": "Less."}])
    made = marked_turns({**asked_for.top, "messages": msgspec.Raw(sent)}, asked_for, 0)
    assert made is not None
    assert ["cache_control" in str(each["content"]) for each in json.loads(bytes(made["messages"]))] == [
        False,
        True,
        False,
    ]


texts = st.text(min_size=1, max_size=8)
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, st.text(max_size=8)),
    st.builds(lambda text: {"type": "tool_result", "tool_use_id": "t", "content": text}, texts),
    st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "s"}, texts),
)
contents = st.one_of(texts, st.lists(blocks, min_size=1, max_size=3))
said = st.lists(st.tuples(st.sampled_from(["user", "assistant"]), contents, st.booleans()), min_size=1, max_size=5)


@given(said, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]))
def test_around_a_mark_every_byte_is_the_clients(said: list[Any], separators: tuple[str, str]) -> None:
    turned = [
        {"content": content, "role": role} if other else {"role": role, "content": content}
        for role, content, other in said
    ]
    body = json.dumps({"model": "m", "max_tokens": 9, "messages": turned}, separators=separators).encode()
    top = DIALECTS["anthropic"].parse(body, surface="chat").top
    made = marked_turns(top, replace(turn(1, [{"role": "user", "content": "x"}], 0), top=top), 0)
    if made is None:
        return
    sent = bytes(made["messages"])
    assert sent.count(MARK) in (1, 2)
    bare = re.sub(rb'\[{"type":"text","text":("(?:[^"\\]|\\.)*"),' + MARK + rb"}\]", rb"\1", sent).replace(
        b"," + MARK, b""
    )
    whole = bytes(top["messages"])
    alone = rb'\[{"type":"text","text":("(?:[^"\\]|\\.)*")}\]'  # a text that bore a mark, or that the client wrote so
    assert re.sub(alone, rb"\1", bare) == re.sub(alone, rb"\1", whole)
    cache = PrefixCache(0)
    cache.usage(made, 0)
    assert cache.usage(made, 1).cached_tokens > 0  # and the vendor knows it again


def test_the_vendor_refuses_a_fifth_mark():
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    given = request([{"role": "user", "content": [block] * 5}], dialect="anthropic", max_tokens=9)
    with pytest.raises(ValueError, match="5 marks"):
        PrefixCache().usage(given.top, 0)
