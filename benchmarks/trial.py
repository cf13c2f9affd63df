"""What a ladder does on real recorded answers, beside the naive baselines: `python -m benchmarks.trial`.

Reads the folder that SUREFOOT_DATA names. Every row is run; nothing is fitted to anything. Figures are
printed with n and their 95 % Clopper-Pearson interval, and checked against a computation straight from the file.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from benchmarks.machine import machine
from surefoot.providers.rows import Row, read_rows
from surefoot.stats import Estimate, clopper_pearson
from surefoot.trial.ladder import FEATURE, ladder_config
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


def always(rows: tuple[Row, ...], model: str) -> Estimate:
    """The error of one model for every row that it answers."""
    verdicts = [row.answers[model].correct for row in rows if model in row.answers]
    return clopper_pearson(verdicts.count(False), len(verdicts) - verdicts.count(None))


def shown(rate: Estimate) -> str:
    """A rate with its interval."""
    if rate.estimate is None:
        return "not enough data (n = 0)"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}] n = {rate.n}"


def main() -> None:
    """Run every ladder and print it beside its baselines."""
    folder = os.environ.get("SUREFOOT_DATA", "")
    if not Path(folder).is_dir() or not folder:
        sys.exit("SUREFOOT_DATA names no folder with the public sets")
    print(json.dumps(machine()))
    for name, ladder in RUNS:
        file = Path(folder, f"{name}.jsonl.gz")
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


if __name__ == "__main__":
    main()
