"""What a rung is asked and what it yields. Metadata is apart from content: the journal holds one without the other."""

from __future__ import annotations

from msgspec import Raw, Struct

from surefoot.records.money import BudgetLimit, ModelPrice
from surefoot.records.near import Proposed
from surefoot.records.request import Question, Request


class Rung(Struct, frozen=True, kw_only=True):
    """One step of a ladder."""

    name: str  # as written in the ladder: "cache", "small", "small+other", "requested"
    # "cache" | "model" | "pair" | "requested" | "continued" (goes on from what the caller has) | "relay" (not judged)
    # | "embedder" (of no ladder: what asks for a question's vector)
    kind: str
    models: tuple[str, ...] = ()  # configured names: one; of a pair two, or one several times ("small*3"); else none


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one model call, as billed by the provider; one meaning for all dialects."""

    input_tokens: int = 0  # everything sent, cached and cache-written tokens included
    cached_tokens: int = 0  # part of input_tokens, read from the provider's cache
    cache_write_tokens: int = 0  # part of input_tokens, written to the provider's cache
    output_tokens: int = 0  # everything generated, reasoning included
    reasoning_tokens: int = 0  # part of output_tokens
    estimated: bool = False  # True when the provider did not say


class Try(Struct, frozen=True, kw_only=True):
    """A rung about to be tried: what `fit` gets."""

    request: Request
    question: Question
    rung: Rung
    said: str = ""  # what the caller has already, of an answer whose rest a continued rung shall give


class Shortened(Struct, frozen=True, kw_only=True):
    """What `fit` left out of a prompt or marked in it; places and sizes, no content."""

    compressed: float | None = None  # share of the passages' characters that is sent; None: all of them
    why: str = ""  # why the passages are sent in full: what the grounding test missed, "harm", "prefix", "nothing to leave out"
    tried: tuple[tuple[float, str], ...] = ()  # (target, what the grounding test missed; "" where it passed)
    dropped_passages: int = 0  # for the window
    dropped_turns: int = 0  # of the history, for the window
    saved_tokens: int = 0  # estimated, of all that was left out
    marked: bool = False  # whether a `cache_control` of ours is in the prompt
    digest: str = ""  # sha256 of the fields as they are sent, hex; "" when nothing was changed


class Ask(Struct, frozen=True, kw_only=True):
    """What `call` gets: a try that fits, with its worst case in money. `refusal` says why a rung cannot be asked."""

    request: Request
    question: Question
    rung: Rung
    models: tuple[str, ...] = ()  # resolved model names
    reserve_nanodollars: tuple[int, ...] = ()  # the worst case of each model's call
    limits: tuple[BudgetLimit, ...] = ()  # the budgets it must fit in
    passages: tuple[str, ...] = ()  # of the feature's handbook, put into the prompt; the same for every rung
    refusal: str | None = None
    too_long: bool = False  # whether it is refused because no model of the ladder has a window for it
    said: str = ""  # as in the try
    top: dict[str, Raw] | None = None  # the request's fields as they are sent; None: as they came
    sent: tuple[str, ...] | None = None  # the handbook's passages as they are sent; None: `passages`
    shortened: Shortened | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """The content of a draft: a complete body in the request's dialect, and the events it came in when it was streamed."""

    body: bytes
    text: str  # the answer's text, tool calls left out; "" when there is none
    events: tuple[bytes, ...] = ()


class Draft(Struct, frozen=True, kw_only=True, tag="draft"):
    """The metadata of an answer that a rung yields. It is judged like any other, whichever rung it came from."""

    rung: str
    provider: str
    model: str  # the upstream's own name
    digest: str  # sha256 of Answer.body, hex
    usage: Usage = Usage()
    finish: str = (
        "stop"  # "stop" | "length" | "tools" | "filter" | "stopped" (by us, at the end of a sentence) | "other"
    )
    signals: tuple[tuple[str, float], ...] = ()  # what the provider itself can say: quote score, agreement; [0, 1]
    believed: float | None = None  # a cache hit's p when it entered
    believed_low: float | None = None
    near: Proposed | None = None  # of a hit that is not exact
    simulated: bool = False
    attempts: int = 1
    upstream_us: int = 0  # microseconds spent waiting for the provider
    upstream_id: str = ""
    price_version: str = ""
    released: int = 0  # characters that the caller had when this rung ended; the rest was never told


class NoDraft(Struct, frozen=True, kw_only=True, tag="no-draft"):
    """A rung that yields nothing, and why."""

    rung: str
    kind: str  # "miss" | "abstained" | "unavailable" | "rejected" | "too_long" (for the window) | "budget" (has no room)
    reason: str
    status: int | None = None  # the provider's HTTP status, where it gave one
    usage: Usage = Usage()  # tokens billed all the same (a pair whose second model failed, a broken stream)
    upstream_us: int = 0
    model: str = ""
    released: int = 0  # as of a draft
    limit: BudgetLimit | None = None  # the budget that its worst case does not fit in
    near: Proposed | None = None  # what the near cache would have given, and why it did not


class Attempt(Struct, frozen=True, kw_only=True):
    """What `call` returns: the draft and, beside it, its content. A replay has the draft only.

    `priced` holds one line per model call made, so that retries, pairs and abandoned streams are all paid for.
    `error_body` is the provider's own error, kept for the caller when nothing else is left.
    """

    draft: Draft | NoDraft
    answer: Answer | None = None
    others: tuple[Answer, ...] = ()  # what the second model of a pair said
    priced: tuple[PricedCall, ...] = ()
    error_body: bytes = b""
    proposed: Answer | None = None  # what the near cache would have given: what is delivered is held against it


class PricedCall(Struct, frozen=True, kw_only=True):
    """One model call's usage beside the price it is billed at; `price` is None for rungs that cost nothing."""

    rung: str
    provider: str
    model: str
    usage: Usage
    price: ModelPrice | None
    reservation_id: str = ""
    note: str = ""  # "abandoned", "unanswered", ""
    lost_tokens: int = 0  # estimated, of the prompts of earlier tries that fell silent: they may be billed
    left_out_tokens: int = 0  # estimated, that the prompt was shortened by
    marked: bool = False  # whether it was sent with marks of ours for the provider's cache
    embedding: bool = False  # whether it asked for the vector of a question, not for an answer


class Tried(Struct, frozen=True, kw_only=True):
    """A rung that was asked, with what it yielded: what `check` gets."""

    ask: Ask
    attempt: Attempt
    before: tuple[Attempt, ...] = ()  # the attempts of the rungs below, as far as they gave an answer
