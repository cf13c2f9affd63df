"""What is expected of each rung for a question: a fitted router's estimates, or declared ones, with prices beside them."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.providers.registry import Model
from surefoot.records import Draft, JournalEntry, Prospect, Request
from surefoot.signals.form import FORM
from surefoot.signals.question import features
from surefoot.signals.router import Router
from surefoot.stats import quantile

FITTED, SEMANTIC, HEURISTIC = "fitted", "fitted, semantic", "heuristic"
_OUTPUT_TOKENS = 300  # of an answer whose length nobody limits more tightly
_WARM_NS = 300 * 1_000_000_000  # for which providers usually keep a prefix
_SESSIONS = 10_000
_LATELY = 200  # drafts of a rung
_FEW, _MANY = 5, 20  # drafts from which a median and a 95th percentile are told
_FIRST, _LAST = 0.9, 0.97  # declared p of a short plain question on the first rung and on the last
_HARDER = {"log_words": 0.02, "digits": 0.5, "operators": 2.0, "code": 0.15}  # declared: what a feature takes from p


class Warmth:
    """Which rung's prefix cache holds how much of a session, as far as this process asked. Forgets after five minutes."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[str, str, str], tuple[str, int, int]] = OrderedDict()

    def remember(self, request: Request, rung: str, input_tokens: int) -> None:
        """A rung was asked; nothing is kept of requests without a session."""
        key = _session(request)
        if key is None:
            return
        self._sessions[key] = (rung, input_tokens, request.at_ns)
        self._sessions.move_to_end(key)
        if len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)

    def tokens(self, request: Request, rung: str) -> int:
        """How many of the request's first tokens the rung's provider is expected to have at hand; 0 when nobody knows."""
        key = _session(request)
        found = self._sessions.get(key) if key is not None else None
        if found is None or found[0] != rung or request.at_ns - found[2] > _WARM_NS:
            return 0
        return found[1]


class Latencies:
    """How long callers waited for each rung's drafts lately: the last 200 that this process saw, by feature and rung."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], deque[float]] = {}
        self._known: dict[tuple[str, str], tuple[float | None, float | None]] = {}  # until the next draft

    def remember(self, feature: str, draft: Draft) -> None:
        """A rung gave a draft."""
        name = (feature, draft.rung)
        self._seconds.setdefault(name, deque(maxlen=_LATELY)).append(draft.upstream_us / 1e6)
        self._known.pop(name, None)

    def read_back(self, entry: JournalEntry) -> None:
        """Remember what a request of the journal waited for."""
        for step in entry.steps:
            if isinstance(step.value, Draft) and step.value.believed is None:
                self.remember(entry.feature, step.value)

    def of(self, feature: str, rung: str) -> tuple[float | None, float | None]:
        """(median, 95th percentile) in seconds; None below 5 drafts, and below 20 for the percentile."""
        name = (feature, rung)
        found = self._known.get(name)
        if found is None:
            seen = self._seconds.get(name, ())
            median = quantile(seen, 0.5) if len(seen) >= _FEW else None
            found = self._known[name] = (median, quantile(seen, 0.95) if len(seen) >= _MANY else None)
        return found


class Scarcity(Protocol):
    """Knows how far the budgets of requests have emptied."""

    def __call__(self, request: Request, /) -> float | None:
        """What a dollar counts for a request, 1 or more; None where nothing limits it, or nobody knows yet."""


class Routing(Struct, frozen=True, kw_only=True):
    """A feature's expectations."""

    models: Mapping[str, tuple[Model, ...]]  # by rung that can be begun at, in the ladder's order
    warmth: Warmth
    latencies: Latencies
    scarcity: Scarcity | None = None
    router: Router | None = None  # None: no labels taught anything yet
    embedder: str = ""  # whose vectors come with the questions; "" for none

    def __call__(
        self, request: Request, text: str, input_tokens: int, vector: NDArray[np.float32] | None = None
    ) -> tuple[tuple[Prospect, ...], str]:
        """(one prospect a rung, cheapest first; where they come from, "" without any).

        Args:
            request: whose session may be warm somewhere.
            text: what users said since the last answer.
            input_tokens: of the request, estimated.
            vector: the embedder's of the text; None where there is none, or none could be had.
        """
        source = HEURISTIC
        if self.router is None:
            estimates = declared(text, tuple(self.models))
        else:
            known = vector if self.router.takes(vector, self.embedder) else None
            source = FITTED if known is None else SEMANTIC
            estimates = {each.rung: (each.p, each.gain) for each in self.router.estimates(text, known)}
        prospects = []
        for rung, models in self.models.items():
            if rung not in estimates:
                continue
            p, gain = estimates[rung]
            warm = min(self.warmth.tokens(request, rung), input_tokens)
            median, p95 = self.latencies.of(request.feature, rung)
            cost = sum(_expected(model, request, input_tokens, warm) for model in models)
            prospects.append(
                Prospect(
                    rung=rung, p=round(p, 6), gain=round(gain, 6), nanodollars=cost, warm_tokens=warm, seconds=median,
                    seconds_p95=p95,
                )
            )  # fmt: skip
        return tuple(prospects), source if prospects else ""


def declared(text: str, rungs: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """By rung (p, gain) as declared, not learned: long questions, code and mathematics are harder, for lower rungs most."""
    form = dict(zip(FORM, features(text).form.tolist(), strict=True))
    harder = min(0.8, sum(weight * form[name] for name, weight in _HARDER.items()))
    steps = max(1, len(rungs) - 1)
    found = {}
    for place, rung in enumerate(rungs):
        share = place / steps
        found[rung] = _FIRST + (_LAST - _FIRST) * share - harder * (1 - 0.8 * share)
    first = found[rungs[0]]
    return {rung: (p, p - first) for rung, p in found.items()}


def _expected(model: Model, request: Request, input_tokens: int, warm: int) -> int:
    """Nano-dollars of one call; 0 where no price is known, as for models that cost nothing."""
    if model.price is None:
        return 0
    line = model.price.line(input_tokens)
    output = min(request.max_output_tokens or model.max_output_tokens, _OUTPUT_TOKENS)
    tokens = (input_tokens - warm) * line.input + warm * line.cached + output * line.output
    return tokens // 1_000_000 + model.price.request


def _session(request: Request) -> tuple[str, str, str] | None:
    session = request.attribution.session
    return (request.caller.tenant, request.feature, session) if session else None
