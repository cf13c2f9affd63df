"""Learning without being asked: when enough labels are new, or time has passed, a candidate is fitted, replayed and judged.

It serves by itself only where the configuration says so and every reason for a doubt is gone; else it is proposed, and two
persons decide as about any revision. One command goes back. A candidate is kept in either case.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct

from surefoot.app.candidate import Candidate, candidate_of
from surefoot.app.learn import Learnt, Served, candidate, learn_from_store, served
from surefoot.app.loops import keep
from surefoot.app.promotion import Promoted, promote, propose
from surefoot.app.serving import Serving
from surefoot.app.whatif import Asked, ask
from surefoot.errors import ConfigError
from surefoot.evals.whatif import ERROR
from surefoot.policy.learned import encode_learned
from surefoot.stats.sequential import BROKEN
from surefoot.store import Store

EVERY_SECONDS = 60.0
BY = "learning loop"  # how the trail calls it
_HOUR_NS = 3_600_000_000_000
_REPLAYED_NS = 7 * 24 * _HOUR_NS  # of the journal, for the gate
_MARGIN = 0.02  # of delivered errors, at the upper end of the difference's interval
_WORSE = 0.005  # of a Brier score: what a refit may lose by chance of the folds

log = structlog.get_logger("surefoot")


class Round(Struct, frozen=True, kw_only=True):
    """What came of one time of learning."""

    number: int  # the new candidate
    features: tuple[str, ...]  # that learned something
    doubts: tuple[str, ...]  # why it does not serve by itself; () when the gate let it through
    promoted: Promoted | None


class Relearning:
    """Learns for the process. `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, serving: Serving, lost: Callable[[str], None], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._serving, self._lost, self._clock = store, serving, lost, clock

    async def keep_learning(self) -> None:
        """For ever: ask once a minute whether it is time."""
        await keep(self.look, every_seconds=EVERY_SECONDS, what="learning", on_lost=self._lost)

    async def look(self) -> Round | None:
        """Learn if it is time; None when it is not, or nothing was learned. Raises StoreError."""
        config = self._serving.runtime.config
        rules = config.settings.learning
        if not rules.after_labels and not rules.every_hours:
            return None
        last = max((each.at_ns for each in await self._store.revisions.all()), default=0)
        new = {
            name: len(await self._store.labels.all(feature=name, since_ns=last + 1)) for name in config.policy.features
        }
        enough = rules.after_labels and max(new.values(), default=0) >= rules.after_labels
        due = rules.every_hours and self._clock() - last >= rules.every_hours * _HOUR_NS and any(new.values())
        return await self._learn([name for name, count in new.items() if count]) if enough or due else None

    async def _learn(self, names: Sequence[str]) -> Round | None:
        config = self._serving.runtime.config
        before = await served(self._store, config)
        learnt = [await learn_from_store(self._store, before, name) for name in names]
        told = [each for each in learnt if each.found.rungs or each.found.route]
        if not told:
            return None
        note = "by itself: " + ", ".join(f"{each.report.feature} ({each.report.labels})" for each in told)
        data = encode_learned(candidate(before, told))
        number = await self._store.revisions.add(data, note=note, at_ns=self._clock())
        doubts = tuple(await self._doubts(before, number, told))
        about = tuple(each.report.feature for each in told)
        if config.settings.learning.promote == "auto" and not doubts:
            promoted = await promote(self._store, config, number)
            log.info("a candidate serves by itself", number=number)
            return Round(number=number, features=about, doubts=(), promoted=promoted)
        why = "; ".join(doubts) or "nothing speaks against it; the configuration lets people decide"
        await propose(self._store, number, by=BY, note=why[:500])
        return Round(number=number, features=about, doubts=doubts, promoted=None)

    async def _doubts(self, before: Served, number: int, learnt: Sequence[Learnt]) -> list[str]:
        """Why a candidate should not serve without a person: what the labels say of it, and what a replay does."""
        config = self._serving.runtime.config
        now = await served(self._store, config, number)
        found = []
        for each in learnt:
            name = each.report.feature
            for rung in each.report.rungs:
                if rung.before.n and rung.after.n and rung.after.brier > rung.before.brier + _WORSE:
                    found.append(f"{name}: the map of {rung.rung} is worse than the one that serves")
            if each.report.cut is not None and each.report.cut.state == BROKEN:
                found.append(f"{name}: its promise is broken on labels held out")
            try:
                sides = [candidate_of(what, config, config.settings, name) for what in (before, now)]
            except ConfigError as error:
                found.append(f"{name}: it cannot be replayed ({error.message})")
                continue
            found += await self._replayed(name, sides[0], sides[1])
        return found

    async def _replayed(self, name: str, serving: Candidate, other: Candidate) -> list[str]:
        """A replay of the last week must know the candidate's error, and know that it is hardly above the present one."""
        until = self._clock()
        asked = Asked(feature=name, since_ns=until - _REPLAYED_NS, until_ns=until)
        error = (await ask(self._store, serving, other, asked)).found.question(ERROR)
        change = error.change
        if change is None or change.high is None:
            return [
                f"{name}: a replay cannot tell the error of what it delivers ({error.then.state}, n = {error.then.n})"
            ]
        if change.high > _MARGIN:
            return [f"{name}: {change.high:.1%} more of what it delivers may be wrong (n = {change.n})"]
        return []
