"""demo, ask, trial."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress

from surefoot.cli.common import JsonOption, fail, out
from surefoot.cli.options import taking
from surefoot.config.build import BAR, rung_models
from surefoot.config.load import Config, load, load_text
from surefoot.config.schema import PromiseSettings
from surefoot.demo.ask import ask as run_ask
from surefoot.demo.places import CLINIC, CLINIC_CONFIG, CLINIC_FEATURE, CLINIC_MESSAGES
from surefoot.demo.run import demo as run_demo
from surefoot.errors import ConfigError, SurefootError
from surefoot.learning.threshold import Cut
from surefoot.policy import Promise
from surefoot.providers.rows import Row, read_rows
from surefoot.trial.ladder import FEATURE, ends_with_person, ladder_config
from surefoot.trial.learn import learn_from_rows, with_learned
from surefoot.trial.report import Report, render, to_json
from surefoot.trial.run import trial as run_trial

DocsOption = Annotated[Path | None, typer.Option("--docs", help="A folder of Markdown or text.")]


def demo(
    docs: DocsOption = None,
    once: Annotated[bool, typer.Option("--once", help="Exit after the report.")] = False,
    as_json: JsonOption = False,
    port: Annotated[int | None, typer.Option(help="Default: a free one.")] = None,
) -> None:
    """Run a clinic's patient messages through a ladder (or questions on your documents); no key, no network."""
    try:
        run_demo(docs=docs, once=once, as_json=as_json, console=out, port=port)
    except SurefootError as error:
        raise fail(error) from error
    except KeyboardInterrupt:
        typer.echo("")


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    docs: Annotated[Path, typer.Option("--docs", help="A folder of Markdown or text.")],
    as_json: JsonOption = False,
) -> None:
    """Ask a folder of documents: a quotation with its source, or a person."""
    try:
        told = run_ask(question, docs)
    except SurefootError as error:
        raise fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    out.print(told.answer or "The documents do not say: this question goes to a person.", markup=False)
    confidence = "uncalibrated" if told.p is None else f"{told.p:.2f}"
    scores = ", ".join(f"{name} {score:.2f}" for name, score in told.signals.items() if score is not None)
    out.print(f"\nconfidence  {confidence}" + (f" (scores, not probabilities: {scores})" if scores else ""))
    out.print(f"verdict     {told.verdict}: {told.reason}", markup=False)
    out.print(f"cost        ${told.cost_usd}")


class TrialOptions(Struct, frozen=True, kw_only=True):
    """What a trial is asked for."""

    file: Annotated[str, typer.Argument(help='A labelled file (.jsonl, .jsonl.gz), or "clinic".')]
    config: Annotated[Path | None, typer.Option("--config", "-c", help="A configuration to run it through.")] = None
    feature: Annotated[str | None, typer.Option(help="Which of its features.")] = None
    ladder: Annotated[str | None, typer.Option(help="Without one: recorded models, as a,b+c,person.")] = None
    bar: Annotated[
        float | None, typer.Option(help="With --ladder: the bar, 0.85 unless said; 0 delivers everything.")
    ] = None
    maps: Annotated[list[str] | None, typer.Option("--map", help="With --ladder: RUNG=P, a fixed probability.")] = None
    promise: Annotated[float | None, typer.Option(help="With --ladder: accuracy promised of deliveries.")] = None
    assurance: Annotated[float, typer.Option(help="With --promise: how sure it must be.")] = 0.95
    learn: Annotated[Path | None, typer.Option(help="Learn from another labelled file first.")] = None
    person_usd: Annotated[
        float | None,
        typer.Option(
            "--person-usd", help="What a person's answer costs. With --learn the bar is then kept over all deliveries."
        ),
    ] = None
    limit: Annotated[int | None, typer.Option(help="Only the first rows.")] = None
    as_json: JsonOption = False

    @property
    def rungs(self) -> list[str]:
        """The ladder's names."""
        return (self.ladder or "").split(",")

    @property
    def promised(self) -> PromiseSettings | None:
        """The promise: as said; else, where a person's price may be weighed, the bar over all that is delivered."""
        if self.promise is not None:
            return PromiseSettings(accuracy=self.promise, assurance=self.assurance)
        if self.learn is None or self.person_usd is None or not ends_with_person(self.rungs):
            return None
        return PromiseSettings(accuracy=BAR if self.bar is None else self.bar, assurance=self.assurance)


@taking(TrialOptions)
def trial(given: TrialOptions) -> None:
    """Run labelled answers through a ladder: delivered error, escalations, cost, each with its interval or its doubt."""
    try:
        rows = read_rows(_file(given.file), limit=given.limit)
        found, name = _policy(given)
        promise, cut = found.policy.features[name].promise if name in found.policy.features else None, None
        if given.learn is not None:
            found, cut = _learned(given.learn, found, name, given)
        report = replace(_run(rows, found, name, given, promise), certificate=cut)
    except SurefootError as error:
        raise fail(error) from error
    if given.as_json:
        typer.echo(to_json(report))
    else:
        out.print(render(report))


def _file(file: str) -> Path:
    return CLINIC_MESSAGES if file == "clinic" else Path(file)


def _policy(given: TrialOptions) -> tuple[Config, str]:
    if given.ladder is not None:
        if given.config is not None:
            raise ConfigError("give --ladder or --config, not both", file="--ladder")
        return ladder_config(
            _file(given.file), given.rungs, bar=given.bar, maps=dict(_map(text) for text in given.maps or ()),
            promise=given.promised, uncalibrated="climb" if given.learn else "deliver",
        ), FEATURE  # fmt: skip
    if given.config is not None:
        found = load(given.config)
        return found, given.feature or _only(found)
    if given.file == "clinic":
        text = CLINIC_CONFIG.read_text("utf-8")
        return load_text(text, file="clinic", base=CLINIC), CLINIC_FEATURE
    raise ConfigError(
        "say by which policy: --config FILE --feature NAME, or --ladder a,b,person", file="surefoot trial"
    )


def _learned(file: Path, config: Config, feature: str, given: TrialOptions) -> tuple[Config, Cut | None]:
    """(the configuration with what the rows of a file teach, how the promise stands on those of them that no map saw)."""
    rows = read_rows(_file(str(file)))
    ladder = given.ladder is not None
    source = config
    if ladder:
        source = ladder_config(file, given.rungs, bar=given.bar, maps={}, promise=given.promised, uncalibrated="climb")
    models = rung_models(config.settings)
    person = not ladder or ends_with_person(given.rungs)
    found, learned = asyncio.run(
        learn_from_rows(rows, source, feature, models, person=person, person_usd=given.person_usd)
    )
    certified = learned.cut is not None and learned.cut.state == "certified"
    alone = not person and given.bar is None
    return with_learned(config, feature, found, models, certified=certified, alone=alone), learned.cut


def _only(config: Config) -> str:
    names = list(config.policy.features)
    if len(names) != 1:
        raise ConfigError(
            f"several features are configured; name one with --feature: {', '.join(names)}", file=config.file
        )
    return names[0]


def _map(text: str) -> tuple[str, float]:
    name, _, p = text.rpartition("=")
    try:
        return name, float(p)
    except ValueError as error:
        raise ConfigError(f"{text!r} is not RUNG=P", file="--map") from error


def _run(rows: tuple[Row, ...], config: Config, feature: str, given: TrialOptions, promise: Promise | None) -> Report:
    with Progress(console=Console(file=sys.stderr), disable=given.as_json, transient=True) as progress:
        task = progress.add_task("rows", total=len(rows))
        return asyncio.run(
            run_trial(
                rows, config, feature, file=Path(given.file).name, person_usd=given.person_usd,
                learned_from=given.learn.name if given.learn else "", promise=promise,
                on_progress=lambda done, of: progress.update(task, completed=done) if done % 50 == 0 or done == of else None,
            )
        )  # fmt: skip
