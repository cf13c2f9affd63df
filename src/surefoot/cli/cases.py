"""cases list, show, answer, export: the desk for the terminal."""

from __future__ import annotations

import os
import sys
import textwrap
import time
import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.table import Table

from surefoot.app.caseview import CaseView, case_view, covered
from surefoot.app.desk import Desk
from surefoot.app.metrics import Metrics
from surefoot.app.people import People
from surefoot.app.serving import Serving
from surefoot.app.settler import Settler
from surefoot.app.times import urgency
from surefoot.cli.common import ConfigOption, JsonOption, find_config, out, with_store
from surefoot.cli.options import taking
from surefoot.config.hours import open_hours
from surefoot.config.schema import PersonSettings
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.records import Case, CaseEvent
from surefoot.records.case import ENDED, PENDING, UNPROVEN, WITH_PASSWORD, Signed
from surefoot.records.person import Person
from surefoot.review.priority import Priority
from surefoot.store import Store

app = typer.Typer(invoke_without_command=True, help="Questions that wait for a person: list, show, answer, export.")

_WIDTH = 80
_PAGE = 500
_VARIABLE = "SUREFOOT_PASSWORD"  # of whoever signs, where nobody can be asked
_MINUTE = 60.0
_CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
_FeatureOption = Annotated[str | None, typer.Option(help="Only this feature.")]
_LimitOption = Annotated[int, typer.Option(help="At most so many.")]
_HIDDEN = ("label", "subject", "autosave")  # of an export: ours, or not said yet


class AnswerOptions(Struct, frozen=True, kw_only=True):
    """What is answered, and by whom."""

    case_id: _CaseArgument
    verb: Annotated[str, typer.Option(help="accept, edit, replace, reject or ask.")]
    by: Annotated[str, typer.Option(help="Your account: every answer bears its person.")]
    text: Annotated[str, typer.Option(help='What the caller is told; "-" reads it from the standard input.')] = ""
    general: Annotated[bool, typer.Option("--general", help="Others may get it too.")] = False
    seconds: Annotated[float | None, typer.Option(help="How long it took you.")] = None
    config: ConfigOption = None


@app.callback()
def cases(
    context: typer.Context, feature: _FeatureOption = None, limit: _LimitOption = 50, config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Questions that wait for a person; without a command they are listed."""
    if context.invoked_subcommand is None:
        show_list(feature=feature, limit=limit, config=config, as_json=as_json)


@app.command("list")
def show_list(
    feature: _FeatureOption = None, limit: _LimitOption = 50, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """List the questions that wait for a person, the most urgent first."""
    found = with_store(
        config, lambda store: store.cases.waiting(feature=feature, kind="question", limit=limit, states=PENDING)
    )
    if as_json:
        typer.echo(msgspec.json.encode([_plain(case) for case in found]).decode())
        return
    table, now, people = Table(expand=False), time.time_ns(), find_config(config).settings.people
    table.add_column("case", no_wrap=True)
    for heading in ("feature", "for", "state", "waits"):
        table.add_column(heading, overflow="fold")
    table.add_column("priority", justify="right")
    for case in found:
        waits = f"{max(0, now - case.opened_at_ns) / 1e9 / _MINUTE:.0f} min"
        value = _urgency(case, people, now).value
        table.add_row(case.id, case.feature, case.role, case.state, waits, f"{value:.2f}")
    out.print(table)


@app.command()
def show(case_id: _CaseArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show a case, its identifiers masked: what was asked, the draft and what it has no ground for, what happened."""

    async def work(store: Store) -> tuple[CaseView, Sequence[CaseEvent]]:
        case = await store.cases.find(case_id)
        if case is None:
            raise NotFound(f"there is no case {case_id!r}")
        return await case_view(store, case), await store.cases.history(case_id)

    view, history = with_store(config, work)
    if as_json:
        told = {"case": _plain(view.case), "question": view.question, "draft": view.draft, "events": len(history)}
        typer.echo(msgspec.json.encode(told).decode())
        return
    urgent = _urgency(view.case, find_config(config).settings.people, time.time_ns())
    typer.echo("\n".join(_page(view, history, urgent)))


@app.command()
@taking(AnswerOptions)
def answer(given: AnswerOptions) -> None:
    """Answer a case: claim it and say what the caller is told. It can be taken back at the desk until it is delivered."""
    text = sys.stdin.read() if given.text == "-" else given.text
    config = find_config(given.config)

    async def work(store: Store) -> Case:
        person = await _person(store, given.by)
        serving = Serving(config, store, Settler(store, Metrics()))
        try:
            desk = Desk(store, serving)
            case = await store.cases.find(given.case_id)
            asked = case is not None and desk.roster.asks_password(case.role)
            signed = await _signed(store, given, asked=asked)
            claim = await desk.claim(given.case_id, by=person)
            if claim is None:
                raise BadRequest(f"{given.case_id} is somebody else's, or it waits no more")
            done = await desk.answer(
                given.case_id, by=person, fence=claim.fence, verb=given.verb, text=text, general=given.general,
                signed=Signed(meaning="answered in the terminal", how=signed), seconds=given.seconds,
            )  # fmt: skip
        finally:
            await serving.close()
        found = await store.cases.find(given.case_id)
        if not done or found is None:
            raise BadRequest(f"{given.case_id} was lost meanwhile; the text is kept with it")
        return found

    case = with_store(given.config, work)
    if case.state == "proposed":
        typer.echo(f"{case.id} is proposed: a second person must approve it")
    else:
        typer.echo(f"{case.id} is {case.state} with {case.verb}; a running server delivers it")


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; without it, the standard output.")] = None,
    feature: _FeatureOption = None,
    config: ConfigOption = None,
) -> None:
    """Write every case as a line of JSON, answered ones with their answers. They hold what people said: keep the file safe."""

    async def work(store: Store) -> bytes:
        return b"".join([msgspec.json.encode(_plain(case)) + b"\n" async for case in _all(store, feature)])

    lines = with_store(config, work)
    if file is None:
        typer.echo(lines.decode(), nl=False)
        return
    file.write_bytes(lines)
    count = lines.count(b"\n")
    typer.echo(f"{count} cases are in {file}")


async def _all(store: Store, feature: str | None) -> AsyncIterator[Case]:
    after: tuple[int, str] | None = None
    while page := await store.cases.waiting(states=(*PENDING, *ENDED), feature=feature, limit=_PAGE, after=after):
        for case in page:
            yield case
        after = (page[-1].rank_ns, page[-1].id)


async def _person(store: Store, name: str) -> Person:
    """Who answers: an account that is in use; before there is any, whoever may read the database."""
    account = await store.accounts.get(name)
    if account is None and not await store.accounts.all():
        return Person(name=name, shown=name, role="operator")
    if account is None or account.disabled_at_ns is not None:
        raise NotAllowed(f"there is no account {name!r} in use: see `surefoot account list`")
    return account.person


async def _signed(store: Store, given: AnswerOptions, *, asked: bool) -> str:
    """How the answer is signed. Raises LoginRefused for a wrong password, BadRequest where it cannot be asked for."""
    password = os.environ.get(_VARIABLE)
    if password is None and not asked:
        return UNPROVEN
    if not await store.accounts.all():
        raise NotAllowed("this is signed with a password: make accounts first, with `surefoot account create`")
    if password is None and sys.stdin.isatty():
        password = typer.prompt(f"Password of {given.by}", hide_input=True)
    elif password is None:
        if given.text == "-":
            raise BadRequest(f"the text comes from the standard input: give the password in {_VARIABLE}")
        password = sys.stdin.readline().rstrip("\r\n")
    await People(store).prove(given.by, password)
    return WITH_PASSWORD


def _plain(case: Case) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(case)
    return {name: value for name, value in told.items() if name not in _HIDDEN}


def _urgency(case: Case, people: Mapping[str, PersonSettings], now_ns: int) -> Priority:
    given = people.get(case.role, PersonSettings())
    return urgency(case, open_hours(given.hours, given.timezone), now_ns=now_ns)


def _page(view: CaseView, history: Sequence[CaseEvent], urgent: Priority) -> list[str]:
    """A case at 80 columns."""
    case = view.case
    lines = [f"{case.id}  {case.feature}, for {case.role}, {case.state}", f"priority {urgent.explanation}"]
    if view.why is not None:
        lines += _block("Why", view.why.reason)
    lines += _block("Question", view.question or "(what was asked is not kept)")
    if view.pieces:
        marked = "".join(f"[?{piece.text}?]" if piece.supported is False else piece.text for piece in view.pieces)
        lines += _block("Draft" + (" ([?...?] is not supported)" if view.unsupported else ""), marked)
    if case.note:
        lines += _block("Note", covered(view, case.note))
    if case.answer is not None:
        lines += _block(f"Answer ({case.verb} by {case.answered_by or 'nobody'})", covered(view, case.answer))
    lines += ["", "What happened"]
    for event in history:
        at = f"{datetime.fromtimestamp(event.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
        who = f" by {event.by}" if event.by else ""
        detail = f": {event.detail}" if event.detail and view.why is not None else ""
        lines += textwrap.wrap(_safe(f"{at}  {event.kind}{who}{detail}"), _WIDTH, subsequent_indent=" " * 21)
    return lines


def _block(title: str, text: str) -> list[str]:
    wrapped = [line for part in _safe(text).split("\n") for line in textwrap.wrap(part, _WIDTH - 2) or [""]]
    return ["", title, *(f"  {line}" for line in wrapped)]


def _safe(text: str) -> str:
    """A text that cannot steer the terminal."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
