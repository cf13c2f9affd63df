"""The loop closes: a running gateway takes a promotion made by another process, keeps a promise that labels earned, goes back."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from surefoot.demo.places import CLINIC, CLINIC_MESSAGES
from surefoot.demo.process import free_port, serving

CONFIG = """
[store]
database = "{folder}/surefoot.db"
key_file = "{folder}/surefoot.key"
[providers.handbook]
kind = "extractive"
folder = "{handbook}"
[models.quotes]
provider = "handbook"
[features.clinic]
mode = "enforce"
ladder = ["quotes"]
"""
PROMISED = 'uncalibrated = "deliver"\naudit = 0.5\npromise = { accuracy = 0.5, assurance = 0.8 }\n'
QUESTIONS = (
    "How long do repeat prescriptions take?", "What does ear cleaning cost?", "At which desk is there a hearing loop?",
    "Can I pay my bill in cash at the desk?", "How often is INR tested when it is stable?",
    "For how long are nicotine patches free?", "What does the weight programme cost?",
)  # fmt: skip


class Clinic:
    """A gateway and the commands beside it."""

    def __init__(self, url: str, config: Path) -> None:
        self.url, self.config = url, config

    def run(self, *command: str, keys: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "surefoot", *command, "--config", str(self.config)],
            capture_output=True, text=True, input=keys,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, question: str) -> dict[str, Any]:
        body = {"model": "clinic", "messages": [{"role": "user", "content": question}]}
        answer = httpx.post(f"{self.url}/v1/chat/completions", json=body, timeout=20).json()
        return dict(answer["surefoot"])

    def until(self, question: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first answer of which something holds; a promotion serves and a label counts within moments."""
        end = time.monotonic() + 20
        while not holds(note := self.ask(question)):
            assert time.monotonic() < end, note
            time.sleep(0.1)
        return note


def with_clinic(folder: Path, more: str, work: Callable[[Clinic], None]) -> None:
    config = folder / "surefoot.toml"
    config.write_text(CONFIG.format(folder=folder, handbook=CLINIC / "handbook") + more)

    async def run() -> None:
        async with serving(config, free_port()) as url:
            await asyncio.to_thread(work, Clinic(url, config))

    asyncio.run(run())


def test_a_promotion_in_another_process_decides_the_next_requests_and_a_rollback_undoes_it(tmp_path: Path) -> None:
    def work(clinic: Clinic) -> None:
        before = clinic.ask(QUESTIONS[0])
        assert (before["decision"], before["source"]) == ("escalate", "uncalibrated")
        clinic.run("learn", "--from", str(CLINIC_MESSAGES))
        assert clinic.ask(QUESTIONS[0])["policy"] == before["policy"]  # a candidate decides nothing
        version = clinic.run("promote", "1").split("policy ")[1].strip()
        after = clinic.until(QUESTIONS[0], lambda note: note["policy"] != before["policy"])
        assert after["policy"] == version and after["source"] == "map:platt" and 0 < after["confidence"] < 1
        clinic.run("rollback")
        back = clinic.until(QUESTIONS[0], lambda note: note["policy"] != version)
        assert (back["policy"], back["source"]) == (before["policy"], "uncalibrated")

    with_clinic(tmp_path, "", work)


def test_blind_labels_earn_the_certificate_that_releases_what_was_withheld(tmp_path: Path) -> None:
    def work(clinic: Clinic) -> None:
        for question in QUESTIONS:
            assert clinic.ask(question)["decision"] == "escalate"
        said = clinic.run("label", "--by", "ann", keys="y\n" * len(QUESTIONS))
        assert f"{len(QUESTIONS)} right; clinic · promise: certified" in said
        assert clinic.until(QUESTIONS[0], lambda note: note["decision"] == "deliver")["verdict"] == "deliver"

    with_clinic(tmp_path, PROMISED, work)
