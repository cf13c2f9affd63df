"""Laws of cases, over random interleavings of people, clocks and deadlines, in memory and on SQLite."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from samples import KEY, MINUTE, case, commit

from surefoot.records import Case, CaseAnswer
from surefoot.records.case import ENDED
from surefoot.store import Store
from surefoot.store.open import open_store

LEASE = 2 * MINUTE
PEOPLE = ("amy", "ben", "eve")
CASES = ("case-a", "case-b")
_names = itertools.count()

acts = st.tuples(
    st.sampled_from(
        ["claim", "next", "beat", "release", "reassign", "save", "answer", "approve", "disapprove", "undo", "deliver", "lapse",
         "chain", "expire", "conclude", "withdraw"]
    ),
    st.sampled_from(PEOPLE),
    st.integers(0, 1),  # which case
    st.integers(0, 2),  # how old the fence is that is used
    st.integers(-3, 4),  # minutes that the clock moves
)  # fmt: skip
plans = st.lists(acts, min_size=5, max_size=40)


class World:
    """A store with two cases, one of which needs two persons, and what was seen of them."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name, self.now = store, name, 100 * MINUTE
        self.fences: dict[str, list[int]] = {}
        self.states: dict[str, str] = {}
        self.delivered: Counter[str] = Counter()
        self.accepted: dict[str, str] = {}

    def ids(self) -> Sequence[str]:
        return [f"{each}-{self.name}" for each in CASES]

    async def begin(self) -> None:
        for place, case_id in enumerate(self.ids()):
            given = replace(
                case(f"{place}-{self.name}"),
                id=case_id,
                two_persons=place == 1,
                deadline_ns=110 * MINUTE,
                fingerprint=case_id,
                role=self.name,
            )
            await self.store.commit(commit(f"{place}-{self.name}", case=given))
            self.fences[case_id] = [0]

    async def act(self, verb: str, who: str, which: int, age: int, minutes: int) -> None:
        self.now += minutes * MINUTE
        case_id = self.ids()[which]
        fences = self.fences[case_id]
        fence = fences[max(-len(fences), -1 - age)]
        await getattr(self, verb)(case_id, who, fence)
        await self.look()

    async def look(self) -> None:
        for case_id in self.ids():
            found = await self.find(case_id)
            assert found.fence >= self.fences[case_id][-1], "fences only grow"
            if found.fence > self.fences[case_id][-1]:
                self.fences[case_id].append(found.fence)

    async def find(self, case_id: str) -> Case:
        found = await self.store.cases.find(case_id)
        assert found is not None
        return found

    async def claim(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.claim(case_id, by=who, at_ns=self.now, lease_ns=LEASE)

    async def next(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.claim_next(roles=[self.name], by=who, at_ns=self.now, lease_ns=LEASE)

    async def beat(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.heartbeat(case_id, fence=fence, at_ns=self.now, lease_ns=LEASE)

    async def release(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.release(case_id, fence=fence, at_ns=self.now)

    async def reassign(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.reassign(case_id, by="lea", to=who, at_ns=self.now, lease_ns=LEASE)

    async def save(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.autosave(case_id, fence=fence, text=f"saved by {who}")

    async def answer(self, case_id: str, who: str, fence: int) -> None:
        before = await self.find(case_id)
        text = f"said by {who} at {next(_names)}"
        taken = await self.store.cases.answer(
            case_id, fence=fence, answer=CaseAnswer(verb="replace", text=text, by=who), label=None, at_ns=self.now,
            deliver_at_ns=self.now + MINUTE,
        )  # fmt: skip
        assert taken is (before.state == "claimed" and before.fence == fence), "only whoever holds a case answers it"
        assert (await self.store.cases.history(case_id))[-1].text == text, "what was said is never lost"

    async def approve(self, case_id: str, who: str, fence: int) -> None:
        before = await self.find(case_id)
        done = await self.store.cases.approve(case_id, by=who, fence=fence, at_ns=self.now, deliver_at_ns=self.now)
        assert not (done and before.answered_by == who), "two persons differ"

    async def disapprove(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.disapprove(case_id, by=who, at_ns=self.now, note="no")

    async def undo(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.undo(case_id, fence=fence, at_ns=self.now, lease_ns=LEASE)

    async def deliver(self, case_id: str, who: str, fence: int) -> None:
        for told in await self.store.cases.deliver_due(now_ns=self.now):
            if told.id in self.ids():
                self.delivered[told.id] += 1
                assert not told.two_persons or told.approved_by not in ("", told.answered_by)

    async def lapse(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.lapse_leases(now_ns=self.now)

    async def chain(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.chain(
            case_id, role="doctor", at_ns=self.now, rank_ns=0, due_at_ns=0, deadline_ns=self.now + MINUTE
        )

    async def expire(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.expire(case_id, at_ns=self.now, lease_ns=LEASE)

    async def conclude(self, case_id: str, who: str, fence: int) -> None:
        if await self.store.cases.conclude(case_id, fence=fence, how="decline", text="Sorry.", at_ns=self.now):
            self.delivered[case_id] += 1

    async def withdraw(self, case_id: str, who: str, fence: int) -> None:
        await self.store.cases.withdraw(case_id, tenant="clinic", at_ns=self.now)

    async def check(self) -> None:
        """What must hold at the end of every plan."""
        for case_id in self.ids():
            found, history = await self.find(case_id), await self.store.cases.history(case_id)
            told = [event for event in history if event.kind == "delivered"]
            assert len(told) == self.delivered[case_id] <= 1, "a case is delivered at most once"
            assert history[-1].state == found.state, "the last event says the state"
            moves = [first.state != then.state for first, then in itertools.pairwise(history)]
            quiet = {"refused", "reassigned", "delivered", "chained"}
            assert all(moved or event.kind in quiet for moved, event in zip(moves, history[1:], strict=True))
            ended = next(
                (place for place, event in enumerate(history) if event.state in ENDED and event.state != "expired"),
                None,
            )
            assert ended is None or all(event.kind == "refused" for event in history[ended + 1 :]), "an end is an end"


class Running:
    """A started store and its loop."""

    def __init__(self, database: str) -> None:
        self.runner = asyncio.Runner()
        self.store = open_store(database, key_file=KEY)
        self.runner.run(self.store.start())

    def follow(self, plan: Sequence[Any]) -> None:
        self.runner.run(self._follow(plan))

    async def _follow(self, plan: Sequence[Any]) -> None:
        world = World(self.store, f"{next(_names)}")
        await world.begin()
        for act in plan:
            await world.act(*act)
        await world.check()

    def close(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp())
    world = Running("memory" if request.param == "memory" else str(folder / "laws.db"))
    yield world
    world.close()
    shutil.rmtree(folder)


@settings(max_examples=40, deadline=None)
@given(plan=plans)
def test_whatever_people_and_clocks_do_every_law_of_cases_holds(running: Running, plan: Sequence[Any]):
    running.follow(plan)


@settings(max_examples=20, deadline=None)
@given(plan=plans)
def test_both_back_ends_come_to_the_same_end(plan: Sequence[Any], twins: tuple[Running, Running]):
    ends = [each.runner.run(_end(each.store, plan)) for each in twins]
    assert ends[0] == ends[1]


async def _end(store: Store, plan: Sequence[Any]) -> Sequence[object]:
    world = World(store, f"{next(_names)}")
    await world.begin()
    for act in plan:
        await world.act(*act)
    found = [await world.find(case_id) for case_id in world.ids()]
    kinds = [[event.kind for event in await store.cases.history(each.id)] for each in found]
    return [
        (each.state, each.fence, each.claimed_by, each.role == "doctor", each.verb, each.approved_by) for each in found
    ] + kinds


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    pair = Running("memory"), Running(str(tmp_path_factory.mktemp("twins") / "twin.db"))
    yield pair
    for each in pair:
        each.close()


claims = st.lists(
    st.tuples(st.sampled_from(["claim", "next", "release", "lapse"]), st.sampled_from(PEOPLE), st.integers(0, 4)),
    max_size=30,
)


@settings(max_examples=30, deadline=None)
@given(plan=claims, most=st.integers(1, 3))
def test_nobody_ever_has_more_claims_than_the_role_allows(running: Running, plan: Sequence[Any], most: int):
    running.runner.run(_crowded(running.store, plan, most))


async def _crowded(store: Store, plan: Sequence[Any], most: int) -> None:
    role, now = f"role-{next(_names)}", 100 * MINUTE
    ids = [f"{role}-{place}" for place in range(5)]
    for each in ids:
        await store.commit(commit(each, case=replace(case(each), id=each, role=role, fingerprint=each)))
    for verb, name, which in plan:
        who = f"{name} of {role}"  # the store is shared by all plans
        held = await store.cases.waiting(states=("claimed",), by=who, roles=[role])
        claim = None
        if verb == "claim":
            claim = await store.cases.claim(ids[which], by=who, at_ns=now, lease_ns=LEASE, capacity={role: most})
        elif verb == "next":
            claim = await store.cases.claim_next(roles=[role], by=who, at_ns=now, lease_ns=LEASE, capacity={role: most})
            free = await store.cases.waiting(states=("open",), roles=[role])
            assert claim is not None or len(held) >= most or not free, "who has room gets what is free"
        elif verb == "lapse":
            now += LEASE
            await store.cases.lapse_leases(now_ns=now)
        elif held:
            await store.cases.release(held[0].id, fence=held[0].fence, at_ns=now)
        after = await store.cases.waiting(states=("claimed",), by=who, roles=[role])
        assert len(after) <= most and (claim is None or claim.case in after)
