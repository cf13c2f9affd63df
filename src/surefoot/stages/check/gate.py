"""Gates: a program or an address of the user's own that judges drafts.

In goes `{"feature", "question", "answer", "passages", "rung", "model"}` as JSON, out comes
`{"verdict": "pass" | "fail" | "abstain", "score": 0..1, "reason"}`. A gate that does not answer in time, ends with an
error or answers something else abstains; after several such failures in a row it is left alone for a while, so that a
broken gate costs no latency.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
import msgspec
from msgspec import Struct

from surefoot.records import Signal
from surefoot.stages.check.seen import Findings, Seen

_MOST = 64 * 1024  # bytes of an answer
_KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR")  # of our environment; secrets are not handed on


class Said(Struct, frozen=True):
    """What a gate answers."""

    verdict: str
    score: float | None = None
    reason: str = ""


class Patience(Struct, frozen=True, kw_only=True):
    """How long a gate is waited for, and how often it may fail."""

    timeout_seconds: float = 5.0
    failures: int = 5  # in a row
    pause_seconds: float = 30.0


class Breaker:
    """Leaves a gate alone for `pause_seconds` after so many failures in a row; then the next failure is enough."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock
        self._row, self._until = 0, 0.0

    @property
    def open(self) -> bool:
        """Whether the gate is left alone now."""
        return self._clock() < self._until

    def ended(self, *, failed: bool) -> None:
        """Count how a call ended."""
        self._row = self._row + 1 if failed else 0
        if self._row >= self._patience.failures:
            self._until = self._clock() + self._patience.pause_seconds


class ExecutableGate:
    """A program, started anew for each draft without a shell, with little more than PATH in its environment."""

    def __init__(self, name: str, command: tuple[str, ...], patience: Patience) -> None:
        self.name, self._command, self._patience = name, command, patience
        self.breaker = Breaker(patience)

    async def __call__(self, seen: Seen, /) -> Findings:
        """The signal "gate.NAME": the gate's score, else 1 for pass and 0 for fail; None when it abstains."""
        return await _judged(self.name, self.breaker, self.ask, request_of(seen))

    async def ask(self, given: bytes) -> Said:
        """What the program says of JSON. Raises OSError, TimeoutError, ValueError."""
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._patience.timeout_seconds):
                out = await _exchange(process, given)
                status = await process.wait()
        finally:
            _kill_group(process.pid)  # whatever it started goes with it, also when it ended itself
            await process.wait()
        if status != 0:
            raise ValueError(f"it ended with status {status}")
        return _said(out)


class HttpGate:
    """An address that takes the JSON as a POST; redirects are not followed."""

    def __init__(self, name: str, url: str, headers: Mapping[str, str], patience: Patience) -> None:
        self.name, self._url, self._headers, self._patience = name, url, dict(headers), patience
        self.breaker = Breaker(patience)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, seen: Seen, /) -> Findings:
        """The signal "gate.NAME": the gate's score, else 1 for pass and 0 for fail; None when it abstains."""
        return await _judged(self.name, self.breaker, self.ask, request_of(seen))

    async def ask(self, given: bytes) -> Said:
        """What the address says of JSON. Raises OSError, TimeoutError, ValueError, aiohttp.ClientError."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._patience.timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        headers = {**self._headers, "content-type": "application/json"}
        async with self._session.post(self._url, data=given, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"it answered with status {answer.status}")
            out = b""
            async for piece in answer.content.iter_any():
                out += piece
                if len(out) > _MOST:
                    break
            return _said(out)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()


def request_of(seen: Seen) -> bytes:
    """What a gate is given."""
    return msgspec.json.encode(
        {
            "feature": seen.tried.ask.request.feature,
            "question": seen.question,
            "answer": seen.text,
            "passages": seen.passages,
            "rung": seen.draft.rung,
            "model": seen.draft.model,
        }
    )


async def _judged(name: str, breaker: Breaker, ask: Callable[[bytes], Awaitable[Said]], given: bytes) -> Findings:
    if breaker.open:
        return _signal(name, None, "left alone after failures in a row")
    try:
        said = await ask(given)
    except TimeoutError:
        breaker.ended(failed=True)
        return _signal(name, None, "no answer in time")
    except (OSError, ValueError, aiohttp.ClientError) as error:
        breaker.ended(failed=True)
        return _signal(name, None, f"no usable answer ({type(error).__name__})")
    breaker.ended(failed=False)
    score = {"pass": 1.0, "fail": 0.0}.get(said.verdict)
    if score is not None and said.score is not None:
        score = said.score
    return _signal(name, score, said.verdict)


def _signal(name: str, score: float | None, detail: str) -> Findings:
    return Findings(signals=(Signal(name=f"gate.{name}", score=score, detail=detail),))


async def _exchange(process: asyncio.subprocess.Process, given: bytes) -> bytes:
    """Write and read at once: a program may answer before it has read everything, or not read at all."""
    assert process.stdin is not None
    assert process.stdout is not None
    writing = asyncio.create_task(_write(process.stdin, given))
    try:
        out = b""
        while piece := await process.stdout.read(_MOST):
            out += piece
            if len(out) > _MOST:
                raise ValueError("its answer is too long")
        await writing
    finally:
        writing.cancel()
    return out


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # nobody is left, or on macOS only what was not reaped yet
        return


async def _write(stdin: asyncio.StreamWriter, given: bytes) -> None:
    try:
        stdin.write(given)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):  # it does not care for its input: its answer counts all the same
        return


def _said(out: bytes) -> Said:
    if len(out) > _MOST:
        raise ValueError("its answer is too long")
    try:
        said = msgspec.json.decode(out, type=Said)
    except msgspec.MsgspecError as error:
        raise ValueError("its answer is not what was agreed") from error
    if said.verdict not in ("pass", "fail", "abstain"):
        raise ValueError(f"verdict {said.verdict[:20]!r} is unknown")
    if said.score is not None and not 0 <= said.score <= 1:
        raise ValueError("its score is not between 0 and 1")
    return said
