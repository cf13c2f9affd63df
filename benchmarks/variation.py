"""How well two answers are told to mean the same without a model: `SUREFOOT_DATA=… python -m benchmarks.variation`.

Pairs of real answers whose relation is known from verdicts. GSM8K and CRUX: two models that are both right (the same), one
right and one wrong (different). SummEdits: two edits of one summary that are both consistent with its document (taken to be
the same; some differ in what they leave out), a consistent and an inconsistent one (different, by a word or a number: the
hardest there is). Beside it: the same text, and the score of the check `agreement` (final answers, else Dice's coefficient of
words) of at least 0.6. Shares with 95 % intervals (Clopper-Pearson; pairs of one summary are taken for independent, so that
those of SummEdits are somewhat narrow).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.machine import machine
from surefoot.evals.variation import SAME_WORDS, means_same
from surefoot.providers.rows import read_rows
from surefoot.signals.likeness import likeness
from surefoot.stats import clopper_pearson

SEED, MOST = 20264, 600
SETS = ("gsm8k", "crux", "summedits")
Pair = tuple[str, str]
METHODS: dict[str, Callable[[str, str], bool]] = {
    "ours": lambda one, other: means_same(one, other) is True,
    "the same text": lambda one, other: one.split() == other.split(),
    "likeness >= 0.6": lambda one, other: (likeness(f"{one}\n.", f"{other}\n.") or 0.0) >= SAME_WORDS,
}


def pairs(name: str, most: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """(pairs that mean the same, pairs that do not): at most so many of each, a few of each question."""
    rng = random.Random(f"{seed}:{name}")
    groups: dict[str, list[tuple[str, bool]]] = {}
    for row in read_rows(Path(os.environ["SUREFOOT_DATA"], f"{name}.jsonl.gz")):
        said = [(each.text, each.correct) for each in row.answers.values() if each.text and each.correct is not None]
        groups.setdefault(row.group or row.id, []).extend(said)
    same: list[Pair] = []
    other: list[Pair] = []
    for said in groups.values():
        right, wrong = [text for text, fine in said if fine], [text for text, fine in said if not fine]
        for _ in range(1 + len(said) // 8):
            if len(right) > 1:
                one, two = rng.sample(right, 2)
                same.append((one, two))
            if right and wrong:
                other.append((rng.choice(right), rng.choice(wrong)))
    rng.shuffle(same)
    rng.shuffle(other)
    return same[:most], other[:most]


def rows_of(name: str, most: int, seed: int) -> Iterator[dict[str, object]]:
    """One row a method."""
    same, other = pairs(name, most, seed)
    for method, tells in METHODS.items():
        began = perf_counter()
        kept, mixed = sum(tells(*pair) for pair in same), sum(tells(*pair) for pair in other)
        took = (perf_counter() - began) / max(1, len(same) + len(other))
        yield {
            "set": name, "method": method, "seed": seed, "same": _share(kept, len(same)),
            "different_called_same": _share(mixed, len(other)), "ms_a_pair": round(took * 1000, 3),
        }  # fmt: skip


def _share(hits: int, n: int) -> list[float]:
    found = clopper_pearson(hits, n)
    return [hits, n, round(found.low, 3), round(found.high, 3)]


def shown(row: dict[str, object]) -> str:
    """A row for people."""

    def share(name: str) -> str:
        found = row[name]
        assert isinstance(found, list)
        hits, n, low, high = found
        return f"{hits / max(1, n):6.1%} [{low:.1%}, {high:.1%}] n = {n}"

    told = f"{row['set']:<10} {row['method']:<15} same called same {share('same'):<33}"
    return f"{told} different called same {share('different_called_same'):<33} {row['ms_a_pair']} ms"


def main(given: Sequence[str] | None = None) -> None:
    """Print every row: a table for people, or one JSON object a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variation")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--most", type=int, default=MOST, help="pairs of each kind and set")
    asked = parser.parse_args(given)
    if not Path(os.environ.get("SUREFOOT_DATA", "-")).is_dir():
        sys.exit("SUREFOOT_DATA names no folder with the public sets")
    if not asked.json:
        print("python -m benchmarks.variation")
        print(json.dumps(machine()))
        print(f"real answers, at most {asked.most} pairs of each kind and set, seed {asked.seed}")
    for name in SETS:
        for row in rows_of(name, asked.most, asked.seed):
            print(json.dumps(row) if asked.json else shown(row), flush=True)


if __name__ == "__main__":
    main()
