"""Gates: what they are given, what they may answer, and that nothing they do can hold a request up."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from check_support import request, scores, seen

from surefoot.stages.check import ExecutableGate, HttpGate
from surefoot.stages.check.gate import Breaker, Patience, Said

PATIENT = Patience(timeout_seconds=20.0, failures=3)
HASTY = Patience(timeout_seconds=0.5, failures=3)


def program(code: str, patience: Patience = PATIENT) -> ExecutableGate:
    return ExecutableGate("own", (sys.executable, "-c", code), patience)


def judged(gate: ExecutableGate | HttpGate, text: str = "Two days.") -> float | None:
    return scores(asyncio.run(gate(seen(text))))["gate.own"]


def says(answer: str) -> str:
    return f"import sys; sys.stdin.read(); print({answer!r})"


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"verdict": "pass"}', 1.0), ('{"verdict": "fail", "reason": "no"}', 0.0), ('{"verdict": "abstain"}', None),
        ('{"verdict": "pass", "score": 0.7}', 0.7), ('{"verdict": "fail", "score": 0.2}', 0.2),
        ('{"verdict": "abstain", "score": 0.2}', None), ('{"verdict": "pass", "more": 1}', 1.0),
    ],
)  # fmt: skip
def test_a_verdict_is_a_score(answer: str, score: float | None) -> None:
    assert judged(program(says(answer))) == score


@pytest.mark.parametrize(
    "code",
    [
        says("not JSON"), says("{}"), says('{"verdict": "maybe"}'), says('{"verdict": "pass", "score": 7}'), says("[]"), "",
        says('{"verdict": "pass"}') + "; sys.exit(1)", "import os; os.kill(os.getpid(), 9)", "raise SystemExit",
        "print('x' * 100_000)", "import sys\nwhile True: sys.stdout.write('x' * 10_000)",
    ],
)  # fmt: skip
def test_a_gate_that_answers_something_else_abstains_and_has_failed(code: str) -> None:
    gate = program(code, Patience(timeout_seconds=20.0, failures=1))
    assert judged(gate) is None and gate.breaker.open


def test_a_program_that_is_not_there_abstains() -> None:
    assert judged(ExecutableGate("own", ("/no/such/program",), PATIENT)) is None


def test_a_program_that_reads_nothing_is_heard_all_the_same() -> None:
    gate = program('print(\'{"verdict": "pass"}\')')
    assert judged(gate, "long " * 200_000) == 1.0


def test_it_is_given_question_answer_passages_rung_and_model(tmp_path: Path) -> None:
    file = tmp_path / "given"
    gate = program(f"import sys; open({str(file)!r}, 'w').write(sys.stdin.read()); print('{{\"verdict\": \"pass\"}}')")
    asked = request([{"role": "user", "content": "<context>It takes two days.</context> How long?"}])
    asyncio.run(gate(seen("Two days.", of=asked)))
    assert msgspec.json.decode(file.read_bytes()) == {
        "feature": "f", "question": "How long?", "answer": "Two days.", "passages": ["It takes two days."],
        "rung": "small", "model": "m-1",
    }  # fmt: skip


def test_it_does_not_see_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = "import os; print('{\"verdict\": \"' + ('fail' if 'OPENAI_API_KEY' in os.environ else 'pass') + '\"}')"
    assert judged(program(code)) == 1.0


def test_no_answer_in_time_abstains_and_everything_it_started_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(file)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)"
    )
    gate = program(code, Patience(timeout_seconds=3.0))
    assert judged(gate) is None
    assert all(_gone(int(pid)) for pid in file.read_text().split())


def test_a_child_that_outlives_its_parent_is_killed_too(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=subprocess.DEVNULL)\n"
        f"open({str(file)!r}, 'w').write(str(child.pid)); print('{{\"verdict\": \"pass\"}}')"
    )
    assert judged(program(code)) == 1.0
    assert _gone(int(file.read_text()))


def _gone(pid: int) -> bool:
    """Whether a process is dead, or only waits to be reaped by whoever inherited it."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
            status = Path(f"/proc/{pid}/status").read_text()
        except (ProcessLookupError, FileNotFoundError):
            return True
        if "State:\tZ" in status:
            return True
        time.sleep(0.01)
    return False


def test_a_cancelled_request_takes_its_gate_along(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    gate = program(f"import os, time; open({str(file)!r}, 'w').write(str(os.getpid())); time.sleep(600)")

    async def run() -> None:
        task = asyncio.create_task(gate(seen("x")))
        while not (file.exists() and file.read_text()):
            await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert _gone(int(file.read_text()))


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_failures_in_a_row_a_gate_is_left_alone_and_then_the_next_failure_is_enough() -> None:
    clock = Clock()
    breaker = Breaker(Patience(failures=2, pause_seconds=30), clock)
    breaker.ended(failed=True)
    breaker.ended(failed=False)
    breaker.ended(failed=True)
    assert not breaker.open
    breaker.ended(failed=True)
    assert breaker.open
    clock.now += 30
    assert not breaker.open
    breaker.ended(failed=True)
    assert breaker.open


def test_a_gate_left_alone_is_not_started(tmp_path: Path) -> None:
    file = tmp_path / "started"
    gate = program(f"open({str(file)!r}, 'a').write('x')", Patience(failures=2, timeout_seconds=20.0))
    assert [judged(gate) for _ in range(4)] == [None] * 4
    assert file.read_text() == "xx"


def test_a_verdict_to_abstain_is_no_failure() -> None:
    gate = program(says('{"verdict": "abstain"}'), Patience(failures=1))
    assert judged(gate) is None and not gate.breaker.open


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def listening(handler: Handler, patience: Patience = PATIENT) -> AsyncIterator[HttpGate]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gate = HttpGate("own", f"http://127.0.0.1:{runner.addresses[0][1]}/judge", {"x-key": "k"}, patience)
    try:
        yield gate
    finally:
        await gate.close()
        await runner.cleanup()


def asked(handler: Handler, patience: Patience = PATIENT) -> float | None:
    async def run() -> float | None:
        async with listening(handler, patience) as gate:
            return scores(await gate(seen("Two days.")))["gate.own"]

    return asyncio.run(run())


def test_an_address_is_given_the_same_with_its_headers() -> None:
    got: list[tuple[str, dict[str, object]]] = []

    async def handler(given: web.Request) -> web.StreamResponse:
        got.append((given.headers["x-key"], await given.json()))
        return web.json_response({"verdict": "fail", "score": 0.1})

    assert asked(handler) == 0.1
    assert got[0][0] == "k" and got[0][1]["answer"] == "Two days."


def test_an_answer_in_pieces_is_read_to_its_end() -> None:
    async def handler(given: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(given)
        for piece in (b'{"verdict": "pass", ', b'"score": 0.5, ', b'"reason": "' + b"x" * 30_000 + b'"}'):
            await response.write(piece)
            await asyncio.sleep(0.01)
        return response

    assert asked(handler) == 0.5


def test_redirects_errors_and_nonsense_abstain() -> None:
    def answering(response: Callable[[], web.StreamResponse]) -> Handler:
        async def handler(given: web.Request) -> web.StreamResponse:
            if given.path == "/elsewhere":
                return web.json_response({"verdict": "pass"})
            return response()

        return handler

    redirect = answering(lambda: web.Response(status=307, headers={"location": "/elsewhere"}))
    broken = answering(lambda: web.json_response({"verdict": "pass"}, status=500))
    nonsense = answering(lambda: web.Response(text="<html>"))
    huge = answering(lambda: web.json_response({"verdict": "pass", "reason": "x" * 100_000}))
    assert [asked(each) for each in (redirect, broken, nonsense, huge)] == [None] * 4


def test_an_address_that_does_not_answer_in_time_abstains() -> None:
    async def handler(given: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.json_response({"verdict": "pass"})

    assert asked(handler, HASTY) is None


def test_an_address_where_nobody_listens_abstains() -> None:
    async def run() -> float | None:
        gate = HttpGate("own", "http://127.0.0.1:1/", {}, PATIENT)
        try:
            return scores(await gate(seen("x")))["gate.own"]
        finally:
            await gate.close()

    assert asyncio.run(run()) is None


def test_what_a_gate_says_is_a_value() -> None:
    assert Said("pass", 0.5, "because").score == 0.5
