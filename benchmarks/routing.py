"""Who should get the strong model? `python -m benchmarks.routing --train A --test B --weak M --strong N [--labels 1500]`.

RouteLLM's own measure (arXiv 2406.18665): the gap between the two models that a router recovers, at 11 shares of strong
calls, area by trapezoids (APGR; 0.5 is random), and the least share of strong calls that recovers 50 % and 80 % of it (CPT).
Where A and B are one file, rows are divided by seed, half for training, repeated questions removed; else every row of B is
tested. Where rows have groups, APGR with whole groups held out stands beside it: what knows subjects only falls back there.

`--response-aware` scores the weak model's draft: the product's own map of its signals, which do not say what was asked. The
draft is paid for, so strong calls come on top. A second cheap model (`--second`, else the one of the file that is nearest to
the weak one in accuracy on the training rows, the strong one never) is compared with it, as the rung "a+b" does; `draft_alone`
in the output is without that. The last line of the output is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from benchmarks.machine import machine
from benchmarks.responses import response_scores, second_of
from surefoot.learning.routing import Asked, fit_route
from surefoot.providers.rows import Row, read_rows
from surefoot.signals.router import Router
from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.routing import area, calls_for, recovered

SEEDS = 20
GROUPS_LEAST = 10


class Options(Struct, frozen=True, kw_only=True):
    """What is measured."""

    train: str
    test: str
    weak: str
    strong: str
    labels: int | None = None
    seeds: int = SEEDS
    first_seed: int = 0
    response_aware: bool = False
    second: str = ""
    json: bool = False


class Split(Struct, frozen=True, kw_only=True):
    """Rows to learn from, of which the first `labels` have a verdict that counts, and rows to test on."""

    train: Sequence[Row]
    test: Sequence[Row]
    labels: int
    seed: int


class Verdicts(Struct, frozen=True):
    """Whether either model is right, by tested row."""

    weak: Bools
    strong: Bools

    @classmethod
    def of(cls, rows: Sequence[Row], options: Options) -> Verdicts:
        """Those of rows."""
        return cls(
            *(np.array([row.answers[name].correct is True for row in rows]) for name in (options.weak, options.strong))
        )


def usable(path: str, options: Options) -> list[Row]:
    """Rows with a verdict on both models, the first of each question. Exits when there is none."""
    found: dict[tuple[str, tuple[str, ...]], Row] = {}
    for row in read_rows(path):
        verdicts = [
            row.answers[name].correct if name in row.answers else None for name in (options.weak, options.strong)
        ]
        if None not in verdicts:
            found.setdefault((row.query, row.context), row)
    if not found:
        sys.exit(f"{path}: no row has a verdict on both {options.weak} and {options.strong}")
    return list(found.values())


def splits(options: Options) -> list[Split]:
    """By row: one a seed."""
    train, test = usable(options.train, options), usable(options.test, options)
    one = Path(options.train).resolve() == Path(options.test).resolve()
    found = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        order = np.random.default_rng(seed).permutation(len(train))
        half = max(len(train) // 2, min(options.labels or 0, len(train) - 1)) if one else len(train)
        asked = {(row.query, row.context) for row in train} if not one else set()
        testing = [train[at] for at in order[half:]] if one else [r for r in test if (r.query, r.context) not in asked]
        training = [train[at] for at in order[:half]]
        found.append(Split(train=training, test=testing, labels=min(options.labels or half, half), seed=seed))
    return found


def by_group(split: Split) -> Split | None:
    """The same number of labels with whole groups held out; None where there are few groups."""
    rows = [*split.train, *split.test]
    groups = sorted({row.group for row in rows})
    if len(groups) < GROUPS_LEAST or len(groups) > len(rows) // 3:
        return None
    shuffled = np.random.default_rng(split.seed).permutation(len(groups))
    inside = {groups[at] for at in shuffled[: len(groups) // 2]}
    order = [rows[at] for at in np.random.default_rng(split.seed).permutation(len(rows))]
    train = [row for row in order if row.group in inside]
    test = [row for row in order if row.group not in inside]
    return Split(train=train, test=test, labels=min(split.labels, len(train)), seed=split.seed)


def text_of(row: Row) -> str:
    """What is asked."""
    return row.query or "\n".join(row.context)


def asked(rows: Sequence[Row], options: Options) -> list[Asked]:
    """Rows as the fit takes them."""
    return [
        Asked(
            text=text_of(row),
            group=row.id,
            accepted={name: row.answers[name].correct is True for name in (options.weak, options.strong)},
        )
        for row in rows
    ]


def learned_gain(split: Split, options: Options) -> Floats:
    """The gain that a fitted model expects of every tested row, applied as serving applies it."""
    fit = fit_route(
        asked(split.train[: split.labels], options), (options.weak, options.strong),
        unlabelled=[text_of(row) for row in split.train[split.labels :]], seed=split.seed,
    )  # fmt: skip
    if fit is None:
        sys.exit(f"not enough labels: {split.labels}")
    router = Router(fit.model)
    return np.array([router.estimates(text_of(row))[-1].gain for row in split.test])


def subject_prior(split: Split, options: Options) -> Floats:
    """The mean gain of the row's group among the labels, drawn to the mean of all by five of them."""
    seen = split.train[: split.labels]
    verdicts = Verdicts.of(seen, options)
    gains = verdicts.strong.astype(float) - verdicts.weak
    mean = float(gains.mean())
    sums: dict[str, tuple[float, int]] = {}
    for row, gain in zip(seen, gains, strict=True):
        total, n = sums.get(row.group, (0.0, 0))
        sums[row.group] = (total + gain, n + 1)
    found = [sums.get(row.group, (0.0, 0)) for row in split.test]
    return np.array([(total + 5 * mean) / (n + 5) for total, n in found])


def scored(split: Split, options: Options) -> dict[str, Floats]:
    """By router, a score for every tested row; the highest go to the strong model."""
    verdicts = Verdicts.of(split.test, options)
    found = {
        "random": np.random.default_rng(split.seed + 10_000).random(len(split.test)),
        "length": np.array([float(len(text_of(row))) for row in split.test]),
        "subject_prior": subject_prior(split, options),
        "oracle": verdicts.strong.astype(float) - verdicts.weak,
    }
    found["question"] = learned_gain(split, options)
    if options.response_aware:
        found |= response_scores(split, options)
    return found


def measured(all_splits: Sequence[Split], options: Options) -> dict[str, object]:
    """The figures over all seeds."""
    curves: dict[str, list[Floats]] = {}
    singles = []
    for split in all_splits:
        verdicts = Verdicts.of(split.test, options)
        singles.append((float(verdicts.weak.mean()), float(verdicts.strong.mean())))
        for name, scores in scored(split, options).items():
            curves.setdefault(name, []).append(recovered(scores, verdicts.weak, verdicts.strong))
        print(
            f"seed {split.seed}: " + ", ".join(f"{name} {area(found[-1]):.3f}" for name, found in curves.items()),
            flush=True,
        )
    main = "response_aware" if options.response_aware else "question"
    apgrs = [area(curve) for curve in curves[main]]
    weak, strong = (float(np.mean([each[side] for each in singles])) for side in (0, 1))
    return {
        "apgr": mean(apgrs), "cpt50": mean([calls_for(curve, 0.5) for curve in curves[main]]),
        "cpt80": mean([calls_for(curve, 0.8) for curve in curves[main]]),
        "sd": number(float(np.std(apgrs, ddof=1))) if len(apgrs) > 1 else None,
        "baselines": {name: mean([area(curve) for curve in found]) for name, found in curves.items() if name != main},
        "best_single": {
            "model": options.strong if strong >= weak else options.weak, "accuracy": number(max(weak, strong)),
            "weak_accuracy": number(weak), "strong_accuracy": number(strong),
        },
        "n": len(all_splits[0].test), "labels": all_splits[0].labels, "seeds": len(all_splits),
        **({"second": second_figures(all_splits[0], options)} if options.response_aware else {}),
    }  # fmt: skip


def second_figures(split: Split, options: Options) -> dict[str, object] | None:
    """The model whose draft is compared, with its own accuracy: it may be the better of the two cheap ones."""
    name = second_of(split, options)
    if name is None:
        return None
    right = [row.answers[name].correct is True for row in split.test if name in row.answers]
    return {"model": name, "accuracy": number(float(np.mean(right)))}


def mean(values: Sequence[float]) -> float | None:
    """The mean of those that are numbers; None where none is."""
    known = [value for value in values if not math.isnan(value)]
    return number(float(np.mean(known))) if known else None


def number(value: float) -> float:
    """As it is printed."""
    return round(value, 4)


def options_of(arguments: Sequence[str] | None = None) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(description="APGR of the learned route, with baselines")
    for name in ("--train", "--test", "--weak", "--strong"):
        parser.add_argument(name, required=True)
    parser.add_argument("--labels", type=int)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--second", default="")
    parser.add_argument("--response-aware", action="store_true")
    parser.add_argument("--json", action="store_true", help="only the last line")
    return Options(**vars(parser.parse_args(arguments)))


def main() -> None:
    """Measure and print."""
    options = options_of()
    found = splits(options)
    if not options.json:
        print(json.dumps(machine()))
    figures = measured(found, options)
    held = [
        each for each in (by_group(split) for split in found[:5]) if each is not None and not options.response_aware
    ]
    if held:
        curves = []
        for split in held:
            verdicts = Verdicts.of(split.test, options)
            curves.append(area(recovered(learned_gain(split, options), verdicts.weak, verdicts.strong)))
        figures["group_held_out"] = {"apgr": mean(curves), "seeds": len(held), "n": len(held[0].test)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
