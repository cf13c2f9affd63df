"""How well the passages of a request tell supported answers from hallucinations.

`python -m benchmarks.grounding --train A --test B [--json]` fits a map on one labelled file and applies it to another; its last
line is JSON. Without files it reads the folder that SUREFOOT_DATA names: RAGTruth QA over 20 splits of its sources, BEGIN and
SummEdits over three, each beside two naive baselines: the share of the answer's words that the passages have, and delivering
everything.

The way is the product's: the check `Grounding` on a draft, `fit_map` on the verdicts of the training rows,
`apply_map` on the others. A verdict is one answer; rows of one group are never on both sides.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time_ns
from typing import Any

import numpy as np
from msgspec import Struct

from benchmarks.machine import machine
from surefoot.errors import SurefootError
from surefoot.learning.examples import Example
from surefoot.learning.fit import fit_map
from surefoot.learning.measure import evidence_of
from surefoot.policy import Map, apply_map
from surefoot.providers.rows import Row, read_rows
from surefoot.records import Answer, Ask, Attempt, Caller, Draft, Evidence, Question, Request, Rung, Tried
from surefoot.signals.passages import forget
from surefoot.stages.check import Grounding, Seen
from surefoot.stats import metrics
from surefoot.wire.dialects import DIALECTS

SPLITS = {"ragtruth_qa": 20, "begin": 3, "summedits": 3}
SHARES = (0.1, 0.2, 0.3)  # of the answers, riskiest first, that go to a person
_CHECK = Grounding()
_WORD = re.compile(r"\w+")
_CALLER = Caller(key_id="local", tenant="local")
_RUNG = Rung(name="recorded", kind="model", models=("recorded",))
_NO_QUESTION = Question(
    fingerprint="", model="recorded", dialect="openai", surface="chat", stream=False, input_tokens=0, max_output_tokens=None
)  # fmt: skip


class Judged(Struct, frozen=True, kw_only=True):
    """One recorded answer: what the check says of it, and what a person said."""

    example: Example
    overlap: float  # share of its distinct words that are in the passages: the naive score
    seen: Seen


def seen_of(row: Row, text: str) -> Seen:
    """What the check gets to see of a recorded answer."""
    body = DIALECTS["openai"].ask(row.query, (), model="recorded")
    request = Request(
        id="req_1", at_ns=0, draw="0" * 32, dialect="openai", surface="chat", caller=_CALLER, feature="recorded",
        model="recorded", stream=False, body=body, top=DIALECTS["openai"].parse(body, surface="chat").top, context=row.context,
    )  # fmt: skip
    draft = Draft(rung="recorded", provider="recorded", model="recorded", digest="")
    ask = Ask(request=request, question=_NO_QUESTION, rung=_RUNG)
    return Seen(Tried(ask=ask, attempt=Attempt(draft=draft, answer=Answer(body=b"", text=text))), draft)


def evidence(seen: Seen) -> Evidence:
    """What the check finds."""
    found = _CHECK(seen)
    return Evidence(signals=found.signals, spans=found.spans)


def judged(rows: Sequence[Row]) -> list[Judged]:
    """Every answer of the rows that has a text and a verdict."""
    found = []
    for row in rows:
        held = {word for passage in row.context for word in _WORD.findall(passage.lower())}
        for model, answer in row.answers.items():
            if answer.text is None or answer.correct is None:
                continue
            seen = seen_of(row, answer.text)
            signals = {signal.name: signal.score for signal in evidence(seen).signals}
            example = Example(
                id=f"{row.id} {model}", group=row.group or row.id, signals=signals, accepted=answer.correct
            )
            words = set(_WORD.findall(answer.text.lower()))
            found.append(Judged(example=example, overlap=len(words & held) / len(words) if words else 0.0, seen=seen))
    return found


def halves(answers: Sequence[Judged], seed: int) -> tuple[list[Judged], list[Judged]]:
    """The answers of one half of the groups and those of the other."""
    groups = sorted({each.example.group for each in answers})
    order = np.random.default_rng(seed).permutation(len(groups))
    ours = {groups[place] for place in order[: len(groups) // 2]}
    return (
        [each for each in answers if each.example.group in ours],
        [each for each in answers if each.example.group not in ours],
    )


def apart(train: list[Judged], test: list[Judged], seed: int) -> tuple[list[Judged], list[Judged], int]:
    """(train, test, number of groups that were in both): a group that is in both is dealt to one of them."""
    shared = {each.example.group for each in train} & {each.example.group for each in test}
    if not shared:
        return train, test, 0
    ours, theirs = halves([each for each in train if each.example.group in shared], seed)
    trained, tested = ({each.example.group for each in side} for side in (ours, theirs))
    return (
        [each for each in train if each.example.group not in tested],
        [each for each in test if each.example.group not in trained],
        len(shared),
    )


def fitted(train: Sequence[Judged], seed: int) -> Map:
    """The map of the training answers; exits when there are too few."""
    chosen = fit_map([each.example for each in train], seed=seed).map
    if chosen is None:
        sys.exit(f"{len(train)} judged answers to train on are too few, or of too few groups")
    return chosen


def measured(chosen: Map, test: Sequence[Judged], *, seed: int, interval: bool = True) -> dict[str, Any]:
    """The figures of a map on answers it was not fitted on; an answer that it cannot judge counts as certainly wrong."""
    judgements = [apply_map(chosen, evidence_of(each.example)).p for each in test]
    p = np.array([0.0 if each is None else each for each in judgements])
    right = np.array([each.example.accepted for each in test])
    groups = [each.example.group for each in test]
    low, high = _auroc_interval(p, right, groups, seed) if interval else (float("nan"), float("nan"))
    return {
        "auroc": metrics.auroc(p, right),
        "auprc": metrics.average_precision(1 - p, ~right),
        "aurc": metrics.aurc(p, right),
        "ece": metrics.ece(p, right),
        "ece_perfect_p95": metrics.ece_perfect(p, seed=seed),
        "brier": metrics.brier(p, right),
        "base_rate": float(np.mean(~right)),
        "left_after": {str(share): left_after(p, right, share) for share in SHARES},
        "still_delivered": {str(share): metrics.left_after(p, right, share) for share in SHARES},
        "unjudged": sum(each is None for each in judgements),
        "n": len(test),
        "groups": len(set(groups)),
        "interval": {"auroc": [low, high]},
    }


def left_after(p: np.ndarray[Any, Any], right: np.ndarray[Any, Any], share: float) -> float:
    """The share of hallucinations among the answers that are left when the riskiest `share` goes to a person."""
    left = len(p) - round(share * len(p))
    return metrics.left_after(p, right, share) * int((~right).sum()) / left if left else float("nan")


def _auroc_interval(
    p: np.ndarray[Any, Any], right: np.ndarray[Any, Any], groups: list[str], seed: int
) -> tuple[float, float]:  # fmt: skip
    """95 % of the group bootstrap."""
    found = [metrics.auroc(p[rows], right[rows]) for rows in metrics.group_bootstrap(groups, seed=seed)]
    return float(np.nanquantile(found, 0.025)), float(np.nanquantile(found, 0.975))


def cost(chosen: Map, answers: Sequence[Judged]) -> dict[str, float]:
    """CPU microseconds of the check and the map for an answer over new passages, and again when they are known.

    One pass, with the garbage collector set as `surefoot serve` sets it. Words that were seen before are remembered, as in a
    process that has served for a while.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    times: dict[bool, list[float]] = {False: [], True: []}
    for each in answers:
        forget()
        for known in (False, True):
            began = process_time_ns()
            apply_map(chosen, evidence(each.seen))
            times[known].append((process_time_ns() - began) / 1000)
    cold, warm = np.array(times[False]), np.array(times[True])
    return {
        "median_us": float(np.median(cold)), "p95_us": float(np.quantile(cold, 0.95)),
        "warm_median_us": float(np.median(warm)), "warm_p95_us": float(np.quantile(warm, 0.95)),
    }  # fmt: skip


def two_files(train: Path, test: Path, seed: int) -> dict[str, Any]:
    """Fitted on one file, measured on the other; groups that are in both are dealt out first."""
    answers = judged(read_rows(train))
    others = answers if train.resolve() == test.resolve() else judged(read_rows(test))
    ours, theirs, shared = apart(answers, others, seed)
    if not theirs:
        sys.exit(f"{test} has no judged answer")
    chosen = fitted(ours, seed)
    return {
        **measured(chosen, theirs, seed=seed), **cost(chosen, theirs),
        "trained_on": len(ours), "shared_groups": shared, "split": "by group" if shared else "by file", "seed": seed,
    }  # fmt: skip


def one_set(name: str, folder: Path) -> None:
    """Splits of one public set, printed beside the baselines."""
    answers = judged(read_rows(folder / f"{name}.jsonl.gz"))
    found, baseline = [], []
    for seed in range(SPLITS[name]):
        train, test = halves(answers, seed)
        found.append(measured(fitted(train, seed), test, seed=seed, interval=seed == 0))
        right = np.array([each.example.accepted for each in test])
        overlap = np.array([each.overlap for each in test])
        baseline.append((metrics.auroc(overlap, right), left_after(overlap, right, 0.2)))
    first = found[0]
    wrong = statistics.mean(each["base_rate"] for each in found)
    low, high = first["interval"]["auroc"]
    print(
        f"\n{name}: {len(answers)} answers, {len({each.example.group for each in answers})} groups, {len(found)} splits"
    )
    print(
        f"  split 0: AUROC {first['auroc']:.3f} [{low:.3f}, {high:.3f}], n = {first['n']}, {first['groups']} groups tested"
    )
    for key in ("auroc", "auprc", "aurc", "ece", "ece_perfect_p95", "brier"):
        print(f"  {key:16} {_mean_and_spread([each[key] for each in found])}")
    over = sum(each["ece"] > each["ece_perfect_p95"] for each in found)
    print(f"  ECE above the 95th percentile of a perfect calibrator in {over} of {len(found)} splits")
    for share in map(str, SHARES):
        left = _mean_and_spread([each["left_after"][share] for each in found])
        still = statistics.mean(each["still_delivered"][share] for each in found)
        print(
            f"  wrong of what is left after the riskiest {float(share):.0%}: {left}; {still:.0%} of all that are wrong"
        )
    print(f"  baseline, word overlap: AUROC {_mean_and_spread([area for area, _ in baseline])}")
    print(f"    wrong of what is left after the riskiest 20%: {_mean_and_spread([left for _, left in baseline])}")
    print(f"  baseline, always deliver: {wrong:.3f} wrong, AUROC 0.5")
    times = cost(fitted(halves(answers, 0)[0], 0), answers)
    print(f"  CPU an answer, passages new:   median {times['median_us']:.0f} us, p95 {times['p95_us']:.0f} us")
    print(
        f"  CPU an answer, passages known: median {times['warm_median_us']:.0f} us, p95 {times['warm_p95_us']:.0f} us"
    )


def _mean_and_spread(values: Sequence[float]) -> str:
    """Mean, standard deviation, least and most of splits."""
    return f"{statistics.mean(values):.3f} (sd {statistics.pstdev(values):.3f}, {min(values):.3f} to {max(values):.3f})"


def _known(value: Any) -> Any:
    """Unknown figures (NaN) as null, which is JSON."""
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def main() -> None:
    """Two files when they are named, else the public sets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grounding")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print the last line only")
    given = parser.parse_args()
    if (given.train is None) != (given.test is None):
        parser.error("--train and --test go together")
    if given.train is not None:
        try:
            result = two_files(given.train, given.test, given.seed)
        except SurefootError as error:
            sys.exit(str(error))
        if not given.json:
            print(json.dumps(machine()))
            if result["shared_groups"]:
                print(f"{result['shared_groups']} groups are in both files: each was dealt to one side")
        print(json.dumps(_known({**result, "machine": machine()})))
        return
    folder = Path(os.environ.get("SUREFOOT_DATA", ""))
    if not os.environ.get("SUREFOOT_DATA") or not folder.is_dir():
        sys.exit("SUREFOOT_DATA names no folder with the public sets")
    print(json.dumps(machine()))
    for name in SPLITS:
        one_set(name, folder)


if __name__ == "__main__":
    main()
