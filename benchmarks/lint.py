"""What prompt lint finds: `python -m benchmarks.lint [--json]`.

Three things are measured. Precision and recall on `benchmarks.prompts`: faults planted by hand, and prompts without any; both
were written by whoever wrote the rules, who looked at them while writing, so that real prompts will do worse. Beside them
stands the naive baseline: a search for digits that look like a date, and for lines that stand in a prompt twice. Then the demo:
the requests that its clients send, which have no system text, and `demo/clinic/prompt.json`, a prompt by hand with four faults.
Then the time: microseconds of CPU a request, all rules, on the largest planted case.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.machine import machine
from benchmarks.prompts import BAD, CLEAN, Case
from surefoot.app.lint import lint_file
from surefoot.demo.places import CLINIC, CLINIC_MESSAGES
from surefoot.ledger.lint.report import Report, lint
from surefoot.ledger.lint.traffic import Traffic, slots
from surefoot.providers.rows import read_rows
from surefoot.stats import Estimate, clopper_pearson

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}")


def found(case: Case) -> set[tuple[str, str]]:
    """(rule, slot) of every finding."""
    return {(each.rule, each.where.slot) for each in lint(case.traffic()).findings}


def naive(case: Case) -> set[tuple[str, str]]:
    """What a search with two patterns finds in the first request: anything like a date or a time, and the same line twice."""
    prompt = case.traffic().samples[0].prompt
    lines = Counter(line.strip() for each in prompt.said for line in each.text.splitlines() if len(line.strip()) > 20)
    hits = set()
    for name, each in zip(slots(prompt), prompt.said, strict=True):
        if each.kind in ("system", "tool") and _DATE.search(each.text):
            hits.add(("volatile", name))
        if any(lines[line.strip()] > 1 for line in each.text.splitlines()):
            hits.add(("duplicate-passage" if each.kind == "passage" else "repeated-rule", name))
    return hits


def scored(which: str) -> dict[str, object]:
    """Precision over both sets and recall over the planted one, with what was missed and what was wrong."""
    look = found if which == "rules" else naive
    planted = hits = wrong = 0
    missed: list[str] = []
    for case in (*BAD, *CLEAN):
        got = look(case)
        planted, hits, wrong = planted + len(case.planted), hits + len(got & case.planted), wrong + len(got - case.planted)
        missed += [f"{case.name}: {rule} {slot}" for rule, slot in sorted(case.planted - got)]
    precision = clopper_pearson(hits, hits + wrong)
    return {"recall": told(clopper_pearson(hits, planted)), "precision": told(precision), "missed": missed}


def told(rate: Estimate) -> dict[str, object]:
    """A rate as JSON."""
    return {"estimate": rate.estimate, "low": rate.low, "high": rate.high, "n": rate.n}


def by_rule() -> dict[str, str]:
    """Found of planted, by rule."""
    planted = Counter(rule for case in BAD for rule, _ in case.planted)
    hits = Counter(rule for case in BAD for rule, _ in case.planted & found(case))
    return {rule: f"{hits[rule]} of {n}" for rule, n in sorted(planted.items())}


def demo() -> dict[str, object]:
    """The demo's questions as its clients send them, and its prompt by hand."""
    bodies = [
        json.dumps({"model": "clinic", "messages": [{"role": "user", "content": row.query}]})
        for row in read_rows(CLINIC_MESSAGES)
    ]  # fmt: skip
    traffic = lint_file("\n".join(bodies).encode(), name="the demo's messages").report
    prompt = lint_file((CLINIC / "prompt.json").read_bytes(), name="prompt.json").report
    return {each.feature: shown(each) for each in (traffic, prompt)}


def shown(report: Report) -> dict[str, object]:
    """Segments and findings of a report, in short."""
    return {
        "requests": report.requests,
        "segments": {each.slot: round(each.tokens.value or 0, 1) for each in report.segments},
        "findings": [f"{each.rule}: {each.where.slot}, byte {each.where.byte}" for each in report.findings],
    }


def microseconds() -> tuple[float, int]:
    """(CPU a request, all rules, the requests' bodies taken apart before; how many requests)."""
    case = next(case for case in BAD if case.name == "a-unused")
    samples = case.traffic().samples
    began = time.process_time_ns()
    lint(Traffic(samples, [None, *samples[:-1]]))
    return (time.process_time_ns() - began) / 1000 / len(samples), len(samples)


def line(name: str, given: dict[str, object]) -> str:
    """Recall and precision on one line."""
    parts = []
    for which in ("recall", "precision"):
        rate: dict[str, float] = given[which]  # type: ignore[assignment]
        parts.append(f"{which} {rate['estimate']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}] n = {rate['n']}")
    return f"{name:8} {', '.join(parts)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    took, requests = microseconds()
    report = {
        "machine": machine(), "seed": 0, "cases": {"planted": len(BAD), "clean": len(CLEAN)}, "rules": scored("rules"),
        "naive": scored("naive"), "by rule": by_rule(), "demo": demo(), "microseconds": took, "of requests": requests,
    }  # fmt: skip
    if given.json:
        print(json.dumps(report))
        return
    print(json.dumps(report["machine"]))
    print(f"{len(BAD)} cases with planted faults, {len(CLEAN)} clean ones, by the rules' own author (in-sample)")
    for name in ("rules", "naive"):
        print(line(name, report[name]))  # type: ignore[arg-type]
        for missed in report[name]["missed"] if name == "rules" else ():  # type: ignore[index]
            print(f"         missed {missed}")
    for rule, said in report["by rule"].items():  # type: ignore[attr-defined]
        print(f"  {rule:20} {said}")
    for name, each in report["demo"].items():  # type: ignore[attr-defined]
        print(f"{name}: {each['requests']} requests, tokens a request {each['segments']}")
        print("".join(f"  {said}\n" for said in each["findings"]) or "  no findings\n", end="")
    print(f"{took:,.0f} microseconds of CPU a request ({requests} requests of 2,700 tokens and their answers)")


if __name__ == "__main__":
    main()
