"""What labels say while requests are served: how promises stand, and which drift is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from surefoot.learning.drift import Watch, last_alarm, watched
from surefoot.learning.standing import Tally, both, unit
from surefoot.policy import Feature, Policy
from surefoot.records import Incident, Label
from surefoot.stats.sequential import OPEN, Certified
from surefoot.store import Store

_LATE_NS = 600 * 1_000_000_000  # within which replicas write labels out of order; later ones cost a new reading
_REPLAYED = 5000  # labels whose requests are read again at a start: a detector that begins later promises no less
_CONTEXT = 500  # labels of earlier editions that an alarm is compared with


def told(found: Certified) -> str:
    """A standing in words: what the journal keeps and the caller reads."""
    if found.state != OPEN:
        return found.state
    if found.labels_needed is None:
        return f"{OPEN}: labels needed unknown, {1 - (found.accuracy or 0):.0%} of {found.n} were wrong"
    return f"{OPEN}: {found.labels_needed} more labels"


class Standings(Mapping[str, str]):
    """By feature, how its promise stands; read by every request, brought up to date in the background.

    A label is read once: what it says is kept as counts and detectors. A start, a new edition or limit, and a label that
    comes very late read a feature's labels from the beginning.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, str] = {}
        self._followed: dict[str, _Followed] = {}

    def __getitem__(self, feature: str) -> str:
        return self._told[feature]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    async def refresh(self, policy: Policy) -> None:
        """Read what is new. Raises StoreError, and then nothing is certified that was not before."""
        for name in [*self._followed]:
            if name not in policy.features:
                self._forget(name)
        for name, feature in policy.features.items():
            if feature.promise is None and feature.audit == 0:
                self._forget(name)
                continue
            followed = await self._follow(feature, policy.editions[name])
            if feature.promise is not None:
                self._told[name] = told(followed.standing(feature))
            else:
                self._told.pop(name, None)

    def _forget(self, name: str) -> None:
        self._told.pop(name, None)
        self._followed.pop(name, None)

    async def _follow(self, feature: Feature, edition: str) -> _Followed:
        """The feature's labels up to now. What breaks off is begun anew the next time."""
        followed = self._followed.pop(feature.name, None)
        count = await self._store.labels.count(feature=feature.name)
        if followed is not None and (followed.edition, followed.limit) == (edition, _limit(feature)):
            if followed.read < count:
                late = followed.newest_ns - _LATE_NS
                labels = await self._store.labels.all(feature=feature.name, since_ns=late)
                await self._read(followed, [label for label in labels if label.id not in followed.recent])
                followed.prune(late)
            if followed.read >= count:
                self._followed[feature.name] = followed
                return followed
        raised = await self._store.incidents.all(feature=feature.name)
        followed = _Followed(feature, edition, raised)
        labels = await self._store.labels.all(feature=feature.name)
        await self._read(followed, labels, watched_ids=_watched(labels, edition))
        followed.prune(followed.newest_ns - _LATE_NS)
        self._followed[feature.name] = followed
        return followed

    async def _read(
        self, followed: _Followed, labels: Sequence[Label], *, watched_ids: frozenset[str] | None = None
    ) -> None:
        """Count labels, watch those that are named (all when none are), and open the incidents that they raise."""
        for label in labels:
            followed.count(label)
            blind = unit(label) is not None and (watched_ids is None or label.id in watched_ids)
            if followed.watch is None or not blind:
                continue
            incident = followed.watch.add(watched(label, await self._store.journal.get(label.request_id)))
            if incident is not None:
                await self._store.incidents.add(incident)
                followed.alarmed(incident.at_ns)


class _Followed:
    """What the labels of one feature and edition have said so far."""

    def __init__(self, feature: Feature, edition: str, raised: Sequence[Incident]) -> None:
        self.edition, self.read, self.newest_ns = edition, 0, 0
        self.recent: dict[str, int] = {}  # ids of labels that may be read again, and their times
        self.whole = Tally(edition)
        self.since: Tally | None = None  # an alarm
        self.limit = _limit(feature)
        self.watch: Watch | None = None
        if 0 < self.limit < 1:
            self.watch = Watch(edition=edition, limit=self.limit, raised=raised)
        alarm_ns = last_alarm(raised, edition=edition)
        if alarm_ns is not None:
            self.alarmed(alarm_ns)

    def count(self, label: Label) -> None:
        """Take a label in."""
        self.read += 1
        self.newest_ns = max(self.newest_ns, label.at_ns)
        self.recent[label.id] = label.at_ns
        self.whole.add(label)
        if self.since is not None:
            self.since.add(label)

    def alarmed(self, at_ns: int) -> None:
        """Drift was found: from here on the promise must be earned again."""
        self.since = Tally(self.edition, after_ns=at_ns)

    def prune(self, before_ns: int) -> None:
        """Forget the ids of labels that are not read again."""
        self.recent = {each: at_ns for each, at_ns in self.recent.items() if at_ns >= before_ns}

    def standing(self, feature: Feature) -> Certified:
        """The certificate as of now."""
        assert feature.promise is not None
        since = self.since.certified(feature.promise) if self.since is not None else None
        return both(self.whole.certified(feature.promise), since)


def _limit(feature: Feature) -> float:
    """The share of wrong answers that is promised or, without a promise, that the bar allows."""
    return 1 - (feature.promise.accuracy if feature.promise else feature.confidence)


def _watched(labels: Sequence[Label], edition: str) -> frozenset[str]:
    """Ids of the labels whose requests are worth reading at a start: the edition's last ones, and some from before."""
    blind = [label for label in labels if unit(label) is not None]
    own = [label.id for label in blind if label.edition == edition]
    others = [label.id for label in blind if label.edition != edition]
    return frozenset([*own[-_REPLAYED:], *others[-_CONTEXT:]])
