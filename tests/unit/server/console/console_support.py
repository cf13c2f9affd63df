"""The console behind its door, in this process, over the memory store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar

import httpx
from door_support import CONFIG

from surefoot.app import App
from surefoot.app.passwords import hashed
from surefoot.app.people import People
from surefoot.config.load import load_text
from surefoot.config.schema import Server
from surefoot.records.person import ROLES, Account
from surefoot.server.asgi import Wire
from surefoot.server.console.app import Console
from surefoot.store.memory import MemoryStore

PASSWORD = "correct horse battery"
HASH = hashed(PASSWORD)  # once: it takes a tenth of a second
Got = TypeVar("Got")


class Office:
    """A console where a person of each role works, named by the role; everybody's password is PASSWORD."""

    def __init__(
        self, settings: Server | None = None, *, roles: tuple[str, ...] = ROLES, config: str = CONFIG
    ) -> None:
        self.runner, self.settings = asyncio.Runner(), settings or Server()
        self.store = MemoryStore()
        self.app = self.run(App.start(load_text(config), store=self.store))
        self.people = People(self.store)
        self.wire = Wire(self.app, self.settings, Console(self.app, self.people, self.settings))
        for role in roles:
            self.run(self.store.accounts.add(Account(name=role, shown=role.title(), role=role, password=HASH), by="t"))

    def run(self, work: Awaitable[Got]) -> Got:
        async def waited() -> Got:
            return await work

        return self.runner.run(waited())

    def browser(self, host: str = "localhost:8080") -> Browser:
        """A browser that has no cookies yet."""
        return Browser(self, host)

    def login(self, name: str, host: str = "localhost:8080") -> Browser:
        """A browser in which somebody has logged in."""
        browser = self.browser(host)
        assert browser.login(name).status_code == 303
        return browser

    def close(self) -> None:
        self.run(self.app.close())
        self.runner.close()


class Browser:
    """Keeps cookies and fills in forms."""

    def __init__(self, office: Office, host: str) -> None:
        self.office, self.host, self.jar, self.token = office, host, dict[str, str](), ""

    def send(self, method: str, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """One request with the cookies of before."""
        sent = {"cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items()), "host": self.host, "accept": "text/html"}

        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(self.office.wire, client=("10.0.0.1", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                given = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, data=data, headers=sent | given)

        answer = self.office.runner.run(run())
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.jar[name] = value
            if "Max-Age=0" in cookie:
                del self.jar[name]
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page; its form's token is remembered."""
        answer = self.send("GET", path, **headers)
        found = re.search(r'name="csrf" content="(\w+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send the form of the page that was last loaded."""
        return self.send("POST", path, {"csrf": self.token} | fields)

    def login(self, name: str, password: str = PASSWORD, onward: str = "/account") -> httpx.Response:
        """Log in through the form, and load the page behind it."""
        self.get("/login")
        answer = self.post("/login", name=name, password=password, next=onward)
        if answer.status_code == 303:
            self.get("/account")
        return answer
