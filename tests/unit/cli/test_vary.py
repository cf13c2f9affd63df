"""surefoot vary: the cost before, the meanings after, and what is refused."""

import asyncio
import json
from pathlib import Path

import pytest
from cli_support import surefoot

from surefoot.app import App
from surefoot.config.load import load
from surefoot.providers.rows import Row
from surefoot.trial.asking import request_of

ANSWERED = "How many working days does a repeat prescription take?"


@pytest.fixture
def asked(config: Path) -> Path:
    file = config.parent / "r.json"
    file.write_text(json.dumps({"model": "f", "stream": True, "messages": [{"role": "user", "content": ANSWERED}]}))
    return file


def test_it_says_the_cost_first_and_then_how_the_answers_spread(asked: Path) -> None:
    found = surefoot("vary", str(asked), "-n", "6", "--temperatures", "0,0.7")
    assert found.exit_code == 0, found.output
    assert found.output.startswith("12 answers of quotes: $0.000000 at 300 tokens each")
    assert "temperature 0.7: 6 answers" in found.output and "100.0% [54.1%, 100.0%], n = 6" in found.output
    assert max(map(len, found.output.splitlines())) <= 80
    told = json.loads(surefoot("vary", str(asked), "-n", "2", "--json").output.splitlines()[-1])
    assert told["rung"] == "quotes" and told["spreads"][0]["n"] == 2 and told["spreads"][0]["temperature"] is None


def test_the_report_reads_second_answers_and_says_where_there_are_none(asked: Path) -> None:
    none = surefoot("vary", "--report")
    assert none.exit_code == 0 and "no second answers in the last 4w" in none.output
    toml = asked.parent / "surefoot.toml"
    toml.write_text(
        toml.read_text().replace('ladder = ["cache", "quotes"]', 'ladder = ["quotes"]\nstream = "hold"\nvary = 1.0')
    )

    async def work() -> None:
        app = await App.start(load(toml))
        app.shadow_calls._after_seconds = 0.0
        await app.answer(request_of(app, app.policy.features["f"], Row(id="r", query=ANSWERED)))
        while app.shadow_calls.running:
            await asyncio.sleep(0.001)
        await app.close()

    asyncio.run(work())
    found = surefoot("vary", "--report")
    assert "0.0% [0.0%, 97.5%], n = 1" in found.output, found.output
    assert json.loads(surefoot("vary", "--report", "--json").output)[0]["differ"]["n"] == 1


def test_what_makes_no_sense_is_refused(asked: Path) -> None:
    (asked.parent / "bad.json").write_text('{"messages": []}')
    for options, said in (
        ((str(asked), "-n", "0"), "from 1 to 10,000"),
        ((str(asked), "--temperatures", "hot"), "'hot' is no temperature"),
        ((str(asked), "--temperatures", "3"), "not between 0 and 2"),
        ((str(asked), "--max-cost", "-1"), "no amount"),
        ((str(asked), "--rung", "huge"), "no rung 'huge'"),
        (("none.json",), "cannot be read"),
        ((), "name a request or say --report"),
        ((str(asked), "--report"), "name a request or say --report"),
        (("bad.json",), "bad.json"),
    ):
        found = surefoot("vary", *options, columns=200)
        assert found.exit_code in (1, 2), (options, found.output)
        assert said in found.output or "messages" in found.output, (options, found.output)
