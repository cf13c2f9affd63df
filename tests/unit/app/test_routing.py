"""A learned start end to end: declared at first, learned from a file, served, told to whoever asks, replayed."""

import asyncio
import json
import random
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from surefoot.app import App
from surefoot.app.learn import Learnt, candidate, served
from surefoot.app.rounds import question_of
from surefoot.cli.main import app as commands
from surefoot.config.build import rung_models
from surefoot.config.load import load_text
from surefoot.errors import ConfigError
from surefoot.policy.learned import encode_learned
from surefoot.providers.rows import RecordedAnswer, Row, read_rows
from surefoot.records import Request, Reservation, Routed
from surefoot.replay import replay
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of
from surefoot.trial.learn import learn_from_rows

SMALL, LARGE = "gpt-4o-mini", "gpt-4o"
EASY, HARD = "when do you open on", "prove the theorem of"


def rows(n: int) -> list[Row]:
    """Invented: the small model is right about easy questions only."""
    drawn = random.Random(1)
    found = []
    for place in range(n):
        hard = drawn.random() < 0.5
        query = f"{HARD if hard else EASY} {drawn.choice(['monday', 'tuesday', 'friday'])} number {place}"
        answers = {
            SMALL: RecordedAnswer(text="I think so.", correct=not hard),
            LARGE: RecordedAnswer(text="It is so.", correct=True),
        }
        found.append(Row(id=f"q{place}", group=f"q{place}", query=query, answers=answers))
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("route") / "rows.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows(160)))
    return path


def toml(file: Path, more: str = "[features.f.route]\nexplore = 0.0\n") -> str:
    price = "{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }"
    return f"""
[providers.rec]
kind = "recorded"
file = "{file}"
[models.{SMALL}]
provider = "rec"
price = {price}
[models."{LARGE}"]
provider = "rec"
price = {price.replace("0.1", "2.5").replace("0.4", "10.0")}
[features.f]
ladder = ["{SMALL}", "{LARGE}"]
stream = "hold"
{more}"""


def asked(app: App, row: Row, **more: object) -> Request:
    return replace(request_of(app, app.policy.features["f"], row), **more)


async def route_of(app: App, request: Request) -> Routed | None:
    await app.answer(request)
    entry = await app.store.journal.get(request.id)
    assert entry is not None and (await replay(app.store, request.id)).same
    return next((step.value for step in entry.steps if isinstance(step.value, Routed)), None)


def test_without_labels_the_start_is_declared_and_says_so(file: Path) -> None:
    async def run() -> None:
        app = await App.start(load_text(toml(file)), store=MemoryStore())
        routed = await route_of(app, asked(app, read_rows(file)[0]))
        assert routed is not None and routed.source == "heuristic"
        assert [each.rung for each in routed.candidates] == [SMALL, LARGE]
        await app.close()

    asyncio.run(run())


def test_a_feature_without_a_route_begins_at_the_bottom_and_journals_nothing_of_it(file: Path) -> None:
    async def run() -> None:
        app = await App.start(load_text(toml(file, "")), store=MemoryStore())
        assert await route_of(app, asked(app, read_rows(file)[0])) is None
        await app.close()

    asyncio.run(run())


def test_what_labels_teach_is_promoted_served_explained_and_replayed(file: Path) -> None:
    async def run() -> None:
        cheap = "[features.f.route]\nexplore = 0.0\nperson_seconds = 2.0\n"
        store, config = MemoryStore(), load_text(toml(file, cheap))
        app = await App.start(config, store=store)
        found, report = await learn_from_rows(read_rows(file), config, "f", rung_models(config.settings), person=False)
        now = await served(store, config)
        after = candidate(now, [Learnt(found=found, report=report, sources={})])
        number = await store.revisions.add(encode_learned(after), note="", at_ns=1)
        await store.revisions.promote(number, at_ns=2)
        await app.serving.begin()
        labelled = read_rows(file)
        starts = {}
        for word in (EASY, HARD):
            row = next(row for row in labelled if row.query.startswith(word))
            routed = await route_of(app, asked(app, row))
            assert routed is not None and routed.source == "fitted"
            starts[word] = routed.start
        assert starts == {EASY: SMALL, HARD: LARGE}
        told = json.loads((await app.answer(asked(app, labelled[0], debug=True))).body)["surefoot"]
        assert {each["rung"] for each in told["route"]["candidates"]} == {SMALL, LARGE}
        assert "route" not in json.loads((await app.answer(asked(app, labelled[0]))).body)["surefoot"]
        await app.close()

    asyncio.run(run())


def test_a_session_whose_prefix_is_warm_is_expected_to_cost_less_where_it_is(file: Path) -> None:
    async def run() -> None:
        config = load_text(toml(file).replace("0.1,", "0.1, cached_usd_per_million = 0.01,"))
        app = await App.start(config, store=MemoryStore())
        row = read_rows(file)[0]
        first = asked(app, row)
        session = replace(first.attribution, session="s1")
        cold, warm = [], []
        for kept in (cold, warm):
            request = asked(app, row, attribution=session)
            await app.answer(request)
            entry = await app.store.journal.get(request.id)
            assert entry is not None
            kept += list(entry.steps[0].value.question.prospects)  # type: ignore[union-attr]
        began = (await replay(app.store, request.id)).steps[1].value
        assert isinstance(began, Routed)
        same = next(place for place, each in enumerate(cold) if each.rung == began.start)
        assert warm[same].warm_tokens > 0 == cold[same].warm_tokens
        await app.close()

    asyncio.run(run())


def test_waiting_is_journaled_as_it_was_observed_and_outlives_the_process(file: Path) -> None:
    async def run() -> None:
        store, config = MemoryStore(), load_text(toml(file))
        row, seen = read_rows(file)[0], []
        for _ in range(2):
            app = await App.start(config, store=store)
            for _ in range(6):
                request = asked(app, row)
                routed = await route_of(app, request)
                prospects = question_of(await store.journal.get(request.id)).prospects  # type: ignore[arg-type]
                seen.append({each.rung: each.seconds for each in prospects}[routed.start])  # type: ignore[union-attr]
        await app.close()
        assert seen[:5] == [None] * 5 and None not in seen[5:]

    asyncio.run(run())


def test_what_is_left_of_a_budget_is_journaled_as_a_scalar_and_replayed(file: Path) -> None:
    async def run() -> None:
        more = 'budget = { usd = 0.1, window = "total" }\n[features.f.route]\nexplore = 0.0\nperson_seconds = 0\n'
        app = await App.start(load_text(toml(file, more)), store=MemoryStore())
        scarcities = []
        for _ in range(3):
            request = asked(app, read_rows(file)[0])
            await route_of(app, request)
            scarcities.append(question_of(await app.store.journal.get(request.id)).scarcity)  # type: ignore[arg-type]
            limits = app.serving.runtime.budgets.limits(request.caller, "f", request.at_ns)
            reserved = Reservation(
                id=request.id, request_id="r", at_ns=1, tenant="t", key_id="k", feature="f", rung="small", provider="p",
                model="m", nanodollars=45_000_000, limits=limits,
            )  # fmt: skip
            if len(scarcities) < 3:
                await app.store.reserve(reserved)
            await app.serving.balances.refresh()
        assert scarcities[0] is None and scarcities[1] == 1.0 and scarcities[2] == pytest.approx(2.0, rel=0.05)
        await app.close()

    asyncio.run(run())


def test_tune_shows_the_frontier_beside_always_either_model(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text(toml(file))
    ran = CliRunner().invoke(commands, ["tune", "--from", str(file), "--feature", "f", "-c", str(config), "--json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.output)
    small, large = found["always"][SMALL], found["always"][LARGE]
    chosen = next(point for point in found["points"] if point["times"] == 1)
    assert chosen["wrong"]["estimate"] < small["wrong"]["estimate"] - 0.3
    assert chosen["nanodollars"] < large["nanodollars"]
    assert found["labels_needed"] == 0 and found["questions"] == 160


@pytest.mark.parametrize("more", ["explore = 1.5", "person_seconds = -1.0", "second_value = -0.1", "shadow = 2"])
def test_rules_that_make_no_sense_are_refused(file: Path, more: str) -> None:
    with pytest.raises(ConfigError, match=r"explore|person_seconds|second_value|shadow"):
        load_text(toml(file, f"[features.f.route]\n{more}\n"))
