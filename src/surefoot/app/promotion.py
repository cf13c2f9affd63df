"""Which revision serves: what it would change, who proposed it, and the second person who lets it serve.

A proposal is an event of the audit trail; whoever approves it is somebody else. The command line promotes at once: who has the
machine has the store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b

import msgspec
from msgspec import Struct

from surefoot.app.learn import Served, Shadow, before_this, carried, served, shadow
from surefoot.config.load import Config
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.policy import Policy
from surefoot.records.audit import AuditEvent
from surefoot.store import Store

PROPOSED, DECLINED = "revision.proposed", "revision.declined"
PROMOTED = "revision.promoted"
_MOST = 1000  # events of each kind that are looked at
_NOTE = 500
_LONG = 60  # characters of a value in words
_DATA = ("inputs", "curve", "points", "route")  # numbers that a fit wrote: a digest says whether they are the same


class Proposal(Struct, frozen=True, kw_only=True):
    """Somebody wants a revision to serve."""

    number: int
    at_ns: int
    by: str
    note: str


class Promoted(Struct, frozen=True, kw_only=True):
    """A revision serves from now on."""

    number: int
    now: Served
    shadows: Mapping[str, Shadow]  # by feature whose promise had a shadow


class Difference(Struct, frozen=True, kw_only=True):
    """One value of a feature's rules that is another one."""

    feature: str
    what: str  # as a path: "maps.small.bias"
    before: str  # "" where there was none
    after: str


async def promote(store: Store, config: Config, number: int) -> Promoted:
    """Serve a revision from now on; 0 is the configuration alone. Running servers take it within a second.

    Labels of its shadow are carried to the new edition where they speak for all that it delivers.
    Raises: NotFound when there is no such revision or it serves already; StoreError.
    """
    if number == await store.revisions.serving():
        raise NotFound(f"{name_of(number)} serves already")
    before = await served(store, config)
    await store.revisions.promote(number, at_ns=time.time_ns())
    now = await served(store, config)
    seen = await shadows(store, now, before)
    await store.labels.add_all(
        [label for name, each in seen.items() for label in carried(each, now.policy.editions[name])]
    )
    return Promoted(number=number, now=now, shadows=seen)


async def shadows(store: Store, now: Served, before: Served) -> dict[str, Shadow]:
    """How the promises of features stand in shadow whose rules the one has otherwise than the other. Raises StoreError."""
    found = {}
    since = now.revision.at_ns if now.revision is not None else time.time_ns()
    for name, edition in now.policy.editions.items():
        if edition != before.policy.editions.get(name):
            seen = await shadow(store, now.policy, name, since_ns=since, from_labels_ns=since)
            if seen is not None:
                found[name] = seen
    return found


async def previous(store: Store) -> int:
    """What served before the last promotion. Raises NotFound when nothing was promoted that could be taken back."""
    number = before_this(await store.revisions.promotions())
    if number is None:
        raise NotFound("nothing was promoted that could be taken back")
    return number


async def propose(store: Store, number: int, *, by: str, note: str) -> None:
    """Ask for a second person. Raises NotFound, BadRequest for a missing or long note or what is proposed already."""
    note = note.strip()
    if not note or len(note) > _NOTE:
        raise BadRequest(f"say in 1 to {_NOTE} characters why it should serve")
    if number and await store.revisions.get(number) is None:
        raise NotFound(f"there is no revision {number}")
    if number == await store.revisions.serving():
        raise BadRequest(f"{name_of(number)} serves already")
    if number in await proposals(store):
        raise BadRequest(f"{name_of(number)} is proposed already")
    await store.audit.add(AuditEvent(kind=PROPOSED, by=by, on=str(number), detail=note))


async def decline(store: Store, number: int, *, by: str) -> None:
    """Take a proposal away; whoever proposed it may too. Raises NotFound when there is none."""
    if number not in await proposals(store):
        raise NotFound(f"nobody proposed {name_of(number)}")
    await store.audit.add(AuditEvent(kind=DECLINED, by=by, on=str(number)))


async def approve(store: Store, config: Config, number: int, *, by: str) -> Promoted:
    """Let a proposed revision serve. Raises NotFound when nobody proposed it, NotAllowed for whoever did."""
    found = (await proposals(store)).get(number)
    if found is None:
        raise NotFound(f"nobody proposed {name_of(number)}")
    if found.by == by:
        raise NotAllowed("a second person lets a revision serve, not the one who proposed it")
    await store.audit.add(AuditEvent(kind="revision.approved", by=by, on=str(number), detail=f"proposed by {found.by}"))
    return await promote(store, config, number)


async def proposals(store: Store) -> dict[int, Proposal]:
    """By number, what is proposed and neither declined nor serving since. Raises StoreError."""
    last: dict[int, tuple[int, AuditEvent]] = {}
    for kind in (PROPOSED, DECLINED, PROMOTED):
        for row in await store.audit.events(kind=kind, limit=_MOST):
            number = int(row.event.on)
            if number not in last or row.event.at_ns >= last[number][0]:
                last[number] = (row.event.at_ns, row.event)
    return {
        number: Proposal(number=number, at_ns=at_ns, by=event.by, note=event.detail)
        for number, (at_ns, event) in last.items()
        if event.kind == PROPOSED
    }


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """What a policy says otherwise than another one, feature by feature; fitted numbers as their digest."""
    found = []
    for name in sorted({*before.features, *after.features}):
        old, new = (dict(_flat(msgspec.to_builtins(each.features.get(name)), "")) for each in (before, after))
        for what in sorted({*old, *new}):
            if old.get(what, "") != new.get(what, ""):
                found.append(
                    Difference(feature=name, what=what, before=old.get(what, ""), after=new.get(what, ""))
                )
    return tuple(found)


def name_of(number: int) -> str:
    """A revision in words."""
    return f"revision {number}" if number else "the configuration alone (0)"


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """(path, value in words) of every leaf."""
    last = path.rpartition(".")[2]
    if isinstance(value, dict) and last not in _DATA:
        for key, each in value.items():
            yield from _flat(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (dict, list, tuple)) and value and (last in _DATA or not _short(value)):
        yield path, f"{len(value)} entries, {_digest(value)}"
    elif value not in (None, "", [], {}, ()):
        yield path, _words(value)


def _short(value: object) -> bool:
    return len(_words(value)) <= _LONG


def _words(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return " ▸ ".join(each["name"] if isinstance(each, dict) and "name" in each else str(each) for each in value)
    return str(value)


def _digest(value: object) -> str:
    return blake2b(msgspec.json.encode(value), digest_size=4).hexdigest()
