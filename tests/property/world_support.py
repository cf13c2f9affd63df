"""A gateway and its vendor on one loop, for laws about whole requests."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records import Request
from surefoot.store import Store
from surefoot.store.memory import MemoryStore
from surefoot.wire.dialects import DIALECTS


class World:
    """Begins with nothing in its store, memory unless it is given; `config` is given the vendor's address."""

    def __init__(
        self, config: Callable[[str], str], *, store: Store | None = None, texts: Mapping[str, str] | None = None
    ) -> None:
        self.runner = asyncio.Runner()
        self.upstream = ScriptedUpstream(chunks=8, texts=texts)
        self.runner.run(self.upstream.__aenter__())
        self.app: App = self.runner.run(App.start(load_text(config(self.upstream.url)), store=store or MemoryStore()))
        self.count = 0

    def close(self) -> None:
        self.runner.run(self.app.close())
        self.runner.run(self.upstream.__aexit__())
        self.runner.close()

    def request(
        self, dialect: str, feature: str, question: str, *, stream: bool = False, surface: str = "chat",
        passages: Sequence[str] = (),
    ) -> Request:  # fmt: skip
        """A request that no other is the same as."""
        self.count += 1
        body = DIALECTS[dialect].ask(question, passages, model="surefoot", stream=stream)
        if surface == "embeddings":
            body = msgspec.json.encode({"model": "surefoot", "input": question})
        parsed = DIALECTS[dialect].parse(body, surface=surface)
        return Request(
            id=f"req_{self.count}", at_ns=time.time_ns(), draw=f"{self.count:032x}", dialect=dialect, surface=surface,
            caller=self.app.caller(None), feature=feature, model="surefoot", stream=stream, body=body, top=parsed.top,
            max_output_tokens=parsed.max_output_tokens,
        )  # fmt: skip
