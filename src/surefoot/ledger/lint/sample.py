"""What is known of one request: its prompt, what its model calls were metered at, what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.ledger.lint.segments import BYTES_PER_TOKEN, Prompt, Segment
from surefoot.records import PriceLine
from surefoot.records.money import cost

LONGEST_RUN = 12  # turns at the beginning that may be examples


class Call(Struct, frozen=True, kw_only=True):
    """The input of one model call, as billed."""

    provider: str
    model: str
    input_tokens: int  # all of it
    cached_tokens: int = 0  # part of it, read from the provider's cache
    written_tokens: int = 0  # part of it, written to the provider's cache
    price: PriceLine | None = None  # None: it costs nothing
    estimated: bool = False  # whether nobody metered it

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """(tokens, nano-dollars) read from the cache, written to it, and plain."""
        plain = max(0, self.input_tokens - self.cached_tokens - self.written_tokens)
        line = self.price or PriceLine(input=0, cached=0, cache_write=0, output=0)
        tokens = (self.cached_tokens, self.written_tokens, plain)
        return tuple(
            (each, cost(each, per))
            for each, per in zip(tokens, (line.cached, line.cache_write, line.input), strict=True)
        )  # fmt: skip


class Sample(Struct, frozen=True, kw_only=True):
    """One request."""

    prompt: Prompt
    calls: tuple[Call, ...] = ()
    request_id: str = ""
    at_ns: int | None = None  # None: nobody knows when
    answers: tuple[str, ...] | None = None  # texts; None: nobody kept them
    called: frozenset[str] = frozenset()  # names of tools that the answers call
    subject: str = ""  # pseudonym of whoever it was asked for
    added: tuple[str, ...] = ()  # passages that the gateway put into the prompt, which its body does not hold

    @property
    def main(self) -> Call | None:
        """The call whose input cost most; of equal ones the longest. None without a call."""
        return max(self.calls, key=lambda call: (sum(paid for _, paid in call.parts), call.input_tokens), default=None)


def estimated_tokens(prompt: Prompt) -> int:
    """How long a prompt is when nobody metered it: bytes of what is said over four, rounded up."""
    return -(-sum(each.weight for each in prompt.said) // BYTES_PER_TOKEN)


def with_examples(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The samples with turns taken for examples that all of them begin with: pairs of user and assistant before the last turn.

    It takes two requests with different last turns that have these turns and no other, or that go on differently behind them.
    Of one request nobody knows; and requests that only go on, each from the one before, are a conversation.
    """
    runs = [_turns(sample.prompt) for sample in samples]
    common = 0
    for turns in zip(*runs, strict=False):
        if len(set(turns)) > 1:
            break
        common += 1
    common -= common % 2
    bare = {_question(sample.prompt) for sample, run in zip(samples, runs, strict=True) if len(run) == common}
    parted = {run[common] for run in runs if len(run) > common}
    if not 0 < common <= LONGEST_RUN or (len(bare) < 2 and len(parted) < 2):
        return tuple(samples)
    return tuple(_marked(sample, common) for sample in samples)


def _question(prompt: Prompt) -> str:
    return "".join(each.text for each in prompt.said if each.kind == "question")


def _turns(prompt: Prompt) -> list[tuple[str, str]]:
    """(role, text) of the turns before the last one, users' and assistants' in turn."""
    found: dict[int, tuple[str, str]] = {}
    for each in prompt.said:
        if each.kind == "history":
            role, text = found.get(each.message, (each.name, ""))
            found[each.message] = (role, text + each.text)
    turns = [found[number] for number in sorted(found)]
    if not turns or turns[0][0] != "user":
        return []
    end = next((n for n, (one, other) in enumerate(pairwise(turns), 1) if one[0] == other[0]), len(turns))
    return turns[:end]


def _marked(sample: Sample, common: int) -> Sample:
    numbers = sorted({each.message for each in sample.prompt.segments if each.kind == "history"})[:common]
    segments = tuple(
        replace(each, kind="example") if each.kind == "history" and each.message in numbers else each
        for each in sample.prompt.segments
    )
    return replace(sample, prompt=replace(sample.prompt, segments=segments))


def called_by(dialect: str, body: bytes) -> frozenset[str]:
    """Names of the tools that an answer calls; none for what cannot be read."""
    try:
        answer = _ANSWER.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return frozenset()
    if dialect == "anthropic":
        return frozenset(block.name for block in answer.content if block.type == "tool_use")
    calls = (call for choice in answer.choices for call in choice.message.tool_calls or ())
    old = (choice.message.function_call for choice in answer.choices)
    return frozenset((*(call.function.name for call in calls), *(each.name for each in old if each is not None)))


def calls_in(prompt: Prompt) -> frozenset[str]:
    """Names of the tools that were called earlier in the conversation that a prompt holds."""
    found: set[str] = set()
    for each in prompt.said:
        if not each.json or each.message < 0:
            continue
        if each.path.endswith("tool_calls"):
            found |= {call.function.name for call in _CALLS.decode(each.text)}
        else:
            block = _BLOCK.decode(each.text)
            found |= {block.name} if block.type == "tool_use" or each.path.endswith("function_call") else set()
    return frozenset(found)


def tools_of(prompt: Prompt) -> tuple[Segment, ...]:
    """The tools that a prompt offers."""
    return tuple(each for each in prompt.said if each.kind == "tool")


class _Function(Struct, frozen=True):
    name: str = ""


class _Call(Struct):
    function: _Function = _Function()


class _Message(Struct, frozen=True):
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None


class _Choice(Struct):
    message: _Message = _Message()


class _Block(Struct):
    type: str = ""
    name: str = ""


class _Answer(Struct):
    choices: list[_Choice] = []
    content: list[_Block] = []


_ANSWER = msgspec.json.Decoder(_Answer)
_CALLS = msgspec.json.Decoder(list[_Call])
_BLOCK = msgspec.json.Decoder(_Block)
