"""When a near question's answer may be served: bounds on wrong answers per request and per hit, kept online.

*Per request.* `Spending` bounds the wrong ones that were served by the wrong ones that were seen; the gate is open only while
the bound, after one more wrong one seen, still lies within `errors_per_request` times the requests so far. So with the
assurance, at every time at once: wrong hits <= errors_per_request * requests. This holds whatever the map says. How low the
map may go is chosen so that the budget lasts; a bad map costs hits, never the bound.

*Per hit.* "p is at least 1 - m * errors_per_hit" is certified for one m of `BANDS` after another by bets on the verdicts of
proposals that were not served. It stops at the first that is not certified, so that the chance of ever opening one of which
more than `errors_per_hit` is wrong is 1 - assurance at most, as long as what is wrong at some p does not depend on when it is
asked. Proposals of open bands are judged less often than the others and count less in the next test; as the open ones are
certified themselves, what is served is never worse than that mixture where the mixture passes. That tomorrow is like today is
assumed, and watched: an e-detector over what is judged at the gate throws the evidence away when more than `errors_per_hit`
of it has become wrong.

Where both are declared both hold, each with the assurance. Below the evidence the answer is "miss".
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from msgspec import Struct

from surefoot.stats.sequential import Detector, kept_bets
from surefoot.stats.spending import Spending

EXPLORE = 0.3  # of the proposals that pass the gate
BANDS = (
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
)  # errors believed at the lower end of a band, in `errors_per_hit`; the surest first
_FALSE_ALARM = 1000.0  # labels between two, on average, while the bound holds
_LOOKED_AT = 1000  # latest requests whose p says how low the gate may go
_PACE = 0.75  # of the requests so far: over so many more the slack of the account is spent
LOWEST = 0.5  # p below which nothing is served whatever the budget
_EVERY = 25  # requests between two looks at how low

MISS, EXPLORED, HIT = "miss", "explored", "hit"


class Chosen(Struct, frozen=True):
    """What is done with a proposal, and why."""

    action: str  # MISS | EXPLORED | HIT
    propensity: float  # probability, before the lot was drawn, that it would be judged
    reason: str
    band: int | None = None  # place of its band in `BANDS`; None below the last, and without a limit per hit


class ErrorBound:
    """The account of one feature. One thread at a time; `choose` once a request, `judge` for every verdict that comes."""

    def __init__(
        self, *, errors_per_request: float | None = None, errors_per_hit: float | None = None, assurance: float = 0.95,
        explore: float = EXPLORE, shadow_requests: int = 0, label_error: float = 0.0,
    ) -> None:  # fmt: skip
        """Open the account.

        Args:
            errors_per_request, errors_per_hit: limits in (0, 1); at least one of them.
            assurance: of each bound, in (0, 1).
            explore: probability that a proposal which passes is withheld and judged, in (0, 1).
            shadow_requests: so many at first are only watched.
            label_error: at most this share of the wrong is labelled right, in [0, 1).
        Raises: ValueError when no limit is given or one is out of range.
        """
        limits = [each for each in (errors_per_request, errors_per_hit) if each is not None]
        if not limits or not all(0 < each < 1 for each in limits):
            raise ValueError("errors_per_request or errors_per_hit must be given, between 0 and 1")
        self._spending = Spending(explore, assurance=assurance, label_error=label_error)
        self._per_request, self._per_hit = errors_per_request, errors_per_hit
        self._explore, self._shadow = explore, shadow_requests
        self._label_error = label_error
        self._needed = -math.log(1 - assurance)
        self._limit = (errors_per_hit or 0.5) * (1 - label_error)  # of what labels call wrong
        self._bets, self._stakes = (np.array(each) for each in kept_bets(self._limit))
        self._bands = [1 - share * errors_per_hit for share in BANDS] if errors_per_hit is not None else []
        self._forget()
        self._latest: deque[float] = deque(maxlen=_LOOKED_AT)
        self._floor: float | None = None
        self._looked_at = 0
        self.requests = self.hits = self.seen_wrong = self.pending = 0

    def _forget(self) -> None:
        """Begin the certificates anew."""
        self._logs = np.zeros((len(self._bands), self._bets.size))
        self._detector = Detector(limit=self._limit, alarm_after=_FALSE_ALARM)
        self.labels = [0] * len(self._bands)

    @property
    def most_wrong(self) -> int:
        """At most so many wrong ones were served, with the assurance; 0 while none was served."""
        return self._spending.most_served_wrong(self.seen_wrong) if self.hits else 0

    def certified(self) -> int:
        """How many of `BANDS` are certified for `errors_per_hit`, from the surest on; 0 without such a limit."""
        for place, logs in enumerate(self._logs):
            if np.logaddexp.reduce(logs + np.log(self._stakes)) < self._needed:
                return place
        return len(self._bands)

    def choose(self, p: float | None, draw: float, *, vetoed: str = "") -> Chosen:
        """What to do with one request's proposal.

        Args:
            p: what the map believes; None for no proposal or too few labels.
            draw: the request's lot, uniform in [0, 1); nobody who asks may know it.
            vetoed: why the two questions cannot have one answer whatever p says; "" for nothing.
        """
        self.requests += 1
        self._latest.append(p if p is not None and not vetoed else 0.0)
        band = next((place for place, start in enumerate(self._bands) if p is not None and p >= start), None)
        if vetoed or p is None:
            return Chosen(MISS, 1.0, vetoed or "too few labels", None)
        closed = self._closed(p, band)
        if closed:
            return Chosen(MISS, 1.0, closed, band)
        if draw < self._explore:
            self.pending += 1
            return Chosen(EXPLORED, self._explore, "explored", band)
        self.hits += 1
        return Chosen(HIT, self._explore, "within the bound", band)

    def judge(self, chosen: Chosen, right: bool) -> None:
        """The verdict on a proposal that was not served. One whose verdict never comes counts as wrong in the account."""
        if chosen.action == EXPLORED:
            self.pending -= 1
            self.seen_wrong += not right
        if chosen.band is None:
            return
        self.labels[chosen.band] += 1
        self._logs[chosen.band :] += np.log(1 - self._bets * (float(not right) - self._limit))
        if chosen.action == EXPLORED:
            self._detector = self._detector.seen(not right)
            if self._detector.alarm:
                self._forget()

    def _closed(self, p: float, band: int | None) -> str:
        """Why the gate is closed to a proposal; "" when it is open."""
        if self.requests <= self._shadow:
            return "shadow: only watched"
        if self._per_request is not None:
            # Those whose verdict is not there yet may all be wrong, and so may this one.
            most = self._spending.most_served_wrong(self.seen_wrong + self.pending + 1)
            if most > self._per_request * self.requests:
                return "the budget of wrong answers per request is spent"
            if p < self._lowest():
                return "below what the budget allows"
        if self._per_hit is not None and (band is None or band >= self.certified()):
            return "its band is not certified"
        return ""

    def _lowest(self) -> float:
        """The least p at which the account grows no faster than the budget, if requests stay like the latest."""
        if self._floor is not None and self.requests < self._looked_at + _EVERY:
            return self._floor
        self._looked_at = self.requests
        limit = self._per_request or 0.0
        now, after = (self._spending.most_served_wrong(self.seen_wrong + more) for more in (1, 2))
        slack = max(0.0, limit * self.requests - now)
        wrong = (limit + slack / (_PACE * self.requests)) / (self._explore * (after - now))  # per request, at the gate
        surest = np.sort(np.array(self._latest))[::-1]
        spent = np.cumsum(1 - surest)
        passing = int(np.searchsorted(spent, wrong * surest.size, side="right"))
        self._floor = max(LOWEST, float(surest[passing - 1]) if passing else 1.0)
        return self._floor
