"""The same request many times to one rung, at one temperature or several: what came back, and what that cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.errors import BudgetSpent, ConfigError, RequestRefused
from surefoot.evals.variation import Said, Spread, spread
from surefoot.policy import Feature, Policy
from surefoot.providers.rows import Row
from surefoot.records import Draft
from surefoot.trial.asking import request_of
from surefoot.trial.price import Cost, cost_before
from surefoot.trial.purse import Purse, PursedStore
from surefoot.trial.sides import asked_alone

_NOTHING_WITHOUT = ("cache",)  # kinds of rung that say nothing of their own


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked how often."""

    config: Config
    feature: str
    row: Row  # that holds the request
    rung: str = ""  # "": the first that is a model's
    n: int = 20  # answers at each temperature
    temperatures: tuple[float | None, ...] = (None,)  # None: as the request says
    max_nanodollars: int | None = None
    together: int = 4


class Plan(Struct, frozen=True, kw_only=True):
    """What is known before."""

    rung: str
    calls: int  # of the rung
    cost: Cost
    max_nanodollars: int | None


class Varied(Struct, frozen=True, kw_only=True):
    """What came of it."""

    rung: str
    spreads: tuple[Spread, ...]  # by temperature, in the order asked for
    stopped: str  # "" when all were asked
    simulated: bool  # whether no real model was asked
    why_failed: str = ""  # of the last call without an answer


async def run_vary(
    asked: Asked, *, on_plan: Callable[[Plan], None] = lambda plan: None,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> Varied:  # fmt: skip
    """Ask and count; `on_plan` is called before anything is asked.

    Raises: ConfigError for a feature or rung that there is not, BadRequest for a request that is none.
    """
    config = of_rung(asked.config, asked.feature, asked.rung, capped=asked.max_nanodollars is not None)
    store = PursedStore(Purse(asked.max_nanodollars))
    await store.start()
    app = await App.start(config, store=store)
    try:
        runner = _Runner(app, app.policy.features[asked.feature], asked)
        rows = [_at(asked.row, temperature) for temperature in asked.temperatures]
        cost = cost_before(app, runner.rules, rows, samples=asked.n)
        total = asked.n * len(rows)
        on_plan(Plan(rung=runner.rules.ladder[0].name, calls=total, cost=cost, max_nanodollars=asked.max_nanodollars))
        spreads = []
        for row, temperature in zip(rows, asked.temperatures, strict=True):
            said, failed = await runner.run(row, lambda: on_progress(runner.done, total))
            spreads.append(spread(said, temperature=temperature, failed=failed))
        return Varied(
            rung=runner.rules.ladder[0].name, spreads=tuple(spreads), stopped=runner.stopped,
            simulated=runner.simulated, why_failed=runner.why_failed,
        )  # fmt: skip
    finally:
        await app.close()


def of_rung(config: Config, feature: str, rung: str, *, capped: bool) -> Config:
    """The configuration of one rung alone, whose answers are taken as they come: no bar, judge or gate, no other rung.

    Raises: ConfigError for a feature or rung that there is not.
    """
    alone = asked_alone(config, feature, capped=capped)
    rules, given = alone.policy.features[feature], alone.settings.features[feature]
    chosen = next((each for each in rules.ladder if rung in ("", each.name)), None)
    if chosen is None or chosen.kind in _NOTHING_WITHOUT:
        names = ", ".join(each.name for each in rules.ladder)
        raise ConfigError(f"feature {feature!r} has no rung {rung!r}; there are {names}", file="--rung")
    bare = replace(
        rules, ladder=(chosen,), mode="observe", confidence=0.0, uncalibrated="deliver", stream="hold", maps={},
        thresholds={}, route=None,
    )  # fmt: skip
    settings = replace(
        alone.settings, features={feature: replace(given, confidence=0.0, judge=None, gates={}, route=None)}
    )
    return replace(alone, settings=settings, policy=Policy.of({feature: bare}))


class _Runner:
    """Calls as they come in."""

    def __init__(self, app: App, rules: Feature, asked: Asked) -> None:
        self._app, self._asked = app, asked
        self.rules = rules
        self.done, self.stopped, self.why_failed = 0, "", ""
        self.simulated = False

    async def run(self, row: Row, on_progress: Callable[[], None]) -> tuple[Sequence[Said], int]:
        """(the answers at one temperature, calls without one)."""
        said: list[Said] = []
        failed, left = 0, self._asked.n
        while left > 0 and not self.stopped:
            batch = min(left, self._asked.together)
            found = await asyncio.gather(*(self._one(row) for _ in range(batch)))
            said += [each for each in found if each is not None]
            failed += sum(each is None for each in found) if not self.stopped else 0
            left -= batch
            self.done += batch
            on_progress()
        return said, failed

    async def _one(self, row: Row) -> Said | None:
        request = request_of(self._app, self.rules, row)
        try:
            reply = await self._app.answer(request)
        except BudgetSpent:
            self.stopped = "the cap is reached"
            return None
        except RequestRefused as error:
            self.why_failed = error.message
            return None
        decision = reply.decision
        attempt = decision.attempt if decision is not None else None
        if decision is None or decision.action != "deliver" or attempt is None or attempt.answer is None:
            self.why_failed = decision.verdict.reason if decision is not None else "nothing was decided"
            return None
        self.simulated = self.simulated or (isinstance(attempt.draft, Draft) and attempt.draft.simulated)
        return Said(text=attempt.answer.text, nanodollars=reply.nanodollars)


def _at(row: Row, temperature: float | None) -> Row:
    """The request at a temperature."""
    if temperature is None:
        return row
    return replace(row, request={**row.request, "temperature": msgspec.Raw(msgspec.json.encode(temperature))})
