"""The version of a prompt: the same for the same instructions, another for others, under the name that a caller gives it."""

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.records import Attribution, Caller, Request
from surefoot.stages.prompt import KEPT, Prompts
from surefoot.wire.dialects import DIALECTS


def asked(
    question: str = "q", *, system: object = None, dialect: str = "openai", name: str = "", **more: object
) -> Request:
    said = [{"role": "user", "content": question}]
    if system is not None and dialect == "openai":
        said.insert(0, {"role": "system", "content": system})
    elif system is not None:
        more["system"] = system
    body = msgspec.json.encode({"model": "m", "max_tokens": 9, "messages": said, **more})
    properties = (("prompt", name),) if name else ()
    return Request(
        id="r", at_ns=0, draw="", dialect=dialect, surface="chat", caller=Caller(key_id="k", tenant="t"), feature="f", model="m",
        stream=False, body=body, top=DIALECTS[dialect].parse(body, surface="chat").top,
        attribution=Attribution(properties=properties),
    )  # fmt: skip


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_instructions_make_the_version_and_the_question_does_not(dialect: str) -> None:
    prompts = Prompts()
    first = prompts.version(asked("one", system="Be brief.", dialect=dialect))
    assert first == prompts.version(asked("two", system="Be brief.", dialect=dialect)) and len(first) == 16
    assert first != prompts.version(asked("one", system="Be long.", dialect=dialect))


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_tools_belong_to_the_version(dialect: str) -> None:
    tool = {"name": "look", "input_schema": {"type": "object"}}
    tools = [tool if dialect == "anthropic" else {"type": "function", "function": {"name": "look"}}]
    prompts = Prompts()
    assert prompts.version(asked(dialect=dialect, tools=tools)) not in ("", prompts.version(asked(dialect=dialect)))


def test_passages_do_not_belong_to_it() -> None:
    prompts = Prompts()
    with_one, with_other = (
        asked(system=f"Be brief.\n<context>{text}</context>") for text in ("It rains.", "It snows.")
    )
    assert prompts.version(with_one) == prompts.version(with_other)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_there_is_no_version_where_there_are_no_instructions(dialect: str) -> None:
    assert Prompts().version(asked('they say "system"', dialect=dialect)) == ""


@pytest.mark.parametrize(
    ("name", "kept"), [("triage/v3", True), ("a b", False), ("-x", False), ("x" * 65, False), ("x" * 64, True)]
)
def test_a_caller_may_name_it(name: str, kept: bool) -> None:
    digest = Prompts().version(asked(system="Be brief."))
    assert Prompts().version(asked(system="Be brief.", name=name)) == (f"{name}@{digest}" if kept else digest)
    assert Prompts().version(asked(name=name)) == (name if kept else "")


def test_developer_messages_are_instructions_too() -> None:
    plain = asked()
    body = plain.body.replace(b'[{"role":"user"', b'[{"role":"developer","content":"Be brief."},{"role":"user"')
    request = replace(plain, body=body, top=DIALECTS["openai"].parse(body, surface="chat").top)
    assert Prompts().version(request) == Prompts().version(asked(system="Be brief."))


def test_only_so_many_texts_are_remembered() -> None:
    prompts = Prompts()
    for number in range(KEPT + 10):
        prompts.version(asked(system=f"Rule {number}."))
    assert len(prompts._known) == KEPT
