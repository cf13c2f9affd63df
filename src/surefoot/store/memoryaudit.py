"""The audit trail in plain Python: the same chain, and nothing that could be altered behind its back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from surefoot.errors import TrailBroken
from surefoot.records.audit import AuditEvent, AuditRow, Checkpoint, Head, Stop
from surefoot.store.audit import Walk, began, encode, genesis
from surefoot.store.chain import link, new_id


class MemoryAudit:
    """`Audit` in lists."""

    def __init__(self) -> None:
        self._chain = new_id()
        self._rows: list[tuple[AuditEvent, bytes, bytes, bytes]] = []  # (event, body, prev_hash, hash)
        self._stops: dict[str, Stop] = {}

    def note(self, *, kind: str, by: str = "", on: str = "", detail: str = "") -> None:
        """Write an event at the end of the chain."""
        if not self._rows:
            self._append(began(()))
        self._append(AuditEvent(kind=kind, by=by, on=on, detail=detail))

    def chained(self, row: Mapping[str, object]) -> None:
        """Write the event that a row of a case's events stands for."""
        said = {name: str(row.get(name, "")) for name in ("by", "detail")}
        self.note(kind=f"case.{row['kind']}", on=str(row["case_id"]), **said)

    async def add(self, event: AuditEvent) -> None:
        """Write an event."""
        self.note(kind=event.kind, by=event.by, on=event.on, detail=event.detail)

    async def events(
        self, *, kind: str = "", by: str = "", on: str = "", since_ns: int = 0, limit: int = 1000
    ) -> Sequence[AuditRow]:
        """Events, newest first; `kind` is the beginning of one."""
        found = [
            AuditRow(chain=self._chain, position=position, event=event, hash=row_hash.hex())
            for position, (event, _, _, row_hash) in enumerate(self._rows, start=1)
            if event.at_ns >= since_ns and event.kind.startswith(kind) and by in ("", event.by) and on in ("", event.on)
        ]
        return found[::-1][:limit]

    async def heads(self) -> Sequence[Head]:
        """The newest row of the chain."""
        if not self._rows:
            return []
        return [Head(trail="audit", chain=self._chain, position=len(self._rows), hash=self._rows[-1][3].hex())]

    async def verify(self, checkpoint: Checkpoint | None = None) -> int:
        """How many rows verify. Raises TrailBroken at the first that does not."""
        anchored = () if checkpoint is None else checkpoint.heads
        walk = Walk((head, "the checkpoint") for head in anchored if head.trail == "audit")
        walk.begin(self._chain)
        for position, (_, body, previous, row_hash) in enumerate(self._rows, start=1):
            walk.step(position, previous, row_hash, body)
        walk.end()
        for head in anchored:
            if head.trail == "journal":
                raise TrailBroken("journal", f"{head.chain}/{head.position}", "nothing outlives a process in memory")
        return walk.rows

    async def stop(self, stop: Stop) -> None:
        """Stop a feature, or "*"."""
        self._stops[stop.feature] = stop
        self.note(kind="feature.stopped", by=stop.by, on=stop.feature, detail=stop.reason)

    async def resume(self, feature: str, *, by: str, reason: str, at_ns: int) -> bool:
        """Whether the feature was stopped; it is not any more."""
        if self._stops.pop(feature, None) is None:
            return False
        self.note(kind="feature.resumed", by=by, on=feature, detail=reason)
        return True

    async def stops(self) -> Sequence[Stop]:
        """What is stopped now, by name."""
        return [self._stops[name] for name in sorted(self._stops)]

    def _append(self, event: AuditEvent) -> None:
        previous = self._rows[-1][3] if self._rows else genesis(self._chain)
        at_ns = max(time.time_ns(), self._rows[-1][0].at_ns if self._rows else 0)
        stamped = replace(event, at_ns=at_ns)
        body = encode(stamped)
        self._rows.append((stamped, body, previous, link(previous, body)))
