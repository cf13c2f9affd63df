"""label: a blind labelling round in the terminal."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Protocol

import click
import typer
from msgspec import Struct

from surefoot.app.learn import Served, served
from surefoot.app.rounds import Sheet, Target, sheet, targets, write
from surefoot.cli.common import ConfigOption, fail, find_config
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.config.load import Config
from surefoot.errors import ConfigError, DataError, NotFound, SurefootError
from surefoot.learning.drift import last_alarm
from surefoot.learning.fit import LEAST
from surefoot.learning.standing import standing
from surefoot.policy import Promise
from surefoot.records import Incident, Label
from surefoot.stages.handbook import Handbook
from surefoot.stats.binomial import labels_needed
from surefoot.stats.sequential import CERTIFIED, Certified
from surefoot.store import Store
from surefoot.store.open import open_store
from surefoot.trial.marking import Mark, Marking

_WIDTH = 80
_PASSAGES, _PASSAGE, _TURNS, _TURN, _QUESTION = 6, 400, 4, 200, 2000  # what is shown of a request
_KEYS = {"y": "accepted", "n": "wrong", "e": "edited"}
_WORDS = {"accepted": "right", "wrong": "wrong", "edited": "right only after an edit"}
_CHOICE = "y right · n wrong · e right only after an edit · s skip · q quit"
_USUAL = Promise(accuracy=0.85, assurance=0.95)


class LabelOptions(Struct, frozen=True, kw_only=True):
    """What is labelled, and by whom."""

    file: Annotated[
        Path | None, typer.Argument(help="A file of answers (.jsonl, .jsonl.gz); without it, the store's drafts.")
    ] = None
    since: Annotated[
        str | None, typer.Option(help="The store's drafts of this time: 12h, 7d; without it, open cases.")
    ] = None
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None
    limit: Annotated[int | None, typer.Option(help="At most so many drafts.")] = None
    by: Annotated[str, typer.Option(help="Your name, kept with each label.")] = ""
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With FILE: instead of FILE.labelled.jsonl.")
    ] = None
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0
    config: ConfigOption = None


class Round(Protocol):
    """What the terminal needs of a round."""

    def about(self) -> list[str]:
        """What is judged, and how many labels are needed for what."""

    def sheets(self) -> Iterator[Sheet]:
        """What is to be judged, one after the other."""

    def total(self) -> int:
        """How many there are."""

    def needs(self) -> str:
        """How many labels are still needed, in one line."""

    def keep(self, verdict: str) -> bool:
        """Write the verdict on the sheet that is shown; False when somebody else was faster. Durable before it returns."""

    def after(self) -> str:
        """What to do with the labels."""


@taking(LabelOptions)
def label(given: LabelOptions) -> None:
    """Judge drafts blind, one key each; every label is kept before the next draft is shown."""
    try:
        if given.file is not None:
            if given.since is not None:
                raise ConfigError("give a file or --since, not both", file="--since")
            _judge(FileRound(given.file, given), limit=given.limit)
            return
        _over_store(given)
    except SurefootError as error:
        raise fail(error) from error


def _over_store(given: LabelOptions) -> None:
    """A round over the store. The loop runs only while the store works, so that Ctrl-C is at once between labels."""
    config = find_config(given.config)
    settings = config.settings.store
    store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
    with asyncio.Runner() as runner:
        runner.run(store.start())
        try:
            _judge(StoreRound(runner, store, config, given), limit=given.limit)
        finally:
            runner.run(store.close())


def _judge(round_: Round, *, limit: int | None) -> None:
    """Show, ask, keep, until the end, `q`, the end of the input or Ctrl-C."""
    keys, counts = _Keys(), Counter[str]()
    total = min(round_.total(), limit if limit is not None else round_.total())
    typer.echo("\n".join(textwrap.fill(line, _WIDTH) for line in round_.about()))
    if not total:
        typer.echo("nothing waits to be judged")
        return
    for shown, seen in enumerate(islice(round_.sheets(), total), start=1):
        typer.echo("\n".join(_drawn(seen, f"{shown} of {total} · {round_.needs()}")))
        verdict, goes_on = _asked(keys)
        if verdict in _WORDS:
            kept = round_.keep(verdict)
            counts[_WORDS[verdict] if kept else "somebody else was faster"] += 1
        elif goes_on:
            counts["skipped"] += 1
        if not goes_on:
            break
    said = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing was judged"
    typer.echo(f"\n{said}; {round_.needs()}")
    if any(counts[word] for word in _WORDS.values()):
        typer.echo(round_.after())


def _asked(keys: _Keys) -> tuple[str, bool]:
    """(verdict or "", whether the round goes on). A verdict given is kept whatever ends the round, unless `u` takes it back."""
    verdict = ""
    typer.echo(f"{_CHOICE}  ", nl=False)
    while True:
        try:
            key = keys.next()
        except (KeyboardInterrupt, EOFError):
            typer.echo("")
            return verdict, False
        if verdict and key == "u":
            typer.echo(f"\n{_CHOICE}  ", nl=False)
            verdict = ""
        elif verdict:
            keys.put_back(key)
            typer.echo("")
            return verdict, key != "q"
        elif key in _KEYS:
            verdict = _KEYS[key]
            typer.echo(f"\n{_WORDS[verdict]} · u takes it back, any other key goes on  ", nl=False)
        elif key in ("s", "q"):
            typer.echo("")
            return "", key == "s"


class _Keys:
    """Single keys of a terminal, or the characters of whatever stands in for it; there, no verdict is swallowed."""

    def __init__(self) -> None:
        self._terminal = sys.stdin.isatty()
        self._back = ""

    def next(self) -> str:
        """The next key, lower case. Raises EOFError at the end, KeyboardInterrupt on Ctrl-C."""
        key, self._back = self._back, ""
        key = key or (click.getchar() if self._terminal else sys.stdin.read(1))
        if not key:
            raise EOFError
        return key.lower()

    def put_back(self, key: str) -> None:
        """The key that confirmed a verdict: a script's next word, where it is one."""
        if not self._terminal and not key.isspace():
            self._back = key


class StoreRound:
    """Drafts of the store."""

    def __init__(self, runner: asyncio.Runner, store: Store, config: Config, given: LabelOptions) -> None:
        names = [given.feature] if given.feature is not None else list(config.policy.features)
        if given.feature is not None and given.feature not in config.policy.features:
            raise NotFound(
                f"there is no feature {given.feature!r}; there are {', '.join(config.policy.features)}"
            )  # fmt: skip
        self._runner, self._store, self._by = runner, store, given.by
        self._since = None if given.since is None else since_ns(given.since)
        self._now: Served = runner.run(served(store, config))
        self._targets = runner.run(targets(store, names, since_ns=self._since, seed=given.seed))
        self._labels: dict[str, list[Label]] = {
            name: list(runner.run(store.labels.all(feature=name))) for name in names
        }  # fmt: skip
        self._incidents: dict[str, Sequence[Incident]] = {
            name: runner.run(store.incidents.all(feature=name)) for name in names
        }  # fmt: skip
        self._handbooks = {
            name: Handbook(config.settings.features[name].handbook)
            for name in names
            if config.settings.features[name].handbook
        }
        self._target: Target | None = None
        self._names = names

    def about(self) -> list[str]:
        """Which drafts there are, and what their labels are for."""
        certifying = sum(each.propensity is not None for each in self._targets)
        lines = [
            f"{len(self._targets)} drafts to judge: {certifying} whose labels certify, "
            f"{len(self._targets) - certifying} for maps"
        ]
        promises = {rules.promise for name in self._names if (rules := self._now.policy.features[name]).promise}
        return lines + [_test(promise) for promise in promises if promise is not None]

    def total(self) -> int:
        """How many drafts there are; those that were not kept are found out when their turn comes."""
        return len(self._targets)

    def sheets(self) -> Iterator[Sheet]:
        """The drafts whose content is there."""
        for target in self._targets:
            seen = self._runner.run(sheet(self._store, target, self._handbooks))
            if seen is not None:
                self._target = target
                yield seen

    def needs(self) -> str:
        """Of the feature at hand, or of the only one."""
        name = self._target.feature if self._target is not None else self._names[0]
        rules = self._now.policy.features[name]
        counts = Counter(each.rung for each in self._labels[name])
        lacking = sum(max(0, LEAST - counts[rung.name]) for rung in rules.ladder if rung.kind != "cache")
        maps = f"maps: {lacking} more labels" if lacking else "enough labels for maps"
        if rules.promise is None:
            return f"{name} · {maps}"
        edition = self._now.policy.editions[name]
        found = standing(
            self._labels[name], rules.promise, edition=edition,
            alarm_ns=last_alarm(self._incidents[name], edition=edition),
        )  # fmt: skip
        return f"{name} · promise: {_missing(found)} · {maps}"

    def keep(self, verdict: str) -> bool:
        """Into the store."""
        assert self._target is not None
        written = write(self._store, self._target, verdict, by=self._by, at_ns=time.time_ns())
        found = self._runner.run(written)
        if found is not None:
            self._labels[found.feature].append(found)
        return found is not None

    def after(self) -> str:
        """What to do with the labels."""
        return "to learn from them: surefoot learn"


class FileRound:
    """Answers of a file."""

    def __init__(self, file: Path, given: LabelOptions) -> None:
        stem = file.name.removesuffix(".gz").removesuffix(".jsonl")
        self._marking = Marking(file, given.output or file.with_name(f"{stem}.labelled.jsonl"))
        if self._marking.out.resolve() == file.resolve():
            raise DataError("the file with the verdicts must be another one", file=str(file))
        self._left = self._marking.left(given.seed)
        self._mark: Mark | None = None

    def about(self) -> list[str]:
        """Which answers there are, and what their labels are for."""
        return [f"{len(self._left)} answers of {self._marking.file} to judge, into {self._marking.out}", _test(_USUAL)]

    def total(self) -> int:
        """How many answers there are."""
        return len(self._left)

    def sheets(self) -> Iterator[Sheet]:
        """The answers."""
        for mark in self._left:
            self._mark = mark
            yield Sheet(question=mark.row.query, draft=mark.text, passages=mark.row.context)

    def needs(self) -> str:
        """Until every model has a map's."""
        lacking = sum(max(0, LEAST - self._marking.count(model)) for model in self._marking.models())
        return f"maps: {lacking} more labels" if lacking else "enough labels for maps"

    def keep(self, verdict: str) -> bool:
        """Into the new file."""
        assert self._mark is not None
        self._marking.write(self._mark, verdict)
        return True

    def after(self) -> str:
        """What to do with the labels."""
        return f"to learn from them: surefoot learn --from {self._marking.out}"


def _test(promise: Promise) -> str:
    """What a promise needs when nothing is wrong."""
    once = labels_needed(0, 0, accuracy=promise.accuracy, assurance=promise.assurance)
    live = standing([], promise, edition="").labels_needed
    return (
        f"{once} right in a row certify {promise.accuracy:.0%} at {promise.assurance:.0%} by a test that is looked at once, "
        f"{live} by the one that is looked at after every label"
    )


def _missing(found: Certified) -> str:
    if found.state == CERTIFIED:
        return "certified"
    if found.labels_needed is None:
        return "labels needed unknown"
    return f"{found.labels_needed} more" + (" right in a row" if found.accuracy in (None, 1.0) else " labels")


def _drawn(seen: Sheet, progress: str) -> list[str]:
    """A sheet for 80 columns."""
    lines = ["", "─" * _WIDTH, _one_line(progress, _WIDTH)]
    if seen.earlier:
        lines += ["", "EARLIER"]
        for role, text in seen.earlier[-_TURNS:]:
            lines += _wrapped(_short(f"{role}: {_clean(text)}", _TURN))
    lines += ["", "QUESTION", *_wrapped(_short(_clean(seen.question), _QUESTION))]
    if seen.passages:
        lines += ["", "PASSAGES"]
        for place, passage in enumerate(seen.passages[:_PASSAGES], start=1):
            lines += _wrapped(_short(_clean(" ".join(passage.split())), _PASSAGE), mark=f"{place}")
        if len(seen.passages) > _PASSAGES:
            lines.append(f"  and {len(seen.passages) - _PASSAGES} more")
    return [*lines, "", "DRAFT", *_wrapped(_clean(seen.draft)), ""]


def _wrapped(text: str, mark: str = "") -> list[str]:
    lines = []
    for paragraph in text.splitlines() or [""]:
        lines += textwrap.wrap(paragraph, _WIDTH - 4) or [""]
    return [f"{mark if place == 0 else '':>2}  {line}".rstrip() for place, line in enumerate(lines)]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} … ({len(text) - most} more characters)"


def _clean(text: str) -> str:
    """Without what would steer the terminal: drafts and questions are anybody's words."""
    text = text.replace("\t", "    ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))


def _one_line(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
