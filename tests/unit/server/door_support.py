"""A gateway behind its door, in this process, over the memory store."""

import asyncio
from hashlib import sha256

import httpx

from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.config.schema import Server
from surefoot.demo.places import CLINIC
from surefoot.records import Key
from surefoot.server.asgi import Wire
from surefoot.store.memory import MemoryStore

CONFIG = f"""
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.clinic]
mode = "enforce"
ladder = ["cache", "quotes"]
person = "nurse"
[features.clinic.maps.quotes]
p = 0.9
[features.other]
ladder = ["quotes"]
[people.nurse]
"""
KNOWN, UNKNOWN = "How long do repeat prescriptions take?", "Who was Tutankhamun?"


class Door:
    """A gateway with the keys "a" and "b" of two tenants, "r" revoked, "o" for one feature; "s" and "t" may report outcomes,
    of the first tenant and of the second, "p" too but only of feature "other"."""

    def __init__(self, *, keyed: bool = True) -> None:
        self.runner = asyncio.Runner()
        self.app = self.runner.run(self._start(keyed))

    async def _start(self, keyed: bool) -> App:
        store = MemoryStore()
        keys = [
            ("a", "acme", (), None, ()),
            ("b", "bravo", (), None, ()),
            ("r", "acme", (), 5, ("outcomes",)),
            ("o", "acme", ("other",), None, ()),
            ("s", "acme", (), None, ("outcomes",)),
            ("t", "bravo", (), None, ("outcomes",)),
            ("p", "acme", ("other",), None, ("outcomes",)),
        ]
        for name, tenant, features, revoked, scopes in keys if keyed else ():
            await store.keys.put(
                Key(
                    id=f"key_{name}", prefix=name, hash=sha256(name.encode()).hexdigest(), tenant=tenant, features=features,
                    revoked_at_ns=revoked, scopes=scopes,
                )
            )  # fmt: skip
        return await App.start(load_text(CONFIG), store=store)

    def send(
        self, method: str, path: str, key: str | None = None, json: object = None, **headers: str
    ) -> httpx.Response:
        if key is not None:
            headers["authorization"] = f"Bearer {key}"

        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(Wire(self.app, Server()), client=("10.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
                return await client.request(method, path, json=json, headers=headers)

        return self.runner.run(run())

    def ask(self, question: str, key: str | None = "a", model: str = "clinic", **headers: str) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": question}]}
        return self.send("POST", "/v1/chat/completions", key, body, **headers)

    def close(self) -> None:
        self.runner.run(self.app.close())
        self.runner.close()
