"""The evidence pack: what an auditor takes away, as one value of a moment. Read from the store; nothing is added to it.

What is unknown says so. The records themselves stay where they are: the pack names counts, versions and heads of the chains, by
which it can be held against them later.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from surefoot.app.confidence import FeatureTrust, trust
from surefoot.app.incidents import Acknowledged, acknowledgements
from surefoot.app.learn import served
from surefoot.app.objectives import Found, Objectives
from surefoot.config.load import Config
from surefoot.errors import ChainBroken, TrailBroken
from surefoot.records import Incident, Revision
from surefoot.records.audit import AuditEvent, Head, Stop
from surefoot.store import Store

FORMAT = 1  # of the JSON
_EVENTS = 200  # of each kind


class Integrity(Struct, frozen=True, kw_only=True):
    """What a walk along every chain found."""

    requests: int | None  # rows of the journal that verify; None: one does not
    events: int | None  # rows of the trail; likewise
    broken: str  # where; "" when nothing is altered or missing
    heads: tuple[Head, ...]  # the newest row of each chain


class Change(Struct, frozen=True, kw_only=True):
    """Who changed what decides: revisions proposed, approved, promoted and declined, features stopped and resumed."""

    at_ns: int
    by: str
    kind: str
    on: str
    detail: str


class Alarm(Struct, frozen=True, kw_only=True):
    """An incident and who has seen to it."""

    incident: Incident
    acknowledged: tuple[Acknowledged, ...]


class Pack(Struct, frozen=True, kw_only=True):
    """Everything."""

    format: int
    version: str  # of the program
    at_ns: int
    since_ns: int
    policy: str  # version that serves
    revision: int  # 0: the configuration alone
    editions: dict[str, str]  # by feature: digest of its rules, which promises hold for
    integrity: Integrity
    features: tuple[FeatureTrust, ...]
    objectives: tuple[Found, ...]
    alarms: tuple[Alarm, ...]
    stops: tuple[Stop, ...]
    revisions: tuple[Revision, ...]  # without their data
    changes: tuple[Change, ...]  # newest first


async def evidence_pack(
    store: Store, config: Config, objectives: Objectives, *, version: str, since_ns: int, now_ns: int
) -> Pack:
    """The pack of a time. Reads the whole journal to verify it. Raises StoreError."""
    await store.flush()
    now = await served(store, config)
    seen = await acknowledgements(store)
    raised = [each for each in await store.incidents.all() if each.at_ns >= since_ns]
    found = await store.revisions.all()
    return Pack(
        format=FORMAT, version=version, at_ns=now_ns, since_ns=since_ns, policy=now.policy.version,
        revision=now.revision.number if now.revision is not None else 0, editions=dict(now.policy.editions),
        integrity=await _verified(store),
        features=tuple([await trust(store, now, name, since_ns=since_ns) for name in now.policy.features]),
        objectives=tuple(await objectives.read(None)),
        alarms=tuple(Alarm(incident=each, acknowledged=tuple(seen.get(each.id, ()))) for each in raised),
        stops=tuple(await store.audit.stops()),
        revisions=tuple(_without_data(each) for each in found), changes=tuple(await _changes(store, since_ns)),
    )  # fmt: skip


async def _verified(store: Store) -> Integrity:
    requests = events = None
    broken = ""
    try:
        requests = await store.journal.verify()
        events = await store.audit.verify()
    except (ChainBroken, TrailBroken) as error:
        broken = str(error)
    return Integrity(requests=requests, events=events, broken=broken, heads=tuple(await store.audit.heads()))


async def _changes(store: Store, since_ns: int) -> Sequence[Change]:
    rows = []
    for kind in ("revision.", "feature."):
        rows += [row.event for row in await store.audit.events(kind=kind, since_ns=since_ns, limit=_EVENTS)]
    return [_change(each) for each in sorted(rows, key=lambda each: -each.at_ns)]


def _change(event: AuditEvent) -> Change:
    return Change(at_ns=event.at_ns, by=event.by, kind=event.kind, on=event.on, detail=event.detail)


def _without_data(each: Revision) -> Revision:
    return Revision(
        number=each.number, at_ns=each.at_ns, note=each.note, data=b"", serving=each.serving, promoted_at_ns=each.promoted_at_ns
    )
