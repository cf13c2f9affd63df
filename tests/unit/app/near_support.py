"""A gateway with a near cache over a stream of invented questions; each request can be followed by a look at the store."""

import asyncio
import random
from pathlib import Path

import msgspec
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.reply import Reply
from surefoot.config.load import load_text
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Draft, JournalEntry, NoDraft, Request
from surefoot.store import Store
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

THINGS = ("password", "invoice", "delivery", "voucher", "payment method")
GREETINGS = ("hello", "hi", "so", "well", "good morning", "excuse me")
OPENINGS = ("how do i change", "i want to change", "please help me change", "where can i change", "can you change")
ENDINGS = ("right away", "on the website", "in the app", "thanks", "at once please", "for my account", "if possible")
SERVING = "errors_per_request = 0.2\nshadow_requests = 100"


def stream(n: int, seed: int = 1) -> list[Row]:
    """Questions about five things. What is asked is named once; the rest of the wording is drawn."""
    drawn, found = random.Random(seed), dict[str, Row]()
    asked = []
    for place in range(n):
        thing = drawn.choice(THINGS)
        words = (drawn.choice(GREETINGS), drawn.choice(OPENINGS), "my", thing, drawn.choice(ENDINGS))
        query, answer = " ".join(words), RecordedAnswer(text=f"Open the {thing} page.", correct=True)
        asked.append(found.setdefault(query, Row(id=f"q{place}", group=thing, query=query, answers={"small": answer})))
    return asked


def config(file: Path, more: str, mode: str = "enforce", p: str = "0.99") -> str:
    """The configuration; every answer of the model is believed with `p`."""
    return f"""
[providers.rows]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rows"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 4.0 }}
[features.f]
mode = "{mode}"
stream = "hold"
ladder = ["cache", "small"]
maps.small = {{ p = {p} }}
[features.f.cache]
kind = "near"
{more}
"""


class World:
    """A gateway over a stream; `ask` gives what the journal has of a request."""

    def __init__(
        self, folder: Path, more: str = SERVING, *, store: Store | None = None, n: int = 500, **how: str
    ) -> None:
        self.rows, self.file = stream(n), folder / "rows.jsonl"
        self.file.write_bytes(
            b"\n".join(msgspec.json.encode(row) for row in {row.id: row for row in self.rows}.values())
        )
        self.store, self.runner, self.asked = store or MemoryStore(), asyncio.Runner(), 0
        self.app: App = self.runner.run(App.start(load_text(config(self.file, more, **how)), store=self.store))

    def request(self, row: Row, **changed: object) -> Request:
        """A request for a row, with an id and a lot of its own."""
        self.asked += 1
        made = request_of(self.app, self.app.policy.features["f"], row)
        draw = random.Random(self.asked).getrandbits(128).to_bytes(16, "big").hex()
        return replace(made, id=f"req_{self.asked:024d}", draw=draw, **changed)

    def answer(self, request: Request) -> Reply:
        """The answer; now and then the process looks at the store, as it does every second."""

        async def once() -> Reply:
            reply = await self.app.answer(request)
            if self.asked % 5 == 0:
                await self.look()
            return reply

        return self.runner.run(once())

    async def look(self) -> None:
        """Follow the store once."""
        await self.app.near.refresh()
        await self.app.serving._look()

    async def deliver(self) -> None:
        """Deliver people's answers, and follow the store."""
        await self.app.waiting.deliver()
        await self.look()

    def ask(self, row: Row, **changed: object) -> JournalEntry:
        """What the journal has of a request."""
        return self.entry(self.answer(self.request(row, **changed)).request_id)

    def entry(self, request_id: str) -> JournalEntry:
        """A journal entry."""
        self.runner.run(self.store.flush())
        found = self.runner.run(self.store.journal.get(request_id))
        assert found is not None
        return found

    def close(self) -> None:
        """End it."""
        self.runner.run(self.app.close())
        self.runner.close()


def cached(entry: JournalEntry) -> Draft | NoDraft:
    """What the cache gave, or why it gave nothing."""
    return next(step.value for step in entry.steps if step.stage == "call" and step.rung == "cache")


def is_near_hit(entry: JournalEntry) -> bool:
    """Whether the answer to a near question was delivered."""
    draft = cached(entry)
    return isinstance(draft, Draft) and draft.near is not None and entry.rung == "cache"
