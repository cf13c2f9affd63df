"""The embedder: asked once a text, paid from the request's budget, kept with what was said, and done without when it fails."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.learn import asked_of, gathered, served
from surefoot.config.load import load_text
from surefoot.errors import ConfigError
from surefoot.learning.routing import Asked, fit_route
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records import Embedded, Entry, JournalEntry, Label, Request
from surefoot.signals.embedding import packed, unit
from surefoot.signals.router import Router, read_route, write_route
from surefoot.stats.routing import apgr
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

ASKED = Row(
    id="q", group="q", query="Mail ann@example.org: when do you open?", answers={name: RecordedAnswer("At 8.") for name in ("small", "big")},
)  # fmt: skip


def toml(url: str, file: Path, *, model: str = "meanings", more: str = "") -> str:
    return f"""
[providers.rows]
kind = "recorded"
file = "{file}"
[providers.vectors]
kind = "openai"
base_url = "{url}/v1"
retries = 0
[models.small]
provider = "rows"
[models.big]
provider = "rows"
[models.embedding]
provider = "vectors"
model = "{model}"
price = {{ input_usd_per_million = 2.0, output_usd_per_million = 0.0 }}
[embedder]
model = "embedding"
timeout_seconds = 0.2
[features.f]
ladder = ["small", "big"]
stream = "hold"
{more}
[features.f.route]
explore = 0.0
"""


def run(
    tmp_path: Path, work: Callable[[App, ScriptedUpstream], object], *, model: str = "meanings", more: str = "",
    vector: Sequence[float] = (3.0, 4.0),
) -> None:  # fmt: skip
    """Do something with a gateway whose embedder is behind a loopback server."""
    file = tmp_path / "rows.jsonl"
    file.write_bytes(msgspec.json.encode(ASKED))

    async def started() -> None:
        async with ScriptedUpstream(vector=lambda text: vector) as upstream:
            config = load_text(toml(upstream.url, file, model=model, more=more))
            app = await App.start(config, store=MemoryStore())
            try:
                await work(app, upstream)  # type: ignore[misc]
            finally:
                await app.close()

    asyncio.run(started())


async def ask(app: App) -> tuple[JournalEntry, list[Entry]]:
    request: Request = request_of(app, app.policy.features["f"], ASKED)
    await app.answer(request)
    entry = await app.store.journal.get(request.id)
    assert entry is not None
    return entry, list(await app.store.ledger.entries(request_id=request.id))


def lost(app: App) -> bool:
    return b'surefoot_lost_total{what="embedding"} 1.0' in app.metrics.text()


def test_a_question_is_embedded_once_billed_as_such_and_kept_with_its_words(tmp_path: Path) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        entry, lines = await ask(app)
        content = await app.store.journal.content(entry.request_id)
        assert content is not None and content.embedded == Embedded(
            embedder="openai/meanings@all", vector=packed(unit(np.array([3.0, 4.0])))
        )
        assert [(line.kind, line.rung, line.quantity, line.nanodollars) for line in lines] == [
            ("embedding", "embedder", 5, 10_000)
        ]
        again, nothing = await ask(app)
        kept = await app.store.journal.content(again.request_id)
        assert kept is not None and kept.embedded == content.embedded and nothing == []
        assert [seen.path for seen in upstream.seen] == ["/v1/embeddings"]

    run(tmp_path, work)


@pytest.mark.parametrize("model", ["server-error", "silent", "garbage"])
def test_what_fails_is_counted_and_the_question_is_answered_all_the_same(tmp_path: Path, model: str) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        entry, _ = await ask(app)
        content = await app.store.journal.content(entry.request_id)
        assert entry.action == "deliver" and content is not None and content.embedded is None and lost(app)

    run(tmp_path, work, model=model)


@pytest.mark.parametrize("vector", [(), (0.0, 0.0), (float("inf"), 1.0)])
def test_an_answer_without_a_usable_vector_counts_as_a_failure(tmp_path: Path, vector: Sequence[float]) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        await ask(app)
        assert lost(app)

    run(tmp_path, work, vector=vector)


def test_a_budget_without_room_spares_the_vector_and_not_the_answer(tmp_path: Path) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        entry, lines = await ask(app)
        assert entry.action == "deliver" and lines == [] and upstream.seen == [] and lost(app)

    run(tmp_path, work, more="budget = { usd = 0.000001 }")


def test_what_no_model_may_see_is_not_embedded(tmp_path: Path) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        await ask(app)
        assert b"ann@example.org" not in upstream.seen[0].body and b"when do you open" in upstream.seen[0].body

    run(tmp_path, work, more='mask = ["email"]')


def test_an_embedder_that_could_not_work_is_refused_by_the_key_at_fault(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(msgspec.json.encode(ASKED))
    good = toml("http://127.0.0.1:9", file)
    load_text(good)
    for wrong, key in (
        (good.replace('model = "embedding"', 'model = "embeding"'), "embedder.model"),
        (good.replace('model = "embedding"', 'model = "small"'), "embedder.model"),
        (good.replace("timeout_seconds = 0.2", "timeout_seconds = 0.0"), "embedder.timeout_seconds"),
        (good.replace("timeout_seconds", "dimensions = -1\ntimeout_seconds"), "embedder.dimensions"),
        (good.replace('model = "meanings"', 'model = "meanings"\nfallbacks = ["big"]'), "embedder.model"),
        (good.replace("[features.f.route]\nexplore = 0.0\n", ""), "embedder"),
    ):
        with pytest.raises(ConfigError) as raised:
            load_text(wrong)
        assert raised.value.key == key


def meant(n: int, seed: int, *, embedder: str = "openai/meanings@all") -> list[tuple[Asked, np.ndarray]]:
    """Invented: no two questions share a word, so that only the vector tells who needs the large model."""
    drawn = random.Random(seed)
    found = []
    for place in range(n):
        hard = drawn.random() < 0.5
        noise = np.array([drawn.gauss(0, 0.3) for _ in range(8)])
        vector = unit(noise + (np.eye(8)[0] if hard else np.eye(8)[1]))
        text = " ".join("".join(drawn.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(8))
        asked = Asked(
            text=text, group=str(place), accepted={"small": not hard, "big": True},
            embedded=Embedded(embedder=embedder, vector=packed(vector)),
        )  # fmt: skip
        found.append((asked, vector))
    return found


def test_vectors_tell_what_words_do_not_and_words_do_alone_where_there_is_none() -> None:
    fit = fit_route([asked for asked, _ in meant(200, 1)], ("small", "big"))
    assert fit is not None and fit.model.apgr is not None and fit.model.apgr > 0.7
    router, fresh = Router(read_route(write_route(fit.model)) or fit.model), meant(200, 2)
    weak, strong = (np.array([asked.accepted[rung] for asked, _ in fresh]) for rung in ("small", "big"))
    assert apgr([router.estimates(asked.text, vector)[1].gain for asked, vector in fresh], weak, strong) > 0.7
    assert abs(apgr([router.estimates(asked.text)[1].gain for asked, _ in fresh], weak, strong) - 0.5) < 0.15
    assert router.takes(fresh[0][1], "openai/meanings@all") and not router.takes(fresh[0][1], "openai/other@all")
    assert not router.takes(None, "openai/meanings@all") and not router.takes(np.ones(3), "openai/meanings@all")


def test_vectors_that_tell_nothing_are_left_out() -> None:
    drawn = np.random.default_rng(3)
    asked = [
        replace(each, embedded=Embedded(embedder="noise", vector=packed(unit(drawn.standard_normal(8)))))
        for each, _ in meant(120, 4)
    ]
    fit = fit_route(asked, ("small", "big"))
    assert fit is not None and (fit.model.meaning is None or abs(fit.estimates[0][1].gain - 0.5) < 0.3)


def test_labels_of_live_traffic_come_with_their_vectors(tmp_path: Path) -> None:
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        entry, _ = await ask(app)
        label = Label(
            id="l", request_id=entry.request_id, at_ns=1, tenant=entry.tenant, feature="f", rung=entry.rung or "",
            edition=entry.edition, verdict="accepted", source="client", group="q",
        )  # fmt: skip
        await app.store.labels.add(label)
        now = await served(app.store, app.serving.runtime.config)
        (asked,) = await asked_of(app.store, await gathered(app.store, now, "f"))
        assert asked.embedded == Embedded(embedder="openai/meanings@all", vector=packed(unit(np.array([3.0, 4.0]))))

    run(tmp_path, work)
