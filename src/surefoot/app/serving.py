"""What serves: a configuration with what labels taught laid over it, swapped by reference while requests are under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Mapping

import structlog
from msgspec.structs import replace

from surefoot.app.build import PromptsSeen, Runtime, Watched, build
from surefoot.app.harm import Harms
from surefoot.app.loops import keep
from surefoot.app.near import NearCache, lines_of, with_lines
from surefoot.app.scarcity import Balances
from surefoot.app.settler import Settler
from surefoot.app.standings import Standings
from surefoot.config.build import rung_models
from surefoot.config.load import Config
from surefoot.policy import Learned, NearLine, Policy, overlay
from surefoot.policy.learned import decode_learned
from surefoot.policy.policy import encode
from surefoot.providers.prices import PriceBook
from surefoot.records.audit import Stop
from surefoot.stages.read import Repeats
from surefoot.stages.routing import Latencies
from surefoot.store import Store

_LEARNING_SECONDS = 1.0  # within which a promotion serves and a label counts
_BACK_NS = 3600 * 1_000_000_000
_GRACE_SECONDS = 60.0  # after which a replaced runtime lets go of its connections

log = structlog.get_logger("surefoot")


class Serving:
    """The runtime of new requests."""

    def __init__(
        self, config: Config, store: Store, settler: Settler, stops: Mapping[str, Stop] | None = None,
        repeats: Repeats | None = None, people_spent: Container[str] = frozenset(), near: NearCache | None = None,
    ) -> None:  # fmt: skip
        self._people_spent, self._near = people_spent, near
        self._lines: dict[str, NearLine] = {}  # by feature, the near map that serves
        self._store, self._settler, self._stops, self._repeats = store, settler, stops, repeats
        self._prices = PriceBook()
        self._written, self._learned, self._number = config, Learned(), 0
        self.standings, self.harms = Standings(store), Harms(store)
        self._prompts = PromptsSeen(harmful=self.harms)
        self.latencies, self.balances = Latencies(), Balances(store)
        self._closing: set[asyncio.Task[None]] = set()
        self.runtime = self._build(config)

    def stopped(self, feature: str) -> bool:
        """Whether a person stopped a feature, as far as this process knows."""
        return self._stops is not None and self._stops.get(feature) is not None

    async def begin(self) -> None:
        """Take over what was promoted, keep the policy, see how promises stand. Raises StoreError, ConfigError."""
        if await self._adopt() | await self._adopt_lines():
            await self.runtime.close()
            self.runtime = self._build(self._written)
        await self._keep_policy(self.runtime)
        await self._refresh(self.runtime.policy)
        await self._read_back()

    async def reload(self, config: Config) -> None:
        """Serve another configuration from the next request on. Raises ConfigError, and then the old one goes on serving.

        Requests under way end on the runtime they began on; its connections are closed a minute later.
        """
        runtime = self._build(config)
        await self._keep_policy(runtime)
        await self._refresh(runtime.policy)
        old, self.runtime, self._written = self.runtime, runtime, config
        if self._repeats is not None:
            self._repeats.forget()
        task = asyncio.create_task(_close_later(old))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        log.info("configuration swapped", policy=runtime.policy.version)

    async def keep_learning(self) -> None:
        """Every second: serve what was promoted, and see how promises stand."""
        await keep(self._look, every_seconds=_LEARNING_SECONDS, what="standings", on_lost=self._settler.lost)

    async def _look(self) -> None:
        if await self._adopt():
            await self._adopt_lines()
            await self.reload(self._written)
            log.info("a revision serves", number=self._number)
        elif await self._adopt_lines():
            await self.reload(self._written)
            log.info("a near map serves", policy=self.runtime.policy.version)
        await self._refresh(self.runtime.policy)

    async def _refresh(self, policy: Policy) -> None:
        await self.standings.refresh(policy)
        await self.harms.refresh(policy, time.time_ns())

    async def close(self) -> None:
        """Let go of connections."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self.runtime.close()

    def _build(self, config: Config) -> Runtime:
        """The runtime of a configuration with what is learned laid over it. Raises ConfigError."""
        policy, left = overlay(config.policy, self._learned, rung_models(config.settings))
        for reason in left:
            log.warning("something learned is not used", reason=reason)
        served = replace(config, policy=with_lines(policy, self._lines))
        return build(
            served,
            self._store,
            self._prices,
            self._settler.lost_reservation,
            Watched(
                standings=self.standings,
                stops=self._stops,
                repeats=self._repeats,
                people_spent=self._people_spent,
                routers={name: found.route for name, found in self._learned.features.items() if found.route},
                latencies=self.latencies,
                balances=self.balances,
                near=self._near,
                lost=self._settler.lost,
            ),
            self._prompts,
        )

    async def _keep_policy(self, runtime: Runtime) -> None:
        await self._store.policies.put(runtime.policy.version, encode(runtime.policy.features))

    async def _read_back(self) -> None:
        """How long the rungs of features that route took, from the journal of the last hour."""
        since_ns = time.time_ns() - _BACK_NS
        for name, feature in self.runtime.policy.features.items():
            if feature.route is not None:
                async for entry in self._store.journal.entries(feature=name, since_ns=since_ns, shadows=True):
                    self.latencies.read_back(entry)

    async def _adopt(self) -> bool:
        """Read the revision that serves; whether it is another than before. Raises StoreError."""
        number = await self._store.revisions.serving()
        if number == self._number:
            return False
        found = await self._store.revisions.get(number) if number else None
        self._learned = decode_learned(found.data) if found is not None else Learned()
        self._number = number
        return True

    async def _adopt_lines(self) -> bool:
        """Read the near maps where a feature has a near cache; whether one is another than before. Raises StoreError."""
        if all(feature.cache.near is None for feature in self._written.policy.features.values()):
            return False
        found = lines_of(await self._store.near.maps())
        if found == self._lines:
            return False
        self._lines = found
        return True


async def _close_later(runtime: Runtime) -> None:
    try:
        await asyncio.sleep(_GRACE_SECONDS)
    finally:
        await runtime.close()
