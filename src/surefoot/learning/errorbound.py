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
BANDS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # errors believed at a band's lower end, in `errors_per_hit`; the surest first
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
    p: float | None = None


class Certificates:
    """From which p on at most `errors_per_hit` of what is served is wrong, as verdicts on what was not served prove it."""

    def __init__(self, errors_per_hit: float, *, assurance: float = 0.95, label_error: float = 0.0) -> None:
        """Begin without evidence; arguments as of `ErrorBound`."""
        self._needed = -math.log(1 - assurance)
        self._limit = errors_per_hit * (1 - label_error)  # of what labels call wrong
        self._bets, self._stakes = (np.array(each) for each in kept_bets(self._limit))
        self._starts = [1 - share * errors_per_hit for share in BANDS]
        self._forget()

    def _forget(self) -> None:
        """Begin anew."""
        self._logs = np.zeros((len(BANDS), self._bets.size))
        self._detector = Detector(limit=self._limit, alarm_after=_FALSE_ALARM)
        self.labels = [0] * len(BANDS)

    def band(self, p: float | None) -> int | None:
        """Place of its band in `BANDS`; None below the last."""
        return next((place for place, start in enumerate(self._starts) if p is not None and p >= start), None)

    def judge(self, p: float | None, right: bool, *, explored: bool) -> None:
        """A verdict on a proposal that was not served; `explored` if it would have been, but for its lot."""
        band = self.band(p)
        if band is None:
            return
        self.labels[band] += 1
        self._logs[band:] += np.log(1 - self._bets * (float(not right) - self._limit))
        if explored:
            self._detector = self._detector.seen(not right)
            if self._detector.alarm:
                self._forget()

    def certified(self) -> int:
        """How many of `BANDS` are certified, from the surest on."""
        for place, logs in enumerate(self._logs):
            if np.logaddexp.reduce(logs + np.log(self._stakes)) < self._needed:
                return place
        return len(BANDS)

    @property
    def lowest(self) -> float | None:
        """p from which on hits are certified; None: nowhere."""
        count = self.certified()
        return self._starts[count - 1] if count else None


class Pace:
    """How low p may go so that the slack of the account per request lasts."""

    def __init__(self, errors_per_request: float, spending: Spending) -> None:
        self._limit, self._spending = errors_per_request, spending
        self._latest: deque[float] = deque(maxlen=_LOOKED_AT)
        self._floor: float | None = None
        self._looked_at = 0

    def saw(self, p: float | None) -> None:
        """What the map believed of a request's proposal; None for no proposal, a veto or no map."""
        self._latest.append(p if p is not None else 0.0)

    def lowest(self, requests: int, seen_wrong: int) -> float:
        """The least p at which the account grows no faster than the budget, if requests stay like the latest.

        Looked up anew every `_EVERY` requests.
        """
        if self._floor is not None and requests < self._looked_at + _EVERY:
            return self._floor
        self._looked_at = requests
        now, after = (self._spending.most_served_wrong(seen_wrong + more) for more in (1, 2))
        slack = max(0.0, self._limit * requests - now)
        wrong = (self._limit + slack / (_PACE * requests)) / (self._spending.explore * (after - now))  # per request
        surest = np.sort(np.array(self._latest))[::-1]
        spent = np.cumsum(1 - surest)
        passing = int(np.searchsorted(spent, wrong * surest.size, side="right"))
        self._floor = max(LOWEST, float(surest[passing - 1]) if passing else 1.0)
        return self._floor


class ErrorBound:
    """The account of one feature in one process. One thread at a time; `choose` once a request, `judge` for every verdict."""

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
        self._per_request = errors_per_request
        self._explore, self._shadow = explore, shadow_requests
        self._pace = Pace(errors_per_request, self._spending) if errors_per_request is not None else None
        self._certificates = (
            Certificates(errors_per_hit, assurance=assurance, label_error=label_error)
            if errors_per_hit is not None
            else None
        )
        self.requests = self.hits = self.seen_wrong = self.pending = 0

    @property
    def most_wrong(self) -> int:
        """At most so many wrong ones were served, with the assurance; 0 while none was served."""
        return self._spending.most_served_wrong(self.seen_wrong) if self.hits else 0

    def certified(self) -> int:
        """How many of `BANDS` are certified for `errors_per_hit`, from the surest on; 0 without such a limit."""
        return self._certificates.certified() if self._certificates is not None else 0

    def choose(self, p: float | None, draw: float, *, vetoed: str = "") -> Chosen:
        """What to do with one request's proposal.

        Args:
            p: what the map believes; None for no proposal or too few labels.
            draw: the request's lot, uniform in [0, 1); nobody who asks may know it.
            vetoed: why the two questions cannot have one answer whatever p says; "" for nothing.
        """
        self.requests += 1
        if self._pace is not None:
            self._pace.saw(None if vetoed else p)
        if vetoed or p is None:
            return Chosen(MISS, 1.0, vetoed or "too few labels", None)
        closed = self._closed(p)
        if closed:
            return Chosen(MISS, 1.0, closed, p)
        if draw < self._explore:
            self.pending += 1
            return Chosen(EXPLORED, self._explore, "explored", p)
        self.hits += 1
        return Chosen(HIT, self._explore, "within the bound", p)

    def judge(self, chosen: Chosen, right: bool) -> None:
        """The verdict on a proposal that was not served. One whose verdict never comes counts as wrong in the account."""
        if chosen.action == EXPLORED:
            self.pending -= 1
            self.seen_wrong += not right
        if self._certificates is not None:
            self._certificates.judge(chosen.p, right, explored=chosen.action == EXPLORED)

    def _closed(self, p: float) -> str:
        """Why the gate is closed to a proposal; "" when it is open."""
        if self.requests <= self._shadow:
            return "shadow: only watched"
        if self._per_request is not None and self._pace is not None:
            # Those whose verdict is not there yet may all be wrong, and so may this one.
            most = self._spending.most_served_wrong(self.seen_wrong + self.pending + 1)
            if most > self._per_request * self.requests:
                return "the budget of wrong answers per request is spent"
            if p < self._pace.lowest(self.requests, self.seen_wrong):
                return "below what the budget allows"
        if self._certificates is not None:
            lowest = self._certificates.lowest
            if lowest is None or p < lowest:
                return "its band is not certified"
        return ""
