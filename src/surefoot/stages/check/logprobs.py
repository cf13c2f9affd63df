"""Token log-probabilities, where the provider gives them."""

from __future__ import annotations

import math

import msgspec
from msgspec import Struct

from surefoot.records import Signal
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class _Token(Struct):
    logprob: float


class _Tokens(Struct):
    content: list[_Token] | None = None


class _Choice(Struct):
    logprobs: _Tokens | None = None


class _Answer(Struct):
    choices: list[_Choice] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class LogProbs:
    """How probable the model found its own tokens: the geometric mean, and the least probable one.

    Read from an OpenAI answer's `choices[0].logprobs`; nothing is said where there are none, as in most answers, unless the
    client asks for them or the model is configured with `logprobs = true`. What the gateway asked for stays in the reply: the
    vendor's bytes go through unchanged, and its SDK reads them. Sure of its words is not sure of the facts.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signals "logprob.mean" and "logprob.min"."""
        answer = seen.tried.attempt.answer
        if answer is None or b'"logprob"' not in answer.body:
            return NOTHING
        try:
            choices = _ANSWER.decode(answer.body).choices
        except msgspec.DecodeError:  # another dialect's body, or one that a provider made up: nothing to be read
            return NOTHING
        tokens = choices[0].logprobs.content if choices and choices[0].logprobs else None
        if not tokens:
            return NOTHING
        values = [min(0.0, token.logprob) for token in tokens]
        return Findings(
            signals=(
                Signal(name="logprob.mean", score=math.exp(sum(values) / len(values))),
                Signal(name="logprob.min", score=math.exp(min(values))),
            )
        )
