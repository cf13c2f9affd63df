"""Looking leaves an event; a masked identifier takes a reason."""

import asyncio

import pytest

from surefoot.app.access import LONGEST, Access
from surefoot.errors import BadRequest, NotAllowed, StoreError
from surefoot.records.person import ACTS, ROLES, Person
from surefoot.store.memory import MemoryStore

AMY = Person(name="amy", shown="Amy", role="operator")


class Looking:
    """Somebody who looks, with a clock of its own."""

    def __init__(self) -> None:
        self.store, self.now = MemoryStore(), 1000.0
        self.access = Access(self.store, clock=lambda: self.now)

    def sees(self, person: Person = AMY, case: str = "case_1", what: str = "case") -> None:
        asyncio.run(self.access.seen(person, case, what))

    def reveals(self, reason: str, person: Person = AMY) -> None:
        asyncio.run(self.access.reveal(person, "case_1", "[PHONE_1]", reason))

    def told(self) -> list[tuple[str, str, str, str]]:
        rows = asyncio.run(self.store.audit.events(kind="access."))
        return [(row.event.kind, row.event.by, row.event.on, row.event.detail) for row in rows][::-1]


@pytest.fixture
def looking() -> Looking:
    return Looking()


def test_a_look_leaves_who_saw_which_case_and_what(looking: Looking) -> None:
    looking.sees()
    looking.sees(what="thread")
    assert looking.told() == [("access.case", "amy", "case_1", ""), ("access.thread", "amy", "case_1", "")]


def test_a_page_that_renews_itself_counts_once_a_minute(looking: Looking) -> None:
    for seconds in (0, 5, 59.9, 60.1, 70):
        looking.now = 1000.0 + seconds
        looking.sees()
    assert len(looking.told()) == 2


def test_another_person_and_another_case_are_looks_of_their_own(looking: Looking) -> None:
    looking.sees()
    looking.sees(case="case_2")
    looking.sees(Person(name="ben", shown="Ben", role="lead"))
    assert len(looking.told()) == 3


def test_every_reveal_is_noted_with_its_reason(looking: Looking) -> None:
    looking.reveals("call\nher  back")
    looking.reveals("call her back")
    assert looking.told() == [("access.reveal", "amy", "case_1", "[PHONE_1]: call her back")] * 2


@pytest.mark.parametrize("reason", ["", " \n", "x" * (LONGEST + 1)])
def test_no_reveal_without_a_reason_of_sensible_length(looking: Looking, reason: str) -> None:
    with pytest.raises(BadRequest):
        looking.reveals(reason)
    assert looking.told() == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_and_reveals_what_the_table_of_acts_says(looking: Looking, role: str) -> None:
    person = Person(name="cat", shown="Cat", role=role)
    for act, look in (("see", lambda: looking.sees(person)), ("reveal", lambda: looking.reveals("why", person))):
        if role in ACTS[act]:
            look()
        else:
            with pytest.raises(NotAllowed):
                look()


def test_a_look_that_cannot_be_noted_is_not_shown_and_is_tried_again(looking: Looking) -> None:
    kept, looking.store.audit = looking.store.audit, Deaf()
    with pytest.raises(StoreError):
        looking.sees()
    looking.store.audit = kept
    looking.sees()
    assert len(looking.told()) == 1


class Deaf:
    """A trail that takes nothing."""

    async def add(self, event: object) -> None:
        raise StoreError("the disk is full")


def test_an_unknown_view_is_a_fault_of_the_program(looking: Looking) -> None:
    with pytest.raises(KeyError):
        looking.sees(what="everything")


def test_a_list_is_one_event_with_the_cases_that_are_new_to_this_person(looking: Looking) -> None:
    for cases in (["a", "b"], ["a", "b"], ["b", "c"], []):
        asyncio.run(looking.access.listed(AMY, cases))
    asyncio.run(looking.access.listed(Person(name="ben", shown="Ben", role="lead"), ["a"]))
    assert [(kind, by, detail) for kind, by, _, detail in looking.told()] == [
        ("access.list", "amy", "a b"), ("access.list", "amy", "c"), ("access.list", "ben", "a")
    ]  # fmt: skip
    looking.now += 3601
    asyncio.run(looking.access.listed(AMY, ["a"]))
    assert len(looking.told()) == 4


def test_other_peoples_questions_on_a_page_are_named_and_a_new_one_is_a_new_look(looking: Looking) -> None:
    for others in (["x", "y"], ["y", "x"], ["x", "z"]):
        asyncio.run(looking.access.seen(AMY, "case_1", "alike", others=others))
    assert looking.told() == [
        ("access.alike", "amy", "case_1", "x y"), ("access.alike", "amy", "case_1", "x z")
    ]  # fmt: skip


def test_what_is_remembered_of_looks_is_bounded_and_forgetting_notes_twice(looking: Looking) -> None:
    asyncio.run(looking.access.listed(AMY, ["first"]))
    asyncio.run(looking.access.listed(AMY, [f"c{n}" for n in range(20_000)]))
    asyncio.run(looking.access.listed(AMY, ["first"]))
    assert [detail for *_, detail in looking.told()].count("first") == 2


def test_a_list_that_cannot_be_noted_is_not_shown(looking: Looking) -> None:
    looking.store.audit = Deaf()
    with pytest.raises(StoreError):
        asyncio.run(looking.access.listed(AMY, ["a"]))
    with pytest.raises(NotAllowed):
        asyncio.run(looking.access.listed(Person(name="cat", shown="Cat", role="nobody"), ["a"]))
