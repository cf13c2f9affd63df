"""Outcomes reported through the official SDKs' own `post`, against the running process; what was told survives `kill -9`."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anthropic
import httpx
import openai
import pytest
from acceptance_support import messages
from typer.testing import CliRunner

from surefoot.cli.main import app
from surefoot.demo.places import clinic_toml
from surefoot.demo.process import free_port
from surefoot.store.open import open_store

QUESTION = "How long do repeat prescriptions take?"


def request_id(client: openai.OpenAI, model: str, text: str) -> str:
    """An answer's request id, as the SDK hands it out."""
    answer = client.chat.completions.create(model=model, messages=messages(text))
    assert answer._request_id is not None
    return answer._request_id


def test_openai_reports_with_the_request_id_it_was_given(client: openai.OpenAI) -> None:
    name = request_id(client, "plain", "outcomes: one")
    body = {"request_id": name, "outcome": "accepted", "reason": "copied"}
    first, again = (client.post("/outcomes", cast_to=object, body=body) for _ in range(2))
    assert (first["request_id"], first["outcome"], first["reason"]) == (name, "accepted", "copied")
    assert first["id"] == again["id"] and [first["new"], again["new"]] == [True, False]


def test_anthropic_reports_on_its_own_answers(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(model="claude-plain", max_tokens=50, messages=messages("outcomes: two"))
    body = {"request_id": answer._request_id, "outcome": "edited"}
    told = claude.post("/v1/outcomes", cast_to=object, body=body)
    assert told["outcome"] == "edited" and told["new"] is True


def test_what_is_wrong_with_a_report_is_the_sdks_own_error(client: openai.OpenAI, claude: anthropic.Anthropic) -> None:
    with pytest.raises(openai.BadRequestError) as malformed:
        client.post("/outcomes", cast_to=object, body={"request_id": "x", "outcome": "fine"})
    assert malformed.value.param == "outcome"
    with pytest.raises(openai.NotFoundError):
        client.post("/outcomes", cast_to=object, body={"request_id": "req_none", "outcome": "wrong"})
    with pytest.raises(anthropic.NotFoundError) as unknown:
        claude.post("/v1/outcomes", cast_to=object, body={"request_id": "req_none", "outcome": "wrong"})
    assert unknown.value.body["error"]["type"] == "not_found_error"


def test_a_list_tells_of_each_report(client: openai.OpenAI) -> None:
    names = [request_id(client, "plain", f"outcomes: list {number}") for number in range(3)]
    reports = [{"request_id": name, "outcome": "accepted"} for name in (*names, "req_none")]
    told = client.post("/outcomes", cast_to=object, body={"outcomes": reports})
    assert [each.get("new") for each in told["data"]] == [True, True, True, None]
    assert told["data"][3]["error"]["code"] == "not_found"


def test_a_wrong_cached_answer_is_not_given_again(client: openai.OpenAI) -> None:
    def cache(text: str) -> tuple[str, str]:
        raw = client.chat.completions.with_raw_response.create(model="believed", messages=messages(text))
        return raw.headers["x-surefoot-cache"], raw.headers["x-request-id"]

    assert cache("outcomes: cached")[0] == "miss"
    hit, name = cache("outcomes: cached")
    assert hit == "hit"
    told = client.post("/outcomes", cast_to=object, body={"request_id": name, "outcome": "wrong"})
    assert told["rung"] == "cache" and told["retracted"] == 1
    assert [cache("outcomes: cached")[0] for _ in range(2)] == ["miss", "hit"]


def test_an_answer_in_a_stream_can_be_reported(client: openai.OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="plain", messages=messages("outcomes: stream"), stream=True
    ) as stream:
        name = stream.headers["x-request-id"]
        assert sum(1 for _ in stream.iter_lines()) > 1
    told = client.post("/outcomes", cast_to=object, body={"request_id": name, "outcome": "accepted"})
    assert told["new"] is True


class Process:
    """A clinic of its own, that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.config, self.port, self.folder = folder / "surefoot.toml", free_port(), folder
        self.config.write_text(clinic_toml(folder))
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "surefoot", "serve", "--config", str(self.config), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def key(self, *more: str) -> str:
        command = ["key", "create", "--tenant", "acme", "--json", "--config", str(self.config), *more]
        return str(json.loads(CliRunner().invoke(app, command).output)["key"])

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(by)
            self.process.wait(20)

    def client(self, key: str = "none") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=40)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.end()


def test_only_a_key_with_the_scope_reports(clinic: Process) -> None:
    asking, telling = clinic.key(), clinic.key("--scope", "outcomes")
    clinic.start()
    with clinic.client(asking) as client, clinic.client(telling) as teller:
        name = request_id(client, "clinic", QUESTION)
        body = {"request_id": name, "outcome": "wrong"}
        with pytest.raises(openai.PermissionDeniedError) as refused:
            client.post("/outcomes", cast_to=object, body=body)
        assert refused.value.code == "permission_denied" and "--scope outcomes" in refused.value.message
        assert teller.post("/outcomes", cast_to=object, body=body)["outcome"] == "wrong"


@pytest.mark.parametrize("round_", range(2))
def test_every_label_that_was_told_is_there_after_a_kill(clinic: Process, round_: int) -> None:
    clinic.start()
    with clinic.client() as client:
        name = request_id(client, "clinic", QUESTION)
    told: list[str] = []

    async def report(http: httpx.AsyncClient, number: int) -> None:
        for each in range(1000):
            asked = await http.post(
                "/v1/chat/completions", json={"model": "clinic", "messages": messages(f"{number}.{each}")}
            )
            named = {
                "request_id": asked.headers.get("x-request-id", name),
                "outcome": "edited",
                "rung": "",
                "reason": "Too long.",
            }
            reports = [named, {"request_id": name, "outcome": ("wrong", "accepted", "edited")[each % 3]}]
            response = await http.post("/v1/outcomes", json={"outcomes": reports})
            told.extend(one["id"] for one in response.json()["data"] if "id" in one)

    async def run() -> list[object]:
        async with httpx.AsyncClient(base_url=clinic.url) as http:
            tasks = [asyncio.create_task(report(http, number)) for number in range(4)]
            while len(told) < 20:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.07 * round_)
            clinic.end(signal.SIGKILL)
            return await asyncio.gather(*tasks, return_exceptions=True)

    ended = asyncio.run(run())
    assert all(isinstance(each, httpx.HTTPError) for each in ended)
    assert set(told) <= set(asyncio.run(kept(clinic.folder)))


async def kept(folder: Path) -> list[str]:
    """The labels in the database of a process that is gone."""
    key_file = str(folder / "surefoot.key")
    store = open_store(str(folder / "surefoot.db"), durability="acknowledged", key_file=key_file)
    await store.start()
    labels = [label.id for label in await store.labels.all()]
    await store.close()
    return labels


def test_asking_again_after_a_restart_is_the_same_label(clinic: Process) -> None:
    clinic.start()
    with clinic.client() as client:
        body = {"request_id": request_id(client, "clinic", QUESTION), "outcome": "accepted"}
        first = client.post("/outcomes", cast_to=object, body=body)
        clinic.end(signal.SIGKILL)
        clinic.start()
        again = client.post("/outcomes", cast_to=object, body=body)
    assert (first["id"], first["created"], again["new"]) == (again["id"], again["created"], False)
