"""classifier: from labelled messages to the file that an admit rule names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from surefoot.cli.common import JsonOption, fail, out
from surefoot.demo.places import CLINIC_MESSAGES
from surefoot.errors import ConfigError, DataError, SurefootError
from surefoot.learning.classifier import FittedClassifier, Message, fit_classifier
from surefoot.providers.rows import Row, read_rows
from surefoot.stats import Estimate


def classifier(
    file: Annotated[str, typer.Argument(help='A labelled file (.jsonl, .jsonl.gz), or "clinic".')],
    tag: Annotated[str, typer.Option(help="Rows with this tag are the ones to find.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the classifier is written (JSON).")],
    recall: Annotated[float, typer.Option(help="Share of them that shall be found.")] = 0.95,
    by_row: Annotated[
        bool, typer.Option("--by-row", help="Groups are topics, not sources: divide by message, not by group.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a classifier of requests for an admit rule; recall and false alarms are measured on groups it did not see."""
    try:
        if not 0 < recall <= 1:
            raise ConfigError(f"recall {recall} is not above 0 and at most 1", file="--recall")
        rows = read_rows(CLINIC_MESSAGES if file == "clinic" else Path(file))
        fitted = fit_classifier(_messages(rows, tag, by_row=by_row), recall=recall)
        _write(output, fitted)
    except DataError as error:
        hint = "" if by_row or "groups" not in error.message else "; --by-row divides by message instead"
        raise fail(DataError(error.message + hint, file=error.file or file, line=error.line)) from error
    except SurefootError as error:
        raise fail(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(_told(fitted, output)).decode())
        return
    out.print(f"{output}: {fitted.classifier.labels} messages, matches from p = {fitted.classifier.threshold:.3f} on")
    out.print(f"recall        {_shown(fitted.recall)}, wanted {fitted.wanted:.0%}")
    out.print(f"false alarms  {_shown(fitted.false_alarms)}")


def _messages(rows: tuple[Row, ...], tag: str, *, by_row: bool) -> list[Message]:
    """Rows as messages; by row, the same words are still one group."""
    return [
        Message(
            text=row.query,
            group=" ".join(row.query.casefold().split()) if by_row else row.group or row.id,
            positive=tag in row.tags,
        )
        for row in rows
    ]


def _write(output: Path, fitted: FittedClassifier) -> None:
    try:
        output.write_bytes(msgspec.json.encode(fitted.classifier))
    except OSError as error:
        raise DataError(f"cannot be written: {error}", file=str(output)) from error


def _told(fitted: FittedClassifier, output: Path) -> dict[str, object]:
    return {
        "file": str(output), "labels": fitted.classifier.labels, "threshold": fitted.classifier.threshold,
        "recall": fitted.recall, "false_alarms": fitted.false_alarms, "wanted": fitted.wanted, "l2": fitted.l2,
    }  # fmt: skip


def _shown(rate: Estimate) -> str:
    if rate.estimate is None:
        return "not enough data (n = 0)"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}], n = {rate.n}"
