"""Labelled rows through every rung of a ladder, whatever any verdict: what a ladder is learned from."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from surefoot.app import App
from surefoot.learning.examples import Example, Walk
from surefoot.pipeline import Below
from surefoot.policy import Feature
from surefoot.providers.billing import entries_of
from surefoot.providers.rows import Row
from surefoot.records import Attempt, Draft, Request, Rung, Tried, Try
from surefoot.trial.asking import request_of
from surefoot.trial.grade import grade


async def gather(app: App, feature: Feature, rows: Sequence[Row]) -> tuple[Walk, ...]:
    """One walk a row, in order; the cache is left out, since it has no drafts of its own."""
    return tuple([await _walk(app, feature, row) for row in rows])


async def _walk(app: App, feature: Feature, row: Row) -> Walk:
    request = request_of(app, feature, row)
    stages = app.stages
    question = await stages.read(request)
    below = Below()
    drafts = []
    for rung in feature.ladder:
        if rung.kind == "cache":
            continue
        ask = await stages.fit(Try(request=request, question=question, rung=rung))
        ask = replace(ask, limits=(), reserve_nanodollars=(0,) * len(ask.models))  # nothing is kept of a trial
        tried = below.tried(ask, await stages.call(ask))
        drafts.append(await _example(app, row, rung, request, tried))
    return Walk(id=row.id, group=row.group or row.id, drafts=tuple(drafts))


async def _example(app: App, row: Row, rung: Rung, request: Request, tried: Tried) -> Example | None:
    accepted = verdict_on(app, row, rung, tried.attempt)
    if accepted is None:
        return None
    evidence = await app.stages.check(tried)
    calls = (*tried.attempt.priced, *evidence.priced)
    return Example(
        id=row.id,
        group=row.group or row.id,
        signals={signal.name: signal.score for signal in evidence.signals},
        accepted=accepted,
        nanodollars=sum(
            entry.nanodollars
            for call in calls
            for entry in entries_of(
                call, request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant,
                key_id=request.caller.key_id, feature=request.feature,
            )
        ),
    )  # fmt: skip


def verdict_on(app: App, row: Row, rung: Rung, attempt: Attempt) -> bool | None:
    """Whether an attempt's answer is right by its row; None when there is no answer or the row cannot tell."""
    if not isinstance(attempt.draft, Draft) or attempt.answer is None:
        return None
    return grade(row, recorded_as=recorded_as(app, rung), text=attempt.answer.text)


def recorded_as(app: App, rung: Rung) -> str | None:
    """Under which name a rung's answer is in the rows; None when it is made on the spot."""
    model = app.registry.get(rung.models[0]) if rung.models else None
    return model.upstream if model and model.provider.kind == "recorded" else None
