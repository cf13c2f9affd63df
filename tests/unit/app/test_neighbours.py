"""What lies near a case: only what may be seen beside it, what people taught, and nothing of who was erased."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_support import Gateway
from msgspec.structs import replace
from samples import KEY, case, commit

from surefoot.app.neighbours import Neighbours, Proposal
from surefoot.errors import StoreError
from surefoot.records import Case, Content
from surefoot.records.case import Signed
from surefoot.records.person import Person
from surefoot.store.open import open_store

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
    gateway = Gateway(tmp_path, UNSURE, right=(True,) * 12)
    yield gateway
    gateway.close()


def waiting(gateway: Gateway, number: int) -> Case:
    case = gateway.case(gateway.ask(number))
    assert case is not None
    return case


def answered(
    gateway: Gateway, number: int, *, general: bool, meaning: str = "I answer", text: str = "", deliver: bool = True
) -> Case:
    """A case that was answered, and delivered."""
    case = waiting(gateway, number)

    async def answer() -> None:
        claim = await gateway.app.desk.claim(case.id, by=AMY)
        assert claim is not None
        said = {
            "verb": "replace",
            "text": text or f"Said of {number}.",
            "general": general,
            "signed": Signed(meaning=meaning),
        }
        assert await gateway.app.desk.answer(case.id, by=AMY, fence=claim.fence, **said)
        if deliver:
            await gateway.store.cases.deliver_due(now_ns=time.time_ns() + 1_000_000_000)

    gateway.runner.run(answer())
    return case


def fits(gateway: Gateway, near: Neighbours, number: int) -> Proposal | None:
    return gateway.runner.run(near.fitting(waiting(gateway, number)))


def known(near: Neighbours) -> tuple[str, ...]:
    """The cases that speak for an answer."""
    return tuple(near.memory._places["local", "f"].answers._answer)


def held(near: Neighbours) -> str:
    """Every word that is in memory."""
    place = near.memory._places["local", "f"]
    words = [*place.waiting._index._number, *place.answers._index._number, *place.answers._facts.values()]
    return " ".join(map(str, [*words, *place.waiting._cases.values(), *near.memory._of]))


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


@pytest.fixture
def taught(gateway: Gateway) -> Neighbours:
    """Three cases that one general answer has resolved, the first by itself and two confirmed with it."""
    near = Neighbours(gateway.store)
    first = answered(gateway, 0, general=True, text="So it is.")
    for number in (1, 2):
        answered(gateway, number, general=True, text="So it is.", meaning=f"I answer, as for {first.id}")
    return near


def test_the_answer_that_fits_is_proposed_with_what_differs(gateway: Gateway, taught: Neighbours) -> None:
    found = fits(gateway, taught, 3)
    assert found is not None and found.past.answer == "So it is." and found.past.by == "amy"
    assert [each.kind for each in found.differences] == ["number"]  # "Question 3?" after 0, 1 and 2


def test_what_was_answered_before_the_desk_was_opened_is_known(gateway: Gateway, taught: Neighbours) -> None:
    assert fits(gateway, Neighbours(gateway.store), 3) == fits(gateway, taught, 3) is not None


def test_an_answer_that_is_for_one_person_teaches_nothing(gateway: Gateway) -> None:
    near = Neighbours(gateway.store)
    for number in range(3):
        answered(gateway, number, general=False, text="So it is.")
    assert fits(gateway, near, 3) is None


@pytest.mark.parametrize("opened", [True, False])
def test_what_nobody_looked_at_teaches_nothing(gateway: Gateway, opened: bool) -> None:
    near = Neighbours(gateway.store)
    first = answered(gateway, 0, general=True, text="So it is.")
    if opened:
        fits(gateway, near, 5)
    for number in (1, 2):
        answered(gateway, number, general=True, text="So it is.", meaning=f"I answer, as for {first.id}, in bulk")
    fits(gateway, near, 3)
    assert known(near) == (first.id,)


def test_the_same_words_and_edits_are_one_answer_and_do_not_compete(gateway: Gateway) -> None:
    near = Neighbours(gateway.store)
    first = answered(gateway, 0, general=True, text="So it is.")
    answered(gateway, 1, general=True, text="So  it is.")
    answered(gateway, 2, general=True, text="So it is, dear.", meaning=f"I answer, as before for {first.id}, edited")
    found = fits(gateway, near, 3)
    assert found is not None and found.past.answer.startswith("So")


def test_an_answer_is_proposed_from_its_delivery_on_and_forgotten_when_taken_back(gateway: Gateway) -> None:
    near, wanted = Neighbours(gateway.store), waiting(gateway, 1)
    case = answered(gateway, 0, general=True, deliver=False)
    assert gateway.runner.run(near.past(wanted)) == () and known(near) == (case.id,)
    told = gateway.runner.run(gateway.store.cases.find(case.id))
    assert told is not None
    gateway.runner.run(gateway.app.desk.undo(case.id, by=AMY, fence=told.fence))
    assert gateway.runner.run(near.past(wanted)) == () and known(near) == ()


def test_after_a_general_answer_the_others_are_offered(gateway: Gateway, taught: Neighbours) -> None:
    other, case = waiting(gateway, 5), answered(gateway, 4, general=True, text="So it is.")
    told = gateway.runner.run(gateway.store.cases.find(case.id))
    assert told is not None
    found = gateway.runner.run(taught.members(told))
    assert [each.id for each, _ in found] == [other.id]


def test_an_erased_subject_leaves_the_memory_within_the_time_that_is_promised(
    gateway: Gateway, taught: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surefoot.app.likecases.ERASED_SECONDS", 0.02)
    fresh = Neighbours(gateway.store)
    assert fits(gateway, fresh, 3) is not None and "question" in repr(held(fresh)).casefold()

    async def erase() -> None:
        await gateway.store.journal.erase_subject(tenant="local", end_user="")
        for _ in range(200):
            await asyncio.sleep(0.02)
            if not held(fresh):
                return

    gateway.runner.run(erase())
    assert not held(fresh) and known(fresh) == ()
    fresh.memory.close()


def test_who_was_not_erased_stays(gateway: Gateway, taught: Neighbours) -> None:
    fits(gateway, taught, 3)
    gateway.runner.run(gateway.store.journal.erase_subject(tenant="local", end_user="somebody else"))
    assert gateway.runner.run(taught.memory.forget_erased()) == 0 and len(known(taught)) == 3


def test_a_store_that_fails_is_read_again(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    near, wanted = Neighbours(gateway.store), waiting(gateway, 1)
    answered(gateway, 0, general=True)

    async def broken(**_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(gateway.store.cases, "changes", broken)
        assert gateway.runner.run(near.past(wanted)) == ()
    assert len(gateway.runner.run(near.past(wanted))) == 1


def test_an_erasure_by_another_process_is_noticed(tmp_path: Path) -> None:
    async def run() -> None:
        here, there = (open_store(str(tmp_path / "desk.db"), key_file=KEY) for _ in range(2))
        await here.start()
        await there.start()
        said = Content(request_body=b'{"model": "m", "messages": [{"role": "user", "content": "My rash is red"}]}')
        pseudonym = here.pseudonym("user:clinic:ann")
        opened = replace(case("a"), rung="", subject=pseudonym)
        await here.commit(replace(commit("a", case=opened, pseudonym=pseudonym), content=said))
        near = Neighbours(here)
        await near.past(opened)
        assert len(near.memory._places["clinic", "triage"].waiting) == 1
        assert await there.journal.erase_subject(tenant="clinic", end_user="ann") == 1
        assert await near.memory.forget_erased() == 1 and not len(near.memory._places["clinic", "triage"].waiting)
        near.memory.close()
        await there.close()
        await here.close()

    asyncio.run(run())
