"""What labels say while requests are served: how promises stand, which drift is found, what was promoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from surefoot.learning.drift import incidents, watched
from surefoot.learning.standing import standing
from surefoot.policy import Feature, Policy
from surefoot.records import Label
from surefoot.stats.sequential import OPEN, Certified
from surefoot.store import Store


def told(found: Certified) -> str:
    """A standing in words: what the journal keeps and the caller reads."""
    if found.state != OPEN:
        return found.state
    if found.labels_needed is None:
        return f"{OPEN}: labels needed unknown, {1 - (found.accuracy or 0):.0%} of {found.n} were wrong"
    return f"{OPEN}: {found.labels_needed} more labels"


class Standings(Mapping[str, str]):
    """By feature, how its promise stands; read by every request, brought up to date in the background."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, str] = {}
        self._counted: dict[str, tuple[str, int]] = {}  # edition and number of labels that were read

    def __getitem__(self, feature: str) -> str:
        return self._told[feature]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    async def refresh(self, policy: Policy) -> None:
        """Read the labels again. Raises StoreError, and then nothing is certified that was not before."""
        for name, feature in policy.features.items():
            if feature.promise is None and feature.audit == 0:
                self._told.pop(name, None)
                self._counted.pop(name, None)
                continue
            state = (policy.editions[name], await self._store.labels.count(feature=name))
            if self._counted.get(name) == state:
                continue
            labels = await self._store.labels.all(feature=name)
            if feature.promise is not None:
                self._told[name] = told(standing(labels, feature.promise, edition=state[0]))
            await self._look_for_drift(feature, labels)
            self._counted[name] = state

    async def _look_for_drift(self, feature: Feature, labels: Sequence[Label]) -> None:
        limit = 1 - (feature.promise.accuracy if feature.promise else feature.confidence)
        if not 0 < limit < 1:
            return
        seen = [watched(label, await self._store.journal.get(label.request_id)) for label in labels]
        for incident in incidents(seen, limit=limit):
            await self._store.incidents.add(incident)
