"""A request body taken apart: every byte is somewhere, and everything is where it is said to be."""

import json
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.errors import BadRequest
from surefoot.ledger.lint.segments import Prompt, prompt_of

UNHURRIED = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # generating takes longer than testing
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
PIECE = st.sampled_from(
    [
        "\n\n",
        "<passage>a & b</passage>",
        "<context><passage>x</passage>\n<document>y</document></context>",
        "## Rules\n- be é\n",
        "Q: a\nA: b",
        "```\n\n{}\n```",
    ]
)
TEXTS = st.lists(TEXT | PIECE, max_size=6).map("".join)
PART = st.builds(lambda text: {"type": "text", "text": text}, TEXTS) | st.just(
    {"type": "image_url", "image_url": {"url": "x"}}
)
OPENAI = st.builds(
    lambda role, content, calls: {"role": role, "content": content, **({"tool_calls": [{"function": {"name": calls}}]} if calls else {})},
    st.sampled_from(["system", "user", "assistant", "tool", "developer"]), TEXTS | st.none() | st.lists(PART, max_size=3), TEXT,
)  # fmt: skip
BLOCK = (
    PART
    | st.builds(lambda text: {"type": "tool_result", "content": text}, TEXTS)
    | st.just({"type": "tool_use", "name": "f", "input": {}})
)
ANTHROPIC = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant"]),
    TEXTS | st.lists(BLOCK, max_size=3),
)
TOOL = st.builds(lambda name: {"type": "function", "function": {"name": name, "parameters": {"a": [1, {}]}}}, TEXT)
BODY = st.one_of(
    st.fixed_dictionaries({"model": st.just("m"), "messages": st.lists(OPENAI, min_size=1, max_size=5)}, optional={"tools": st.lists(TOOL, max_size=3)}),
    st.fixed_dictionaries({"messages": st.lists(ANTHROPIC, min_size=1, max_size=5), "system": TEXTS | st.lists(PART, max_size=3)}, optional={"tools": st.lists(TOOL, max_size=3)}),
)  # fmt: skip


def taken(body: object, **options: object) -> Prompt:
    return prompt_of(json.dumps(body, **options).encode())  # type: ignore[arg-type]


def kinds(prompt: Prompt) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in prompt.said]


@UNHURRIED
@given(BODY, st.booleans(), st.sampled_from([None, 2]))
def test_every_byte_of_the_prompt_is_in_one_segment(
    body: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(body, ensure_ascii=ascii_only, indent=indent).encode()
    prompt = prompt_of(raw)
    fields = [name for name in ("tools", "system", "messages") if name in body]
    for name in fields:
        parts = [each for each in prompt.segments if each.path.split("[")[0] == name]
        assert all(one.end == other.start for one, other in pairwise(parts))
        whole = b"".join(map(prompt.slice, parts))
        assert msgspec.json.decode(whole) == body[name]


@UNHURRIED
@given(BODY, st.booleans())
def test_a_segments_text_is_what_its_bytes_say(body: dict[str, object], ascii_only: bool) -> None:
    prompt = prompt_of(json.dumps(body, ensure_ascii=ascii_only).encode())
    for each in prompt.segments:
        raw = prompt.slice(each)
        assert each.text == (raw.decode() if each.json else json.loads(b'"' + raw + b'"'))
        assert prompt.byte(each, len(each.text)) == each.end and prompt.byte(each, 0) == each.start


def test_a_system_prompt_is_read_by_paragraph_with_lines() -> None:
    prompt = taken(
        {
            "messages": [
                {"role": "system", "content": "One.\n\nTwo\nlines.\n\n\n  Three."},
                {"role": "user", "content": "q"},
            ]
        }
    )
    assert [(each.text, each.line, each.column) for each in prompt.said[:3]] == [
        ("One.\n\n", 1, 1),
        ("Two\nlines.\n\n\n", 3, 1),
        ("  Three.", 7, 1),
    ]
    assert prompt.said[1].place(4) == (4, 1) and prompt.said[2].place(2) == (7, 3)


def test_turns_passages_images_and_tools_are_told_apart() -> None:
    prompt = taken({
        "model": "gpt-4o", "tools": [{"type": "function", "function": {"name": "look_up"}}],
        "messages": [
            {"role": "system", "content": "Be kind."}, {"role": "user", "name": "example_user", "content": "a?"},
            {"role": "user", "content": "old"}, {"role": "assistant", "content": "answer"},
            {"role": "user", "content": [{"type": "text", "text": "<passage>p</passage>new"}, {"type": "image_url", "image_url": {"url": "x"}}]},
        ],
    })  # fmt: skip
    assert [each.kind for each in prompt.said] == [
        "tool",
        "system",
        "example",
        "history",
        "history",
        "passage",
        "question",
        "image",
    ]
    assert prompt.said[0].name == "look_up" and prompt.dialect == "openai"


def test_anthropics_tools_come_before_its_system_and_a_result_is_no_question() -> None:
    prompt = taken({
        "messages": [
            {"role": "user", "content": "q"}, {"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "content": "r"}]},
        ],
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}], "tools": [{"name": "f", "input_schema": {}}],
    })  # fmt: skip
    assert prompt.dialect == "anthropic"
    assert [(each.kind, each.marked) for each in prompt.said][:2] == [("tool", False), ("system", True)]
    assert [each.kind for each in prompt.said][2:] == ["question", "question", "question"]


@pytest.mark.parametrize(
    "text",
    [
        "<example>\nQ: a\n\nA: b\n</example>",
        "Example 1: say so",
        "### Example\nfoo",
        "Input: a\nOutput: b",
        "Q: a?\nA: b.",
    ],
)
def test_examples_in_system_text_are_recognised(text: str) -> None:
    prompt = taken({"system": f"Be brief.\n\n{text}\n\nEnd.", "messages": [{"role": "user", "content": "q"}]})
    assert [kind for kind, _ in kinds(prompt)] == ["system", "example", "system", "question"]


@pytest.mark.parametrize("wrapper", ["body", "params", "request"])
def test_bodies_in_batch_files_are_found_with_the_bytes_of_the_file(wrapper: str) -> None:
    raw = json.dumps({"custom_id": "1", wrapper: {"messages": [{"role": "user", "content": "hello"}]}}).encode()
    (question,) = prompt_of(raw).said
    assert raw[question.start : question.end] == b"hello"


@pytest.mark.parametrize(
    "wrong", ["[]", "{", '{"messages": 1}', '{"messages": [{"content": "x"}]}', '{"messages": ["x"]}']
)
def test_what_is_no_request_is_refused(wrong: str) -> None:
    with pytest.raises(BadRequest):
        prompt_of(wrong.encode())


def test_deep_nesting_costs_no_stack() -> None:
    deep = "[" * 400 + "]" * 400
    prompt = prompt_of(
        f'{{"messages": [{{"role": "user", "content": "x"}}], "tools": [{{"name": "f", "input_schema": {deep}}}]}}'.encode()
    )
    assert [each.kind for each in prompt.said] == ["tool", "question"]
