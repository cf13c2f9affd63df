"""The page of what-if: another bar, ladder or staff over the journal's requests. It asks no model and changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.candidate import Moves, candidate_of, moved
from surefoot.app.learn import served
from surefoot.app.whatif import Answers, Asked, ask
from surefoot.app.whatifwords import answer, change, fixes_of, load_lines, share
from surefoot.errors import BadRequest, ConfigError
from surefoot.evals.whatif import Changed, Question
from surefoot.records.units import DAY_NS
from surefoot.server.console.pages import app_of, page, require

BACK: Mapping[str, tuple[str, int]] = {
    "1d": ("day", 1), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90),
}  # fmt: skip
SHOWN = 50  # changed requests; `surefoot whatif --show` lists more
_NUMBERS = ("confidence", "person_hourly", "person_minutes", "people")


class Row(Struct, frozen=True, kw_only=True):
    """A question in words."""

    name: str
    now: str
    then: str
    change: str
    assumes: str
    state: str


@require("report")
async def whatif_page(request: Request) -> Response:
    """The form; with something moved, the answers below it."""
    app, given = app_of(request), _given(request)
    found: Answers | None = None
    said = ""
    if _moves(given) != Moves() or given["person_minutes"] or given["people"]:
        try:
            async with _turn(request):  # the journal is read: once at a time
                found = await _answers(request, given)
        except ConfigError as error:
            said = error.message
    rules = app.policy.features[given["feature"]]
    return page(
        request, "whatif/whatif.html", status=400 if said else 200, said=said, given=given, back=BACK,
        features=sorted(app.policy.features), bar=rules.confidence, ladder=", ".join(rung.name for rung in rules.ladder),
        hourly=rules.person.hourly_nanodollars / 1e9, found=found, observes=rules.mode != "enforce",
        rows=[_row(each) for each in found.found.questions] if found else [],
        shares=_shares(found) if found else [], fixes=fixes_of(found.found) if found else [],
        load=list(load_lines(found)) if found else [],
        changed=[_changed(each) for each in found.found.changed[:SHOWN]] if found else [], most=SHOWN,
    )  # fmt: skip


async def _answers(request: Request, given: Mapping[str, str]) -> Answers:
    app, feature = app_of(request), given["feature"]
    now_ns = time.time_ns()
    now = await served(app.store, app.config)
    minutes = _number(given, "person_minutes")
    people = _number(given, "people")
    asked = Asked(
        feature=feature, since_ns=now_ns - BACK[given["since"]][1] * DAY_NS, until_ns=now_ns,
        person_seconds=None if minutes is None else minutes * 60, people=None if people is None else int(people),
    )  # fmt: skip
    serving = candidate_of(now, app.config, app.config.settings, feature)
    other = candidate_of(now, app.config, moved(app.config.settings, feature, _moves(given)), feature)
    return await ask(app.store, serving, other, asked)


def _given(request: Request) -> dict[str, str]:
    """What is asked for, as it stands in the address. Raises BadRequest."""
    query, names = request.query_params, sorted(app_of(request).policy.features)
    given = {name: query.get(name, "").strip() for name in (*_NUMBERS, "ladder")}
    given |= {"since": query.get("since", "7d"), "feature": query.get("feature", names[0])}
    for name, known in (("since", list(BACK)), ("feature", names)):
        if given[name] not in known:
            raise BadRequest(f"There is no {name} {given[name][:60]!r}; there are {', '.join(known)}.")
    for name in _NUMBERS:
        value = _number(given, name)
        if value is not None and (value <= 0 or (name == "confidence" and value > 1)):
            most = " and at most 1" if name == "confidence" else ""
            raise BadRequest(f"{name.replace('_', ' ').capitalize()} is above 0{most}.")
    return given


def _moves(given: Mapping[str, str]) -> Moves:
    rungs = tuple(part.strip() for part in given["ladder"].split(",") if part.strip())
    return Moves(
        confidence=_number(given, "confidence"), person_hourly_usd=_number(given, "person_hourly"), ladder=rungs or None
    )


def _number(given: Mapping[str, str], name: str) -> float | None:
    if not given[name]:
        return None
    try:
        return float(given[name])
    except ValueError:
        raise BadRequest(f"{name.replace('_', ' ').capitalize()} is a number, not {given[name][:60]!r}.") from None


def _turn(request: Request) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "whatif_turn"):
        state.whatif_turn = asyncio.Lock()
    return cast("asyncio.Lock", state.whatif_turn)


def _row(each: Question) -> Row:
    return Row(
        name=each.name, now=answer(each, each.now), then=answer(each, each.then), state=each.then.state,
        change="not known" if each.change is None else change(each),
        assumes=each.assumes if each.then.estimate is not None else "",
    )  # fmt: skip


def _shares(found: Answers) -> list[tuple[str, str]]:
    told = found.found
    rows = [
        ("Exact: the journal holds all of it", share(told.seen)),
        ("Estimated: a lot hid it, and others like it speak for it", share(told.estimated)),
        ("Not identifiable: no lot could have shown it", share(told.unidentified)),
    ]
    return rows + [(f"without a {missing}", f"{count:,}") for missing, count in list(told.missing.items())[:3]]


def _changed(each: Changed) -> dict[str, str]:
    verdict = {True: "judged wrong", False: "judged right", None: ""}[each.wrong]
    return {
        "id": each.request_id, "at": f"{datetime.fromtimestamp(each.at_ns / 1e9, UTC):%Y-%m-%d %H:%M}", "now": each.now,
        "then": each.then, "p": "" if each.p is None else f"{each.p:.2f}", "verdict": verdict,
    }  # fmt: skip


routes: Sequence[BaseRoute] = (Route("/whatif", whatif_page, methods=["GET"]),)
