"""What the gateway adds to a request: CPU, time, memory. Real processes on loopback, its own upstream and load.

    python -m benchmarks.gateway [--json] [--rounds 5] [--seconds 4] [--peer litellm]

The full path is measured: virtual key, exact cache (a miss), budget, journal, encrypted content and ledger in SQLite, durable
before the answer. CPU is user and system time of the gateway's process over the number of requests. The naive baseline is the
same load straight to the upstream; the floor is uvicorn and aiohttp forwarding and nothing else. Rounds of all are
interleaved; medians are quoted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import cpu_seconds, machine, rss_mb, spread

CHUNKS, PACED_STREAMS, PACED_GAP_MS = 50, 400, 100.0
CONFIG = """
[store]
database = "{folder}/surefoot.db"
key_file = "{folder}/surefoot.key"
[providers.up]
kind = "openai"
base_url = "http://127.0.0.1:{upstream}/v1"
[models.gpt-4o-mini]
provider = "up"
[features.chat]
ladder = ["cache", "gpt-4o-mini"]
budget = {{ usd = 100000.0, window = "month" }}
"""
LITELLM = """
model_list:
  - model_name: chat
    litellm_params: {{ model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:{upstream}/v1", api_key: x }}
"""
Json = dict[str, float]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pinned(core: int, command: list[str], **options: object) -> subprocess.Popen[bytes]:
    """A process on one core, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    chosen = {cores[core % len(cores)]}
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, chosen), **options)  # type: ignore[call-overload,no-any-return]


@contextlib.contextmanager
def upstream(chunks: int, gap_ms: float) -> Iterator[int]:
    """The upstream, on the other core."""
    port = free_port()
    process = pinned(1, [sys.executable, "-m", "benchmarks.load", "up", str(port), str(chunks), str(gap_ms)])
    try:
        wait(port)
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def gateway(upstream_port: int) -> Iterator[tuple[int, int, str]]:
    """(port, pid, key) of a gateway with one key."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "surefoot.toml")
        config.write_text(CONFIG.format(folder=folder, upstream=upstream_port))
        made = subprocess.run(
            [sys.executable, "-m", "surefoot", "key", "create", "--tenant", "bench", "--config", str(config), "--json"],
            capture_output=True, check=True,
        )  # fmt: skip
        port, log = free_port(), Path(folder, "log")
        with log.open("wb") as out:
            command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)]
            process = pinned(0, command, stdout=out, stderr=out)
        try:
            wait(port)
            yield port, process.pid, json.loads(made.stdout)["key"]
        finally:
            process.terminate()
            process.wait()
            sys.stderr.write(log.read_text()[-500:] if process.returncode not in (0, -15) else "")


@contextlib.contextmanager
def floor(upstream_port: int) -> Iterator[tuple[int, int]]:
    """(port, pid) of the bare libraries: what no gateway on them can be cheaper than."""
    port = free_port()
    process = pinned(0, [sys.executable, "-m", "benchmarks.floor", str(port), str(upstream_port)])
    try:
        wait(port)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def litellm(upstream_port: int) -> Iterator[tuple[int, int, str]]:
    """The peer's proxy in its plainest form: no database, no key check."""
    with tempfile.TemporaryDirectory() as folder:
        config, port = Path(folder, "config.yaml"), free_port()
        config.write_text(LITELLM.format(upstream=upstream_port))
        process = pinned(
            0, [shutil.which("litellm") or "litellm", "--config", str(config), "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait(port, seconds=120)
            time.sleep(5)
            yield port, process.pid, "none"
        finally:
            process.kill()
            process.wait()


def wait(port: int, seconds: float = 20) -> None:
    """Until somebody listens."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on {port}")


def load(port: int, *, connections: int, seconds: float, rate: float = 0, key: str = "x", stream: bool = False) -> Json:
    """What the load generator saw."""
    arguments = [
        str(port),
        "/v1/chat/completions",
        str(connections),
        str(seconds),
        str(rate),
        key,
        "1" if stream else "0",
    ]
    process = pinned(1, [sys.executable, "-m", "benchmarks.load", "lg", *arguments], stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=seconds + 120)
    return dict(json.loads(out))


def cpu_us(
    pid: int, port: int, key: str, *, connections: int, seconds: float, stream: bool = False
) -> tuple[float, Json]:
    """(CPU microseconds per request of a process under closed-loop load, what the load saw)."""
    before = cpu_seconds(pid)
    seen = load(port, connections=connections, seconds=seconds, key=key, stream=stream)
    return (cpu_seconds(pid) - before) / max(1, seen["n"]) * 1e6, seen


def measure(rounds: int, seconds: float) -> dict[str, object]:
    """Interleaved rounds of everything but start-up and paced streams."""
    found: dict[str, list[float]] = {}
    bad = n = 0.0

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    with upstream(CHUNKS, 0.0) as up, gateway(up) as (port, pid, key), floor(up) as (bare_port, bare_pid):
        load(port, connections=8, seconds=1, key=key)  # warm
        load(bare_port, connections=8, seconds=1)
        for _ in range(rounds):
            us, seen = cpu_us(pid, port, key, connections=32, seconds=seconds)
            note("cpu_us", us)
            note("rps", seen["n"] / seconds)
            note("floor_us", cpu_us(bare_pid, bare_port, "x", connections=32, seconds=seconds / 2)[0])
            bad, n = bad + seen["bad"], n + seen["n"]
            us, seen = cpu_us(pid, port, key, connections=8, seconds=seconds / 2, stream=True)
            note("event_us", us / (CHUNKS + 4))
            bad, n = bad + seen["bad"], n + seen["n"]
            direct = load(up, connections=8, seconds=seconds / 2, rate=200)
            ours = load(port, connections=8, seconds=seconds / 2, rate=200, key=key)
            note("added_p50", (ours["p50"] - direct["p50"]) * 1e3)
            note("added_p99", (ours["p99"] - direct["p99"]) * 1e3)
            direct = load(up, connections=8, seconds=seconds / 2, rate=40, stream=True)
            ours = load(port, connections=8, seconds=seconds / 2, rate=40, key=key, stream=True)
            note("first_added", (ours["first50"] - direct["first50"]) * 1e3)
        memory = rss_mb(pid)
        waits = commit_waits(port, key)
    return {"found": found, "rss_mb": memory, "waits": waits, "n": n, "bad": bad}


def commit_waits(port: int, key: str) -> dict[str, float]:
    """Milliseconds that recent requests waited for the database, from the gateway's own metrics."""
    time.sleep(16)  # the gauge is set every 15 s
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"authorization": f"Bearer {key}"})
    text = urllib.request.urlopen(request).read().decode()
    lines = [line for line in text.splitlines() if line.startswith("surefoot_commit_wait_seconds{")]
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) * 1e3 for line in lines}


def paced() -> dict[str, float]:
    """400 streams of 50 events, 100 ms apart, on one core: whether every event came, and what that took."""
    with upstream(CHUNKS, PACED_GAP_MS) as up, gateway(up) as (port, pid, key):
        before, began = cpu_seconds(pid), time.monotonic()
        seen = load(port, connections=PACED_STREAMS, seconds=0.5, key=key, stream=True)
        took = time.monotonic() - began
        return {
            "streams": seen["n"], "bad": seen["bad"], "dropped_events": seen["n"] * CHUNKS - seen["tokens"],
            "cpu_share": (cpu_seconds(pid) - before) / took,
        }  # fmt: skip


def start_seconds() -> float:
    """From the start of the process to the end of its first answer; with compiled code, as an installed package has it."""
    with upstream(1, 0.0) as up, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "surefoot.toml")
        config.write_text(CONFIG.format(folder=folder, upstream=up))
        port = free_port()
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        )  # fmt: skip
        try:
            wait(port)
            body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]}).encode()
            headers = {"content-type": "application/json"}
            urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", data=body, headers=headers)
            ).read()
            return time.perf_counter() - began
        finally:
            process.kill()
            process.wait()


def import_ms() -> float:
    """`import surefoot` less a bare interpreter, median of seven."""

    def took(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return (time.perf_counter() - began) * 1e3

    return statistics.median(took("import surefoot") - took("pass") for _ in range(7))


def peers(names: list[str], rounds: int, seconds: float) -> dict[str, object]:
    """The same plain load through others, when their command is on the PATH (in an environment of their own)."""
    found: dict[str, object] = {}
    for name in names:
        if name != "litellm" or shutil.which("litellm") is None:
            found[name] = "not installed"
            continue
        with upstream(CHUNKS, 0.0) as up, litellm(up) as (port, pid, key):
            load(port, connections=4, seconds=1, key=key)
            values = [cpu_us(pid, port, key, connections=16, seconds=seconds)[0] for _ in range(rounds)]
            found[name] = {"cpu_us_per_request": spread(values), "rss_mb": rss_mb(pid)}
    return found


def main() -> None:
    """Measure and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--peer", action="append", default=[])
    given = parser.parse_args()
    measured = measure(given.rounds, given.seconds)
    found: dict[str, list[float]] = measured["found"]  # type: ignore[assignment]
    streams = paced()
    result = {
        "cpu_us_per_request": round(statistics.median(found["cpu_us"]), 1),
        "cpu_us_per_stream_event": round(statistics.median(found["event_us"]), 1),
        "added_ms": {name: round(statistics.median(found[f"added_{name}"]), 3) for name in ("p50", "p99")},
        "first_token_added_ms": round(statistics.median(found["first_added"]), 3),
        "rss_mb": round(float(str(measured["rss_mb"])), 1),
        "start_s": round(statistics.median(start_seconds() for _ in range(3)), 3),
        "import_ms": round(import_ms(), 1),
        "peers": peers(given.peer, given.rounds, given.seconds),
        "rounds": given.rounds,
        "floor_cpu_us_per_request": round(statistics.median(found["floor_us"]), 1),
        "n": measured["n"], "bad": measured["bad"], "seed": 1, "commit_wait_ms": measured["waits"], "paced": streams,
        "spread": {name: spread(values) for name, values in found.items()},
        "machine": machine(),
    }  # fmt: skip
    if not given.json:
        for name, value in result.items():
            print(f"{name:26} {json.dumps(value)}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
