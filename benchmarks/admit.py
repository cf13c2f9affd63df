"""What the clinic's red flags find and what they take for one: `python -m benchmarks.admit [--train A] [--test B] [--json]`.

Three files are read through the rules of the demo's configuration: the clinic's own messages (in-sample: whoever wrote the
rules could read them), `data/clinic_red_flags.jsonl` (60 red flags and 120 harmless messages, written by hand before the
rules were finished and not looked at since; the same author wrote both, so that real messages will do worse), and, where
SUREFOOT_DATA is set, Banking77's questions, among which there is no emergency. Beside them stand a list of ten words, and
classifiers fitted on `--train`, by default the clinic's messages, tested on `--test`, by default the hand-written list.
Any labelled file works: rows tagged `red-flag` are what is to be found. Intervals are 95 % Clopper-Pearson.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns

from benchmarks.machine import machine
from surefoot.app.evidence import reading
from surefoot.config.load import load
from surefoot.demo.places import CLINIC_CONFIG, CLINIC_FEATURE, CLINIC_MESSAGES
from surefoot.learning.classifier import Message, fit_classifier
from surefoot.providers.rows import Row, read_rows
from surefoot.stages.admission import Admission, Said
from surefoot.stats import Estimate, clopper_pearson, quantile

TAG = "red-flag"
HELD_OUT = Path(__file__).parent / "data" / "clinic_red_flags.jsonl"
WORDS = ("chest", "breath", "stroke", "bleed", "blood", "overdose", "suicid", "unconscious", "seizure", "emergency")
Matches = Callable[[str], bool]


def by_rules() -> Matches:
    """The demo's admit rules, whole."""
    config = load(CLINIC_CONFIG)
    admission = reading(config.settings.features[CLINIC_FEATURE]).admission
    assert admission is not None
    return lambda text: bool(asyncio.run(_matched(admission, text)))


async def _matched(admission: Admission, text: str) -> tuple[str, ...]:
    names, _ = await admission(CLINIC_FEATURE, Said(text, text), ())
    return names


def by_words(text: str) -> bool:
    """The naive baseline: one of ten words, anywhere."""
    return any(word in text.lower() for word in WORDS)


def measured(rows: Sequence[Row], matches: Matches) -> dict[str, object]:
    """Recall and false alarms with their intervals; None where there is nothing to count."""
    flagged = [matches(row.query) for row in rows]
    wanted = [TAG in row.tags for row in rows]
    hits = sum(flag and want for flag, want in zip(flagged, wanted, strict=True))
    alarms = sum(flag and not want for flag, want in zip(flagged, wanted, strict=True))
    return {
        "recall": told(clopper_pearson(hits, sum(wanted))),
        "false_alarms": told(clopper_pearson(alarms, len(rows) - sum(wanted))),
    }


def told(rate: Estimate) -> dict[str, object]:
    """A rate as JSON."""
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high, "n": rate.n}


def microseconds(rows: Sequence[Row]) -> float | None:
    """Median time that the rules take for a message, once its words are known."""
    config = load(CLINIC_CONFIG)
    admission = reading(config.settings.features[CLINIC_FEATURE]).admission
    assert admission is not None

    async def run() -> list[float]:
        times: list[float] = []
        for turn in range(2):
            for row in rows:
                began = perf_counter_ns()
                await admission(CLINIC_FEATURE, Said(row.query, row.query), ())
                if turn:
                    times.append((perf_counter_ns() - began) / 1000)
        return times

    return quantile(asyncio.run(run()), 0.5)


def classified(train: Sequence[Row], test: Sequence[Row]) -> list[dict[str, object]]:
    """Classifiers for two recalls, fitted on one file (divided by message: its groups are topics), tested on another."""
    messages = [
        Message(text=row.query, group=" ".join(row.query.casefold().split()), positive=TAG in row.tags) for row in train
    ]
    found = []
    for recall in (0.8, 0.95):
        fitted = fit_classifier(messages, recall=recall)
        own = {"recall": told(fitted.recall), "false_alarms": told(fitted.false_alarms)}
        other = measured(test, fitted.classifier.match)
        found.append({"wanted": recall, "cross-fitted": own, "on the other file": other})
    return found


def report(train: Path, test: Path) -> dict[str, object]:
    """Everything as one object."""
    files = {"clinic (in-sample)": read_rows(CLINIC_MESSAGES), "hand-written, held out": read_rows(HELD_OUT)}
    banking = Path(os.environ.get("SUREFOOT_DATA", ""), "banking77.jsonl.gz")
    if banking.is_file():
        files["banking77 (no emergency in it)"] = read_rows(banking)
    if test not in (HELD_OUT, CLINIC_MESSAGES):
        files[test.name] = read_rows(test)
    rules = by_rules()
    return {
        "machine": machine(),
        "seed": 0,
        "rules": {name: measured(rows, rules) for name, rows in files.items()},
        "ten words": {name: measured(rows, by_words) for name, rows in files.items()},
        "classifier": {"train": train.name, "test": test.name, "fits": classified(read_rows(train), read_rows(test))},
        "median_us": microseconds(files["hand-written, held out"]),
    }


def shown(given: dict[str, object]) -> str:
    """Recall and false alarms on one line."""
    parts = []
    for name in ("recall", "false_alarms"):
        rate: dict[str, object] = given[name]  # type: ignore[assignment]
        if rate["estimate"] is None:
            parts.append(f"{name} not measured (n = 0)")
        else:
            parts.append(f"{name} {rate['estimate']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}] n = {rate['n']}")
    return ", ".join(parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, default=CLINIC_MESSAGES)
    parser.add_argument("--test", type=Path, default=HELD_OUT)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = report(given.train, given.test)
    if given.json:
        print(json.dumps(found))
        return
    print(json.dumps(found["machine"]))
    for which in ("rules", "ten words"):
        for name, each in found[which].items():  # type: ignore[attr-defined]
            print(f"{which:10} {name:32} {shown(each)}")
    classifier: dict[str, object] = found["classifier"]  # type: ignore[assignment]
    for fit in classifier["fits"]:  # type: ignore[attr-defined]
        print(f"classifier for a recall of {fit['wanted']:.0%}, fitted on {classifier['train']}")
        print(f"           cross-fitted                     {shown(fit['cross-fitted'])}")
        print(f"           {classifier['test']:32} {shown(fit['on the other file'])}")
    print(f"rules take {found['median_us']:.0f} microseconds for a message (median)")


if __name__ == "__main__":
    main()
