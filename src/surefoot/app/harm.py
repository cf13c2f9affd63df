"""What compression does to answers: a running upper bound on its harm by feature, above which it stops itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from surefoot.policy import Compress, Policy
from surefoot.records import Checked, JournalEntry, Label
from surefoot.stats.running import running_upper
from surefoot.store import Store

LEAST = 50  # compressed answers before the bound may stop anything
_MOST = 5_000  # latest compressed answers that count
_DAYS_NS = 30 * 86_400 * 1_000_000_000
_LATE_NS = 60 * 1_000_000_000  # within which replicas write entries out of order
_EVERY_NS = 15 * 1_000_000_000


class Harm(Struct, frozen=True, kw_only=True):
    """Compressed answers of one feature and how many of them went wrong: by the check, or by a person where one judged."""

    n: int = 0
    hits: int = 0
    labels: int = 0  # of n, judged by people or clients
    upper: float = 1.0  # of the rate, at every moment with 95 % assurance; 1 when n = 0
    stopped: bool = False

    @classmethod
    def of(cls, went_wrong: Mapping[str, bool], labels: Mapping[str, bool], rules: Compress) -> Harm:
        """From request ids to whether it went wrong; what a label says counts instead of what the check saw."""
        hits = sum(labels.get(name, wrong) for name, wrong in went_wrong.items())
        n = len(went_wrong)
        upper = running_upper(hits, n)
        return cls(
            n=n, hits=hits, labels=len(labels.keys() & went_wrong.keys()), upper=upper,
            stopped=n >= LEAST and upper > rules.max_harm,
        )  # fmt: skip


def went_wrong(entry: JournalEntry) -> bool | None:
    """Whether the check saw harm in any compressed answer of a request; None when nothing was compressed or told."""
    scores = [
        score
        for step in entry.steps
        if isinstance(step.value, Checked) and (score := step.value.evidence.score("compression")) is not None
    ]
    return min(scores) < 1 if scores else None


def told(labels: Iterable[Label]) -> dict[str, bool]:
    """By request, whether a person or client found an answer wrong."""
    found: dict[str, bool] = {}
    for label in labels:
        found[label.request_id] = found.get(label.request_id, False) or label.verdict == "wrong"
    return found


async def harm_of(store: Store, policy: Policy, feature: str, *, since_ns: int) -> Harm | None:
    """The harm of a feature's compression, read from the beginning; None where it is not configured. Raises StoreError."""
    rules = policy.features[feature].compress
    if rules is None:
        return None
    seen: OrderedDict[str, bool] = OrderedDict()
    async for entry in store.journal.entries(feature=feature, since_ns=since_ns):
        _keep(seen, entry, policy.editions[feature])
    return Harm.of(seen, told(await store.labels.all(feature=feature)), rules)


class Harms(Mapping[str, bool]):
    """By feature, whether its compression has stopped itself; read by every request, brought up to date in the background."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, Harm] = {}
        self._seen: dict[tuple[str, str], OrderedDict[str, bool]] = {}  # (feature, edition) -> request -> went wrong
        self._read_ns: dict[tuple[str, str], int] = {}  # up to where the journal was read
        self._refreshed_ns = 0

    def __getitem__(self, feature: str) -> bool:
        return self._found[feature].stopped

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    async def refresh(self, policy: Policy, now_ns: int) -> None:
        """Read what is new, every quarter of a minute. Raises StoreError, and then what was known stays."""
        wanted = {
            (name, policy.editions[name]) for name, feature in policy.features.items() if feature.compress is not None
        }
        known = wanted == self._seen.keys()
        if known and (not wanted or abs(now_ns - self._refreshed_ns) < _EVERY_NS):
            return
        self._seen = {key: self._seen.get(key, OrderedDict()) for key in wanted}
        self._found = {name: self._found.get(name, Harm()) for name, _ in wanted}
        for name, edition in sorted(wanted):
            rules = policy.features[name].compress
            assert rules is not None
            seen = self._seen[name, edition]
            since = self._read_ns.get((name, edition), now_ns - _DAYS_NS)
            async for entry in self._store.journal.entries(feature=name, since_ns=since):
                _keep(seen, entry, edition)
            self._read_ns[name, edition] = now_ns - _LATE_NS
            self._found[name] = Harm.of(seen, told(await self._store.labels.all(feature=name)), rules)
        self._refreshed_ns = now_ns


def _keep(seen: OrderedDict[str, bool], entry: JournalEntry, edition: str) -> None:
    wrong = went_wrong(entry) if entry.edition == edition else None
    if wrong is not None:
        seen[entry.request_id] = wrong
        if len(seen) > _MOST:
            seen.popitem(last=False)
