"""`surefoot demo`: start the gateway, send the clinic's messages (or questions on your documents), show what happens."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from surefoot.config.load import load
from surefoot.demo.patients import first_link, watch
from surefoot.demo.places import CLINIC_FEATURE, CLINIC_MESSAGES, DOCS_FEATURE, clinic_toml, docs_toml
from surefoot.demo.process import free_port, serving
from surefoot.demo.traffic import Told, send
from surefoot.providers.documents import read_folder
from surefoot.providers.rows import Row, read_rows
from surefoot.trial.report import Report, render, to_json
from surefoot.trial.run import trial

_SHOWN = 12  # latest questions in the live table
_ELSEWHERE = ("What is the capital of Mongolia?", "How many moons does Neptune have?")


@dataclass(slots=True)
class _Show:
    """What the live table shows."""

    told: list[Told] = field(default_factory=list)
    rungs: Counter[str] = field(default_factory=Counter)
    cost_usd: Decimal = Decimal(0)

    def add(self, told: Told) -> None:
        self.told.append(told)
        self.rungs[_rung(told)] += 1
        self.cost_usd += told.cost_usd

    def table(self, total: int) -> Table:
        table = Table(title=f"{len(self.told)} of {total} messages", expand=False, width=80)
        table.add_column("message", no_wrap=True, width=38)
        table.add_column("answered by", no_wrap=True, width=18)
        table.add_column("p", justify="right", width=6)
        table.add_column("cost USD", justify="right", width=10)
        for told in self.told[-_SHOWN:]:
            p = "-" if told.note.confidence is None else f"{told.note.confidence:.2f}"
            table.add_row(told.question.replace("\n", " "), _rung(told), p, f"{told.cost_usd:.6f}")
        table.caption = "  ".join(f"{name}: {count}" for name, count in self.rungs.most_common())
        return table


def demo(*, docs: Path | None, once: bool, as_json: bool, console: Console, port: int | None = None) -> None:
    """Run the demo. Raises SurefootError when the gateway does not start or the documents cannot be read."""
    asyncio.run(_demo(docs, once=once, as_json=as_json, console=console, port=port or free_port()))


async def _demo(docs: Path | None, *, once: bool, as_json: bool, console: Console, port: int) -> None:
    feature = DOCS_FEATURE if docs else CLINIC_FEATURE
    rows = question_rows(docs) if docs else read_rows(CLINIC_MESSAGES)
    with tempfile.TemporaryDirectory(prefix="surefoot-demo-") as name:
        folder = Path(name)
        config = folder / "surefoot.toml"
        config.write_text(docs_toml(docs, folder) if docs else clinic_toml(folder), "utf-8")
        async with serving(config, port) as url:
            told = await _send(url, feature, [row.query for row in rows], console, quiet=as_json)
            report = await trial(rows, load(config), feature, file=str(docs) if docs else "clinic")
            _tell(report, url, console, as_json=as_json, docs=docs is not None)
            if not once:
                await _wait(url, told, first_link(config.with_suffix(".log")), console)


def question_rows(docs: Path) -> tuple[Row, ...]:
    """Questions on a folder of documents: one for each of its headings, and two that it can hardly answer. No verdicts."""
    titles = dict.fromkeys(passage.title.split(" / ")[-1] for passage in read_folder(docs) if passage.title)
    asked = [f"What does it say about {title}?" for title in list(titles)[:40]]
    return tuple(Row(id=f"docs/{place}", query=query) for place, query in enumerate((*asked, *_ELSEWHERE)))


async def _wait(url: str, told: Sequence[Told], link: str | None, console: Console) -> None:
    """Show where the desk is, and every answer that a waiting caller gets, until Ctrl-C."""
    waiting = [each for each in told if each.note.case is not None]
    desk = f"make your account: {link}" if link else f"{url}/desk"
    console.print(f"\n{len(waiting)} patients wait for the nurse. The desk is at {url}/desk", highlight=False)
    console.print(f"{desk}\nserving until you press Ctrl-C", highlight=False, soft_wrap=True)

    def answered(patient: Told, answer: str) -> None:
        console.print(f"\n{patient.question}\n  ▸ {answer}", highlight=False, markup=False)

    await watch(url, waiting, answered)
    await asyncio.Event().wait()


async def _send(url: str, feature: str, questions: Sequence[str], console: Console, *, quiet: bool) -> list[Told]:
    show = _Show()
    if quiet or not console.is_terminal:
        async for told in send(url, feature, questions):
            show.add(told)
        if not quiet:
            console.print(show.table(len(questions)))
        return show.told
    with Live(show.table(len(questions)), console=console, refresh_per_second=8) as live:
        async for told in send(url, feature, questions):
            show.add(told)
            live.update(show.table(len(questions)))
    return show.told


def _tell(report: Report, url: str, console: Console, *, as_json: bool, docs: bool) -> None:
    if as_json:
        console.print(to_json(report), soft_wrap=True, highlight=False, markup=False)
        return
    console.print(render(report))
    if not docs:
        console.print("Handbook, messages and verdicts are hand-written and fictional; the flagship is simulated.")
    console.print(f"\nOPENAI_BASE_URL={url}/v1\nANTHROPIC_BASE_URL={url}", highlight=False)
    console.print(f"{url}/healthz\n{url}/metrics\n{url}/v1/models", highlight=False)


def _rung(told: Told) -> str:
    return told.note.rung or "none" if told.note.decision == "deliver" else "person"
