"""The caller waits as it likes: poll, held, SSE and webhook with the official SDKs against the running process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import anthropic
import httpx
import openai
import pytest
from acceptance_support import messages
from anthropic.types import Message
from openai.types.chat import ChatCompletion
from waiting_support import give

from surefoot.app.receiving import Receiver
from surefoot.app.webhooks import is_signed
from surefoot.demo.places import CLINIC
from surefoot.demo.process import free_port, serving
from surefoot.records import Case
from surefoot.store import Store
from surefoot.store.open import open_store

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
held_seconds = 30
webhook_secret = "shared"
webhook_allow = ["127.0.0.1"]
[features.patient]
mode = "enforce"
ladder = ["quotes"]
person = "nurse"
wait = "held"
held_seconds = 30
[features.called]
mode = "enforce"
ladder = ["quotes"]
person = "nurse"
wait = "webhook"
webhook = "{{receiver}}/by-feature"
webhook_secret = "shared"
webhook_allow = ["127.0.0.1"]
[people.nurse]
holding = "A nurse will answer you."
retry_after_seconds = 7
"""
EXAMPLE = Path(__file__).parents[2] / "examples" / "waiting_case.py"
HOLDING = "A nurse will answer you."
T = TypeVar("T")


class Clinic:
    """A gateway process, a receiver of webhooks, and a nurse who looks into the same database."""

    def __init__(self, url: str, receiver: Receiver, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.url, self.receiver, self.store, self._loop = url, receiver, store, loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def case_of(
        self, fingerprint_of: Callable[[Case], bool] = lambda case: True, known: frozenset[str] = frozenset()
    ) -> Case:
        """The newest case that waits and was not known, once there is one."""
        for _ in range(1000):
            found = self.run(self.store.cases.open_cases(kind="question"))
            if fresh := [case for case in found if case.id not in known and fingerprint_of(case)]:
                return fresh[-1]
            time.sleep(0.02)
        raise AssertionError("no case was opened")

    def known(self) -> frozenset[str]:
        return frozenset(case.id for case in self.run(self.store.cases.open_cases(kind="question")))

    def give(self, case_id: str, text: str) -> None:
        self.run(give(self.store, case_id, text))


@contextlib.asynccontextmanager
async def opened(folder: Path):
    async with Receiver() as receiver:
        config = folder / "surefoot.toml"
        config.write_text(CONFIG.format(folder=folder, receiver=receiver.url))
        async with serving(config, free_port()) as url:
            store = open_store(str(folder / "surefoot.db"), key_file=str(folder / "surefoot.key"))
            await store.start()
            try:
                yield url, receiver, store
            finally:
                await store.close()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()
    entered = stack.enter_async_context(opened(tmp_path_factory.mktemp("clinic")))
    try:
        yield Clinic(*asyncio.run_coroutine_threadsafe(entered, loop).result(60), loop)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def gpt(clinic: Clinic) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{clinic.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(clinic: Clinic) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=clinic.url, api_key="none", max_retries=0) as client:
        yield client


def question(name: str) -> str:
    return f"Who was Tutankhamun, and what of {name}?"


def while_waiting(clinic: Clinic, call: Callable[[], T], text: str) -> T:
    """What a call returns that is answered by a person while it is held."""
    known = clinic.known()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(call)
        clinic.give(clinic.case_of(known=known).id, text)
        return done.result(60)


def test_openai_polls(clinic: Clinic, gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model="clinic", messages=messages(question("polls")))
    assert raw.parse().choices[0].message.content == HOLDING and raw.headers["x-should-retry"] == "false"
    path = f"/cases/{raw.headers['x-surefoot-case']}"
    waiting = httpx.get(f"{clinic.url}/v1{path}")
    assert (waiting.json()["state"], waiting.json()["response"]) == ("open", None)
    assert waiting.headers["retry-after"] == "7"
    clinic.give(raw.headers["x-surefoot-case"], "A king of Egypt.")
    told = gpt.get(path, cast_to=object)
    assert (told["state"], told["answer"], told["retry_after"]) == ("delivered", "A king of Egypt.", None)
    answer = ChatCompletion.model_validate(told["response"])
    assert answer.choices[0].message.content == "A king of Egypt." and answer.model == "clinic"


def test_anthropic_polls_and_gets_its_own_dialect(clinic: Clinic, claude: anthropic.Anthropic) -> None:
    raw = claude.messages.with_raw_response.create(model="clinic", max_tokens=99, messages=messages(question("claude")))
    assert raw.parse().content[0].text == HOLDING
    clinic.give(raw.headers["x-surefoot-case"], "A king of Egypt.")
    told = claude.get(f"/v1/cases/{raw.headers['x-surefoot-case']}", cast_to=object)
    answer = Message.model_validate(told["response"])
    assert (answer.content[0].text, answer.stop_reason, answer.model) == ("A king of Egypt.", "end_turn", "clinic")


@pytest.mark.parametrize("how", ["body", "header"])
def test_openai_is_held_and_gets_a_normal_completion(clinic: Clinic, gpt: openai.OpenAI, how: str) -> None:
    wait = {
        "body": {"extra_body": {"surefoot": {"wait": "held"}}},
        "header": {"extra_headers": {"x-surefoot-wait": "held"}},
    }
    answer = while_waiting(
        clinic,
        lambda: gpt.chat.completions.create(model="clinic", messages=messages(question(f"held {how}")), **wait[how]),
        "He ruled.",
    )
    assert answer.choices[0].message.content == "He ruled." and answer.choices[0].finish_reason == "stop"
    assert answer.surefoot["decision"] == "deliver" and answer.surefoot["rung"] == "person"


def test_anthropic_is_held_as_its_feature_says(clinic: Clinic, claude: anthropic.Anthropic) -> None:
    def call() -> Message:
        return claude.messages.create(model="patient", max_tokens=99, messages=messages(question("held claude")))

    answer = while_waiting(clinic, call, "He ruled.")
    assert answer.content[0].text == "He ruled." and answer.stop_reason == "end_turn"


def test_an_openai_stream_is_held_with_comments_that_the_sdk_ignores(clinic: Clinic, gpt: openai.OpenAI) -> None:
    def call() -> list:
        stream = gpt.chat.completions.create(
            model="patient", messages=messages(question("stream")), stream=True, stream_options={"include_usage": True}
        )
        return list(stream)

    chunks = while_waiting(clinic, call, "He ruled.")
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == "He ruled." and chunks[-1].usage.total_tokens == 0
    ends = [chunk for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert [end.surefoot["decision"] for end in ends] == ["deliver"]


def test_an_anthropic_stream_is_held_with_pings(clinic: Clinic, claude: anthropic.Anthropic) -> None:
    def call() -> tuple[str, Message]:
        asked = messages(question("claude streams"))
        with claude.messages.stream(model="patient", max_tokens=99, messages=asked) as stream:
            return "".join(stream.text_stream), stream.get_final_message()

    said, final = while_waiting(clinic, call, "He ruled.")
    assert said == final.content[0].text == "He ruled." and final.stop_reason == "end_turn"


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_the_bytes_that_keep_a_stream_alive_are_the_dialects_own(clinic: Clinic, dialect: str) -> None:
    path = "/v1/chat/completions" if dialect == "openai" else "/v1/messages"
    body = {"model": "patient", "max_tokens": 9, "stream": True, "messages": messages(question(f"bytes {dialect}"))}
    wanted = b": waiting for a person\n\n" if dialect == "openai" else b"event: ping\n"
    seen = b""
    with httpx.stream("POST", f"{clinic.url}{path}", json=body, timeout=20) as response:
        for piece in response.iter_raw():
            seen += piece
            if wanted in seen:
                break
    assert wanted in seen and b"Tutankhamun" not in seen


def test_a_held_call_never_outlives_its_clients_time_out(clinic: Clinic) -> None:
    with openai.OpenAI(base_url=f"{clinic.url}/v1", api_key="none", max_retries=0, timeout=2.0) as impatient:
        answer = impatient.chat.completions.create(model="patient", messages=messages(question("impatience")))
    assert answer.choices[0].message.content == HOLDING and answer.surefoot["case"]


class Lossy(httpx.BaseTransport):
    """Loses the first answer, as a proxy that gives up does."""

    def __init__(self) -> None:
        self._inner, self.cases = httpx.HTTPTransport(), list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        self.cases.append(response.headers["x-surefoot-case"])
        if len(self.cases) == 1:
            response.close()
            raise httpx.ReadTimeout("lost", request=request)
        return response

    def close(self) -> None:
        self._inner.close()


def test_the_sdks_own_retry_finds_its_case(clinic: Clinic) -> None:
    lossy, known = Lossy(), clinic.known()
    client = openai.OpenAI(
        base_url=f"{clinic.url}/v1", api_key="none", max_retries=2, http_client=httpx.Client(transport=lossy)
    )
    with client:
        client.chat.completions.create(model="clinic", messages=messages(question("losses")))
    assert len(lossy.cases) == 2 and len(set(lossy.cases)) == 1
    assert len(clinic.known() - known) == 1


def test_a_caller_that_left_gets_its_answer_when_it_asks_again(clinic: Clinic, gpt: openai.OpenAI) -> None:
    known, body = clinic.known(), {"model": "patient", "messages": messages(question("leaving"))}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{clinic.url}/v1/chat/completions", json=body, timeout=1.0)
    clinic.give(clinic.case_of(known=known).id, "He ruled.")
    again = gpt.chat.completions.create(**body)
    assert again.choices[0].message.content == "He ruled."


def events_of(response: httpx.Response) -> list[dict[str, str]]:
    """Events until the server ends them."""
    blocks = "".join(response.iter_text()).split("\n\n")
    return [
        dict(line.split(": ", 1) for line in block.split("\n"))
        for block in blocks
        if block and not block.startswith(":")
    ]


def test_events_tell_what_happens_and_end_with_the_answer(clinic: Clinic, gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(
        model="clinic", messages=messages(question("events")), extra_body={"surefoot": {"wait": "sse"}}
    )
    case, told = raw.headers["x-surefoot-case"], []
    with ThreadPoolExecutor(1) as pool:
        stream = gpt.get(f"/cases/{case}/events", cast_to=object, stream=True, stream_cls=openai.Stream[object])
        done = pool.submit(lambda: told.extend(stream))
        clinic.give(case, "He ruled.")
        done.result(60)
    assert [event.get("kind") for event in told[:-1]] == ["opened", "claimed", "answered"]
    assert not any("amy" in str(event) for event in told)
    assert ChatCompletion.model_validate(told[-1]["response"]).choices[0].message.content == "He ruled."


def test_events_resume_after_the_last_one_that_was_seen(clinic: Clinic, gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model="clinic", messages=messages(question("resuming")))
    url = f"{clinic.url}/v1/cases/{raw.headers['x-surefoot-case']}/events"
    clinic.give(raw.headers["x-surefoot-case"], "He ruled.")
    with httpx.stream("GET", url, timeout=20) as response:
        whole = events_of(response)
    with httpx.stream("GET", url, headers={"last-event-id": whole[1]["id"]}, timeout=20) as response:
        rest = events_of(response)
    assert rest == whole[2:] and rest[-1]["event"] == "delivered"
    assert httpx.get(url, headers={"last-event-id": whole[-1]["id"]}).status_code == 204


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_webhook_of_the_request_is_called_with_the_answer(
    clinic: Clinic, gpt: openai.OpenAI, claude: anthropic.Anthropic, dialect: str
) -> None:
    body = {"surefoot": {"wait": "webhook", "webhook": f"{clinic.receiver.url}/{dialect}"}}
    asked = messages(question(f"webhooks {dialect}"))
    if dialect == "openai":
        raw = gpt.chat.completions.with_raw_response.create(model="clinic", messages=asked, extra_body=body)
    else:
        raw = claude.messages.with_raw_response.create(model="clinic", max_tokens=9, messages=asked, extra_body=body)
    clinic.give(raw.headers["x-surefoot-case"], "He ruled.")
    call = called(clinic, f"/{dialect}")
    assert is_signed("shared", call.headers["x-surefoot-signature"], call.body, now_seconds=time.time())
    response = call.json()["case"]["response"]
    kind = ChatCompletion if dialect == "openai" else Message
    assert kind.model_validate(response) and "He ruled." in str(response)


def called(clinic: Clinic, path: str):
    for _ in range(1000):
        if found := [call for call in clinic.receiver.told if call.path == path]:
            assert len(found) == 1
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"nobody called {path}")


def test_a_features_own_webhook_is_called(clinic: Clinic, gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model="called", messages=messages(question("a feature")))
    clinic.give(raw.headers["x-surefoot-case"], "He ruled.")
    assert called(clinic, "/by-feature").json()["case"]["id"] == raw.headers["x-surefoot-case"]


@pytest.mark.parametrize(
    ("ours", "param"),
    [
        ({"webhook": "https://169.254.169.254/latest"}, "surefoot.webhook"),
        ({"webhook": "https://127.0.0.2/"}, "surefoot.webhook"),
        ({"wait": "webhook"}, "surefoot.webhook"),
        ({"wait": "soon"}, "surefoot.wait"),
        ({"webhook": 5}, "surefoot.webhook"),
    ],
)  # fmt: skip
def test_what_cannot_be_waited_for_is_the_sdks_own_error(gpt: openai.OpenAI, ours: dict, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        gpt.chat.completions.create(model="clinic", messages=messages("x"), extra_body={"surefoot": ours})
    assert refused.value.param == param


def test_a_withdrawn_case_ends(clinic: Clinic, gpt: openai.OpenAI) -> None:
    raw = gpt.chat.completions.with_raw_response.create(model="clinic", messages=messages(question("withdrawing")))
    told = gpt.post(f"/cases/{raw.headers['x-surefoot-case']}/withdraw", cast_to=object)
    assert (told["state"], told["answer"], told["response"]) == ("withdrawn", None, None)


@pytest.mark.parametrize("wait", ["held", "sse"])
def test_the_example_waits_for_the_answer(clinic: Clinic, wait: str) -> None:
    environment = {
        **os.environ, "OPENAI_BASE_URL": f"{clinic.url}/v1", "OPENAI_API_KEY": "none", "SUREFOOT_FEATURE": "clinic",
        "SUREFOOT_WAIT": wait,
    }  # fmt: skip

    def call() -> str:
        command = [sys.executable, str(EXAMPLE), question(f"examples {wait}")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert while_waiting(clinic, call, "He ruled.").splitlines()[-1] == "He ruled."


async def told_a_case(config: Path, name: str) -> str:
    """A case that a process told of before it was killed."""
    port = free_port()
    command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    body = {"model": "called", "messages": messages(question(name))}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client, asyncio.timeout(40):
        while True:
            with contextlib.suppress(httpx.ConnectError):
                answer = await client.post("/v1/chat/completions", json=body)
                process.send_signal(signal.SIGKILL)
                process.wait()
                return answer.headers["x-surefoot-case"]
            await asyncio.sleep(0.05)


def test_a_killed_process_forgets_no_webhook(tmp_path: Path) -> None:
    async def run() -> None:
        config, at = tmp_path / "surefoot.toml", free_port()
        config.write_text(CONFIG.format(folder=tmp_path, receiver=f"http://127.0.0.1:{at}"))
        case = await told_a_case(config, "kills")
        store = open_store(str(tmp_path / "surefoot.db"), key_file=str(tmp_path / "surefoot.key"))
        await store.start()
        await give(store, case, "He ruled.")
        await store.close()
        async with Receiver(port=at) as receiver, serving(config, free_port()) as url, httpx.AsyncClient() as client:
            (call,) = await receiver.wait(1)
            told = (await client.get(f"{url}/v1/cases/{case}")).json()
            assert call.json()["case"]["response"] == told["response"] and told["answer"] == "He ruled."

    asyncio.run(run())
