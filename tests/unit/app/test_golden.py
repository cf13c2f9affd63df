"""Golden sets out of the store: general answers and answers judged right, masked; nothing of who was erased."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_support import Gateway
from msgspec.structs import replace

from surefoot.app.golden import Found, candidates, gone, learned_from
from surefoot.evals.golden import Golden, Header, Item, grow
from surefoot.providers.rows import Row
from surefoot.records import Case, Label, Revision
from surefoot.records.case import Signed
from surefoot.records.person import Person
from surefoot.trial.asking import request_of

UNSURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
undo_seconds = 0
[features.f.maps.small]
p = 0.2
"""
AMY = Person(name="amy", shown="Amy", role="operator")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, UNSURE, right=(True,) * 6)
    yield gateway
    gateway.close()


def answered(gateway: Gateway, number: int, text: str, *, general: bool, meaning: str = "I answer") -> Case:
    case = gateway.case(gateway.ask(number))
    assert case is not None

    async def answer() -> None:
        claim = await gateway.app.desk.claim(case.id, by=AMY)
        assert claim is not None
        assert await gateway.app.desk.answer(
            case.id, by=AMY, fence=claim.fence, verb="replace", text=text, general=general,
            signed=Signed(meaning=meaning),
        )  # fmt: skip
        await gateway.store.cases.deliver_due(now_ns=time.time_ns() + 1_000_000_000)

    gateway.runner.run(answer())
    return case


def judged(gateway: Gateway, number: int, verdict: str = "accepted", source: str = "audit") -> Label:
    reply = gateway.ask(number)
    label = Label(
        id=f"l{number}", request_id=reply.request_id, at_ns=time.time_ns(), tenant="local", feature="f", rung="small",
        edition="e", verdict=verdict, source=source, group=f"g{number}",
    )  # fmt: skip
    gateway.runner.run(gateway.store.labels.add(label))
    case = gateway.case(reply)
    assert case is not None  # which nobody needs to answer any more
    gateway.runner.run(gateway.store.cases.withdraw(case.id, tenant="local", at_ns=time.time_ns()))
    return label


def found(gateway: Gateway, **how: object) -> Found:
    return gateway.runner.run(candidates(gateway.store, "f", **how))  # type: ignore[arg-type]


def test_general_answers_and_answers_judged_right_are_taken_and_nothing_else(gateway: Gateway) -> None:
    told = answered(gateway, 0, "Call 030 1234567 or write to desk@clinic.example.", general=True)
    answered(gateway, 1, "Only for you.", general=False)
    answered(gateway, 2, "In bulk.", general=True, meaning="as for case_1, in bulk")
    judged(gateway, 3)
    judged(gateway, 4, verdict="wrong")
    judged(gateway, 5, source="client")
    items = found(gateway).items
    assert [(each.id, each.query, each.reference) for each in items] == [
        (f"case/{told.id}", "Question 0?", "Call [PHONE_1] or write to [EMAIL_1]."),
        ("label/l3", "Question 3?", "Answer 3."),
    ]
    assert all(each.origin and each.origin.request_id.startswith("req_") for each in items)
    ours = found(gateway, public="Telephone: 030 1234567").items[0]
    assert ours.reference == "Call 030 1234567 or write to [EMAIL_1]."
    assert found(gateway, since_ns=time.time_ns() + 10**9).items == ()


def test_an_item_is_asked_as_it_was_asked(gateway: Gateway) -> None:
    answered(gateway, 0, "Yes.", general=True)
    (item,) = found(gateway).items
    request = request_of(gateway.app, gateway.app.policy.features["f"], item)
    assert request.top["messages"] == item.request["messages"] and b"Question 0?" in request.body
    plain = request_of(gateway.app, gateway.app.policy.features["f"], Row(id="x", query="Why?"))
    assert b"Why?" in plain.body and plain.model == "surefoot"


def test_what_an_erased_subject_said_leaves_the_set(gateway: Gateway) -> None:
    answered(gateway, 0, "Yes.", general=True)
    judged(gateway, 3)
    items = found(gateway).items
    golden = grow(Golden(header=Header(golden="g", feature="f")), items, gone={}, at_ns=1).golden
    assert gateway.runner.run(gone(gateway.store, golden)) == {}
    gateway.runner.run(gateway.store.journal.erase_subject(tenant="local", end_user=""))
    ended = gateway.runner.run(gone(gateway.store, golden))
    assert set(ended.values()) == {"erased"} and len(ended) == 2
    assert grow(golden, (), gone=ended, at_ns=2).golden.items == ()
    assert found(gateway).left_out == {"content is not kept": 2}
    later = [replace(each, origin=replace(each.origin, at_ns=time.time_ns() + 10**9)) for each in items if each.origin]
    assert gateway.runner.run(gone(gateway.store, replace(golden, items=tuple(later)))) == {}


def test_retention_takes_judged_answers_but_no_general_ones_and_a_hand_made_item_is_left_alone(
    gateway: Gateway,
) -> None:
    answered(gateway, 0, "Yes.", general=True)
    judged(gateway, 3)
    mine = Item(id="mine", query="Why?")
    golden = grow(Golden(header=Header(golden="g", feature="f")), found(gateway).items, gone={}, at_ns=1).golden
    gateway.runner.run(gateway.store.journal.expire(before_ns=time.time_ns() + 10**12))
    ended = gateway.runner.run(gone(gateway.store, replace(golden, items=(*golden.items, mine))))
    assert ended == {"label/l3": "past its retention"}


def test_the_questions_a_revision_was_fitted_on_are_those_labelled_before_it(gateway: Gateway) -> None:
    judged(gateway, 1)
    revision = Revision(number=1, at_ns=time.time_ns(), note="", data=b"")
    judged(gateway, 2)
    assert gateway.runner.run(learned_from(gateway.store, "f", revision)) == ["Question 1?"]
    assert gateway.runner.run(learned_from(gateway.store, "f", None)) == ()
