"""The root of the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from surefoot import __version__
from surefoot.cli import (
    accounts,
    audit,
    bets,
    bill,
    budgets,
    cases,
    classify,
    confidence,
    gate,
    golden,
    hooks,
    keys,
    label,
    learning,
    lint,
    money,
    objectives,
    people,
    run,
    staffing,
    steer,
    switch,
    trying,
    tuning,
    vary,
    whatif,
)
from surefoot.cli import cache as caches
from surefoot.cli.common import MONEY, PEOPLE, RUN, STEER, TRY

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich",
    help="Every request takes the cheapest answer that is safe enough, and in the end a person decides.",
)  # fmt: skip
cache = typer.Typer(no_args_is_help=True, help="How near caches do; forget cached answers.")
key = typer.Typer(no_args_is_help=True, help="Virtual keys: tenant, features, budget.")
account = typer.Typer(no_args_is_help=True, help="Who works at the desk.")
hook = typer.Typer(no_args_is_help=True, help="Webhooks: whom cases told of their answers, and what came of it.")
trail = typer.Typer(no_args_is_help=True, help="Who did what: verify it, export it, sign it.")
journal = typer.Typer(no_args_is_help=True, help="The account of every request.")

app.command(rich_help_panel=RUN)(run.serve)
app.command(rich_help_panel=RUN)(run.init)
app.command(rich_help_panel=RUN)(run.check)
app.add_typer(key, name="key", rich_help_panel=RUN)
app.command(rich_help_panel=TRY)(trying.demo)
app.command(rich_help_panel=TRY)(trying.ask)
app.command(rich_help_panel=TRY)(trying.trial)
app.command(rich_help_panel=TRY)(vary.vary)
app.command(rich_help_panel=TRY)(gate.gate)
app.add_typer(golden.app, name="golden", rich_help_panel=TRY)
app.command(rich_help_panel=STEER)(classify.classifier)
app.command(rich_help_panel=STEER)(steer.policy)
app.command(rich_help_panel=STEER)(steer.replay)
app.command(rich_help_panel=STEER)(learning.learn)
app.command("tune", rich_help_panel=STEER)(tuning.tune_route)
app.command(rich_help_panel=STEER)(learning.promote)
app.command(rich_help_panel=STEER)(learning.rollback)
app.command(rich_help_panel=STEER)(learning.revisions)
app.command(rich_help_panel=STEER)(objectives.objectives)
app.command(rich_help_panel=STEER)(confidence.confidence)
app.command(rich_help_panel=STEER)(whatif.whatif)
app.command(rich_help_panel=STEER)(confidence.acknowledge)
app.command(rich_help_panel=STEER)(switch.stop)
app.command(rich_help_panel=STEER)(switch.resume)
app.command(rich_help_panel=STEER)(switch.stops)
app.add_typer(bets.app, name="bet", rich_help_panel=STEER)
app.add_typer(journal, name="journal", rich_help_panel=STEER)
app.add_typer(trail, name="audit", rich_help_panel=STEER)
app.add_typer(cache, name="cache", rich_help_panel=STEER)
app.command(rich_help_panel=MONEY)(money.ledger)
app.command(rich_help_panel=MONEY)(lint.lint)
app.command(rich_help_panel=MONEY)(bill.bill)
app.command(rich_help_panel=MONEY)(budgets.budgets)
app.add_typer(cases.app, name="cases", rich_help_panel=PEOPLE)
app.command(rich_help_panel=PEOPLE)(label.label)
app.command(rich_help_panel=PEOPLE)(staffing.leverage)
app.command(rich_help_panel=PEOPLE)(staffing.staffing)
app.command(rich_help_panel=PEOPLE)(people.erase)
app.command(rich_help_panel=PEOPLE)(people.hold)
app.command(rich_help_panel=PEOPLE)(people.release)
app.command(rich_help_panel=PEOPLE)(people.holds)
app.add_typer(hook, name="hooks", rich_help_panel=PEOPLE)
app.add_typer(account, name="account", rich_help_panel=PEOPLE)

hook.command("list")(hooks.show)
hook.command("log")(hooks.log)
key.command("create")(keys.create)
key.command("list")(keys.show)
key.command("revoke")(keys.revoke)
account.command("create")(accounts.create)
account.command("list")(accounts.show)
account.command("disable")(accounts.disable)
account.command("enable")(accounts.enable)
account.command("link")(accounts.link)
journal.command("verify")(steer.verify)
trail.command("verify")(audit.verify)
trail.command("export")(audit.export)
trail.command("checkpoint")(audit.checkpoint)
cache.command("invalidate")(steer.invalidate)
cache.command("retract")(steer.retract)
cache.command("report")(caches.report)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"surefoot {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Every request takes the cheapest answer that is safe enough, and in the end a person decides."""
