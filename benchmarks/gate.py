"""How often the CI gate is right, wrong and undecided: `python -m benchmarks.gate`.

Simulated pairs of policies whose true difference is known, in the gate's own functions, looked at every 50 items. Beside it:
what comparing two means without error bars says, and what a paired 95 % interval says that takes items of one group for
independent and is looked at every 50 items as well. With SUREFOOT_DATA the same on real recorded models that differ by three
points: the rows of a set are the population, drawn with replacement; and some of these runs through whole ladders, one policy
a model. Printed are n, seed, and 95 % intervals (Clopper-Pearson) of the shares.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from benchmarks.machine import machine
from surefoot.evals.gate import FAIL, OPEN, PASS, Finding, Item, Rules, conclude, look, plans
from surefoot.providers.rows import Row, read_rows
from surefoot.stats import clopper_pearson
from surefoot.trial.gate import Asked, run_gate
from surefoot.trial.ladder import FEATURE, ladder_config
from surefoot.trial.sides import Named

SEED, RUNS = 20263, 400
DISCORDANCE = 0.1
EVERY = 50
SMALL = (50, 200)
LLAMA, FLASH, SONNET, GPT = (
    "Meta-Llama-3.1-70B-Instruct", "gemini-1.5-flash", "claude-3-5-sonnet-20241022", "gpt-4o-2024-08-06",
)  # fmt: skip
PAIRS = (("gsm8k", LLAMA, SONNET), ("gsm8k", LLAMA, FLASH), ("crux", SONNET, GPT))  # set, candidate, other
WHOLE = 50


class World(Struct, frozen=True):
    """Two policies: how much better the candidate is, what it may be worse, and how items of a group go together."""

    name: str
    difference: float
    margin: float
    right: str  # the verdict that is right; "" at the bound, where each pass and each fail is wrong
    group: int = 1  # items in a group
    alike: float = 0.0  # share of groups whose items all go the same way
    apart: float = DISCORDANCE  # share of items on which the two differ
    values: tuple[int, ...] = ()  # of real items: 1 only the candidate is right, -1 only the other, 0 both or neither


WORLDS = (
    World("3 points better, none allowed worse", 0.03, 0.0, PASS),
    World("3 points worse, none allowed worse", -0.03, 0.0, FAIL),
    World("the same, 3 points allowed worse", 0.0, 0.03, PASS),
    World("6 points worse, 3 allowed", -0.06, 0.03, FAIL),
    World("3 points worse, 3 allowed: the bound", -0.03, 0.03, ""),
    World("the same, none allowed worse: the bound", 0.0, 0.0, ""),
    World("3 points better, none allowed, groups of 4", 0.03, 0.0, PASS, 4, 0.5),
    World("the bound, groups of 4", 0.0, 0.0, "", 4, 0.5),
    World("the bound, the candidate is never better", -0.03, 0.03, "", apart=0.03),
)


def items_of(world: World, n: int, rng: np.random.Generator) -> list[Item]:
    """Items of one run: both right, or one of the two alone."""
    if world.values:
        drawn = rng.choice(world.values, size=n)
        return [
            Item(id=str(place), group=str(place), candidate=(float(value >= 0),), other=(float(value <= 0),))
            for place, value in enumerate(drawn)
        ]
    gain, loss = (world.apart + world.difference) / 2, (world.apart - world.difference) / 2
    found = []
    for group in range(-(-n // world.group)):
        values = rng.choice([1, -1, 0], size=world.group, p=[gain, loss, 1 - gain - loss])
        if rng.random() < world.alike:
            values[:] = values[0]
        for place, value in enumerate(values):
            name = f"{group}.{place}"
            scores = (float(value >= 0),), (float(value <= 0),)
            found.append(Item(id=name, group=str(group), candidate=scores[0], other=scores[1]))
    return found[:n]


def gated(items: Sequence[Item], rules: Rules, largest: int) -> tuple[str, int]:
    """(verdict, items that were run) of the product's own gate."""
    settled: dict[str, Finding] = {}
    for n in range(EVERY - EVERY % largest, len(items), EVERY - EVERY % largest):
        if look(items[:n], rules, largest, settled):
            return conclude(items[:n], rules, settled, whole=False).state, n
    return conclude(items, rules, settled, whole=True).state, len(items)


def two_means(items: Sequence[Item], margin: float) -> str:
    """What comparing two means without error bars says."""
    return PASS if sum(i.candidate[0] - i.other[0] for i in items) >= -margin * len(items) else FAIL


def peeking(items: Sequence[Item], margin: float) -> str:
    """What a plain paired interval says that is looked at every 50 items until it is on one side."""
    values = np.array([i.candidate[0] - i.other[0] for i in items])
    for n in (*range(EVERY, len(items), EVERY), len(items)):
        mean, half = values[:n].mean(), 1.96 * values[:n].std(ddof=1) / math.sqrt(n)
        if mean - half > -margin:
            return PASS
        if mean + half < -margin:
            return FAIL
    return OPEN


def rows_of(world: World, n: int, runs: int, seed: int) -> Iterator[dict[str, object]]:
    """One row for each method."""
    rules = Rules(margin=world.margin, discordance=world.apart)
    said: dict[str, list[str]] = {"gate": [], "two means": [], "plain interval, peeking": []}
    used = 0
    for run in range(runs):
        items = items_of(world, n, np.random.default_rng([seed, _number(world), n, run]))
        verdict, tried = gated(items, rules, world.group)
        used += tried
        said["gate"].append(verdict)
        said["two means"].append(two_means(items, world.margin))
        said["plain interval, peeking"].append(peeking(items, world.margin))
    for method, verdicts in said.items():
        wrong = sum(each not in (world.right, OPEN) for each in verdicts)
        yield {
            "world": world.name, "n": n, "method": method, "runs": runs, "seed": seed,
            "right": _share(verdicts.count(world.right), runs) if world.right else None,
            "wrong": _share(wrong, runs), "passed": _share(verdicts.count(PASS), runs),
            "undecided": _share(verdicts.count(OPEN), runs),
            "items": used / runs if method == "gate" else None,
        }  # fmt: skip


def printed(world: World) -> int:
    """The n that the gate prints before it runs; in groups, if they go alike as often as here."""
    rules = Rules(margin=world.margin, discordance=world.apart)
    power = plans(rules, ["one"])[0]
    assert power.needed is not None
    effect = 1 + world.alike * (world.group - 1)
    return math.ceil(power.needed * effect / world.group) * world.group


def recorded(name: str, candidate: str, other: str) -> Iterator[World]:
    """The pair as a world that is asked about twice: none allowed worse, and as much as it is worse, which is the bound."""
    values = []
    for row in read_rows(_file(name)):
        mine, theirs = (row.answers[model].correct for model in (candidate, other))
        values.append(int(bool(mine)) - int(bool(theirs)))
    difference = sum(values) / len(values)
    told = f"{name} {candidate[:10]} - {other[:10]} {difference:+.1%}"
    apart = sum(map(abs, values)) / len(values)
    yield World(told, difference, 0.0, PASS if difference > 0 else FAIL, apart=apart, values=tuple(values))
    if difference < 0:
        yield World(f"{told}: bound", difference, -difference, "", apart=apart, values=tuple(values))


def whole(name: str, candidate: str, other: str, n: int, runs: int, seed: int) -> dict[str, object]:
    """Verdicts of gates run through whole ladders of one recorded model each, on rows drawn with replacement."""
    rows, verdicts = read_rows(_file(name)), []
    for run in range(runs):
        drawn = np.random.default_rng([seed, n, run]).integers(0, len(rows), n)
        given = [Row(id=f"{place}", query=rows[at].query, answers=rows[at].answers) for place, at in enumerate(drawn)]
        verdicts.append(asyncio.run(_through(given, candidate, other, run)))
    right = PASS if next(recorded(name, candidate, other)).right == PASS else FAIL
    return {
        "world": f"{name} {candidate[:10]} - {other[:10]}, whole ladders", "n": n, "method": "gate", "runs": runs,
        "seed": seed, "right": _share(verdicts.count(right), runs),
        "wrong": _share(sum(each not in (right, OPEN) for each in verdicts), runs),
        "passed": _share(verdicts.count(PASS), runs), "undecided": _share(verdicts.count(OPEN), runs), "items": None,
    }  # fmt: skip


async def _through(rows: Sequence[Row], candidate: str, other: str, seed: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rows.jsonl")
        file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
        sides = [Named(name=name, config=ladder_config(file, [name], bar=0.0, maps={})) for name in (candidate, other)]
        asked = Asked(candidate=sides[0], other=sides[1], feature=FEATURE, rules=Rules(margin=0.0), seed=seed)
        run = await run_gate(rows, asked)
        assert run is not None
        return run.verdict.state


def _file(name: str) -> Path:
    return Path(os.environ["SUREFOOT_DATA"], f"{name}.jsonl.gz")


def _number(world: World) -> int:
    """The same number for the same world in every run."""
    return WORLDS.index(world) if world in WORLDS else len(WORLDS) + zlib.crc32(world.name.encode()) % 1000


def _share(hits: int, n: int) -> list[float]:
    found = clopper_pearson(hits, n)
    return [round(hits / n, 4), round(found.low, 4), round(found.high, 4)]


def shown(row: dict[str, object]) -> str:
    """A row for people."""

    def share(name: str) -> str:
        found = row[name]
        if not isinstance(found, list):
            return f"{'-':>23}"
        return f"{found[0]:6.1%} [{found[1]:6.1%}, {found[2]:6.1%}]"

    items = f"{row['items']:7.0f}" if row["items"] is not None else ""
    shares = " ".join(share(name) for name in ("right", "wrong", "passed", "undecided"))
    return f"{row['world']:<44} {row['n']:>5} {row['method']:<24} {shares} {items}".rstrip()


def main(given: Sequence[str] | None = None) -> None:
    """Print every row: a table for people, or one JSON object a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each world and n")
    parser.add_argument("--whole", type=int, default=WHOLE, help="runs through whole ladders of each recorded pair")
    asked = parser.parse_args(given)
    if not asked.json:
        print("python -m benchmarks.gate")
        print(json.dumps(machine()))
        print(f"simulated; {asked.runs} runs of each world and n, seed {asked.seed}")
        print(f"{DISCORDANCE:.0%} of the items differ, in the last simulated world 3 %")
        print(
            f"{'world':<44} {'n':>5} {'method':<24} {'right':<23} {'wrong':<23} {'passed':<23} {'undecided':<23} items run"
        )
    for world in WORLDS:
        for n in (*SMALL, printed(world)):
            for row in rows_of(world, n, asked.runs, asked.seed):
                print(json.dumps(row) if asked.json else shown(row), flush=True)
    if not os.environ.get("SUREFOOT_DATA"):
        print("SUREFOOT_DATA names no folder with the public sets: nothing recorded", file=sys.stderr)
        return
    for pair in PAIRS:
        for world in recorded(*pair):
            for n in (*SMALL, printed(world)):
                for row in rows_of(world, n, asked.runs, asked.seed):
                    print(json.dumps(row) if asked.json else shown(row), flush=True)
        row = whole(*pair, printed(next(recorded(*pair))), asked.whole, asked.seed)
        print(json.dumps(row) if asked.json else shown(row), flush=True)


if __name__ == "__main__":
    main()
