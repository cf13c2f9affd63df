"""A gateway over recorded answers, in this process: what a request leaves behind can be looked at."""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.reply import Reply
from surefoot.config.load import Config, load_text
from surefoot.errors import RequestRefused
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Case, JournalEntry, Label
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

CONFIG = """
[providers.rows]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rows"
[models.big]
provider = "rows"
"""
PLAIN = """
[features.f]
mode = "enforce"
ladder = ["small"]
audit = 0.3
[features.f.maps.small]
p = 0.9
"""


def lot(number: int, seed: str = "") -> str:
    """The fixed draw of the request of this number."""
    return blake2b(f"{seed}{number}".encode(), digest_size=16).hexdigest()


class Gateway:
    """An App over rows "0", "1", ...; `right[n]` says whether every model's answer to row n is right."""

    def __init__(self, folder: Path, features: str = PLAIN, right: Sequence[bool] = (True,) * 5) -> None:
        self.rows = [
            Row(
                id=str(n),
                query=f"Question {n}?",
                answers={m: RecordedAnswer(f"Answer {n}.", ok) for m in ("small", "big")},
            )
            for n, ok in enumerate(right)
        ]
        self.file = folder / "rows.jsonl"
        self.file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in self.rows))
        self.store = MemoryStore()
        self.runner = asyncio.Runner()
        self.app: App = self.runner.run(App.start(self.config(features), store=self.store))

    def config(self, features: str) -> Config:
        return load_text(CONFIG.format(file=self.file) + features)

    def reload(self, features: str) -> None:
        self.runner.run(self.app.reload(self.config(features)))

    def ask(self, number: int = 0, *, draw: str | None = None) -> Reply:
        request = request_of(self.app, self.app.policy.features["f"], self.rows[number])
        return self.runner.run(self.app.answer(replace(request, draw=draw or request.draw)))

    def entry(self, reply: Reply) -> JournalEntry:
        found = self.runner.run(self.store.journal.get(reply.request_id))
        assert found is not None
        return found

    def case(self, reply: Reply) -> Case | None:
        name = self.entry(reply).case_id
        return None if name is None else self.runner.run(self.store.cases.get(name, tenant="local"))

    def labels(self) -> Sequence[Label]:
        return self.runner.run(self.store.labels.all())

    def report(self, *reports: object) -> list:
        return list(self.runner.run(self.app.outcomes.report(self.app.caller(None), reports)))  # type: ignore[arg-type]

    def refused(self, report: object) -> RequestRefused:
        (told,) = self.report(report)
        assert isinstance(told, RequestRefused)
        return told

    def close(self) -> None:
        self.runner.run(self.app.close())
        self.runner.close()
