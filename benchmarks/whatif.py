"""Whether what-if's intervals hold: `python -m benchmarks.whatif [--worlds N] [--pairs N] [--json]`.

Simulated worlds whose truth is known: a ladder of two rungs serves, begins a share of the requests at the upper one by lot
and audits a share of what it delivers. Asked are the delivered error of what serves (weighted audits with the calibrated p as
predictor, PPI++) and, of a candidate that begins at the upper rung, automation, error and cost (doubly robust). The truth is
the mean over 20,000 requests under the candidate. Beside it the naive answer: the mean over requests that reached the upper
rung, for whatever reason, as if they were a sample. A log without lots must give no number.

With SUREFOOT_DATA recorded answers: rows of gsm8k and crux are the population, a log of one pair of models is drawn from it
with replacement, and another policy's trial over the whole file is the truth. The oracle beside it is the candidate's own log
of the same requests: it saw every draft that it needs. Printed are n, seed, and 95 % intervals (Clopper-Pearson).
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.loggedpage import Prepared, answered, candidate, logged
from benchmarks.machine import machine
from surefoot.evals.columns import Row, side_of
from surefoot.evals.paths import Logged, follow
from surefoot.evals.whatif import AUTOMATION, ERROR, MODELS, UNIDENTIFIED, Answer, Terms, WhatIf, what_if
from surefoot.policy import Feature, Map, Policy, RouteRules, parse_ladder
from surefoot.providers.rows import read_rows
from surefoot.records import Draft, Evidence, JournalEntry, Label, Prospect, Question, Signal
from surefoot.signals.final_answer import final_answer
from surefoot.stats import Mean, clopper_pearson
from surefoot.stats.metrics import rate

SEED = 20264
REQUESTS, TRUTH = 1500, 20_000
SMALL, BIG = "small", "big"
MAP = Map(kind="logistic", signal="s")
ASKED = (AUTOMATION, ERROR, MODELS)
TERMS = Terms(handling=Mean(value=120.0, low=100.0, high=140.0, n=50), now_hourly=0, then_hourly=0)
UPPER = parse_ladder([BIG])


class Item(Struct, frozen=True, kw_only=True):
    """A request with everything that could become of it."""

    name: str
    prepared: Prepared
    right: Mapping[str, bool]
    cost: Mapping[str, int]


class World(Struct, frozen=True, kw_only=True):
    """How hard the questions are, how well scores tell it, and which share is left to lots."""

    explore: float
    audit: float
    hard: float  # mean of the questions' log odds against the small model
    gain: float  # of the big model over it, in log odds
    noise: float  # of scores about the truth


class Held(Struct, frozen=True, kw_only=True):
    """One answer beside the truth."""

    question: str
    inside: bool
    width: float
    naive: bool | None = None  # whether the naive interval holds the truth
    oracle: float | None = None  # width


def worlds(rng: np.random.Generator, count: int) -> list[World]:
    """Shares and difficulties drawn anew for each."""
    return [
        World(
            explore=float(rng.choice([0.2, 0.4, 0.8])), audit=float(rng.choice([0.2, 0.5])), hard=float(rng.uniform(-1.5, 0)),
            gain=float(rng.uniform(0.5, 1.5)), noise=float(rng.uniform(0.2, 0.8)),
        )
        for _ in range(count)
    ]  # fmt: skip


def served(world: World) -> Feature:
    """What serves in a world."""
    return Feature(
        name="f", mode="enforce", ladder=parse_ladder([SMALL, BIG]), uncalibrated="climb", confidence=0.75, audit=world.audit,
        maps={SMALL: MAP, BIG: MAP}, route=RouteRules(explore=world.explore) if world.explore else None,
    )  # fmt: skip


def simulated(world: World, rng: np.random.Generator, count: int) -> list[Item]:
    """Requests of a world: calibrated but noisy scores, answers that are right with the true probability."""
    items = []
    for at in range(count):
        ease = rng.normal(-world.hard, 1.2)
        true = {SMALL: _chance(ease), BIG: _chance(ease + world.gain)}
        score = {rung: _chance(math.log(p / (1 - p)) + rng.normal(0, world.noise)) for rung, p in true.items()}
        right = {rung: bool(rng.random() < p) for rung, p in true.items()}
        cost = {SMALL: int(rng.integers(50, 150)), BIG: int(rng.integers(500, 2500))}
        prior = _chance(ease + rng.normal(0, 0.5))
        items.append(_item(f"r{at}", score, right, cost, prior))
    return items


def _item(
    name: str, score: Mapping[str, float], right: Mapping[str, bool], cost: Mapping[str, int], prior: float
) -> Item:
    prospects = (
        Prospect(rung=SMALL, p=prior, gain=0.0, nanodollars=100),
        Prospect(rung=BIG, p=min(1.0, prior + 0.1), gain=0.1, nanodollars=10**15),  # the lot alone begins there
    )
    question = Question(
        fingerprint=name, model="m", dialect="openai", surface="chat", stream=False, input_tokens=10, max_output_tokens=50,
        prospects=prospects, routed_by="heuristic",
    )  # fmt: skip
    drafts = {rung: Draft(rung=rung, provider="up", model=rung, digest="") for rung in (SMALL, BIG)}
    evidence = {(rung, ()): Evidence(signals=(Signal(name="s", score=score[rung]),)) for rung in (SMALL, BIG)}
    prepared = Prepared(question=question, drafts=drafts, evidence=evidence)
    return Item(name=name, prepared=prepared, right=right, cost=cost)


def log_of(items: Sequence[Item], feature: Feature, rng: np.random.Generator) -> list[JournalEntry]:
    """The journal of requests in their order; each draws its own lots."""
    policy = Policy.of({"f": feature})
    return [
        logged(item.prepared, policy, name=f"q{at}", draw=rng.bytes(16).hex(), at_ns=at)
        for at, item in enumerate(items)
    ]


def asked_of(items: Sequence[Item], log: Sequence[JournalEntry], now: Feature, then: Feature) -> WhatIf:
    """What the log says of a candidate."""
    sides, rows = (candidate(now).policy, candidate(then).policy), []
    for item, entry in zip(items, log, strict=True):
        labels = _labels(item, entry)
        now_side, then_side = (
            side_of(entry, follow(Logged(entry=entry, rules=now), policy, {}), item.cost, labels) for policy in sides
        )
        prior = item.prepared.question.prospects[0].p
        rows.append(
            Row(
                request_id=entry.request_id,
                at_ns=entry.at_ns,
                group=item.name,
                now=now_side,
                then=then_side,
                prior=prior,
            )
        )
    return what_if(rows, TERMS, feature="f")


def _labels(item: Item, entry: JournalEntry) -> dict[tuple[str, str], Label]:
    if entry.lot is None or not entry.lot.drawn or entry.rung is None:
        return {}
    label = Label(
        id=entry.request_id, request_id=entry.request_id, at_ns=entry.at_ns, tenant="t", feature="f", rung=entry.rung,
        edition="", verdict="accepted" if item.right[entry.rung] else "wrong", source="audit", group=item.name,
        propensity=entry.lot.propensity,
    )  # fmt: skip
    return {(entry.request_id, entry.rung): label}


def trial(items: Sequence[Item], feature: Feature) -> dict[str, float]:
    """The truth about a policy: every request is asked, every delivery judged. Exploration is left out."""
    policy = candidate(feature).policy
    delivered = wrong = cost = 0
    for item in items:
        decision, trace = answered(item.prepared, policy)
        cost += sum(item.cost[step.rung or ""] for step in trace.steps if step.stage == "call")
        if decision.action == "deliver" and decision.rung is not None:
            delivered += 1
            wrong += not item.right[decision.rung.name]
    n = len(items)
    return {
        AUTOMATION: delivered / n,
        ERROR: wrong / delivered if delivered else math.nan,
        MODELS: cost / n,
    }


def in_worlds(count: int, seed: int) -> list[Held]:
    """Answers of simulated worlds beside their truth."""
    rng = np.random.default_rng(seed)
    found = []
    for world in worlds(rng, count):
        now = served(world)
        then = replace(now, ladder=UPPER, route=None)
        items = simulated(world, rng, REQUESTS)
        log = log_of(items, now, rng)
        answer = asked_of(items, log, now, then)
        many = simulated(world, rng, TRUTH)
        truth, truth_now = trial(many, then), trial(many, replace(now, route=None))
        naive = _naive(items, log)
        found += [_held(name, answer.question(name).then, truth[name], naive.get(name)) for name in ASKED]
        found.append(_held("served " + ERROR, answer.question(ERROR).now, truth_now[ERROR], None))
    return found


def _naive(items: Sequence[Item], log: Sequence[JournalEntry]) -> dict[str, tuple[float, float]]:
    """Whatever reached the upper rung, taken for a sample of all requests."""
    reached = [(item, entry) for item, entry in zip(items, log, strict=True) if _asked(entry, BIG)]
    ended = [entry.action == "deliver" for _, entry in reached]
    judged = [not item.right[BIG] for item, entry in reached if entry.rung == BIG and entry.lot and entry.lot.drawn]
    found = {name: rate(hits) for name, hits in ((AUTOMATION, ended), (ERROR, judged))}
    return {name: (each.low, each.high) for name, each in found.items()}


def _asked(entry: JournalEntry, rung: str) -> bool:
    return any(step.stage == "call" and step.rung == rung for step in entry.steps)


def _held(name: str, answer: Answer, truth: float, naive: tuple[float, float] | None) -> Held:
    assert answer.low is not None, name
    assert answer.high is not None, name
    return Held(
        question=name, inside=answer.low <= truth <= answer.high, width=answer.high - answer.low,
        naive=None if naive is None else naive[0] <= truth <= naive[1],
    )  # fmt: skip


def deterministic(seed: int) -> str:
    """What a log without a lot says of a rung that it skipped. Raises AssertionError for a number."""
    rng = np.random.default_rng(seed)
    world = World(explore=0.0, audit=0.5, hard=-1.0, gain=1.0, noise=0.5)
    now = served(world)
    items = simulated(world, rng, REQUESTS)
    answer = asked_of(items, log_of(items, now, rng), now, replace(now, ladder=UPPER, route=None))
    states = {answer.question(name).then.state for name in ASKED}
    assert all(answer.question(name).then.estimate is None for name in ASKED), states
    assert states == {UNIDENTIFIED}, states
    return states.pop()


def recorded(path: Path, pair: tuple[str, str, str]) -> list[Item]:
    """Rows as requests of a ladder of two models; a third one's agreement is each draft's score."""
    small, big, other = pair
    items = []
    for row in read_rows(path):
        if any(name not in row.answers or not row.answers[name].text for name in pair):
            continue
        said = {name: final_answer(row.answers[name].text or "") for name in pair}
        score, right, cost = {}, {}, {}
        for rung, name in ((SMALL, small), (BIG, big)):
            score[rung] = 0.95 if said[name] is not None and said[name] == said[other] else 0.55
            right[rung] = bool(row.answers[name].correct)
            cost[rung] = len(row.answers[name].text or "") * (1 if rung == SMALL else 17)
        prior = 1 / (1 + math.exp(len(row.query) / 200 - 1.5))
        items.append(_item(row.id, score, right, cost, prior))
    return items


def in_records(folder: Path, count: int, seed: int) -> list[Held]:
    """Another policy's trial, predicted from a log of one pair of recorded models."""
    rng = np.random.default_rng(seed)
    models = {}
    for name in ("gsm8k", "crux"):
        path = folder / f"{name}.jsonl.gz"
        models[path] = sorted({model for row in read_rows(path) for model in row.answers})
    found = []
    while len(found) < count * len(ASKED):
        path = list(models)[len(found) // len(ASKED) % len(models)]
        small, big, other = rng.permutation(models[path])[:3].tolist()
        population = recorded(path, (small, big, other))
        world = World(explore=float(rng.choice([0.4, 0.8])), audit=1.0, hard=0, gain=0, noise=0)
        now = replace(served(world), confidence=0.9)
        then = replace(now, ladder=UPPER, route=None)
        items = [population[at] for at in rng.integers(0, len(population), REQUESTS)]
        truth = trial(population, then)
        if math.isnan(truth[ERROR]):
            continue
        answer = asked_of(items, log_of(items, now, rng), now, then)
        best = asked_of(items, log_of(items, then, rng), then, then)
        for name in ASKED:
            held = _held(name, answer.question(name).then, truth[name], None)
            own = best.question(name).then
            assert own.low is not None
            assert own.high is not None
            found.append(replace(held, oracle=own.high - own.low))
    return found


def _chance(logit: float) -> float:
    return min(0.999, max(0.001, 1 / (1 + math.exp(-logit))))


def _report(found: Sequence[Held]) -> None:
    for name in dict.fromkeys(each.question for each in found):
        mine = [each for each in found if each.question == name]
        held = clopper_pearson(sum(each.inside for each in mine), len(mine))
        line = f"{name:24} holds {held.estimate:.3f} [{held.low:.3f}, {held.high:.3f}] of {held.n}"
        naive = [each.naive for each in mine if each.naive is not None]
        if naive:
            line += f"; naive {sum(naive) / len(naive):.3f}"
        oracle = [each.width / each.oracle for each in mine if each.oracle]
        if oracle:
            line += f"; width {float(np.median(oracle)):.2f} x oracle's (median)"
        print(line, flush=True)


def main() -> None:
    """Print every question's coverage; the last line is one JSON object with `--json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(msgspec.json.encode(machine()).decode())
    print(f"simulated; {options.worlds} worlds of {REQUESTS} requests, seed {options.seed}")
    found = in_worlds(options.worlds, options.seed)
    _report(found)
    without = deterministic(options.seed)
    print(f"a log without lots: {without}")
    pairs: list[Held] = []
    if os.environ.get("SUREFOOT_DATA"):
        print(
            f"recorded: gsm8k and crux, {options.pairs} pairs of policies, {REQUESTS} requests drawn with replacement"
        )
        pairs = in_records(Path(os.environ["SUREFOOT_DATA"]), options.pairs, options.seed)
        _report(pairs)
    else:
        print("SKIPPED: recorded pairs, because SUREFOOT_DATA names no folder")
    if options.json:
        inside = sum(each.inside for each in found) / len(found)
        whole = [pairs[at : at + len(ASKED)] for at in range(0, len(pairs), len(ASKED))]
        print(
            json.dumps(
                {
                    "coverage_95": round(inside, 4),
                    "worlds": options.worlds,
                    "deterministic_log": without,
                    "recorded_pairs_inside": round(sum(each.inside for pair in whole for each in pair) / len(ASKED), 2),
                    "recorded_pairs": len(whole),
                }
            )
        )


if __name__ == "__main__":
    main()
