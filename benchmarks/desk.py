"""Does the desk hold under load, and what is one answer worth? `python -m benchmarks.desk [--json]`.

Load: 20,000 open cases in a SQLite file, 50 operators who claim and answer, a process of callers that poll, and `kill -9` of
the desk's process in the middle of it, several times. Counted are cases that were delivered twice, answers that were
acknowledged and did not arrive, and how long a claim takes. Leverage: see `deskstream`; needs the folder SUREFOOT_DATA names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.deskstream import QUEUE, SEED, Nearest, Same, Streamed, questions, stream, thresholds
from benchmarks.deskwork import case_id, fill, opened
from benchmarks.machine import machine
from surefoot.review.clusters import ALIKE, SIMILAR
from surefoot.stats import Estimate, clopper_pearson, quantile

_TEXT = "How do I get the money back for a card payment that I made twice by mistake?"
_PATIENCE_SECONDS = 120.0


class Load:
    """What was seen of the desk's process, its earlier lives, and the callers."""

    def __init__(self) -> None:
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self.claims_ms: list[float] = []
        self.answered: dict[str, list[str]] = {}  # case -> texts that were acknowledged
        self.delivered: Counter[str] = Counter()
        self.got: dict[str, str] = {}
        self.refused = 0
        self._readers: list[threading.Thread] = []

    def follow(self, process: subprocess.Popen[str]) -> None:
        """Read what a process says, on a thread of its own."""

        def read() -> None:
            assert process.stdout is not None
            with process.stdout as said:
                for line in said:
                    if line.endswith("\n"):  # the last one of a killed process may be torn
                        self.lines.put(json.loads(line))

        self._readers.append(threading.Thread(target=read, daemon=True))
        self._readers[-1].start()

    def finish(self) -> None:
        """Count what is left; every process has ended."""
        for reader in self._readers:
            reader.join()
        while self.take(0.0):
            pass

    def take(self, seconds: float) -> bool:
        """Whether something was said within a time; it is counted."""
        try:
            said = self.lines.get(timeout=seconds) if seconds else self.lines.get_nowait()
        except queue.Empty:
            return False
        if "claim_ms" in said:
            self.claims_ms.append(said["claim_ms"])
        elif "answered" in said:
            self.answered.setdefault(said["answered"], []).append(said["text"])
        elif "delivered" in said:
            self.delivered[said["delivered"]] += 1
        elif "got" in said:
            self.got[said["got"]] = said["text"]
        self.refused += "refused" in said
        return True


def load(
    cases: int, operators: int, answers: int, pause: float, kills: int, *, lease: float = 5.0, poll: float = 5.0
) -> dict[str, Any]:  # fmt: skip
    """Fill a store, work on it, kill, go on, and look what is there in the end.

    `lease` and `poll` are seconds: short, so that a killed process's claims come back within the run.
    """
    with tempfile.TemporaryDirectory(prefix="surefoot-desk-") as folder:
        file = str(Path(folder, "desk.db"))
        asyncio.run(fill(file, cases, [_TEXT]))
        seen, done = Load(), 0
        callers = _started("poll", file, str(answers), str(poll))
        seen.follow(callers)
        begun = time.monotonic()
        marks = [answers * (place + 1) // (kills + 1) for place in range(kills)]
        desk = _started("work", file, str(operators), str(pause), str(lease))
        seen.follow(desk)
        while callers.poll() is None or not seen.lines.empty():
            if not seen.take(_PATIENCE_SECONDS):
                break
            if done < kills and len(seen.answered) >= marks[done]:
                desk.send_signal(signal.SIGKILL)
                desk.wait()
                done += 1
                desk = _started("work", file, str(operators), str(pause), str(lease))
                seen.follow(desk)
        seconds = time.monotonic() - begun
        time.sleep(1.0)  # what is acknowledged by now is delivered when the undo window is over
        desk.send_signal(signal.SIGKILL)
        desk.wait()
        callers.kill()
        callers.wait()
        seen.finish()
        return {"kills": done + 1, "seconds": seconds} | asyncio.run(_audit(file, seen, cases, answers))


async def _audit(file: str, seen: Load, cases: int, answers: int) -> dict[str, Any]:
    """What the store holds, beside what was told while it was made."""
    store = await opened(file)
    now = time.time_ns() + 60_000_000_000
    while await store.cases.deliver_due(now_ns=now):
        pass  # a last answer may have been acknowledged just before the last kill
    delivered: Counter[str] = Counter()
    after = 0
    while events := await store.cases.changes(after=after, limit=5000):
        after = events[-1].id
        delivered.update(event.case_id for event in events if event.kind == "delivered")
    lost = 0
    for name, texts in seen.answered.items():
        case = await store.cases.find(name)
        lost += case is None or case.told not in texts or len(texts) > 1
    changed = sum(name in seen.answered and text not in seen.answered[name] for name, text in seen.got.items())
    unanswered = sum(case_id(number) not in seen.got for number in range(answers))
    await store.close()
    twice = sum(count > 1 for count in (delivered | seen.delivered).values())
    return {
        "cases": cases, "acknowledged": len(seen.answered), "delivered": len(delivered), "refused": seen.refused,
        "double_deliveries": twice, "lost_answers": lost + changed + unanswered, "callers": answers,
        "claims": len(seen.claims_ms), "claim_p50_ms": quantile(seen.claims_ms, 0.5),
        "claim_p95_ms": quantile(seen.claims_ms, 0.95), "claim_p99_ms": quantile(seen.claims_ms, 0.99),
    }  # fmt: skip


def _started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.deskwork", *command], stdout=subprocess.PIPE, text=True)


def leverage(folder: Path, limit: int | None) -> tuple[dict[str, float | int], Sequence[str]]:
    """(figures, lines for people)."""
    trained, rest = questions(folder)
    least = thresholds(trained)
    rest = rest[:limit]
    runs = {confirm: stream(rest, confirm) for confirm in ("blind", "checked", "read")}
    naive = {"the same words": stream(rest, "blind", Same()), "plain cosine": stream(rest, "blind", Nearest())}
    figures: dict[str, float | int] = {
        "cases_per_answer": round(runs["checked"].cases_per_answer, 3),
        "wrong_per_100_blind": round(100 * (runs["blind"].wrong_share.estimate or 0), 2),
        "wrong_per_100_checked": round(100 * (runs["checked"].wrong_share.estimate or 0), 2),
        "cases_per_answer_blind": round(runs["blind"].cases_per_answer, 3),
        "cases_per_answer_read": round(runs["read"].cases_per_answer, 3),
        "n": len(rest), "seed": SEED,
    }  # fmt: skip
    return figures, (*_lines(runs | naive), *_thresholds(least))


def _lines(runs: dict[str, Streamed]) -> Iterator[str]:
    some = next(iter(runs.values()))
    yield f"leverage on Banking77: {some.questions} questions, seed {SEED}, {QUEUE} wait at once, no answer known at the start"
    yield f"  {'':16} {'cases per answer':>22} {'along':>6} {'again':>6} {'offers':>7}  wrong per 100 resolved"
    for name, run in runs.items():
        alone = clopper_pearson(run.answers, run.questions)
        yield (
            f"  {name:16} {run.cases_per_answer:8.2f} [{1 / alone.high:.2f}, {1 / alone.low:.2f}] {run.along:6d} "
            f"{run.again:6d} {run.offers:7d}  {_hundred(run.wrong_share)}"
        )
    yield "  blind: every offer is confirmed; checked: those in which nothing differs; read: the right ones, by a reader"
    yield "  who never errs. The baselines are confirmed blindly."


def _thresholds(least: dict[str, tuple[float, int]]) -> Iterator[str]:
    yield "likeness at which half ask the same, on the part that thresholds are chosen on (serving uses these):"
    for name, serving in (("waiting", ALIKE), ("answered", SIMILAR)):
        found, n = least[name]
        yield f"  beside {name:9} cases {found:.2f}, n = {n} pairs; serving {serving:.2f}"


def _hundred(rate: Estimate) -> str:
    if rate.estimate is None:
        return "nothing resolved"
    return f"{100 * rate.estimate:.1f} [{100 * rate.low:.1f}, {100 * rate.high:.1f}], n = {rate.n}"


def main() -> None:
    """Run both parts and print them; with --json the last line is the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.desk")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--operators", type=int, default=50)
    parser.add_argument("--answers", type=int, default=2_000, help="cases whose callers wait for the end")
    parser.add_argument("--pause", type=float, default=1.5, help="mean seconds between claim and answer")
    parser.add_argument("--kills", type=int, default=3, help="in the middle; one more comes at the end")
    parser.add_argument("--questions", type=int, help="at most so many of the stream")
    parser.add_argument("--only", choices=("load", "leverage"))
    given = parser.parse_args()
    print(json.dumps(machine()), flush=True)
    told: dict[str, Any] = {}
    if given.only != "leverage":
        told = load(given.cases, given.operators, given.answers, given.pause, given.kills)
        told["operators"] = given.operators
        print(
            f"load: {told['cases']} open cases, {given.operators} operators, pause {given.pause} s (synthetic), "
            f"{told['kills']} kills, {told['seconds']:.0f} s\n"
            f"  {told['acknowledged']} answers acknowledged, {told['delivered']} delivered, {told['refused']} refused "
            f"(lease lost), {told['callers']} callers polling\n"
            f"  double deliveries {told['double_deliveries']}, lost answers {told['lost_answers']}\n"
            f"  claim p50 {told['claim_p50_ms']:.1f} ms, p95 {told['claim_p95_ms']:.1f} ms, p99 {told['claim_p99_ms']:.1f} ms, "
            f"n = {told['claims']}",
            flush=True,
        )  # fmt: skip
    worth: dict[str, float | int] | None = None
    folder = Path(os.environ.get("SUREFOOT_DATA", ""))
    if given.only != "load":
        if (folder / "banking77.jsonl.gz").is_file():
            worth, lines = leverage(folder, given.questions)
            print("\n".join(lines), flush=True)
        else:
            print("leverage: not measured, SUREFOOT_DATA names no folder with banking77.jsonl.gz")
    if given.json:
        named = ("cases", "operators", "double_deliveries", "lost_answers", "claim_p95_ms", "kills")
        print(json.dumps({name: told.get(name) for name in named} | {"leverage": worth}))


if __name__ == "__main__":
    main()
