"""What came in: who asks, for what, and what `read` found in it."""

from __future__ import annotations

from msgspec import Raw, Struct

from surefoot.records.money import Budget
from surefoot.records.near import Nearness
from surefoot.records.route import Prospect


class Attribution(Struct, frozen=True, kw_only=True):
    """Who and what a request is booked on, in one normal form whatever header or field named it. Content, not journal."""

    end_user: str = ""
    session: str = ""
    trace: str = ""
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()  # sorted (name, value) pairs


class Caller(Struct, frozen=True, kw_only=True):
    """What a virtual key stands for. Tenant, budget and cache scope come from here and never from a header."""

    key_id: str  # "local" when keyless on loopback
    tenant: str
    features: tuple[str, ...] = ()  # features open to this key, first = default; empty = all
    budget_nanodollars: int | None = None  # of this key, per `budget_window`, over each feature
    budget_window: str = "month"
    budgets: tuple[Budget, ...] = ()  # of this key, over all features
    scopes: tuple[str, ...] = ()  # beyond asking: "outcomes" may report what became of answers


class Wait(Struct, frozen=True, kw_only=True):
    """How the caller wants to wait, should a person have to answer."""

    manner: str = ""  # "poll" | "held" | "sse" | "webhook"; "" as the feature says
    webhook: str = ""  # whom to call; "" as the feature says
    timeout_seconds: float | None = None  # after which the client gives up reading; None when it did not say
    joins: bool = False  # whether it may join the case of the same question: so at the door, not where we ask ourselves
    repeated: bool = False  # whether the client says that it sends the request again


class Request(Struct, frozen=True, kw_only=True):
    """One request at the door. Everything random or timed is drawn here, once."""

    id: str
    at_ns: int  # UTC nanoseconds since the epoch
    draw: str  # 128 random bits, 32 hexadecimal digits
    dialect: str  # "openai" | "anthropic"
    surface: str  # "chat" | "embeddings" | "count_tokens"
    caller: Caller
    feature: str
    model: str  # what the client asked for, as it wrote it
    stream: bool
    body: bytes  # JSON as received, less the `surefoot` field
    headers: tuple[
        tuple[str, str], ...
    ] = ()  # those that go on to the provider (anthropic-version, anthropic-beta, ...)
    attribution: Attribution = Attribution()
    context: tuple[str, ...] = ()  # passages of an explicit `surefoot.context` field
    row: str | None = None  # within `trial`: the id of the recorded row that this request is
    top: dict[str, Raw] = {}  # the body's fields as raw bytes, as the door parsed them
    max_output_tokens: int | None = None  # as the client limits it
    choices: int = 1  # OpenAI's `n`
    has_tools: bool = False
    wait: Wait = Wait()
    debug: bool = False  # whether the caller wants to be told why it got this model
    shadow_of: str = ""  # the request whose shadow call this is; "" for a request itself
    again: bool = False  # whether that shadow call asks the rung once more whose answer went out

    @property
    def subject(self) -> str:
        """Whose key encrypts the content: the end user, else the tenant."""
        user = self.attribution.end_user
        return f"user:{self.caller.tenant}:{user}" if user else f"tenant:{self.caller.tenant}"


class Question(Struct, frozen=True, kw_only=True):
    """What `read` found; scalars only, so that the journal may keep it and the rules may use it."""

    fingerprint: str  # hex; of everything that changes the answer, tenant and feature included
    model: str
    dialect: str
    surface: str
    stream: bool
    input_tokens: int  # estimated, for windows and reservations
    max_output_tokens: int | None  # as the client limits it
    has_tools: bool = False
    choices: int = 1  # OpenAI's `n`
    matched: tuple[str, ...] = ()  # admit rules that match
    standing: str = ""  # of the feature's promise at this moment: "certified", "broken", ...; "" without one
    prompt: str = ""  # version of system text and tools, NAME@DIGEST: a change of it is a change of the feature
    passages: tuple[str, ...] = ()  # ids of what the feature's handbook says on it, best first
    by_sentence: bool = False  # whether sentences are released while the answer is written
    scores: tuple[tuple[str, float | None], ...] = ()  # of the question itself: injection patterns, personal data
    waiting: str = ""  # id of the case that the same question of the same subject opened before; "" when there is none
    people_spent: bool = False  # whether the feature's human budget had no room for another case at this moment
    stopped: bool = False  # whether a person had stopped the feature at this moment
    prospects: tuple[
        Prospect, ...
    ] = ()  # of the rungs where it may begin, cheapest first; () for features that do not route
    scarcity: float | None = None  # what a dollar of the budgets counts, 1 or more, where it routes; None: nothing limits it
    routed_by: str = ""  # where the prospects come from: "fitted" | "heuristic" | "" without any
    near: Nearness | None = None  # the cached answer to the nearest question; None: nothing near, or it is not looked for
