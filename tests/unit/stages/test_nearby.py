"""Questions are near in one context only; the answer that most of them have is proposed, a person's first."""

import json

import msgspec
import pytest

from surefoot.policy import NearLine, NearRules
from surefoot.records import Attribution, Caller, NearItem, Nearness, Request
from surefoot.review.guards import pack, witness
from surefoot.signals.embedding import Lexical, packed
from surefoot.stages.context import LONGEST, asked_of
from surefoot.stages.nearby import Nearby

SURE = NearLine(center=(0.0,) * 6, scale=(1.0,) * 6, weight=(0.0,) * 6, bias=9.0, labels=300)


def request(text: object, *, tenant: str = "acme", user: str = "", choices: int = 1, **fields: object) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    top = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in body.items()}
    return Request(
        id=f"req_{text}", at_ns=1, draw="0" * 32, dialect="openai", surface="chat", caller=Caller(key_id="k", tenant=tenant),
        feature="f", model="m", stream=False, body=json.dumps(body).encode(), top=top, choices=choices,
        attribution=Attribution(end_user=user),
    )  # fmt: skip


def context(text: object, **how: object) -> str:
    asked = asked_of(request(text, **how), "")
    assert asked is not None
    return asked.context


def item(name: str, text: str, *, answer: str = "", by_person: bool = False) -> NearItem:
    asked = asked_of(request(text), "")
    assert asked is not None
    near = pack(packed(Lexical()(asked.words)), witness(asked.words))
    return NearItem(
        fingerprint=name, tenant="acme", feature="f", context=asked.context, answer=answer or name, by_person=by_person,
        at_ns=1, near=near,
    )  # fmt: skip


def look(nearby: Nearby, text: str, rules: NearRules | None = None) -> Nearness | None:
    return nearby.look(request(text), "mine", "", rules or NearRules(), lambda answer: 0.0)


def test_the_words_may_differ_and_how_it_travels_too() -> None:
    assert context("How do I pay?") == context("Where to pay?", stream=True, user="ann", metadata={"a": "b"})


@pytest.mark.parametrize(
    "how",
    [
        {"tenant": "other"}, {"temperature": 0.5}, {"tools": [{"type": "function"}]}, {"model": "n"},
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "How do I pay?"}]},
    ],
)  # fmt: skip
def test_everything_else_must_be_equal(how: dict[str, object]) -> None:
    assert context("How do I pay?", **how) != context("How do I pay?")


def test_passages_and_attachments_of_the_question_must_be_equal() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,1"}}
    parts = [{"type": "text", "text": "What is this?"}, image]
    other = [{"type": "text", "text": "What can that be?"}, image]
    assert context(parts) == context(other) != context([*other[:1], {**image, "image_url": {"url": "data:,2"}}])
    block = "<context><passage>{}</passage></context> {}"
    assert (
        context(block.format("A", "why?"))
        == context(block.format("A", "how come?"))
        != context(block.format("B", "why?"))
    )


def test_personal_data_keeps_a_question_to_its_own_user() -> None:
    mail = "My mail is ann@example.org, why?"
    assert context(mail, user="ann") != context(mail, user="bob") and context("Why?", user="ann") == context(
        "Why?", user="bob"
    )


@pytest.mark.parametrize(
    "asked",
    [request("x" * (LONGEST + 1)), request("  "), request("Hi", choices=2), request([{"type": "text", "text": ""}])],
)
def test_where_near_answers_make_no_sense_nothing_is_looked_for(asked: Request) -> None:
    assert asked_of(asked, "") is None


def test_a_last_message_that_is_no_users_is_not_looked_for() -> None:
    called = [{"role": "user", "content": "Hi"}, {"role": "tool", "tool_call_id": "1", "content": "42"}]
    assert asked_of(request("Hi", messages=called), "") is None


def test_the_nearest_answer_is_proposed_with_what_speaks_for_it() -> None:
    nearby = Nearby()
    for name, text in (("a", "how do I change my password"), ("b", "how do I close my account")):
        nearby.add(item(name, text))
    found = look(nearby, "how can I change the password")
    assert found is not None and (found.answer, found.item, found.crowd) == ("a", "a", 2)
    assert found.lead > 0 and found.nearest > 0.4 and not found.vetoed


def test_its_own_entry_is_not_near_and_nothing_is_near_in_an_empty_context() -> None:
    nearby = Nearby()
    nearby.add(item("mine", "how do I change my password"))
    assert look(nearby, "how do I change my password") is None and look(Nearby(), "hello there") is None


def test_a_guard_is_asked_where_the_map_would_give_it() -> None:
    nearby = Nearby()
    nearby.add(item("a", "how do I enable the alarm"))
    unsure, sure = (
        look(nearby, "how do I disable the alarm"),
        look(nearby, "how do I disable the alarm", NearRules(line=SURE)),
    )
    assert unsure is not None and unsure.vetoed == "" and sure is not None and sure.vetoed.startswith("opposite")


def test_a_persons_words_are_given_before_a_models() -> None:
    nearby = Nearby()
    nearby.add(item("model", "how do I change my password please"))
    nearby.add(item("person", "changing my password", answer="model", by_person=True))
    found = look(nearby, "how do I change my password")
    assert found is not None and (found.answer, found.item, found.support) == ("model", "person", 2)


def test_many_questions_of_one_context_are_found_as_few_are() -> None:
    nearby = Nearby()
    for number in range(100):
        nearby.add(item(f"q{number}", f"how do I reach department number {number} by phone"))
    found = look(nearby, "how do I reach department number 77 by phone")
    assert found is not None and found.item == "q77"
    nearby.remove("q77")
    assert len(nearby) == 99 and (again := look(nearby, "how do I reach department number 77 by phone")) is not None
    assert again.item != "q77"


def test_what_is_gone_from_the_store_is_forgotten_and_the_oldest_make_room() -> None:
    nearby = Nearby(limit=3)
    for number in range(5):
        nearby.add(item(f"q{number}", f"question {number} of a kind"))
    assert len(nearby) == 3
    nearby.keep_only({"q4"})
    assert len(nearby) == 1 and look(nearby, "question of a kind") is not None


def test_a_question_is_remembered_until_it_is_taken() -> None:
    nearby = Nearby()
    asked = request("how do I pay")
    nearby.look(asked, "mine", "", NearRules(), lambda answer: 0.0)
    taken = nearby.take(asked.id)
    assert taken is not None and taken.asked.words == "how do I pay" and nearby.take(asked.id) is None


def test_a_vector_of_another_embedder_is_not_taken_in() -> None:
    nearby = Nearby()
    other = item("a", "how do I pay")
    nearby.add(msgspec.structs.replace(other, near=pack(b"1234", witness("how do I pay"))))
    assert len(nearby) == 0
