"""Does the near cache keep its bounds, and what does it save? `python -m benchmarks.semantic_cache FILE [--json]`.

FILE holds `{query, intent}` lines (gzip or not): the same intent means the same answer. Requests come one by one in a seeded
order. A hit serves the proposed answer and nobody learns whether it was right; on a miss the model answers, and only then is
it known whether the proposal was right. Beside it stand one online bound per item (`vcache`), a fixed cosine, and the exact
question. Everything was chosen on Banking77 with seeds from 100 on; published are seeds 0-2. "high" is the one-sided 95 %
end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.machine import machine
from benchmarks.vcache import Item
from surefoot.learning.errorbound import EXPLORED, HIT, LOWEST, ErrorBound
from surefoot.learning.nearmap import NearMap, compete
from surefoot.review.differences import Asked, Facts, facts
from surefoot.review.guards import veto
from surefoot.signals.embedding import DIMENSIONS, Lexical, packed, unpacked
from surefoot.signals.nearest import Vectors
from surefoot.stats import clopper_pearson

BOUNDS, PER_HIT, SEEDS, REQUESTS, FLIPPED = (0.01, 0.02, 0.05), (0.01, 0.05), (0, 1, 2), 6000, 0.05
_COSINE = 0.80  # of the naive baseline
_NEIGHBOURS, _WITNESSES = 50, 5
_LOOKUPS = 300


class Asking(Struct, frozen=True):
    """One request of the stream."""

    text: str
    intent: str
    vector: NDArray[np.float32]
    facts: Facts


class Served(Struct, kw_only=True):
    """What came of a stream."""

    requests: int
    hits: int = 0
    wrong: int = 0
    vetoed: int = 0
    explored: int = 0
    first: int | None = None  # requests before the first hit

    def row(self) -> dict[str, Any]:
        """With shares and one-sided 95 % ends; None where there is nothing to share."""
        requests, hits = (clopper_pearson(self.wrong, n, assurance=0.9) for n in (self.requests, self.hits))
        return {
            "requests": self.requests, "hits": self.hits, "wrong": self.wrong, "wrong_per_request": requests.estimate,
            "wrong_per_request_high": requests.high, "wrong_per_hit": hits.estimate,
            "wrong_per_hit_high": hits.high if self.hits else None, "explored": self.explored, "vetoed": self.vetoed,
            "first_hit": self.first,
        }  # fmt: skip


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines, gzip or not."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as held:
        yield from (json.loads(line) for line in held if line.strip())


def prepared(file: Path) -> Sequence[Asking]:
    """All questions, with their vectors as they come out of eight bits a number."""
    embed = Lexical()
    return [
        Asking(
            row["query"], str(row["intent"]), unpacked(packed(embed(row["query"]))), facts(Asked(id="", text=row["query"]))
        )
        for row in lines(file)
    ]  # fmt: skip


def ordered(asked: Sequence[Asking], seed: int, requests: int) -> Sequence[Asking]:
    """The stream of a seed."""
    return random.Random(seed).sample(asked, min(requests, len(asked)))


def near_cache(stream: Sequence[Asking], seed: int, *, flipped: float = 0.0, **limits: float) -> Served:
    """The product under its limits; labels of explored and missed ones are turned round with the probability `flipped`."""
    lots, noise = random.Random(f"lots {seed}"), random.Random(f"noise {seed}")
    vectors, learned, bound = Vectors(DIMENSIONS), NearMap(), ErrorBound(**limits)
    held: dict[str, Asking] = {}
    seen = Served(requests=len(stream))
    for place, asked in enumerate(stream):
        found = vectors.search(asked.vector, limit=_NEIGHBOURS)
        near = compete([(each.id, held[each.id].intent, each.cosine) for each in found])
        inputs = learned.inputs(near) if near is not None else None
        p = learned.p(inputs) if inputs is not None else None
        vetoed = ""
        if near is not None and p is not None and p >= LOWEST:
            vetoed = veto(asked.facts, [held[item].facts for item in near.items[:_WITNESSES]])
        seen.vetoed += bool(vetoed)
        chosen = bound.choose(p, lots.random(), vetoed=vetoed)
        if chosen.action == HIT and near is not None:
            seen.hits += 1
            seen.wrong += near.answer != asked.intent
            seen.first = place if seen.first is None else seen.first
            continue
        seen.explored += chosen.action == EXPLORED
        if near is not None and inputs is not None:
            right = (near.answer == asked.intent) != (noise.random() < flipped)
            learned.learn(near, inputs, right)
            bound.judge(chosen, right)
        held[str(place)] = asked
        vectors.add(str(place), asked.vector)
    return seen


def per_item(stream: Sequence[Asking], seed: int, limit: float) -> Served:
    """The online bound of each item by itself, nothing pooled; a question is kept when nothing near had its answer."""
    lots, vectors, seen = random.Random(f"lots {seed}"), Vectors(DIMENSIONS), Served(requests=len(stream))
    held: dict[str, tuple[Asking, Item]] = {}
    for place, asked in enumerate(stream):
        for near in vectors.search(asked.vector, limit=1):
            source, item = held[near.id]
            right = source.intent == asked.intent
            if lots.random() >= item.ask(near.cosine, limit):
                seen.hits, seen.wrong = seen.hits + 1, seen.wrong + (not right)
                break
            item.pairs.append((near.cosine, right))
            if right:
                break
        else:
            held[str(place)] = asked, Item()
            vectors.add(str(place), asked.vector)
    return seen


def fixed(stream: Sequence[Asking], least: float) -> Served:
    """The nearest question's answer from a cosine on."""
    vectors, seen, intents = Vectors(DIMENSIONS), Served(requests=len(stream)), dict[str, str]()
    for place, asked in enumerate(stream):
        found = vectors.search(asked.vector, limit=1)
        if found and found[0].cosine >= least:
            seen.hits, seen.wrong = seen.hits + 1, seen.wrong + (intents[found[0].id] != asked.intent)
        else:
            intents[str(place)] = asked.intent
            vectors.add(str(place), asked.vector)
    return seen


def exact(stream: Sequence[Asking]) -> Served:
    """The same question, letter for letter."""
    known, seen = dict[str, str](), Served(requests=len(stream))
    for asked in stream:
        if asked.text in known:
            seen.hits, seen.wrong = seen.hits + 1, seen.wrong + (known[asked.text] != asked.intent)
        known.setdefault(asked.text, asked.intent)
    return seen


def lookups(asked: Sequence[Asking], entries: int) -> dict[str, float]:
    """Microseconds of one search among so many entries, by the clock and of CPU; the share of the ten nearest that it finds.

    Where the file has fewer, entries are made up: a question's vector with noise of its own length (synthetic).
    """
    dice = np.random.default_rng(entries)
    vectors, kept = Vectors(DIMENSIONS), []
    probes, source = asked[:_LOOKUPS], asked[_LOOKUPS:] or asked
    for place in range(entries):
        vector = source[place % len(source)].vector
        if place >= len(source):
            moved = vector + dice.normal(0, DIMENSIONS**-0.5, DIMENSIONS).astype(np.float32)
            vector = np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)
        vectors.add(str(place), vector)
        kept.append(vector)
    rows, took, busy, found = np.array(kept), [], [], 0.0
    for probe in probes:  # back to back: what comes between two look-ups elsewhere takes the processor's caches away
        begun, began = time.perf_counter(), time.thread_time()
        vectors.search(probe.vector, limit=_NEIGHBOURS)
        took.append(1e6 * (time.perf_counter() - begun))
        busy.append(1e6 * (time.thread_time() - began))
    for probe in probes:
        best = {str(place) for place in np.argsort(-(rows @ probe.vector))[:10]}
        found += len(best & {each.id for each in vectors.search(probe.vector, limit=_NEIGHBOURS)}) / 10
    return {
        "median_us": float(np.median(took)), "p95_us": float(np.quantile(took, 0.95)),
        "median_cpu_us": float(np.median(busy)), "recall": found / len(probes),
    }  # fmt: skip


def measured(asked: Sequence[Asking], seeds: Sequence[int], requests: int) -> dict[str, Any]:
    """All runs."""
    report: dict[str, Any] = {"runs": [], "per_hit_runs": [], "flipped_runs": []}
    for seed in seeds:
        stream = ordered(asked, seed, requests)
        naive, same = fixed(stream, _COSINE), exact(stream)
        for limit in BOUNDS:
            item = per_item(stream, seed, limit)
            report["runs"].append(
                {
                    "bound": limit, "seed": seed, **near_cache(stream, seed, errors_per_request=limit).row(),
                    "baseline_hits": item.hits, "baseline_wrong": item.row()["wrong_per_request"],
                    "fixed_cosine_wrong": naive.row()["wrong_per_request"], "fixed_cosine_hits": naive.hits,
                    "exact_hits": same.hits, "exact_wrong": same.row()["wrong_per_request"],
                }
            )  # fmt: skip
            turned = near_cache(stream, seed, flipped=FLIPPED, errors_per_request=limit, label_error=FLIPPED)
            report["flipped_runs"].append({"bound": limit, "seed": seed, "kind": "per request", **turned.row()})
        for limit in PER_HIT:
            row = near_cache(stream, seed, errors_per_hit=limit).row()
            report["per_hit_runs"].append({"bound": limit, "seed": seed, **row})
            turned = near_cache(stream, seed, flipped=FLIPPED, errors_per_hit=limit, label_error=FLIPPED)
            report["flipped_runs"].append({"bound": limit, "seed": seed, "kind": "per hit", **turned.row()})
    return report


def main() -> None:
    """Print the report; its last line is one JSON object with `--json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--no-lookup", action="store_true", help="leave the time of a look-up out")
    options = parser.parse_args()
    asked = prepared(options.file)
    report = measured(asked, options.seeds, options.requests)
    if not options.no_lookup:
        report["lookup"] = {str(entries): lookups(asked, entries) for entries in (10_000, 100_000)}
    report["machine"] = machine()
    print("\n".join(_told(report)))
    if options.json:
        print(json.dumps(report))


def _told(report: dict[str, Any]) -> Iterator[str]:
    yield f"machine: {report['machine']}"
    for name in ("runs", "per_hit_runs", "flipped_runs"):
        yield f"\n{name}: bound seed | hits | wrong per request (high) | wrong per hit (high) | first hit | baselines"
        for run in report[name]:
            per_hit = "no hits"
            if run["hits"]:
                per_hit = f"{run['wrong_per_hit']:.2%} ({run['wrong_per_hit_high']:.2%})"
            beside = ""
            if "baseline_hits" in run:
                beside = (
                    f" | per item {run['baseline_hits'] / run['requests']:.1%} ({run['baseline_wrong']:.2%} wrong), cosine"
                    f" {_COSINE:.2f} {run['fixed_cosine_hits'] / run['requests']:.1%} ({run['fixed_cosine_wrong']:.2%} wrong),"
                    f" exact {run['exact_hits'] / run['requests']:.1%} ({run['exact_wrong']:.2%} wrong)"
                )
            yield (
                f"{run.get('kind', '')} {run['bound']:.2f} {run['seed']} | {run['hits'] / run['requests']:.1%} of"
                f" {run['requests']} | {run['wrong_per_request']:.2%} ({run['wrong_per_request_high']:.2%}) | {per_hit}"
                f" | {run['first_hit']}{beside}"
            )
    for entries, took in report.get("lookup", {}).items():
        yield (
            f"look-up among {entries}: median {took['median_us']:.0f} us, p95 {took['p95_us']:.0f} us,"
            f" {took['median_cpu_us']:.0f} us of CPU; finds"
            f" {took['recall']:.1%} of the ten nearest"
        )


if __name__ == "__main__":
    main()
