"""A near hit reaches the official OpenAI SDK as any answer does, streamed or not, once 200 labels have made a map."""

import time
from concurrent.futures import ThreadPoolExecutor

import openai
from acceptance_support import Running, ask, messages
from typer.testing import CliRunner

from surefoot.cli.main import app as commands

SAID = "Refills take two working days. Call the pharmacy before noon."
QUESTION = "how long does a refill of prescription {} take please"


def word(n: int) -> str:
    """Something else for each number, without a digit: another number would be another question."""
    return "".join("bcdfghkl"[n // 8**place % 8] + "aeiouaei"[n // 8**place % 8] for place in range(4))


def is_near(answer: object) -> bool:
    return answer.model_extra["surefoot"]["source"] == "cache:near"


def test_a_near_hit_is_served_to_streams_and_others_alike(client: openai.OpenAI, gateway: Running) -> None:
    first = client.chat.completions.create(model="near", messages=messages(QUESTION.format("one")))
    assert first.choices[0].message.content == SAID and first.model_extra["surefoot"]["cache"] == "miss"
    time.sleep(1.5)  # every process looks at the store each second
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda n: ask(client, "near", QUESTION.format(word(n))), range(215)))
    hit = stream = None
    for n in range(400):
        if hit is None:
            answer = client.chat.completions.create(model="near", messages=messages(QUESTION.format(word(500 + n))))
            hit = answer if is_near(answer) else None
        elif stream is None:
            asked = client.chat.completions.create(
                model="near", messages=messages(QUESTION.format(word(1000 + n))), stream=True
            )
            chunks = list(asked)
            stream = chunks if is_near(chunks[-1]) else None
        else:
            break
        time.sleep(0.02)
    assert hit is not None and stream is not None
    note = hit.model_extra["surefoot"]
    assert hit.choices[0].message.content == SAID
    assert (note["cache"], note["rung"], note["cost_usd"], note["calibrated"]) == ("hit", "cache", "0.000000000", True)
    assert 0.85 <= note["confidence"] < 1
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == SAID
    told = CliRunner().invoke(commands, ["cache", "report", "--feature", "near", "-c", str(gateway.config)])
    assert told.exit_code == 0, told.output
    for said in ("feature near, lexical cache", "0.5 per request", "would have hit", "fitted on 2"):
        assert said in told.output
