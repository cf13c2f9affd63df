"""Prompt lint over a store: what is metered, what is read, what is said where nothing is kept."""

import asyncio
import json
import time
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from lint_support import SECOND, prompted

from benchmarks.prompts import BAD, SYSTEM, openai, question
from surefoot.app.lint import Linted, explain_requests, lint_feature, lint_file
from surefoot.config.load import load_text
from surefoot.demo.places import CLINIC
from surefoot.errors import BadRequest, NotFound
from surefoot.store.memory import MemoryStore

CONFIG = load_text("""
[providers.vendor]
kind = "openai"
[models.flagship]
provider = "vendor"
model = "gpt-4o"
[features.clinic]
ladder = ["flagship"]
""")
DAY = 86_400 * SECOND
Got = TypeVar("Got")


def kept(**more: object) -> MemoryStore:
    """Four days of requests whose system text begins with the time, two requests a minute in one hour of each."""
    store = MemoryStore()

    async def run() -> None:
        await store.start()
        begin = time.time_ns() - 4 * DAY + 3600 * SECOND
        for each in range(40):
            at_ns = begin + each // 10 * DAY + each % 10 * 30 * SECOND
            body = openai(f"It is 2026-11-2{each % 10}T10:{each:02}:07Z.\n\n{SYSTEM}", question(each))
            await prompted(store, f"r{each}", body, at_ns=at_ns, user=f"u{each}", prompt=str(each), **more)  # type: ignore[arg-type]

    asyncio.run(run())
    return store


def linted(store: MemoryStore, **more: int) -> Linted:
    return asyncio.run(lint_feature(store, CONFIG, "clinic", since_ns=0, now_ns=time.time_ns(), **more))


def ran(work: Awaitable[Got]) -> Got:
    async def waited() -> Got:
        return await work

    return asyncio.run(waited())


def test_a_month_of_savings_is_measured_from_the_journal() -> None:
    found = linted(kept())
    report, metered = found.report, found.metered
    assert metered is not None and (metered.requests, metered.readable, metered.input_tokens) == (40, 40, 60_000)
    assert report.per_month.value == pytest.approx(10 * 365.25 / 12) and report.days == 3
    assert report.input_tokens.value == 1500 and not report.estimated
    (volatile,) = report.findings
    assert (volatile.rule, volatile.requests, volatile.n) == ("volatile", 39, 40)
    assert volatile.nanodollars.value == pytest.approx((volatile.tokens.value or 0) * 1250)  # what the cache is cheaper by
    assert 36 * 1024 <= (volatile.tokens.value or 0) * 40 <= 36 * 1500  # the first of a day comes too late to save
    assert volatile.month is not None and 0 < volatile.month.low <= volatile.month.value <= volatile.month.high
    assert sum(each.nanodollars.value or 0 for each in report.segments) == pytest.approx(1500 * 2500)


def test_the_same_seed_draws_the_same_sample() -> None:
    store = kept()
    assert linted(store, most=10, seed=3).report == linted(store, most=10, seed=3).report
    assert linted(store, most=10).report.sampled == 10 and linted(store, most=10).report.requests == 40


def test_without_content_what_is_metered_is_still_said() -> None:
    found = linted(kept(keep=False, cached_tokens=500))
    assert found.metered is not None and found.metered.readable == 0 and found.metered.changed.estimate == 1.0
    assert found.metered.cached_tokens == 20_000 and found.report.sampled == 0 and found.report.month is None


def test_an_empty_journal_claims_nothing() -> None:
    store = MemoryStore()
    ran(store.start())
    found = linted(store)
    assert found.report.saving.value is None and found.report.saving_month is None and found.report.findings == ()


def test_an_unknown_feature_is_said_so() -> None:
    with pytest.raises(NotFound, match="there are clinic"):
        ran(lint_feature(MemoryStore(), CONFIG, "none", since_ns=0, now_ns=1))


def test_erased_content_cannot_be_explained() -> None:
    store = kept()
    ran(store.journal.erase_subject(tenant="t", end_user="u1"))
    with pytest.raises(NotFound, match="the content of r1 is not kept"):
        ran(explain_requests(store, CONFIG, "r0", "r1"))
    with pytest.raises(NotFound, match="no request r99"):
        ran(explain_requests(store, CONFIG, "r0", "r99"))


def test_a_miss_is_explained_from_the_journal() -> None:
    miss = ran(explain_requests(kept(), CONFIG, "r0", "r1"))
    assert miss.causes[0].startswith("the prompts part in system 1") and "time stamp" in miss.causes[0]
    assert miss.gap_seconds == 30.0 and miss.cached_tokens == 0
    assert miss.before is not None and miss.before.line == 1


def test_a_file_of_lines_is_compared_line_by_line() -> None:
    case = next(case for case in BAD if case.name == "o-tools-order")
    found = lint_file("\n".join(json.dumps(body) for body in case.bodies).encode(), name="x")
    assert [each.rule for each in found.report.findings] == ["unstable-order"] and found.report.findings[0].at_most
    with pytest.raises(BadRequest, match="request 2"):
        lint_file(b'{"messages": [{"role": "user", "content": "a"}]}\n{"messages": 3}', name="x")


def test_the_demos_prompt_has_the_faults_that_the_readme_shows() -> None:
    found = lint_file((CLINIC / "prompt.json").read_bytes(), name="prompt.json").report
    rules = [each.rule for each in found.findings]
    assert rules == ["duplicate-passage", "repeated-rule", "volatile", "volatile"]
    assert [each.where.byte for each in found.findings] == [938, 626, 72, 106] and found.input_tokens.value == 265
