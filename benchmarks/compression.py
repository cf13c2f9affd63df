"""How often the accepted answer survives compression of the passages it stands in.

`python -m benchmarks.compression FILE [--json]` reads a labelled file whose rows have `query`, `context` and `reference`; its
last line is JSON. A question counts when some accepted answer stands in its passages, letter for letter; it survives when some
accepted answer stands in what is sent. Beside it stands the naive way: the sentences with the highest BM25 score, each scored
with its passage's title before it, until the same share of the characters is full.

`--fit` prints the weights of `signals/extract/relevance.py`, found on the development half of the file. The halves are told
apart by a hash of `group`, so that no question is in both; no weight and no threshold was chosen on the other half. The
last line's `tested` starts at a quarter of the text; the lines above it have half, too.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from time import process_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine
from surefoot.providers.rows import Row, read_rows
from surefoot.providers.tokens import estimate
from surefoot.signals.extract.extract import compress, read_passages
from surefoot.signals.extract.relevance import NAMES, WEIGHTS, features_of
from surefoot.signals.extract.sufficiency import sendable
from surefoot.signals.extract.units import units
from surefoot.signals.extract.words import Wanted, read
from surefoot.signals.text import STOP, stem
from surefoot.stats.intervals import clopper_pearson

SHARES = (0.5, 0.25)
_K1, _B = 1.2, 0.75
_ROUNDS = 3
_PENALTY = 0.1  # of the squared weights, per standard deviation
Floats = NDArray[np.float64]


def stands(row: Row, texts: Sequence[str]) -> bool:
    """Whether some accepted answer is in the texts."""
    return any(answer in text for answer in row.accepted if answer for text in texts)


def is_development(row: Row) -> bool:
    """Whether a row is in the half that choices were made on."""
    return sha256((row.group or row.query or row.id).encode()).digest()[0] % 2 == 0


def ours(row: Row, share: float) -> tuple[str, ...]:
    """The passages as the product compresses them, without its test."""
    read_ = read_passages(row.query, row.context)
    return row.context if read_ is None else compress(read_, share).texts


def naive(row: Row, share: float) -> tuple[str, ...]:
    """The sentences with the highest BM25 score, until the share of the characters is full."""
    cut = [unit for unit in units(row.context) if unit.kind != "title"]
    titles = {
        unit.passage: row.context[unit.passage][unit.start : unit.end]
        for unit in units(row.context)
        if unit.kind == "title"
    }
    said = [row.context[unit.passage][unit.start : unit.end] for unit in cut]
    counts = [
        Counter(stem(word.lower()) for word in read(f"{titles.get(unit.passage, '')} {text}"))
        for unit, text in zip(cut, said, strict=True)
    ]
    n, mean = len(cut), sum(each.total() for each in counts) / max(1, len(cut))
    asked = {stem(word.lower()) for word in read(row.query) if word.lower() not in STOP}
    holders = Counter(word for each in counts for word in each)

    def score(place: int) -> float:
        each = counts[place]
        return sum(
            math.log(1 + (n - holders[word] + 0.5) / (holders[word] + 0.5)) * each[word] * (_K1 + 1)
            / (each[word] + _K1 * (1 - _B + _B * each.total() / mean))
            for word in sorted(asked) if each[word]
        )  # fmt: skip

    room = share * sum(map(len, row.context))
    kept: list[int] = []
    for place in sorted(range(n), key=lambda place: (-score(place), place)):
        if len(said[place]) + 1 <= room:
            room -= len(said[place]) + 1
            kept.append(place)
    return tuple(said[place] for place in sorted(kept))


def rate(found: Sequence[bool]) -> dict[str, float]:
    """A share with its 95 % Clopper-Pearson interval."""
    estimate_ = clopper_pearson(sum(found), len(found))
    return {"share": statistics.fmean(found), "low": estimate_.low, "high": estimate_.high}


def with_test(rows: Sequence[Row], target: float) -> dict[str, Any]:
    """What survives, and what is saved, when the grounding test decides what is sent."""
    survived, before, after, full = [], 0, 0, 0
    for row in rows:
        made = sendable(row.query, row.context, target).compressed
        texts = row.context if made is None else made.texts
        full += made is None
        survived.append(stands(row, texts))
        before += sum(map(estimate, row.context))
        after += sum(map(estimate, texts))
    return {"target": target, **rate(survived), "tokens_saved": 1 - after / before, "sent_in_full": full / len(rows)}


def milliseconds(rows: Sequence[Row]) -> list[float]:
    """CPU of the grounding test, all its tries included, on 8,000 characters and more; one figure a round."""
    texts: list[tuple[str, tuple[str, ...]]] = []
    held: list[str] = []
    for row in rows:
        held += row.context
        if sum(map(len, held)) >= 8000:
            texts.append((row.query, tuple(held)))
            held = []
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    found = []
    for _ in range(_ROUNDS + 1):
        began, characters = process_time_ns(), 0
        for query, passages in texts:
            sendable(query, passages, 0.5)
            characters += sum(map(len, passages))
        found.append((process_time_ns() - began) / 1e6 / characters * 8000)
    return found[1:]  # the first round teaches the caches of words


def measure(rows: Sequence[Row]) -> dict[str, Any]:
    """Every figure of the rows."""
    kept = {str(share): rate([stands(row, ours(row, share)) for row in rows]) for share in SHARES}
    plain = {str(share): rate([stands(row, naive(row, share)) for row in rows]) for share in SHARES}
    lengths = {
        str(share): sum(len(text) for row in rows for text in ours(row, share))
        / sum(len(text) for row in rows for text in row.context)
        for share in SHARES
    }
    return {
        "kept": kept,
        "length": lengths,
        "baseline": plain,
        "tested": [with_test(rows, share) for share in SHARES],
        "n": len(rows),
    }


def fit(rows: Sequence[Row]) -> dict[str, float]:
    """Weights by penalised maximum likelihood of the units that hold an accepted answer; gradient ascent with Adam's steps."""
    examples: list[tuple[Floats, Floats]] = []
    for row in rows:
        cut = units(row.context)
        features = features_of(Wanted(row.query), row.context, cut)
        if features is None:
            continue
        said = [row.context[cut[place].passage][cut[place].start : cut[place].end] for place in features.places]
        right = np.array([stands(row, (text,)) for text in said], dtype=float)
        if right.any():
            examples.append((features.matrix, right))
    every = np.concatenate([matrix for matrix, _ in examples])
    spread = every.std(axis=0) + 1e-9
    weights, slope, square = (np.zeros(every.shape[1]) for _ in range(3))
    for step in range(1, 401):
        gradient = -_PENALTY * weights
        for matrix, right in examples:
            score = matrix / spread @ weights
            p = np.exp(score - score.max())
            p /= p.sum()
            q = p * right / (p * right).sum()
            gradient += matrix.T @ (q - p) / spread / len(examples)
        slope, square = 0.9 * slope + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        weights += 0.05 * slope / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return {name: round(float(weight), 3) for name, weight in zip(NAMES, weights / spread, strict=True)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="only the last line")
    parser.add_argument("--fit", action="store_true", help="print weights found on the development half")
    given = parser.parse_args()
    rows = [row for row in read_rows(given.file) if row.query and stands(row, row.context)]
    if not rows:
        sys.exit(f"{given.file} has no question whose accepted answer stands in its passages")
    if given.fit:
        print(json.dumps(fit([row for row in rows if is_development(row)]), indent=2))
        return
    whole = measure(rows)
    milli = milliseconds(rows)
    if not given.json:
        halves = {
            "development": [row for row in rows if is_development(row)],
            "held out": [row for row in rows if not is_development(row)],
        }
        print(json.dumps({"machine": machine(), "weights": WEIGHTS}))
        for name, part in halves.items():
            print(json.dumps({"half": name, **(measure(part) if part else {"n": 0})}))
        print(json.dumps({"half": "both", "ms_per_8000_chars_rounds": milli, **whole}))
    print(
        json.dumps(
            {
                "kept": {share: found["share"] for share, found in whole["kept"].items()},
                "baseline": {share: found["share"] for share, found in whole["baseline"].items()},
                "tested": {"kept": whole["tested"][1]["share"], "tokens_saved": whole["tested"][1]["tokens_saved"]},
                "ms_per_8000_chars": statistics.median(milli),
                "n": len(rows),
            }
        )
    )


if __name__ == "__main__":
    main()
