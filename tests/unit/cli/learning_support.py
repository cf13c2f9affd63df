"""A clinic's feature with traffic in a store: what the learning commands are tried on."""

import asyncio
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import replace
from typer.testing import CliRunner, Result

from surefoot.app import App
from surefoot.app.rounds import sheet, targets, write
from surefoot.cli.main import app
from surefoot.config.load import load
from surefoot.demo.places import CLINIC, CLINIC_MESSAGES
from surefoot.providers.rows import Row, read_rows
from surefoot.store import Store
from surefoot.store.open import open_store
from surefoot.trial.asking import request_of
from surefoot.trial.grade import grade

CONFIG = f"""
[store]
database = "s.db"
key_file = "s.key"
[providers.handbook]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[providers.simulation]
kind = "simulated"
folder = "{CLINIC / "handbook"}"
file = "{CLINIC_MESSAGES}"
[models.quotes]
provider = "handbook"
[models.flagship]
provider = "simulation"
[features.clinic]
ladder = ["quotes", "flagship"]
audit = 0.9
"""


def surefoot(*command: str, keys: str | None = None) -> Result:
    return CliRunner().invoke(app, list(command), input=keys, env={"COLUMNS": "80", "TERM": "dumb"})


def rows(n: int) -> tuple[Row, ...]:
    return read_rows(CLINIC_MESSAGES, limit=n)


def traffic(n: int, file: str = "surefoot.toml") -> None:
    """The first messages of the demo, through the ladder."""

    async def run() -> None:
        gateway = await App.start(load(file))
        feature = gateway.policy.features["clinic"]
        for row in rows(n):
            lot = blake2b(row.id.encode(), digest_size=16).hexdigest()  # the same audits in every run
            await gateway.answer(replace(request_of(gateway, feature, row), row=None, draw=lot))
        await gateway.close()

    asyncio.run(run())


async def opened(file: str = "surefoot.toml") -> Store:
    settings = load(file).settings.store
    store = open_store(settings.database, key_file=settings.key_file)
    await store.start()
    return store


def judge_all(*, since_ns: int | None = None, at_ns: int = 1_800_000_000_000_000_000) -> int:
    """Label everything as the messages' own facts have it; how many labels that made."""

    async def run() -> int:
        store = await opened()
        known = {row.query: row for row in rows(1000)}
        written = 0
        for target in await targets(store, ["clinic"], since_ns=since_ns):
            seen = await sheet(store, target, {})
            right = grade(known[seen.question], recorded_as=None, text=seen.draft) if seen is not None else None
            if right is not None:
                verdict = "accepted" if right else "wrong"
                written += await write(store, target, verdict, by="", at_ns=at_ns) is not None
        await store.close()
        return written

    return asyncio.run(run())


def fits(said: str) -> bool:
    return all(len(line) <= 80 for line in said.splitlines())


def configured(folder: Path, text: str = CONFIG) -> Path:
    file = folder / "surefoot.toml"
    file.write_text(text, "utf-8")
    return file
