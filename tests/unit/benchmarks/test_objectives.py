"""The benchmark of objectives, small: what its last line says, and that what is usually done is worse."""

import json

from benchmarks.objectives import coverage_rows, met_rows, summary


def test_a_small_run_covers_and_is_seldom_mistaken() -> None:
    rows = [*coverage_rows(25, seed=1), *met_rows(1, seed=1)]
    told = json.loads(json.dumps(summary(rows, 25)))
    assert set(told) == {"coverage_95", "false_met", "worlds"} and told["worlds"] == 25
    assert told["coverage_95"] >= 0.9 and told["false_met"] == 0.0
    by_estimate = [row["all"] for row in rows if row["part"] == "false met" and row["method"] == "estimate"]
    assert min(by_estimate) > 0.5
