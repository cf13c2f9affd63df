"""Token log-probabilities, where an answer has them."""

import math

import msgspec
import pytest
from check_support import scores, seen

from surefoot.stages.check import LogProbs
from surefoot.wire.dialects import DIALECTS


def body(values: list[float]) -> bytes:
    content = [{"token": "x", "logprob": value, "bytes": None, "top_logprobs": []} for value in values]
    choice = {
        "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "xx"},
        "logprobs": {"content": content, "refusal": None},
    }  # fmt: skip
    return msgspec.json.encode(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


def test_the_mean_is_geometric_and_the_least_probable_token_counts() -> None:
    found = scores(LogProbs()(seen("xx", body=body([math.log(0.5), math.log(0.125)]))))
    assert found == {"logprob.mean": pytest.approx(0.25), "logprob.min": pytest.approx(0.125)}


def test_a_value_above_0_counts_as_certain() -> None:
    assert scores(LogProbs()(seen("x", body=body([0.5])))) == {"logprob.mean": 1.0, "logprob.min": 1.0}


@pytest.mark.parametrize(
    "given",
    [
        b"{}", body([]), b'{"choices": [{"logprobs": null}]}', b'{"logprob": 1}', b'{"choices": "logprob"}', b'"logprob"',
        b'{"choices": [{"logprobs": {"content": [{"logprob": "high"}]}}]}',
    ],
)  # fmt: skip
def test_where_there_are_none_nothing_is_said(given: bytes) -> None:
    assert scores(LogProbs()(seen("x", body=given))) == {}


def test_they_survive_being_streamed() -> None:
    dialect = DIALECTS["openai"]
    joined = dialect.join(dialect.cut(body([-0.1, -2.0])))
    assert scores(LogProbs()(seen("xx", body=joined)))["logprob.min"] == pytest.approx(math.exp(-2.0))
