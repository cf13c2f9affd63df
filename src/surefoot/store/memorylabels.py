"""Labels, revisions and incidents in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from surefoot.errors import NotFound, StoreError
from surefoot.records import Content, Incident, Label, Revision
from surefoot.store.casework import BLIND
from surefoot.store.memoryaudit import MemoryAudit


class Contents(Protocol):
    """The part of the journal that labels need."""

    def knows(self, request_id: str) -> bool:
        """Whether the request is in the journal."""

    def keep(self, request_id: str, name: str, content: Content) -> None:
        """Keep one more content of a request's subject, under another name."""

    async def content(self, request_id: str) -> Content | None:
        """What is kept under a name."""


class MemoryLabels:
    """`Labels` in a dictionary. Remarks lie with what was said, so that they are erased with it."""

    def __init__(self, contents: Contents, audit: MemoryAudit, hear: Callable[[Label], None] = lambda label: None) -> None:
        self._contents, self._audit, self._hear = contents, audit, hear
        self._labels: dict[str, Label] = {}

    async def add(self, label: Label) -> bool:
        """Whether the label is new."""
        return (await self.add_all([label]))[0]

    async def add_all(self, labels: Sequence[Label], *, remarks: Mapping[str, str] | None = None) -> Sequence[bool]:
        """Which labels are new, all or none. Raises StoreError for a remark on a request that is not in the journal."""
        said = {label.id: (remarks or {})[label.id] for label in labels if label.id in (remarks or {})}
        for label in labels:
            if label.id in said and not self._contents.knows(label.request_id):
                raise StoreError(f"request {label.request_id} is not in the journal")
        new = []
        for label in labels:
            new.append(self.append(label))
            if new[-1] and label.id in said:
                self._contents.keep(label.request_id, label.id, Content(request_body=said[label.id].encode()))
        return new

    def knows(self, label_id: str) -> bool:
        """Whether the id is taken."""
        return label_id in self._labels

    def is_judged(self, request_id: str, rung: str) -> bool:
        """Whether somebody judged a draft blind."""
        return any(
            (label.request_id, label.rung) == (request_id, rung) and label.source in BLIND
            for label in self._labels.values()
        )

    def append(self, label: Label) -> bool:
        """Whether the label is new."""
        if label.id in self._labels:
            return False
        self._labels[label.id] = label
        self._audit.note(kind="label.added", by=label.by, on=label.request_id, detail=label.verdict)
        self._hear(label)
        return True

    async def remark(self, label_id: str) -> str | None:
        """What was said with a label in free words; None when nothing was, or its subject is erased."""
        kept = await self._contents.content(label_id)
        return None if kept is None else kept.request_body.decode()

    async def of(self, request_id: str) -> Sequence[Label]:
        """What was said of a request's drafts, oldest first."""
        return [label for label in await self.all() if label.request_id == request_id]

    async def all(self, *, feature: str | None = None, since_ns: int = 0) -> Sequence[Label]:
        """Labels, oldest first."""
        wanted = (
            label for label in self._labels.values() if label.at_ns >= since_ns and feature in (None, label.feature)
        )
        return sorted(wanted, key=lambda label: (label.at_ns, label.id))

    async def count(self, *, feature: str) -> int:
        """How many labels a feature has."""
        return len(await self.all(feature=feature))


class MemoryRevisions:
    """`Revisions` in lists."""

    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._revisions: list[Revision] = []
        self._promotions: list[tuple[int, int]] = []

    async def add(self, data: bytes, *, note: str, at_ns: int) -> int:
        """The number of a new candidate, one above the last."""
        self._revisions.append(Revision(number=len(self._revisions) + 1, at_ns=at_ns, note=note, data=data))
        return len(self._revisions)

    async def get(self, number: int) -> Revision | None:
        """A revision, or None."""
        return next((found for found in await self.all() if found.number == number), None)

    async def all(self) -> Sequence[Revision]:
        """Every revision, oldest first."""
        serving, at = await self.serving(), {number: at_ns for at_ns, number in self._promotions}
        return [
            replace(found, serving=found.number == serving, promoted_at_ns=at.get(found.number))
            for found in self._revisions
        ]

    async def promote(self, number: int, *, at_ns: int) -> None:
        """Serve a revision from now on; 0 serves the configuration alone. Raises NotFound."""
        if not 0 <= number <= len(self._revisions):
            raise NotFound(f"there is no revision {number}")
        self._promotions.append((at_ns, number))
        self._audit.note(kind="revision.promoted", on=str(number))

    async def serving(self) -> int:
        """The number that serves; 0 before the first promotion."""
        return self._promotions[-1][1] if self._promotions else 0

    async def promotions(self) -> Sequence[tuple[int, int]]:
        """(at_ns, number) of every promotion, oldest first."""
        return list(self._promotions)


class MemoryIncidents:
    """`Incidents` in a dictionary."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}

    async def add(self, incident: Incident) -> bool:
        """Whether the incident is new."""
        if incident.id in self._incidents:
            return False
        self._incidents[incident.id] = incident
        return True

    async def all(self, *, feature: str | None = None) -> Sequence[Incident]:
        """Incidents, oldest first."""
        wanted = (found for found in self._incidents.values() if feature in (None, found.feature))
        return sorted(wanted, key=lambda found: (found.at_ns, found.id))
