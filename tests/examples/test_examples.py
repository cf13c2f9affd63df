"""Every example runs as written, as a process of its own, against a running gateway."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from surefoot.cli.main import app as surefoot
from surefoot.demo.places import clinic_toml
from surefoot.demo.process import free_port, serving
from surefoot.evals.gate import EXIT

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gateway")
    config = folder / "surefoot.toml"
    config.write_text(clinic_toml(folder), "utf-8")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()
    try:
        started = asyncio.run_coroutine_threadsafe(stack.enter_async_context(serving(config, free_port())), loop)
        yield started.result(30)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(name: str, gateway: str, question: str) -> str:
    environment = {
        **os.environ, "OPENAI_BASE_URL": f"{gateway}/v1", "OPENAI_API_KEY": "none", "ANTHROPIC_BASE_URL": gateway,
        "ANTHROPIC_API_KEY": "none", "SUREFOOT_FEATURE": "clinic", "LANGSMITH_TRACING": "false",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), question], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["openai_sdk.py", "anthropic_sdk.py", "langchain_client.py"])
def test_a_client_gets_its_answer_through_the_gateway(gateway: str, name: str) -> None:
    assert "day" in run(name, gateway, "How many working days does a repeat prescription take?")


def test_a_question_for_a_person_becomes_a_case_that_can_be_asked_for(gateway: str) -> None:
    told = run("waiting_case.py", gateway, "Who was Tutankhamun?")
    assert "case open, waits for: nurse" in told


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_fits_on_a_page(example: Path) -> None:
    assert len(example.read_text("utf-8").splitlines()) <= 60


def test_the_workflow_for_github_asks_the_gate_for_what_there_is() -> None:
    text = (EXAMPLES / "github-action" / "gate.yml").read_text("utf-8")
    (command,) = re.findall(r"surefoot gate (.*?)\n +echo", text, re.DOTALL)
    known = {name for parameter in get_command(surefoot).commands["gate"].params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", command)) <= known
    for code in EXIT.values():
        assert f"{code})" in text
