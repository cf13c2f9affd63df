"""What-if over the store: the journal page by page, with its bills and labels, under what serves and under a candidate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC

from msgspec import Struct
from msgspec.structs import replace

from surefoot.app.candidate import Candidate
from surefoot.evals.columns import Row, blind_labels, side_of
from surefoot.evals.load import Desk, Staffing, load
from surefoot.evals.paths import BLIND, MISSED, Logged, Path, follow
from surefoot.evals.whatif import Terms, WhatIf, what_if
from surefoot.policy import Feature
from surefoot.policy.policy import decode
from surefoot.records import Entry, JournalEntry, Label, Question, Read, Routed
from surefoot.review.staffing import LEAST_TIMES, enough
from surefoot.stats.intervals import mean_of
from surefoot.store import Store

BATCH = 1000  # requests a step: progress is told after each, and the process does other things in between
SHARE = 0.8  # of the cases that are to be answered in time
_HUMAN = "human"
_NS_PER_HOUR = 3_600_000_000_000

Progress = Callable[[int, int], None]  # (requests read, at_ns of the latest)


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked of the store."""

    feature: str
    since_ns: int
    until_ns: int
    person_seconds: float | None = None  # of a case, under the candidate; None: as measured
    people: int | None = None  # on duty


class Answers(Struct, frozen=True, kw_only=True):
    """What came of it."""

    found: WhatIf
    staffing: Staffing | None  # None: not enough is known of the cases
    staffing_missing: str  # why; "" where it is known
    version: str  # of the candidate policy
    left_out: tuple[str, ...]  # what was learned and does not fit the candidate


class _Read(Struct):
    """What was read so far."""

    rows: list[Row] = []
    handled: list[float] = []  # seconds of people, by case
    left_out: int = 0


async def ask(
    store: Store, serving: Candidate, candidate: Candidate, asked: Asked, *, on_progress: Progress = lambda n, at_ns: None
) -> Answers:  # fmt: skip
    """Every question about a candidate, from the requests of a time. Raises StoreError.

    Args:
        store: read page by page; nothing is written.
        serving: what serves, as a candidate that moves nothing.
        candidate: what is asked about.
    """
    labels = blind_labels(await store.labels.all(feature=asked.feature))
    read = _Read()
    rules: dict[str, Feature | None] = {}
    async for batch in _batches(store, asked):
        for version in {each.entry.policy for each in batch} - rules.keys():
            kept = await store.policies.get(version)
            rules[version] = decode(kept).features.get(asked.feature) if kept is not None else None
        known = [replace(each, rules=rules[each.entry.policy]) for each in batch]
        spent, _ = await store.ledger.of([name for each in known for name in _names(each)])
        await asyncio.to_thread(_add, read, known, spent, labels, (serving, candidate))
        on_progress(len(read.rows) + read.left_out, batch[-1].entry.at_ns)
    return await asyncio.to_thread(_answers, read, serving, candidate, asked)


async def _batches(store: Store, asked: Asked) -> AsyncIterator[list[Logged]]:
    """Requests with their shadow calls, which stand right behind them: both bear the request's time."""
    batch: list[Logged] = []
    async for entry in store.journal.entries(feature=asked.feature, since_ns=asked.since_ns, shadows=True):
        if entry.at_ns >= asked.until_ns:
            break
        if entry.shadow_of:
            for at in range(len(batch) - 1, -1, -1):
                if batch[at].entry.request_id == entry.shadow_of:
                    batch[at] = replace(batch[at], shadow=entry)
                    break
            continue
        if len(batch) == BATCH:
            yield batch
            batch = []
        batch.append(Logged(entry=entry))
    if batch:
        yield batch


def _names(logged: Logged) -> Iterator[str]:
    yield logged.entry.request_id
    if logged.shadow is not None:
        yield logged.shadow.request_id


def _add(
    read: _Read, batch: Sequence[Logged], spent: Sequence[Entry], labels: Mapping[tuple[str, str], Label],
    both: tuple[Candidate, Candidate],
) -> None:  # fmt: skip
    lines: dict[str, list[Entry]] = {}
    for line in spent:
        lines.setdefault(line.request_id, []).append(line)
    for logged in batch:
        entry = logged.entry
        if entry.surface != "chat" or entry.action == "refuse":
            read.left_out += 1
            continue
        mine = [line for name in _names(logged) for line in lines.get(name, ())]
        read.rows.append(row_of(logged, mine, labels, both))
        human = [line.quantity for line in mine if line.kind == _HUMAN]
        if human and entry.action == "escalate":
            read.handled.append(float(sum(human)))


def row_of(
    logged: Logged, lines: Sequence[Entry], labels: Mapping[tuple[str, str], Label], both: tuple[Candidate, Candidate]
) -> Row:  # fmt: skip
    """A request under what serves and under the candidate, from the journal, its bill and the blind labels of all requests."""
    entry = logged.entry
    question, prior = _known(entry)
    sides = []
    for candidate in both:
        path = follow(logged, candidate.policy, candidate.meant)
        ceiling = candidate.ceiling(question, entry.feature, path.stopped) if path.state == BLIND else None
        sides.append(side_of(entry, path, candidate.bill(lines), labels, ceiling))
    return Row(
        request_id=entry.request_id, at_ns=entry.at_ns, group=question.fingerprint if question else entry.request_id,
        now=sides[0], then=sides[1], prior=prior,
    )  # fmt: skip


def _known(entry: JournalEntry) -> tuple[Question | None, float]:
    """What was read, and what was expected of the cheapest start before anything was asked; 0 without a lot."""
    question, prior = None, 0.0
    for step in entry.steps:
        if isinstance(step.value, Read):
            question = step.value.question
        elif isinstance(step.value, Routed):
            prior = step.value.candidates[0].p
            break
    return question, prior


def _answers(read: _Read, serving: Candidate, candidate: Candidate, asked: Asked) -> Answers:
    handling = mean_of(read.handled)
    terms = Terms(
        handling=handling, now_hourly=serving.hourly_nanodollars, then_hourly=candidate.hourly_nanodollars,
        now_seconds=asked.person_seconds if handling.value is None else None, then_seconds=asked.person_seconds,
    )  # fmt: skip
    found = what_if(read.rows, terms, feature=asked.feature, left_out=read.left_out)
    staffing, missing = _staffing(read, candidate, asked, asked.person_seconds or handling.value)
    return Answers(
        found=found, staffing=staffing, staffing_missing=missing, version=candidate.version, left_out=candidate.left_out
    )


def _staffing(
    read: _Read, candidate: Candidate, asked: Asked, handle_seconds: float | None
) -> tuple[Staffing | None, str]:
    rows = read.rows
    first = rows[0].at_ns if rows else asked.until_ns
    start_ns = max(asked.since_ns, first) if asked.since_ns else first
    cases = [row.at_ns for row in rows if row.now.path.needs_person or row.then.path.needs_person]
    timed = len(read.handled) if asked.person_seconds is None else LEAST_TIMES
    missing = enough(len(cases), timed, (asked.until_ns - start_ns) / _NS_PER_HOUR)
    if missing or not handle_seconds:
        return None, missing or "not enough data: a case takes no time"
    desk = Desk(
        role=candidate.role, handle_seconds=handle_seconds, within_seconds=candidate.sla_seconds, share=SHARE, zone=UTC,
        start_ns=start_ns, end_ns=asked.until_ns, people=asked.people,
    )  # fmt: skip
    now, then = [row.now.path for row in rows], [row.then.path for row in rows]
    certain = [row.at_ns for row in rows if row.then.path.needs_person]
    possible = certain + [row.at_ns for row in rows if row.then.path.state == BLIND]
    return Staffing(
        role=desk.role, within_seconds=desk.within_seconds, share=desk.share, people=desk.people,
        now=load(desk, [row.at_ns for row in rows if row.now.path.needs_person], times=_stand_for(now)),
        least=load(desk, certain, times=_stand_for(then)), most=load(desk, possible, times=_stand_for(then)),
    ), ""  # fmt: skip


def _stand_for(paths: Sequence[Path]) -> float:
    """How many requests each one that a lot let be seen stands for, on average."""
    drawn = sum(path.state != MISSED for path in paths)
    return len(paths) / drawn if drawn else 1.0
