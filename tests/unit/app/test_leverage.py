"""What people did is read from events, ledger and journal; a bar is applied to confidences of then, and silence stays silence."""

import time
from datetime import UTC

import pytest
from msgspec.structs import replace
from staffing_support import HOUR, SECOND, answered, asked, entry, live

from surefoot.app.leverage import Spared, fate, plan, reviewed, roles, seen
from surefoot.policy import Feature, Map, Person, Policy
from surefoot.records import Commit, Draft, Escalate, NoDraft, Rung, Step
from surefoot.store import Store
from surefoot.store.memory import MemoryStore

LADDER = (
    Rung(name="quotes", kind="model", models=("quotes",)),
    Rung(name="flagship", kind="model", models=("flagship",)),
)
MAPS = {rung.name: Map(kind="fixed", p=0.5) for rung in LADDER}
CLINIC = Feature(name="clinic", ladder=LADDER, maps=MAPS, mode="enforce", person=Person(role="person"))
POLICY = Policy.of({"clinic": CLINIC})
NOW = time.time_ns() // HOUR * HOUR


async def desk() -> Store:
    store = MemoryStore()
    await store.start()
    return store


async def past(store: Store, n: int = 60) -> None:
    """Two days: a request an hour and more, every second waits for a person and is answered after ten minutes."""
    for each in range(n):
        at_ns = NOW - 48 * HOUR + each * 48 * HOUR // n
        await asked(store, f"r{each}", at_ns=at_ns, p=(0.3, 0.7) if each % 2 else (0.3, 0.9))
        if each % 2:
            await answered(store, f"r{each}", at_ns=at_ns + 600 * SECOND, seconds=120)


@pytest.mark.parametrize(
    ("p", "bar", "what"),
    [
        ((0.9,), 0.85, "answer"),
        ((0.9,), 0.95, "unknown"),
        ((0.5, 0.9), 0.85, "answer"),
        ((0.5, 0.9), 0.95, "person"),
        ((0.83, 0.7), 0.80, "answer"),
    ],
)
def test_a_bar_is_applied_to_the_confidences_of_then(p: tuple[float, ...], bar: float, what: str) -> None:
    assert fate(entry("r", at_ns=1, p=p), CLINIC, bar) == what


def test_what_a_red_flag_sent_to_a_person_goes_there_at_any_bar() -> None:
    made = entry("r", at_ns=1, p=(0.99,))
    flagged = replace(
        made, steps=(made.steps[0], Step(stage="admit", rung=None, value=Escalate("flag", "nurse", rule="x")))
    )
    assert fate(flagged, CLINIC, 0.5) == "person"


def test_a_rung_that_gave_no_draft_is_climbed_over() -> None:
    made = entry("r", at_ns=1, p=(0.5, 0.9))
    gone = Step(stage="call", rung="quotes", value=NoDraft(rung="quotes", kind="abstained", reason="nothing"))
    steps = (made.steps[0], gone, *(step for step in made.steps if step.rung == "flagship"))
    assert fate(replace(made, steps=steps), CLINIC, 0.85) == "answer"


@live
async def test_answers_come_with_their_times_and_what_was_taken_back_does_not() -> None:
    store = await desk()
    await asked(store, "a", at_ns=NOW - HOUR, p=(0.1, 0.2))
    await asked(store, "b", at_ns=NOW - HOUR, p=(0.1, 0.2))
    await answered(store, "a", at_ns=NOW - HOUR // 2, seconds=90, verb="edit", meaning="answered, as for case-b")
    await answered(store, "b", at_ns=NOW - HOUR // 2, seconds=30)
    case = await store.cases.find("case-b")
    assert case is not None
    await store.cases.undo("case-b", fence=case.fence, at_ns=NOW - HOUR // 3, lease_ns=HOUR)
    what = await seen(store, POLICY, since_ns=0, now_ns=NOW)
    (work,) = what.work
    assert (work.verb, work.general, work.seconds, work.along_with, work.had_draft) == (
        "edit",
        True,
        90.0,
        "case-b",
        True,
    )
    assert len(what.arrived) == 2 and what.start_ns == NOW - HOUR


@live
async def test_what_the_cache_answered_with_a_persons_words_is_counted_and_nothing_else() -> None:
    store, cache = await desk(), Rung(name="cache", kind="cache")
    policy = Policy.of({"clinic": replace(CLINIC, ladder=(cache, *LADDER))})
    await asked(store, "a", at_ns=NOW - HOUR, p=(0.1, 0.2))
    await answered(store, "a", at_ns=NOW - HOUR // 2, seconds=90)
    made = entry("x", at_ns=NOW - 1, p=(0.9,), rungs=("cache",))
    for name, model, action in (("b", "person", "deliver"), ("c", "person", "fail"), ("d", "small", "deliver")):
        hit = Draft(rung="cache", provider="cache", model=model, digest="d", upstream_id="a")
        steps = (made.steps[0], Step(stage="call", rung="cache", value=hit), *made.steps[2:])
        told = replace(made, request_id=name, action=action, rung="cache", steps=steps)
        await store.commit(Commit(entry=told, subject="user:t:x"))
    what = await seen(store, policy, since_ns=0, now_ns=NOW)
    assert what.spared == (Spared(feature="clinic", case_id="case-a"),)
    found = (await reviewed(store, what, features={"clinic"}, since_ns=0)).leverage
    assert (found.resolved, found.cached, found.deflected.n, found.deflected.estimate) == (1, 1, 2, 0.5)
    assert (await seen(store, POLICY, since_ns=0, now_ns=NOW)).spared == ()  # a feature without a cache


@live
async def test_only_the_time_that_is_asked_for_is_seen() -> None:
    store = await desk()
    await past(store)
    what = await seen(store, POLICY, since_ns=NOW - 24 * HOUR, now_ns=NOW)
    assert NOW - 24 * HOUR <= what.start_ns < NOW - 23 * HOUR and len(what.arrived) == 15
    nothing = await seen(await desk(), POLICY, since_ns=0, now_ns=NOW)
    assert nothing.start_ns == NOW and not nothing.arrived


@live
async def test_a_plan_says_people_by_hour_and_moves_with_the_bar() -> None:
    store = await desk()
    await past(store)
    found = await plan(store, POLICY, await seen(store, POLICY, since_ns=0, now_ns=NOW), "person", zone=UTC, share=0.8)
    assert found.missing == "" and found.handling.mean == 120 and found.need is not None and found.need.people
    assert sum(each is not None for each in found.people) in (48, 49) and None in found.people
    to_people = [(each.bar, each.certain, each.possible) for each in found.bars]
    assert to_people == [(0.80, 30, 0), (0.85, 30, 0), (0.90, 30, 0), (0.95, 60, 0)]


@live
async def test_a_plan_without_data_says_what_is_missing() -> None:
    store = await desk()
    found = await plan(store, POLICY, await seen(store, POLICY, since_ns=0, now_ns=NOW), "person", zone=UTC, share=0.8)
    assert found.need is None and found.people == () and "0 cases of 20" in found.missing and found.leverage is None


@live
async def test_leverage_lowers_what_is_needed() -> None:
    store = await desk()
    await past(store, 200)
    found = await plan(
        store,
        POLICY,
        await seen(store, POLICY, since_ns=0, now_ns=NOW),
        "person",
        zone=UTC,
        share=0.8,
        within_seconds=150,
    )
    assert found.within_seconds == 150 and len(found.leveraged) == 2
    hours = [each.people_hours for _, each in found.leveraged if each.people_hours is not None]
    assert hours == sorted(hours, reverse=True)


@live
async def test_a_review_is_of_the_features_that_are_named() -> None:
    store = await desk()
    await past(store)
    what = await seen(store, POLICY, since_ns=0, now_ns=NOW)
    assert (await reviewed(store, what, features={"clinic"}, since_ns=0)).leverage.resolved == 30
    other = await reviewed(store, what, features={"other"}, since_ns=0)
    assert other.leverage.resolved == 0 and other.reviewers == ()


@live
async def test_roles_are_those_of_the_policy_and_of_cases() -> None:
    store = await desk()
    await past(store, 4)
    what = await seen(store, POLICY, since_ns=0, now_ns=NOW)
    assert list(roles(POLICY, what)) == ["person"] and list(roles(Policy.of({}), what)) == ["person"]
