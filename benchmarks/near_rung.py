"""The near cache as a rung of a running gateway: hits, wrong ones, and what it adds. `python -m benchmarks.near_rung FILE`.

FILE holds `{query, intent}` lines (gzip or not). The model answers with the intent's name, so that the same intent is the
same answer. Everything runs through the gateway in this process, over a store in memory: the page, the account, the commit, a
look at the store every 50 requests (one second at 50 a second), maps fitted as they come due. The library alone, with a look
at everything after every request and no bar, is `benchmarks.semantic_cache`. "high" is the one-sided 95 % end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import structlog
from msgspec.structs import replace

from benchmarks.machine import machine
from benchmarks.semantic_cache import lines
from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Draft, JournalEntry
from surefoot.stats import clopper_pearson
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

CONFIG = """
[providers.rows]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rows"
[features.f]
mode = "enforce"
stream = "hold"
ladder = ["cache", "small"]
confidence = {bar}
maps.small = {{ p = 0.99 }}
[features.f.cache]
{cache}
"""
_EVERY = 50  # requests between two looks at the store


def rows_of(file: Path, seed: int, requests: int) -> list[Row]:
    """The stream of a seed."""
    found = [
        Row(
            id=f"q{place}",
            group=row["intent"],
            query=row["query"],
            answers={"small": RecordedAnswer(text=row["intent"])},
        )
        for place, row in enumerate(lines(file))
    ]
    return random.Random(seed).sample(found, min(requests, len(found)))


async def streamed(rows: Sequence[Row], seed: int, bar: float, cache: str) -> list[JournalEntry]:
    """What the journal has of every request of a stream."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
        store, draws, found = MemoryStore(), random.Random(f"draws {seed}"), []
        app = await App.start(load_text(CONFIG.format(file=file, bar=bar, cache=cache), environ={}), store=store)
        for place, row in enumerate(rows):
            request = request_of(app, app.policy.features["f"], row)
            request = replace(request, id=f"req_{place:06d}", draw=f"{draws.getrandbits(128):032x}")
            await app.answer(request)
            entry = await store.journal.get(request.id)
            assert entry is not None
            found.append(entry)
            if place % _EVERY == _EVERY - 1:
                await app.near.refresh()
                await app.serving._look()
        await app.close()
        return found


def counted(rows: Sequence[Row], entries: Sequence[JournalEntry]) -> dict[str, Any]:
    """Hits, wrong ones and microseconds of one stream."""
    groups = {entry.request_id: row.group for row, entry in zip(rows, entries, strict=True)}
    hits = wrong = 0
    first, took = None, {"hit": [], "miss": []}
    for place, entry in enumerate(entries):
        draft = next(step.value for step in entry.steps if step.stage == "call" and step.rung == "cache")
        near = isinstance(draft, Draft) and draft.near is not None and entry.rung == "cache"
        took["hit" if near else "miss"].append(entry.own_us)
        if near and isinstance(draft, Draft):
            hits += 1
            wrong += groups[draft.upstream_id] != groups[entry.request_id]
            first = place if first is None else first
    told = clopper_pearson(wrong, len(entries), assurance=0.9)
    return {
        "requests": len(entries), "hits": hits, "wrong": wrong, "wrong_per_request": told.estimate,
        "wrong_per_request_high": told.high, "first_hit": first,
        "hit_us": float(np.median(took["hit"])) if took["hit"] else None, "miss_us": float(np.median(took["miss"])),
    }  # fmt: skip


def main() -> None:
    """Print a row a run; the last line is one JSON object with `--json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--bounds", type=float, nargs="+", default=[0.01, 0.02, 0.05])
    parser.add_argument("--bars", type=float, nargs="+", default=[0.85, 0.5])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(f"machine: {machine()}; simulated traffic, the model's answer is the intent of the file")
    runs = []
    for seed in options.seeds:
        rows = rows_of(options.file, seed, options.requests)
        plain = counted(rows, asyncio.run(streamed(rows, seed, 0.85, 'kind = "exact"')))
        print(f"seed {seed}, exact cache: {plain['hits']} near hits, own time {plain['miss_us']:.0f} us")
        for bar in options.bars:
            for bound in options.bounds:
                cache = f'kind = "near"\nerrors_per_request = {bound}\nshadow_requests = 0'
                run = {
                    "seed": seed,
                    "bar": bar,
                    "bound": bound,
                    **counted(rows, asyncio.run(streamed(rows, seed, bar, cache))),
                }
                runs.append(run)
                hit_us = "-" if run["hit_us"] is None else f"{run['hit_us']:.0f} us"
                print(
                    f"seed {seed}, bar {bar:.2f}, bound {bound:.2f}: {run['hits'] / run['requests']:.1%} hits of"
                    f" {run['requests']}, wrong {run['wrong_per_request']:.2%} ({run['wrong_per_request_high']:.2%}),"
                    f" first hit {run['first_hit']}, own time of a hit {hit_us}, of others {run['miss_us']:.0f} us",
                    flush=True,
                )
    if options.json:
        print(json.dumps({"runs": runs}))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    main()
