"""A gateway process with people and a handbook, and a real browser in front of it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from surefoot.app.passwords import hashed
from surefoot.demo.places import CLINIC
from surefoot.demo.process import free_port
from surefoot.records.person import Account
from surefoot.store import Store
from surefoot.store.open import open_store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "correct horse battery"
PEOPLE = {
    "amy": ("Amy Adler", "operator"),
    "ben": ("Ben Bauer", "operator"),
    "lea": ("Lea Lang", "lead"),
    "max": ("Max Meier", "manager"),
    "ada": ("Ada Auer", "auditor"),
}
CONFIG = f"""
[store]
database = "{{folder}}/surefoot.db"
key_file = "{{folder}}/surefoot.key"
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.clinic]
mode = "enforce"
ladder = ["quotes"]
person = "nurse"
[people.nurse]
holding = "A nurse will answer you."
"""
Got = TypeVar("Got")


class Place:
    """A gateway process over a database with PEOPLE; everybody's password is PASSWORD."""

    def __init__(self, folder: Path, *, config: str = CONFIG, people: bool = True) -> None:
        self.folder, self.file = folder, folder / "surefoot.toml"
        self.file.write_text(config.format(folder=folder))
        if people:
            self.in_store(_hire)
        self.start()

    def start(self) -> None:
        """Begin to serve, on a free port; returns once it answers."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "serve.log"
        command = [sys.executable, "-m", "surefoot", "serve", "--config", str(self.file), "--port", str(self.port)]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        for _ in range(400):
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            try:
                httpx.get(f"{self.url}/healthz")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the gateway did not answer:\n{self.log.read_text()}")

    def stop(self) -> None:
        """End the process, gracefully."""
        self.process.terminate()
        self.process.wait(20)

    def ask(self, question: str, *, feature: str = "clinic", user: str = "", **more: object) -> httpx.Response:
        """Ask as a client does; an unsure answer opens a case, named by x-surefoot-case."""
        body = {"model": feature, "messages": [{"role": "user", "content": question}], "user": user or "pat", **more}
        return httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=30)

    def case(self, question: str, **more: object) -> str:
        """The id of a new waiting case."""
        return self.ask(question, **more).headers["x-surefoot-case"]  # type: ignore[arg-type]

    def told(self, case_id: str) -> dict[str, object]:
        """What the waiting client is told of its case."""
        return dict(httpx.get(f"{self.url}/v1/cases/{case_id}").json())

    def in_store(self, work: Callable[[Store], Awaitable[Got]]) -> Got:
        """Do something with the database from here: on a thread, since the browser's loop runs on this one."""

        async def run() -> Got:
            store = open_store(str(self.folder / "surefoot.db"), key_file=str(self.folder / "surefoot.key"))
            await store.start()
            try:
                return await work(store)
            finally:
                await store.close()

        got: list[Got] = []
        thread = threading.Thread(target=lambda: got.append(asyncio.run(run())))
        thread.start()
        thread.join()
        return got[0]


class Visitors:
    """Browsers' windows on a place. A page that fails in the browser fails its test."""

    def __init__(self, browser: Browser, place: Place) -> None:
        self._browser, self.place = browser, place
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def visitor(self, **options: object) -> Page:
        """A window of somebody who is not logged in, with cookies of its own."""
        context = self._browser.new_context(base_url=self.place.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(8000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))
        return page

    def login(self, name: str = "amy", *, path: str = "/desk", **options: object) -> Page:
        """A window of somebody who has logged in through the form, at a path."""
        page = self.visitor(**options)
        page.goto(f"/login?next={path}")
        fill_login(page, name)
        page.wait_for_url(f"**{path}")
        return page

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and not text.startswith("Failed to load resource"):  # a refusal is no failure
            self.complaints.append(text)


def fill_login(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Account").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


async def _hire(store: Store) -> None:
    secret = hashed(PASSWORD)
    for name, (shown, role) in PEOPLE.items():
        await store.accounts.add(Account(name=name, shown=shown, role=role, password=secret), by="test")
