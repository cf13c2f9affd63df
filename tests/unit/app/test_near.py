"""A near cache end to end: it watches, learns a map, serves under its bound, and a replay decides the same."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from near_support import World, cached, is_near_hit
from waiting_support import give

from surefoot.app import cachereport
from surefoot.app.cachereport import near_report
from surefoot.app.outcomes import Report
from surefoot.errors import StoreError
from surefoot.policy import Policy, near_lot
from surefoot.policy.policy import decode
from surefoot.records import Attribution, Draft, JournalEntry, NearAccount, NoDraft
from surefoot.records.near import EXPLORED, HIT, WATCHED
from surefoot.replay import replay, replay_entry
from surefoot.store.sqlite import SqliteStore

Asked = tuple[World, list[JournalEntry]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A whole stream, asked once for all tests that look at what it left."""
    world = World(tmp_path_factory.mktemp("near"))
    yield world, [world.ask(row) for row in world.rows]
    world.close()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes gateways that are closed after the test."""
    worlds: list[World] = []

    def make(*more: str, **how: Any) -> World:
        worlds.append(World(tmp_path, *more, **how))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


def hits(served: Asked) -> list[tuple[int, JournalEntry]]:
    return [(place, entry) for place, entry in enumerate(served[1]) if is_near_hit(entry)]


def test_it_watches_until_there_is_a_map_then_serves_within_its_bound(served: Asked) -> None:
    world, entries = served
    found = hits(served)
    assert len(found) >= 20 and found[0][0] > 200
    assert {entry.nanodollars for _, entry in found} == {0}
    wrong = 0
    for place, entry in found:
        said = world.runner.run(world.store.journal.content(entry.request_id))
        assert said is not None
        answer = json.loads(dict(said.answers)["cache"])["choices"][0]["message"]["content"]
        wrong += world.rows[place].group not in answer
    assert wrong <= 0.2 * len(entries)
    account = world.runner.run(world.store.near.account("f"))
    assert account.hits == len(found) and account.pending == 0 and account.requests >= len(entries) - 5


def test_a_miss_says_why_nothing_near_was_given(served: Asked) -> None:
    reasons = " | ".join(str(draft.reason) for entry in served[1] if isinstance(draft := cached(entry), NoDraft))
    for said in ("too few labels for a map", "below the bar 0.85", "withheld by lot"):
        assert said in reasons


def test_a_replay_of_every_decision_is_the_live_one(served: Asked) -> None:
    world, entries = served
    for entry in entries[::7] + [entry for _, entry in hits(served)]:
        assert world.runner.run(replay(world.store, entry.request_id)).same


def test_a_replay_under_a_tighter_bound_does_not_give_what_was_given(served: Asked) -> None:
    world, _ = served
    entry = hits(served)[0][1]
    kept = world.runner.run(world.store.policies.get(entry.policy))
    assert kept is not None
    feature = decode(kept).features["f"]
    assert feature.cache.near is not None
    strict = replace(feature, cache=replace(feature.cache, near=replace(feature.cache.near, errors_per_request=0.001)))
    replayed = world.runner.run(replay_entry(entry, Policy.of({"f": strict})))
    assert not replayed.same and "budget" in str(replayed.steps)


def test_what_is_withheld_is_what_the_lot_says_with_its_propensity(served: Asked) -> None:
    world, entries = served
    rules = world.app.policy.features["f"].cache.near
    assert rules is not None
    done = [(entry, draft.near) for entry in entries if (draft := cached(entry)).near is not None]
    chosen = [(entry, near) for entry, near in done if near is not None and near.action != WATCHED]
    assert {near.action for _, near in chosen} == {HIT, EXPLORED} and {near.propensity for _, near in chosen} == {0.3}
    assert all(near_lot(rules, entry.draw).drawn == (near.action == EXPLORED) for entry, near in chosen)


def test_the_journal_holds_scalars_and_no_word_of_the_question(served: Asked) -> None:
    entry = hits(served)[0][1]
    assert "password" not in str(entry) and "vector" not in str(entry)


def test_a_question_in_another_context_is_not_near(served: Asked) -> None:
    world, _ = served
    row = world.rows[-1]
    request = world.request(row)
    body = json.loads(request.body)

    def asked(**changed: object) -> JournalEntry:
        again = world.request(row)
        parsed = {name: json.dumps(value).encode() for name, value in (body | changed).items()}
        raw = {name: msgspec.Raw(value) for name, value in parsed.items()}
        return world.entry(world.answer(replace(again, top=raw, body=json.dumps(body | changed).encode())).request_id)

    messages = body["messages"]
    for changed in (
        {"messages": [{"role": "system", "content": "Be short."}, *messages]},
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, *messages]},
        {"temperature": 0.7},
        {"messages": [{"role": "user", "content": f"<context>Other.</context> {messages[0]['content']}"}]},
    ):
        question = next(step.value.question for step in asked(**changed).steps if step.stage == "read")
        assert question.near is None
    stranger = replace(world.request(row), caller=replace(request.caller, tenant="stranger"))
    question = next(s.value.question for s in world.entry(world.answer(stranger).request_id).steps if s.stage == "read")
    assert question.near is None


def test_without_a_bound_it_only_watches_and_the_report_proposes_one(
    made: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made("", n=420)
    entries = [world.ask(row) for row in world.rows]
    assert not any(is_near_hit(entry) for entry in entries)
    assert any("no bound is declared" in str(cached(entry)) for entry in entries[-20:])
    assert world.runner.run(world.store.near.account("f")).hits == 0
    found = world.runner.run(near_report(world.store, world.app.policy, "f"))
    assert found is not None and found.why == "no bound is declared: it only watches"
    assert (found.kind, found.entries) == ("lexical", len(world.app.near.nearby)) and found.map_labels >= 200
    assert found.right.n > 300 and found.near.n > 20 and found.near.share is not None and found.near.share > 0.85
    assert [offer.errors_per_request for offer in found.offers] == [0.005, 0.01, 0.02, 0.05]
    assert found.offers[0].hits == 0 == found.offers[0].nanodollars  # 420 requests are too few for so tight a bound
    monkeypatch.setattr(cachereport, "BOUNDS", (0.005, 0.2, 0.4))
    found = world.runner.run(near_report(world.store, world.app.policy, "f"))
    assert found is not None and found.proposed == 0.2 and found.offers[1].hits > 0 and found.offers[1].nanodollars > 0


def test_a_report_of_what_serves_offers_nothing_and_has_nothing_to_explain(served: Asked) -> None:
    world, _ = served
    found = world.runner.run(near_report(world.store, world.app.policy, "f"))
    assert found is not None and found.offers == () and found.proposed is None and found.why == ""
    assert found.account.hits >= 20 and found.most_wrong > 0


def test_whoever_was_erased_leaves_the_memory_of_near_questions(made: Callable[..., World]) -> None:
    world, now = made("", n=4), time.time_ns()
    world.app.near._clock = lambda: now
    for user, row in zip(("ann", "bob"), {row.id: row for row in world.rows}.values(), strict=False):
        world.ask(row, attribution=Attribution(end_user=user))
    world.runner.run(world.look())
    assert len(world.app.near.nearby) == 2
    world.runner.run(world.store.journal.erase_subject(tenant="local", end_user="ann"))
    now += 11_000_000_000
    world.runner.run(world.look())
    assert len(world.app.near.nearby) == 1


def test_a_person_who_answers_judges_what_was_proposed_and_is_given_first(made: Callable[..., World]) -> None:
    world = made("", n=40, p="0.5")  # nothing of the model's is believed: everything goes to a person
    rows = list({row.id: row for row in world.rows if row.group == "password"}.values())[:3]
    for row, said in zip(rows, ("Open the password page.", "Open the password page.", "Ask the desk."), strict=True):
        entry = world.ask(row)
        assert entry.action == "escalate" and entry.case_id is not None
        world.runner.run(give(world.store, entry.case_id, said, general=True))
        world.runner.run(world.deliver())
    found = world.runner.run(world.store.near.proposals("f"))
    assert [(each.right, each.source, each.action) for each in found] == [
        (True, "person", "watched"), (False, "person", "watched"),
    ]  # fmt: skip
    items = world.runner.run(world.store.near.items())
    assert len(items) == 3 and all(item.by_person for item in items)


def test_in_observe_a_proposal_below_the_evidence_is_not_delivered_either(made: Callable[..., World]) -> None:
    world = made("errors_per_request = 0.01", n=60, mode="observe")
    entries = [world.ask(row) for row in world.rows]
    assert any(cached(entry).near is not None for entry in entries)
    assert not any(is_near_hit(entry) for entry in entries)


def test_answers_that_say_the_same_are_one_whatever_was_proposed_to_their_questions(served: Asked) -> None:
    world, _ = served
    answers = {item.answer for item in world.runner.run(world.store.near.items())}
    assert 5 <= len(answers) <= 10  # five things in one context; a few in those of another test


def test_a_hit_that_was_wrong_takes_its_answer_out_wherever_it_stands(made: Callable[..., World]) -> None:
    world = made()
    entry = next(entry for row in world.rows if is_near_hit(entry := world.ask(row)))
    question = next(step.value.question for step in entry.steps if step.stage == "read")
    before = world.runner.run(world.store.near.items())
    same = {item.fingerprint for item in before if item.answer == question.near.answer}
    assert len(same) > 1
    caller = replace(world.app.caller(None), scopes=("outcomes",))
    (told,) = world.runner.run(
        world.app.outcomes.report(caller, [Report(request_id=entry.request_id, outcome="wrong")])
    )
    assert told.retracted == len(same)
    assert not same & {item.fingerprint for item in world.runner.run(world.store.near.items())}
    (proposal,) = [p for p in world.runner.run(world.store.near.proposals("f")) if p.request_id == entry.request_id]
    assert (proposal.right, proposal.source) == (False, "client")


def test_nothing_is_given_that_the_account_cannot_be_told_of(
    made: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made()
    place = next(place for place, row in enumerate(world.rows) if is_near_hit(world.ask(row)))

    async def lost(*_: object, **__: object) -> tuple[bool, NearAccount]:
        raise StoreError("gone")

    monkeypatch.setattr(world.store.near, "propose", lost)
    later = [world.ask(row) for row in world.rows[place + 1 : place + 41]]
    assert not any(is_near_hit(entry) for entry in later)
    assert any("cannot be reached" in str(cached(entry)) for entry in later)


def test_another_process_goes_on_with_the_same_account_vectors_and_map(
    made: Callable[..., World], tmp_path: Path
) -> None:
    def store() -> SqliteStore:
        return SqliteStore(str(tmp_path / "store.db"), durability="batched", key="0b" * 32)

    world = made(store=store(), n=300)
    for row in world.rows:
        world.answer(world.request(row))
    world.runner.run(world.look())
    world.runner.run(world.app.close())
    again = made(store=store(), n=380)
    assert len(again.app.near.nearby) > 100
    rules = again.app.policy.features["f"].cache.near
    assert rules is not None and rules.line is not None
    again.asked = 10_000
    assert any(is_near_hit(again.ask(row)) for row in again.rows[300:])


def test_a_question_with_personal_data_is_near_for_its_own_user_only(made: Callable[..., World]) -> None:
    world = made("", n=3)
    row = world.rows[0]
    named = replace(row, query=f"{row.query} my mail is ann@example.org")

    def near(user: str) -> object:
        request = replace(world.request(row), attribution=Attribution(end_user=user))
        body = json.loads(request.body)
        body["messages"][-1]["content"] = named.query
        top = request.top | {"messages": msgspec.Raw(json.dumps(body["messages"]).encode())}
        asked = world.app.near.nearby.open(replace(request, top=top), "")
        return asked.asked.context

    assert near("ann") == near("ann") != near("bob")


def test_a_draft_of_the_cache_is_drafted_with_the_product_of_both_probabilities(served: Asked) -> None:
    draft = cached(hits(served)[0][1])
    assert isinstance(draft, Draft) and draft.near is not None and draft.near.p is not None
    assert draft.believed == pytest.approx(draft.near.p * 0.99) and draft.believed >= 0.85
