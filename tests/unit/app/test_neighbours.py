"""What lies near a case: only what may be seen beside it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_support import Gateway
from msgspec.structs import replace

from surefoot.app.neighbours import Neighbours
from surefoot.records import Case
from surefoot.records.person import Person

UNSURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
undo_seconds = 0
[features.f.maps.small]
p = 0.2
[people.person]
capacity = 50
"""
AMY = Person(name="amy", shown="Amy", role="operator")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, UNSURE)
    yield gateway
    gateway.close()


def waiting(gateway: Gateway, number: int) -> Case:
    case = gateway.case(gateway.ask(number))
    assert case is not None
    return case


def answered(gateway: Gateway, number: int, *, general: bool) -> Case:
    """A case that was answered and delivered."""
    case = waiting(gateway, number)

    async def answer() -> None:
        claim = await gateway.app.desk.claim(case.id, by=AMY)
        assert claim is not None
        said = {"verb": "replace", "text": f"Said of {number}.", "general": general}
        assert await gateway.app.desk.answer(case.id, by=AMY, fence=claim.fence, **said)
        await gateway.store.cases.deliver_due(now_ns=time.time_ns() + 1_000_000_000)

    gateway.runner.run(answer())
    return case


def test_general_answers_are_shown_beside_like_questions_and_others_never(gateway: Gateway) -> None:
    near = Neighbours(gateway.store)
    answered(gateway, 0, general=False)
    told = answered(gateway, 1, general=True)
    found = gateway.runner.run(near.past(waiting(gateway, 2)))
    assert [(each.case_id, each.answer, each.by) for each in found] == [(told.id, "Said of 1.", "amy")]


def test_a_case_is_alike_as_long_as_it_waits(gateway: Gateway) -> None:
    near = Neighbours(gateway.store)
    first, other = waiting(gateway, 0), waiting(gateway, 1)
    (found,) = gateway.runner.run(near.alike(first))
    assert found.case.id == other.id and not found.member.clear  # another number
    gateway.runner.run(gateway.app.desk.claim(other.id, by=AMY))
    assert gateway.runner.run(near.alike(first)) == ()


def test_a_tenant_is_no_person_with_earlier_cases(gateway: Gateway) -> None:
    near = Neighbours(gateway.store)
    waiting(gateway, 0)
    assert gateway.runner.run(near.thread(waiting(gateway, 1), limit=5)) == ()


def test_what_is_not_kept_asks_nothing(gateway: Gateway) -> None:
    case, near = waiting(gateway, 0), Neighbours(gateway.store)
    assert gateway.runner.run(near.question(case)) == "Question 0?"
    assert gateway.runner.run(near.question(replace(case, request_id="req_none"))) == ""
