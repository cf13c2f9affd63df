"""Telling people that the queue is late, a budget nearly spent, spend out of its interval or an error budget burning: by
webhook and by mail, with roles, pots, features and numbers, never with what was said.

What was told is an event of the audit trail, and that is what keeps it from being told again too soon, by any replica. A
way that fails is counted and tried again later; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import aiohttp
import msgspec
import structlog
from msgspec import Struct

from surefoot.app import burning, spending
from surefoot.app.inside import networks
from surefoot.app.loops import keep
from surefoot.app.mail import send
from surefoot.app.serving import Serving
from surefoot.app.webhooks import DELIVERY, SIGNATURE, Refused, post, sign
from surefoot.config.hours import open_hours
from surefoot.config.schema import NotifySettings, PersonSettings
from surefoot.ledger.surge import KIND as SPEND
from surefoot.records import Case
from surefoot.records.audit import AuditEvent
from surefoot.store import Store
from surefoot.store.balances import Warned

LOOK_SECONDS = 15.0
MOST = 500  # cases of a role that are looked at; more are "500 or more"
_AN_HOUR = 20  # notices, at most; the digest comes beside them
_WARNINGS = 20  # of budgets, in one look
_AGAIN_SECONDS = 60.0  # after a way failed
_NS = 1_000_000_000
_DAY_NS = 86_400 * _NS
_DIGEST_NS = 6 * 3600 * _NS  # how late a digest may still be sent, after a night without a process
_RAISED_NS = 12 * 3600 * _NS  # how old an incident may be that is still told of, after every way failed
_UNANSWERED = ("open", "claimed", "proposed")

log = structlog.get_logger("surefoot")


class Notice(Struct, frozen=True, kw_only=True):
    """What people are told: a kind, whom it concerns, and numbers."""

    kind: str  # "late" | "near" | "nobody" | "digest" | "spend" | "burn" | "budget"
    role: str  # "" for the digest and for incidents; of a budget its pot
    text: str
    numbers: dict[str, int] = {}
    feature: str = ""  # of an incident; "*" is all together
    incident: str = ""  # what it is about: it is told once
    id: str = ""  # the same whenever it is sent again; "" when it is never

    @property
    def on(self) -> str:
        """What the trail's event of it is on."""
        return self.incident or self.role

    @property
    def subject(self) -> str:
        """One line for a mail's head."""
        return f"Surefoot: {self.text.splitlines()[0]}"


class Notify:
    """Looks at the queue and tells. `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, serving: Serving, lost: Callable[[str], None], clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._serving, self._lost, self._clock = store, serving, lost, clock
        self._not_before: dict[tuple[str, str], int] = {}  # by kind and role, after every way failed

    async def keep_telling(self) -> None:
        """For ever: look, and tell what is to be told."""
        await keep(self.look, every_seconds=LOOK_SECONDS, what="notice", on_lost=self._lost)

    async def look(self) -> Sequence[Notice]:
        """Look once; returns what was told by at least one way. Raises StoreError."""
        settings = self._settings()
        if not (settings.webhook or settings.to):
            return ()
        now = self._clock()
        due = [
            notice for notice in await self._notices(now) if self._not_before.get((notice.kind, notice.on), 0) <= now
        ]
        recent = await self._store.audit.events(
            kind="notice.", since_ns=now - max(_DAY_NS, _every(settings)), limit=10_000
        )
        noted = {(row.event.kind, row.event.on): row.event.at_ns for row in reversed(recent)}
        hour = sum(row.event.at_ns > now - 3600 * _NS for row in recent if row.event.kind != "notice.digest")
        done: list[Notice] = []
        for notice in due:
            last = noted.get((f"notice.{notice.kind}", notice.on), 0)
            if notice.incident and last:
                continue
            late = notice.kind != "digest" and (last > now - _every(settings) or hour + len(done) >= _AN_HOUR)
            if late or (notice.kind == "digest" and last >= _today_ns(settings, now)):
                continue
            if await self._tell(notice, settings, now):
                done.append(notice)
        return [*done, *await self._budgets(settings, now)]

    async def _budgets(self, settings: NotifySettings, now: int) -> list[Notice]:
        """Tell of budgets whose levels were reached within a day: once each, again only when every way failed."""
        done = []
        for warned in await self._store.warnings.claim(now_ns=now, since_ns=now - _DAY_NS, limit=_WARNINGS):
            notice = of_budget(warned)
            if await self._tell(notice, settings, now):
                await self._store.warnings.told(warned, at_ns=now)
                done.append(notice)
        return done

    async def _notices(self, now: int) -> list[Notice]:
        people, found = self._serving.runtime.config.settings.people, []
        for role in await self._roles():
            waiting = await self._store.cases.waiting(
                roles=[role], states=_UNANSWERED, kind="question", limit=MOST
            )  # fmt: skip
            found += of_role(role, people.get(role, PersonSettings()), waiting, now, self._settings().near_seconds)
        settings = self._settings()
        if settings.spend:
            found += await self._raised(now, SPEND)
        if settings.objectives:
            found += await self._raised(now, burning.KIND)
        if settings.digest and 0 <= now - _today_ns(settings, now) < _DIGEST_NS:
            found.append(await self._digest(now))
        return found

    async def _raised(self, now: int, kind: str) -> list[Notice]:
        """Incidents of a kind of the last hours; what was told of already is dropped by whoever looks at the trail."""
        found = []
        for incident in await self._store.incidents.all():
            if incident.kind == kind and incident.at_ns > now - _RAISED_NS:
                text, numbers = (spending if kind == SPEND else burning).told(incident)
                found.append(
                    Notice(
                        kind=kind,
                        role="",
                        text=text,
                        numbers=numbers,
                        feature=incident.feature,
                        incident=incident.id,
                    )
                )
        return found

    async def _roles(self) -> list[str]:
        tally = await self._store.cases.tally()
        return sorted({role for role, state in tally if state in _UNANSWERED})

    async def _digest(self, now: int) -> Notice:
        """The numbers of the last day."""
        tally = await self._store.cases.tally()
        waiting = sum(count for (_, state), count in tally.items() if state in _UNANSWERED)
        numbers = {"waiting": waiting, "stopped_features": len(await self._store.audit.stops())}
        for name, kind in (("opened", "case.opened"), ("delivered", "case.delivered"), ("expired", "case.expired")):
            rows = await self._store.audit.events(kind=kind, since_ns=now - _DAY_NS, limit=100_000)
            numbers[name] = len({row.event.on for row in rows})
        lines = [f"{count} {name.replace('_', ' ')}" for name, count in numbers.items()]
        text = "the day at the desk\n\nIn the last 24 hours, and waiting now:\n" + "\n".join(lines)
        return Notice(kind="digest", role="", text=text, numbers=numbers)

    async def _tell(self, notice: Notice, settings: NotifySettings, now: int) -> bool:
        """Whether it was told by at least one way, and noted."""
        ways = []
        if settings.webhook:
            ways.append(("webhook", self._call(notice, settings, now)))
        if settings.to:
            ways.append(("mail", send(settings, notice.subject, notice.text)))
        results = await asyncio.gather(*(work for _, work in ways), return_exceptions=True)
        done = []
        for (way, _), result in zip(ways, results, strict=True):
            if result is None:
                done.append(way)
            elif isinstance(result, (OSError, TimeoutError, aiohttp.ClientError, Refused, ValueError)):
                self._lost(f"notice by {way}")
                log.warning("a notice could not be sent", way=way, kind=notice.kind, error=type(result).__name__)
            else:
                raise result
        if not done:
            self._not_before[notice.kind, notice.on] = now + round(_AGAIN_SECONDS * _NS)
            return False
        said = AuditEvent(kind=f"notice.{notice.kind}", on=notice.on, detail=f"by {' and '.join(done)}")
        await self._store.audit.add(said)
        return True

    async def _call(self, notice: Notice, settings: NotifySettings, now: int) -> None:
        body = msgspec.json.encode(
            {
                "object": "notice",
                "kind": notice.kind,
                "role": notice.role,
                "feature": notice.feature,
                "text": notice.text,
                "numbers": notice.numbers,
            }
        )
        headers = {
            "content-type": "application/json", "user-agent": "surefoot",
            DELIVERY: notice.id or f"notice_{notice.kind}_{notice.incident or now}",
            SIGNATURE: sign(settings.webhook_secret, now // _NS, body),
        }  # fmt: skip
        said = await post(settings.webhook, body, headers, networks(settings.webhook_allow))
        if not 200 <= said.status < 300:
            raise ConnectionError(f"the receiver said {said.status}")

    def _settings(self) -> NotifySettings:
        return self._serving.runtime.config.settings.notify


def of_budget(warned: Warned) -> Notice:
    """What is told of a budget: its pot, its window and amounts. Pots are named by keys' ids, tenants and features."""
    percent, spent, limit = warned.level_ppm / 10_000, warned.spent / 1e9, warned.limit_nanodollars / 1e9
    what = "has no more room" if warned.level_ppm >= 1_000_000 else f"has reached {percent:g} %"
    text = f"the budget of {warned.scope} for {warned.window} {what}: {spent:.6f} of {limit:.6f} USD are spent"
    numbers = {
        "level_ppm": warned.level_ppm, "spent_nanodollars": warned.spent, "limit_nanodollars": warned.limit_nanodollars,
        "over_nanodollars": max(0, warned.spent - warned.limit_nanodollars),
    }  # fmt: skip
    name = blake2b("\0".join(map(str, warned.key)).encode(), digest_size=16).hexdigest()
    return Notice(kind="budget", role=warned.scope, text=text, numbers=numbers, id=f"notice_{name}")


def of_role(role: str, given: PersonSettings, waiting: Sequence[Case], now: int, near_seconds: float) -> list[Notice]:
    """What is to be told of a role's waiting cases, the worst first; nothing when none waits."""
    late = [case for case in waiting if 0 < case.due_at_ns < now]
    near = [case for case in waiting if 0 < case.deadline_ns < now + round(near_seconds * _NS)]
    found = []
    if near:
        text = f"{_count(near)} for {role} come to their deadline within {near_seconds:.0f} seconds"
        found.append(Notice(kind="near", role=role, text=text, numbers={"near": len(near), "waiting": len(waiting)}))
    if late:
        oldest = max(now - case.opened_at_ns for case in late) // (60 * _NS)
        text = f"{_count(late)} for {role} are late; the oldest has waited {oldest} minutes"
        numbers = {"late": len(late), "waiting": len(waiting), "oldest_minutes": oldest}
        found.append(Notice(kind="late", role=role, text=text, numbers=numbers))
    if waiting and not on_shift(given, now):
        text = f"{_count(waiting)} for {role} wait, and nobody is on shift"
        found.append(Notice(kind="nobody", role=role, text=text, numbers={"waiting": len(waiting)}))
    return found


def on_shift(given: PersonSettings, now: int) -> bool:
    """Whether somebody should be there now, by the role's hours; always, where none are given."""
    return open_hours(given.hours, given.timezone).is_open(now)


def _count(cases: Sequence[Case]) -> str:
    return f"{len(cases)}{' or more' if len(cases) >= MOST else ''} case{'s' if len(cases) != 1 else ''}"


def _every(settings: NotifySettings) -> int:
    return round(settings.every_seconds * _NS)


def _today_ns(settings: NotifySettings, now: int) -> int:
    """When today's digest is due, in the digest's time zone."""
    local = datetime.fromtimestamp(now / 1e9, UTC).astimezone(ZoneInfo(settings.timezone))
    hour, _, minute = settings.digest.partition(":")
    return round(local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0).timestamp()) * _NS
