"""The response-aware part of `benchmarks.routing`: what the weak model's draft says of itself, by the product's own maps.

Drafts go through the stages of live traffic (`trial.gather`), and a map is fitted on the training rows' signals by
`learning.fit`. Asked first is the weak model alone, then the rung "weak+second" where a second cheap model's draft is compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.app import App
from surefoot.learning.examples import Example
from surefoot.learning.fit import fit_map
from surefoot.learning.measure import applied
from surefoot.providers.rows import Row, read_rows
from surefoot.stats.arrays import Floats
from surefoot.store.memory import MemoryStore
from surefoot.trial.gather import gather
from surefoot.trial.ladder import FEATURE, ladder_config

if TYPE_CHECKING:
    from benchmarks.routing import Options, Split


@cache
def examples_of(file: str, rung: str) -> dict[str, Example]:
    """By row id, the first model's draft of a rung with its signals and verdict, of every row that has one."""
    wanted = rung.split("+")
    rows = [row for row in read_rows(file) if all(name in row.answers for name in wanted)]
    return asyncio.run(_gathered(file, rung, rows))


async def _gathered(file: str, rung: str, rows: Sequence[Row]) -> dict[str, Example]:
    config = ladder_config(Path(file), [rung], bar=0.85, maps={}, uncalibrated="climb")
    app = await App.start(config, store=MemoryStore())
    try:
        walks = await gather(app, app.policy.features[FEATURE], rows)
    finally:
        await app.close()
    return {walk.id: draft for walk in walks if (draft := walk.drafts[0]) is not None}


def second_of(split: Split, options: Options) -> str | None:
    """The second cheap model: as named, else of those in all training rows the one nearest to the weak model in accuracy.

    Never the strong one, nor one that is more often right than it. None where the file has no other model with texts.
    """
    if options.second:
        return options.second
    rows = split.train[: split.labels]
    others = {name for name in rows[0].answers if all(name in row.answers and row.answers[name].text for row in rows)}
    right = {name: float(np.mean([row.answers[name].correct is True for row in rows])) for name in others}
    weak = float(np.mean([row.answers[options.weak].correct is True for row in rows]))
    strong = float(np.mean([row.answers[options.strong].correct is True for row in rows]))
    cheap = sorted((abs(each - weak), name) for name, each in right.items() if each <= strong)
    return next((name for _, name in cheap if name not in (options.weak, options.strong)), None)


def response_scores(split: Split, options: Options) -> dict[str, Floats]:
    """1 - p of the weak draft for every tested row: with a second model's draft beside it, and alone."""
    found = {"draft_alone": _scores(split, options, options.weak)}
    second = second_of(split, options)
    main = found["draft_alone"] if second is None else _scores(split, options, f"{options.weak}+{second}")
    return found | {"response_aware": main}


def _scores(split: Split, options: Options, rung: str) -> Floats:
    """Rows without a draft go to the strong model first: nothing else can answer them."""
    training, testing = examples_of(options.train, rung), examples_of(options.test, rung)
    fit = fit_map([training[row.id] for row in split.train[: split.labels] if row.id in training], seed=split.seed)
    tested = [row.id for row in split.test if row.id in testing]
    _, p = applied(fit.map, [testing[name] for name in tested])
    by_id = dict(zip(tested, np.nan_to_num(p, nan=0.5).tolist(), strict=True))
    return np.array([1 - by_id.get(row.id, 0.0) for row in split.test])
