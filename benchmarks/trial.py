"""What a ladder does on real recorded answers, beside the naive baselines: `python -m benchmarks.trial`.

Reads the folder that SUREFOOT_DATA names. First every row is run with nothing fitted to anything. Then ladders are learned on
one half of the groups and tested on the other, in both directions: halves by seed 0, and the spread over 20 seeds. Figures are
printed with n and their 95 % interval (Clopper-Pearson; of differences to the top model: paired, by group).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path

from benchmarks.machine import machine
from surefoot.config.build import rung_models
from surefoot.config.schema import PromiseSettings
from surefoot.policy import Promise
from surefoot.providers.rows import Row, read_rows
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.sequential import CERTIFIED
from surefoot.trial.ladder import FEATURE, ladder_config
from surefoot.trial.learn import learn_from_rows, with_learned
from surefoot.trial.report import Paired, Report
from surefoot.trial.run import trial

WEAK, STRONG = "gpt-3.5-turbo-0613", "gpt-4-0613"
MINI, FLASH, SONNET = "gpt-4o-mini-2024-07-18", "gemini-1.5-flash", "claude-3-5-sonnet-20241022"
RUNS = (
    ("gsm8k", f"{WEAK},{STRONG},person"),
    ("crux", f"{WEAK},{STRONG},person"),
    ("ragtruth_qa", f"{WEAK},{STRONG},person"),
    ("gsm8k", f"{MINI}+{FLASH},{SONNET},person"),
    ("crux", f"{MINI}+{FLASH},{SONNET},person"),
)


PAIR = f"{MINI}+{FLASH},{SONNET}"
LEARNED = tuple((name, ladder) for name in ("gsm8k", "crux") for ladder in (PAIR, f"{PAIR},person"))
PERSON_USD = 1.5  # two minutes at 45 USD an hour
SEEDS = 20
BARS = {"gsm8k": 0.20, "crux": 0.55}  # of the baseline's cost, without a person


def always(rows: tuple[Row, ...], model: str) -> Estimate:
    """The error of one model for every row that it answers."""
    verdicts = [row.answers[model].correct for row in rows if model in row.answers]
    return clopper_pearson(verdicts.count(False), len(verdicts) - verdicts.count(None))


def shown(rate: Estimate) -> str:
    """A rate with its interval."""
    if rate.estimate is None:
        return "not enough data (n = 0)"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}] n = {rate.n}"


def learned(name: str, ladder: str, seed: int, *, turned: bool) -> Report:
    """A ladder learned on one half of the groups, tested on the other."""
    file = data_file(name)
    rows = read_rows(file)
    groups = sorted({row.group or row.id for row in rows})
    random.Random(seed).shuffle(groups)
    first = set(groups[: len(groups) // 2])
    halves = [tuple(row for row in rows if ((row.group or row.id) in first) is side) for side in (True, False)]
    fitting, testing = reversed(halves) if turned else halves
    person = ladder.endswith(",person")
    promise = PromiseSettings(accuracy=0.85) if person else None
    config = ladder_config(file, ladder.split(","), bar=None, maps={}, promise=promise, uncalibrated="climb")
    models, usd = rung_models(config.settings), PERSON_USD if person else None
    found, report = asyncio.run(learn_from_rows(fitting, config, FEATURE, models, person=person, person_usd=usd))
    certified = report.cut is not None and report.cut.state == CERTIFIED
    served = with_learned(config, FEATURE, found, models, certified=certified, alone=not person)
    said = Promise(accuracy=0.85) if person else None
    return asyncio.run(trial(testing, served, FEATURE, file=name, learned_from=name, person_usd=usd, promise=said))


def print_learned(name: str, ladder: str) -> None:
    """Both directions of one division, and how often the bars hold over many."""
    print(f"\n{name}  {ladder}  learned on one half of the groups, tested on the other")
    for turned in (False, True):
        report = learned(name, ladder, 0, turned=turned)
        print(f"  {'second half learned' if turned else 'first half learned'}, n = {report.queries}")
        print(f"    delivered error {shown(report.delivered_error)}, escalated {report.escalated}")
        print(f"    less right than always {SONNET}: {difference(report.paired)}")
        print(f"    cost of the baseline, persons apart: {model_share(report):.1%} (tokens estimated)")
    reports = [learned(name, ladder, seed, turned=turned) for seed in range(SEEDS) for turned in (False, True)]
    shares = sorted(model_share(report) for report in reports)
    print(f"  over {SEEDS} divisions, both directions ({len(reports)} trials):")
    print(f"    cost of the baseline median {shares[len(shares) // 2]:.1%}, highest {shares[-1]:.1%}")
    if ladder.endswith(",person"):
        most = max(report.escalated / report.queries for report in reports)
        few = sum(report.escalated <= 0.05 * report.queries for report in reports)
        print(f"    at most 5 % escalated in {few}, highest share {most:.1%}")
        return
    right = sum(report.paired.high >= 0 for report in reports)
    cheap = sum(share <= BARS[name] for share in shares)
    print(
        f"    not below the top model by more than the paired interval in {right}, at most {BARS[name]:.0%} in {cheap}"
    )


def model_share(report: Report) -> float:
    """What the models cost, over what the baseline costs."""
    if report.cost_usd is None or not report.baseline.cost_usd:
        return float("nan")
    return (report.cost_usd - (report.person_usd or 0)) / report.baseline.cost_usd


def difference(paired: Paired) -> str:
    """A paired difference with its interval."""
    if paired.difference is None:
        return "unknown"
    return f"{-paired.difference:+.1%} [{-paired.high:+.1%}, {-paired.low:+.1%}]"


def data_file(name: str) -> Path:
    """Where a set lies."""
    return Path(os.environ["SUREFOOT_DATA"], f"{name}.jsonl.gz")


def main() -> None:
    """Run every ladder and print it beside its baselines."""
    folder = os.environ.get("SUREFOOT_DATA", "")
    if not Path(folder).is_dir() or not folder:
        sys.exit("SUREFOOT_DATA names no folder with the public sets")
    print(json.dumps(machine()))
    for name, ladder in RUNS:
        file = data_file(name)
        rows = read_rows(file)
        config = ladder_config(file, ladder.split(","), bar=0.85, maps={})
        report = asyncio.run(trial(rows, config, FEATURE, file=name))
        models = [model for rung in ladder.split(",")[:-1] for model in rung.split("+")]
        share = (
            None
            if not report.baseline.cost_usd or report.cost_usd is None
            else report.cost_usd / report.baseline.cost_usd
        )
        print(f"\n{name}  {ladder}")
        print(f"  delivered {report.delivered} of {report.queries}, escalated {report.escalated}")
        print(f"  delivered error      {shown(report.delivered_error)}")
        print(f"  cost of the baseline {'unknown' if share is None else f'{share:.1%} (tokens estimated)'}")
        for model in dict.fromkeys(models):
            print(f"  always {model:28} error {shown(always(rows, model))}")
    for name, ladder in LEARNED:
        print_learned(name, ladder)


if __name__ == "__main__":
    main()
