"""Error budgets are watched while requests are served: one that surely burns too fast is an incident, once an episode."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec
import structlog

from surefoot.app.loops import keep
from surefoot.app.objectives import Objectives
from surefoot.evals import words
from surefoot.evals.burn import Burn
from surefoot.evals.objectives import Assessment
from surefoot.records import Incident
from surefoot.store import Store

KIND = "burn"  # of incidents
LOOK_SECONDS = 60.0
_EPISODE_NS = 86_400 * 10**9  # within which the same objective is not told of again
_HOUR_NS = 3600 * 10**9

log = structlog.get_logger("surefoot")


class Burning:
    """Raises alarms of objectives. `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, objectives: Objectives, lost: Callable[[str], None], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._objectives, self._lost, self._clock = store, objectives, lost, clock

    async def keep_watching(self) -> None:
        """For ever: look every minute. What breaks off is counted and tried again."""
        await keep(self.look, every_seconds=LOOK_SECONDS, what="objectives", on_lost=self._lost)

    async def look(self) -> Sequence[Incident]:
        """Look once; returns the incidents that are new, durably raised. Raises StoreError."""
        if not self._objectives.any:
            return ()
        firing = [each.whole for each in (await self._objectives.recent(seconds=0))[1] if each.whole.firing]
        if not firing:
            return ()
        now, last = self._clock(), {}
        for incident in await self._store.incidents.all():
            if incident.kind == KIND:
                last[incident.feature, _objective(incident)] = incident.at_ns
        new = []
        for found in firing:
            objective = found.objective
            if last.get((objective.feature, objective.name), -_EPISODE_NS) > now - _EPISODE_NS:
                continue
            incident = _incident(found, now)
            if await self._store.incidents.add(incident):
                new.append(incident)
                log.warning("an error budget burns", feature=objective.feature, incident=incident.id)
        return new


def told(incident: Incident) -> tuple[str, dict[str, int]]:
    """A burn incident in words, and its numbers."""
    detail = msgspec.json.decode(incident.detail)
    return str(detail["text"]), {"burn_ppm": int(detail["burn_ppm"]), "labels": int(detail["n"])}


def _objective(incident: Incident) -> str:
    return str(msgspec.json.decode(incident.detail)["objective"])


def _incident(found: Assessment, now: int) -> Incident:
    """The alarm of the fastest pair of windows that fires; its id is the same in every replica that sees it within the hour."""
    objective = found.objective
    worst: Burn = max((each for each in found.burns if each.firing), key=lambda each: each.alarm_at)
    name = blake2b(f"{objective.feature}\0{objective.name}".encode(), digest_size=8).hexdigest()
    text = (
        f"{objective.feature} burns the budget of {objective.name} at least {worst.long_low:.1f} times too fast "
        f"({words.span(worst.long_seconds)} and {words.span(worst.short_seconds)}); "
        f"{words.target(objective)}: {words.value(found)}"
    )
    detail = {
        "objective": objective.name, "text": text, "burn_ppm": round(worst.long_low * 1e6), "n": worst.long_n,
        "page": worst.page, "alarm_at": worst.alarm_at, "long_seconds": worst.long_seconds,
        "short_seconds": worst.short_seconds,
    }  # fmt: skip
    return Incident(
        id=f"inc_{name}_{KIND}_{now // _HOUR_NS}", at_ns=now, feature=objective.feature, rung="", kind=KIND,
        detail=msgspec.json.encode(detail).decode(),
    )  # fmt: skip
