"""Learning without being asked: when it is time, what is doubted, who decides, and the one command back."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from benchmarks.loggedpage import HOUR_NS, Prepared, logged
from surefoot.app.promotion import previous, promote, proposals
from surefoot.app.relearning import BY, Relearning, Round
from surefoot.app.serving import Serving
from surefoot.config.load import Config, load_text
from surefoot.records import Commit, Draft, Evidence, Label, Question, Signal
from surefoot.store.memory import MemoryStore

TEXT = """
[providers.vendor]
kind = "openai"
[models.small]
provider = "vendor"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 2.0 }}
[people.nurse]
[features.f]
mode = "enforce"
ladder = ["small"]
person = "nurse"
confidence = {bar}
audit = 1.0
[features.f.maps.small]
signal = "judge"
a = {a}
b = 0.0
[learning]
{learning}
"""
NOW_NS = 400 * HOUR_NS


def config(learning: str, a: float = 1.0, bar: float = 0.5) -> Config:
    return load_text(TEXT.format(learning=learning, a=a, bar=bar))


class Fixed:
    """What serves, without providers behind it."""

    def __init__(self, given: Config) -> None:
        self.runtime = self
        self.config = given


async def filled(given: Config, requests: int = 120) -> MemoryStore:
    """Requests an hour apart; what is delivered is judged: the higher the judge's score, the more often right."""
    store, dice = MemoryStore(), random.Random(5)
    await store.start()
    for at in range(requests):
        score = dice.uniform(0.55, 0.95)
        question = Question(
            fingerprint=str(at), model="m", dialect="openai", surface="chat", stream=False, input_tokens=10,
            max_output_tokens=None,
        )  # fmt: skip
        evidence = {("small", ()): Evidence(signals=(Signal(name="judge", score=score),))}
        drafts = {"small": Draft(rung="small", provider="vendor", model="small", digest="")}
        entry = logged(
            Prepared(question=question, drafts=drafts, evidence=evidence), given.policy, name=f"r{at}", draw=f"{at:032x}",
            at_ns=(at + 1) * HOUR_NS + NOW_NS - 130 * HOUR_NS,
        )  # fmt: skip
        await store.commit(Commit(entry=entry))
        right = dice.random() < score
        if entry.action != "deliver":
            continue
        label = Label(
            id=f"l{at}", request_id=f"r{at}", at_ns=entry.at_ns, tenant="t", feature="f", rung="small", edition="e",
            verdict="accepted" if right else "wrong", source="audit", group=str(at), propensity=1.0,
        )  # fmt: skip
        await store.labels.add(label)
    return store


def looked(
    given: Config, store: Callable[[], Awaitable[MemoryStore]], *, times: int = 1
) -> tuple[list[Round | None], MemoryStore]:
    async def run() -> tuple[list[Round | None], MemoryStore]:
        kept = await store()
        serving: Serving = Fixed(given)  # type: ignore[assignment]
        loop = Relearning(kept, serving, lambda what: None, clock=lambda: NOW_NS)
        return [await loop.look() for _ in range(times)], kept

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("learning", "labels", "learns"),
    [("", 120, False), ("after_labels = 100", 120, True), ("after_labels = 200", 120, False), ("every_hours = 24", 120, True)],
)  # fmt: skip
def test_it_learns_when_the_configuration_says_that_it_is_time(learning: str, labels: int, learns: bool) -> None:
    given = config(learning)
    (found,), _ = looked(given, lambda: filled(given, labels))
    assert (found is not None) is learns


def test_a_candidate_is_proposed_and_a_second_look_learns_nothing_new() -> None:
    given = config("after_labels = 100")

    async def check(store: MemoryStore) -> None:
        (proposal,) = (await proposals(store)).values()
        assert (proposal.number, proposal.by) == (1, BY)
        assert await store.revisions.serving() == 0

    found, store = looked(given, lambda: filled(given), times=2)
    assert found[0] is not None and found[0].number == 1 and found[1] is None
    asyncio.run(check(store))


def test_what_passes_the_gate_serves_by_itself_where_that_is_allowed_and_one_command_goes_back() -> None:
    given = config('after_labels = 100\npromote = "auto"', a=0.2)  # the map that serves is far off

    async def back(store: MemoryStore) -> int:
        await promote(store, given, await previous(store))
        return await store.revisions.serving()

    (found,), store = looked(given, lambda: filled(given, 160))
    assert found is not None
    assert found.doubts == ()
    assert found.promoted is not None
    assert asyncio.run(store.revisions.serving()) == 1
    assert asyncio.run(back(store)) == 0


def test_what_a_replay_cannot_tell_is_proposed_with_the_doubt_even_where_it_might_serve() -> None:
    given = config(
        'every_hours = 1\npromote = "auto"', a=0.2, bar=0.6
    )  # too modest: most drafts went to the nurse unjudged
    (found,), store = looked(given, lambda: filled(given, 400))
    assert found is not None
    assert found.promoted is None
    assert "a replay cannot tell the error" in found.doubts[0]
    assert asyncio.run(store.revisions.serving()) == 0


@pytest.mark.parametrize("learning", ["after_labels = -1", 'promote = "auto"', 'promote = "never"'])
def test_options_that_say_nothing_are_refused(learning: str) -> None:
    with pytest.raises(Exception, match=r"after_labels|promote|learned by itself"):
        config(learning)
