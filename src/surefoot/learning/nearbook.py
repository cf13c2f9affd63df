"""What one process knows of a feature's near cache: account, pace, certificates, each answer's record, the next map.

Everything in it comes from the store's account and verdicts, so that it can be made anew at any moment; what it says is a
scalar fact of a request, which the journal keeps.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from surefoot.learning.errorbound import Certificates, Pace
from surefoot.learning.nearmap import FEWEST, NEWEST, Records, fit_near
from surefoot.policy import NearLine, NearRules
from surefoot.records import Gate, NearAccount, Proposal
from surefoot.records.near import EXPLORED, HIT
from surefoot.stats.spending import Spending

REFIT = 0.25  # share of new labels after which a map is fitted again: each is a version of the policy
_FURTHER = 16  # wrong ones that are looked ahead for room
_REMEMBERED = 200_000  # verdicts that are known when they are read again


class NearBook:
    """One feature's. One thread at a time."""

    def __init__(self, rules: NearRules) -> None:
        self.rules = replace(rules, line=None)
        self.account, self.counted = NearAccount(), 0  # `counted`: requests that the store does not know of yet
        self._spending = Spending(rules.explore, assurance=rules.assurance, label_error=rules.label_error)
        self._pace = None
        if rules.errors_per_request is not None:
            self._pace = Pace(rules.errors_per_request, self._spending)
        self._certificates = None
        if rules.errors_per_hit is not None:
            self._certificates = Certificates(
                rules.errors_per_hit, assurance=rules.assurance, label_error=rules.label_error
            )
        self.records = Records()
        self._rows: list[tuple[float, ...]] = []
        self._right: list[bool] = []
        self._told: dict[str, bool] = {}  # by request, the verdict that was learned
        self.labels = self._fitted = 0  # verdicts that a map may be fitted on; how many the last one was fitted on here

    @property
    def requests(self) -> int:
        """So far, those of this process that are not written yet included."""
        return self.account.requests + self.counted

    def saw(self, p: float | None) -> None:
        """A request, and what the map believed of its proposal; None for none, a veto or no map."""
        self.counted += 1
        if self._pace is not None:
            self._pace.saw(p)

    def gate(self) -> Gate:
        """How the account stands for the next proposal."""
        wrong = self.account.seen_wrong + self.account.pending
        most, lowest = None, 0.0
        if self._pace is not None:
            # Those whose verdict is not there yet may all be wrong, and so may this one.
            most = self._spending.most_served_wrong(wrong + 1)
            lowest = self._pace.lowest(self.requests, self.account.seen_wrong) if self.requests else 1.0
        certified = self._certificates.lowest if self._certificates is not None else None
        return Gate(requests=self.requests, most_wrong=most, lowest=lowest, certified=certified)

    def room(self) -> int | None:
        """Wrong ones that the account may come to; None without a limit per request."""
        if self.rules.errors_per_request is None:
            return None
        budget, room = self.rules.errors_per_request * self.requests, self.account.seen_wrong + self.account.pending
        while room < self.account.seen_wrong + self.account.pending + _FURTHER:
            if self._spending.most_served_wrong(room + 1) > budget:
                break
            room += 1
        return room

    @property
    def most_wrong(self) -> int:
        """At most so many near hits were wrong, with the assurance; 0 while there was none."""
        wrong = self.account.seen_wrong + self.account.pending
        return self._spending.most_served_wrong(wrong) if self.account.hits else 0

    def wanted(self) -> int | None:
        """Requests from which on the account has room for the next proposal; None without a limit per request."""
        if self.rules.errors_per_request is None:
            return None
        most = self._spending.most_served_wrong(self.account.seen_wrong + self.account.pending + 1)
        return max(self.rules.shadow_requests + 1, math.ceil(most / self.rules.errors_per_request - 1e-9))

    def learn(self, proposal: Proposal) -> bool:
        """Take a verdict in, once; False when it is another than was learned of the same request: begin anew then."""
        if proposal.right is None or proposal.action == HIT:
            return True
        known = self._told.get(proposal.request_id)
        if known is not None:
            return known == proposal.right
        self._told[proposal.request_id] = proposal.right
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        if self._certificates is not None and not proposal.vetoed:
            self._certificates.judge(proposal.p, proposal.right, explored=proposal.action == EXPLORED)
        if proposal.source != "silence":
            self.records.learn(proposal.answer, proposal.p, proposal.right)
            self._rows.append(proposal.inputs)
            self._right.append(proposal.right)
            self.labels += 1
            if len(self._rows) > 2 * NEWEST:
                del self._rows[:NEWEST], self._right[:NEWEST]
        return True

    def fitted(self, serving: NearLine | None) -> NearLine | None:
        """The next map; None while there are too few labels, or too few new ones since the one that serves."""
        known = max(self._fitted, serving.labels if serving is not None else 0)
        if self.labels < max(FEWEST, known * (1 + REFIT)):
            return None
        self._fitted = self.labels
        return fit_near(self._rows, self._right, labels=self.labels)
