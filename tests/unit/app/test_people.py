"""Who comes in, who stays out, for how long, and what is signed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from hashlib import sha256
from typing import TypeVar

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from surefoot.app.passwords import FAKE, hashed, matches
from surefoot.app.people import People
from surefoot.app.peoplerules import SECOND, Rules, tidy
from surefoot.errors import BadRequest, LoginRefused, NotAllowed, NotFound
from surefoot.records.person import ACTS, ROLES, may
from surefoot.store.memory import MemoryStore

PASSWORD, OTHER = "correct horse battery", "staple of all things"
Got = TypeVar("Got")


class Office:
    """A manager "max" and an operator "amy" with the password PASSWORD, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now, self.runner, self.store = 10**18, asyncio.Runner(), MemoryStore()
        self.people = People(self.store, clock=lambda: self.now)
        self.run(self.store.start())
        self.max = self.run(self.people.staff.accept(self.first(), PASSWORD, name="max", shown="Max Meier"))
        self.hire("amy")

    def first(self) -> str:
        token = self.run(self.people.staff.first_link())
        assert token
        return token

    def run(self, work: Awaitable[Got]) -> Got:
        async def waited() -> Got:
            return await work

        return self.runner.run(waited())

    def hire(self, name: str, role: str = "operator") -> None:
        self.run(self.people.staff.create(name, role, by="max"))
        self.run(self.people.staff.accept(self.run(self.people.staff.link(name, by="max")), PASSWORD))

    def login(self, name: str = "amy", password: str = PASSWORD) -> str:
        return self.run(self.people.login(name, password))

    def who(self, token: str | None, *, acts: bool = True) -> str | None:
        found = self.run(self.people.current(token, acts=acts))
        return found.person.name if found else None

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    def close(self) -> None:
        self.run(self.store.close())
        self.runner.close()


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def test_a_password_is_kept_as_its_scrypt_hash() -> None:
    kept = hashed(PASSWORD)
    assert kept.startswith("scrypt$32768$8$1$") and PASSWORD not in kept and kept != hashed(PASSWORD)
    assert matches(PASSWORD, kept) and not matches(OTHER, kept) and not matches(PASSWORD, FAKE)


def test_who_knows_the_password_comes_in(office: Office) -> None:
    assert office.who(office.login(" AMY ")) == "amy"
    assert office.who(None) is office.who("") is office.who("made up") is office.who("x" * 10_000) is None


def test_a_token_is_new_each_time_and_only_its_hash_is_kept(office: Office) -> None:
    token, again = office.login(), office.login()
    assert token != again and len(token) >= 43
    kept = office.run(office.people.current(token))
    assert kept and kept.session.id == sha256(token.encode()).hexdigest()


def test_the_session_that_a_browser_had_ends_when_somebody_logs_in(office: Office) -> None:
    before = office.login()
    office.run(office.people.login("max", PASSWORD, replaces=before))
    assert office.who(before) is None


@pytest.mark.parametrize("name", ["amy", "nobody", "", "a\0b", "x" * 5000, "amy' --"])
def test_a_wrong_password_and_a_wrong_name_say_the_same(office: Office, name: str) -> None:
    with pytest.raises(LoginRefused, match=r"the name or the password is wrong$") as refused:
        office.login(name, OTHER)
    assert refused.value.status == 401 and refused.value.wait_seconds == 0


@pytest.mark.parametrize("name", ["amy", "nobody"])
def test_failures_lock_a_door_for_longer_and_longer_whether_the_name_is_known_or_not(office: Office, name: str) -> None:
    waits = []
    for _ in range(14):
        with pytest.raises(LoginRefused) as refused:
            office.login(name, OTHER)
        waits.append(refused.value.wait_seconds)
        office.wait(refused.value.wait_seconds)
    assert waits == [0, 0, 0, 0, 2, 0, 4, 0, 8, 0, 16, 0, 32, 0]


def test_a_locked_door_does_not_open_to_the_right_password_until_its_time(office: Office) -> None:
    for _ in range(4):
        with pytest.raises(LoginRefused):
            office.login("amy", OTHER)
    with pytest.raises(LoginRefused, match="too many attempts; wait 2 seconds"):
        office.login()
    office.wait(2)
    assert office.who(office.login()) == "amy"


def test_a_right_password_forgets_failures(office: Office) -> None:
    for _ in range(3):
        for _ in range(3):
            with pytest.raises(LoginRefused):
                office.login("amy", OTHER)
        office.login()


def test_a_locked_door_is_in_the_trail(office: Office) -> None:
    for _ in range(4):
        with pytest.raises(LoginRefused):
            office.login("amy", OTHER)
    newest = office.run(office.people.staff.events("amy"))[0].event
    assert newest.kind == "account.locked" and "4" in newest.detail


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_failures_never_wait_less_and_never_for_ever(a: int, b: int) -> None:
    people, (few, many) = People(MemoryStore()), sorted((a, b))
    assert 0 <= people.delay(few) <= people.delay(many) <= Rules().longest_delay_seconds * SECOND


def test_who_does_nothing_is_logged_off(office: Office) -> None:
    token = office.login()
    office.wait(1790)
    assert office.who(token) == "amy"
    office.wait(1790)
    assert office.who(token) == "amy"
    office.wait(1801)
    assert office.who(token) is None


def test_a_page_that_only_listens_keeps_nobody_logged_in(office: Office) -> None:
    token = office.login()
    for _ in range(3):
        office.wait(599)
        assert office.who(token, acts=False) == "amy"
    office.wait(10)
    assert office.who(token, acts=False) is None


def test_nobody_stays_for_ever(office: Office) -> None:
    token = office.login()
    for _ in range(43):
        office.wait(1000)
        assert office.who(token) == "amy"
    office.wait(1000)
    assert office.who(token) is None


def test_who_logs_out_is_out_and_may_do_it_twice(office: Office) -> None:
    token = office.login()
    office.run(office.people.logout(token))
    office.run(office.people.logout(token))
    assert office.who(token) is None
    kinds = [row.event.kind for row in office.run(office.people.staff.events("amy"))]
    assert kinds.count("account.logout") == 1


def test_who_is_disabled_is_out_at_once_and_stays_out(office: Office) -> None:
    token = office.login()
    office.run(office.people.staff.disable("amy", by="max"))
    assert office.who(token) is None
    with pytest.raises(LoginRefused):
        office.login()
    with pytest.raises(BadRequest):
        office.run(office.people.staff.link("amy", by="max"))
    office.run(office.people.staff.enable("amy", by="max"))
    assert office.who(office.login()) == "amy"


def test_another_role_counts_at_once_and_needs_a_new_login(office: Office) -> None:
    token = office.login()
    office.run(office.people.staff.grant("amy", "lead", by="max"))
    assert office.who(token) is None
    found = office.run(office.people.current(office.login()))
    assert found and found.person.role == "lead" and found.person.may("assign")


@pytest.mark.parametrize("verb", ["disable", "grant"])
def test_the_last_manager_stays_one(office: Office, verb: str) -> None:
    more = ("operator",) if verb == "grant" else ()
    with pytest.raises(BadRequest, match="last manager"):
        office.run(getattr(office.people.staff, verb)("max", *more, by="max"))
    office.hire("mia", "manager")
    office.run(getattr(office.people.staff, verb)("max", *more, by="mia"))


def test_another_password_ends_every_session(office: Office) -> None:
    here, there = office.login(), office.login()
    found = office.run(office.people.current(here))
    assert found
    with pytest.raises(LoginRefused):
        office.run(office.people.choose_password(found.person, OTHER, OTHER))
    office.run(office.people.choose_password(found.person, PASSWORD, OTHER))
    assert office.who(here) is office.who(there) is None
    assert office.who(office.login("amy", OTHER)) == "amy"


@pytest.mark.parametrize("bad", ["", "short", "a" * 11, "aaaaaaaaaaaaaa", "1234567890123", "x" * 2000, "amyamy"])
def test_a_password_that_is_easily_guessed_will_not_do(office: Office, bad: str) -> None:
    token = office.run(office.people.staff.link("amy", by="max"))
    with pytest.raises(BadRequest):
        office.run(office.people.staff.accept(token, bad))
    assert office.run(office.people.staff.accept(token, OTHER)) == "amy"  # a mistake does not use the link up


def test_a_password_typed_on_another_keyboard_is_the_same(office: Office) -> None:
    office.run(office.people.staff.accept(office.run(office.people.staff.link("amy", by="max")), "Müller’s straße Ä"))
    assert office.who(office.login("amy", "Mu\u0308ller’s straße A\u0308")) == "amy"


def test_the_first_link_makes_one_manager_and_no_more(office: Office) -> None:
    assert office.run(office.people.staff.first_link()) is None
    fresh = People(MemoryStore(), clock=lambda: office.now).staff
    token, other = office.run(fresh.first_link()), office.run(fresh.first_link())
    assert token and other
    with pytest.raises(NotAllowed):
        office.run(fresh.accept(token, PASSWORD, name="eve"))  # a newer one was made
    office.run(fresh.accept(other, PASSWORD, name="eve"))
    with pytest.raises(NotAllowed):
        office.run(fresh.accept(other, PASSWORD, name="mallory"))
    assert [(each.name, each.role) for each in office.run(fresh.all())] == [("eve", "manager")]


def test_a_link_is_dead_after_a_quarter_of_an_hour(office: Office) -> None:
    token = office.run(office.people.staff.link("amy", by="max"))
    office.wait(901)
    assert office.run(office.people.staff.invited(token)) is None
    with pytest.raises(NotAllowed):
        office.run(office.people.staff.accept(token, OTHER))


@pytest.mark.parametrize("name", ["", "Max Meier", "-a", "a/b", "ä", "x" * 65, "a\tb"])
def test_a_name_is_plain(office: Office, name: str) -> None:
    with pytest.raises(BadRequest):
        office.run(office.people.staff.create(name, "operator", by="max"))


def test_a_name_is_never_used_twice(office: Office) -> None:
    office.run(office.people.staff.disable("amy", by="max"))
    with pytest.raises(BadRequest, match="never used twice"):
        office.run(office.people.staff.create("Amy", "lead", by="max"))
    with pytest.raises(NotFound):
        office.run(office.people.staff.link("nobody", by="max"))
    with pytest.raises(BadRequest):
        office.run(office.people.staff.create("eve", "root", by="max"))


def test_a_password_proves_a_person_and_wrong_ones_are_counted(office: Office) -> None:
    office.login()
    assert office.run(office.people.prove("Amy", PASSWORD)).name == "amy"
    for _ in range(4):
        with pytest.raises(LoginRefused):
            office.run(office.people.prove("amy", OTHER))
    with pytest.raises(LoginRefused, match="too many"):
        office.run(office.people.prove("amy", PASSWORD))


def test_no_secret_is_ever_logged(office: Office) -> None:
    with structlog.testing.capture_logs() as written:
        token = office.login()
        with pytest.raises(LoginRefused):
            office.login("amy", OTHER)
    assert written and not any(secret in str(written) for secret in (token, PASSWORD, OTHER, "amy"))


def test_the_list_of_accounts_holds_no_hash(office: Office) -> None:
    assert {each.password for each in office.run(office.people.staff.all())} == {"set"}


def test_the_table_of_acts_knows_every_role_and_no_auditor_answers() -> None:
    assert all(allowed <= set(ROLES) for allowed in ACTS.values())
    assert [act for act in ACTS if may("auditor", act)] == ["see", "reveal", "report", "trail"]
    assert [role for role in ROLES if may(role, "accounts")] == ["manager"]
    with pytest.raises(KeyError):
        may("manager", "anything")


@given(st.text(max_size=80))
def test_a_name_is_tidied_once_and_for_all(name: str) -> None:
    assert tidy(tidy(name)) == tidy(name)
