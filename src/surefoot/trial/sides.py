"""The two sides of a gate: a policy at work in a store of its own, and what it is right about."""

from __future__ import annotations

import shlex

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.config.schema import BudgetSettings
from surefoot.errors import BudgetSpent, ConfigError, RequestRefused
from surefoot.policy import Feature, Policy
from surefoot.providers.rows import Row
from surefoot.records import Decision, Draft, JournalEntry, NoDraft, Revision
from surefoot.stages.check.gate import ExecutableGate, Patience
from surefoot.trial.asking import request_of
from surefoot.trial.gather import recorded_as
from surefoot.trial.grade import NEVER_BY_A_MODEL, grade
from surefoot.trial.purse import Purse, PursedStore

_NOT_ASKED = ("unavailable", "rejected")  # a provider failed: the policy had no chance
_UNTOLD = 1e9 - 1  # USD: a budget that only makes calls wait for their reservation


class Named(Struct, frozen=True, kw_only=True):
    """A policy with the name that it was asked for by."""

    name: str
    config: Config
    revision: Revision | None = None  # what labels taught, laid over it

    @property
    def told(self) -> str:
        """How it is called in a report."""
        return f"{self.name}, revision {self.revision.number}" if self.revision else self.name

    def is_same(self, other: Named) -> bool:
        """Whether the two are the same text with the same revision."""
        mine, theirs = (each.revision.number if each.revision else 0 for each in (self, other))
        return bool(self.config.digest) and self.config.digest == other.config.digest and mine == theirs


class Graded(Struct, frozen=True, kw_only=True):
    """One answer to one item: its score, or why there is none."""

    score: float | None
    ended: str  # "delivered" | "escalated" | "failed" | "ungraded"
    nanodollars: int


class Grader:
    """Tells right from wrong: a program where one is named, else as a trial does."""

    def __init__(self, command: str = "", *, seconds: float = 30.0) -> None:
        """A grader. Raises ConfigError for a command that is none."""
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise ConfigError(f"{command!r} is no command: {error}", file="--grader") from error
        self._program = ExecutableGate("grader", words, Patience(timeout_seconds=seconds)) if words else None
        self.failures = 0  # times that the program gave no usable answer

    async def __call__(self, row: Row, feature: str, text: str, recorded: str | None) -> float | None:
        """The score in [0, 1]; None where nobody can tell."""
        if self._program is None:
            verdict = grade(row, recorded_as=recorded, text=text)
            return None if verdict is None else float(verdict)
        asked = {
            "id": row.id, "feature": feature, "question": row.query, "answer": text, "passages": row.context,
            "reference": row.reference, "facts": row.facts,
        }  # fmt: skip
        try:
            said = await self._program.ask(msgspec.json.encode(asked))
        except (OSError, TimeoutError, ValueError):
            self.failures += 1
            return None
        verdict_score = {"pass": 1.0, "fail": 0.0}.get(said.verdict)
        return verdict_score if verdict_score is None or said.score is None else said.score


class Side:
    """One policy, asked item by item. Make it with `start`; nothing is kept of it."""

    def __init__(self, app: App, rules: Feature, grader: Grader, *, person_right: bool) -> None:
        self._app, self._grader, self._person_right = app, grader, person_right
        self.rules, self.nanodollars = rules, 0
        self.ended: dict[str, int] = {}
        self.simulated = self.estimated = False  # whether any draft was, or its tokens were

    @classmethod
    async def start(cls, named: Named, feature: str, purse: Purse, grader: Grader, *, person_right: bool) -> Side:
        """The side at work. Raises NotFound for an unknown feature, ConfigError."""
        store = PursedStore(purse)
        await store.start()
        if named.revision is not None:
            number = await store.revisions.add(named.revision.data, note="", at_ns=named.revision.at_ns)
            await store.revisions.promote(number, at_ns=named.revision.at_ns)
        app = await App.start(asked_alone(named.config, feature, capped=purse.most is not None), store=store)
        return cls(app, app.policy.features[feature], grader, person_right=person_right)

    @property
    def app(self) -> App:
        """What answers."""
        return self._app

    async def close(self) -> None:
        """Let go of everything."""
        await self._app.close()

    async def ask(self, row: Row) -> Graded:
        """One answer, graded. Raises BudgetSpent when the purse is empty."""
        request = request_of(self._app, self.rules, row)
        decision: Decision | None = None
        try:
            decision = (await self._app.answer(request)).decision
        except BudgetSpent:
            raise
        except RequestRefused:
            pass  # what became of it stands in the journal
        finally:
            entry = await self._app.store.journal.get(request.id)
            cost = entry.nanodollars if entry is not None else 0
            self.nanodollars += cost
        drafts = [step.value for step in entry.steps if isinstance(step.value, Draft)] if entry is not None else []
        self.simulated = self.simulated or any(draft.simulated for draft in drafts)
        self.estimated = self.estimated or any(draft.usage.estimated for draft in drafts)
        score, ended = await self._graded(row, decision, entry)
        self.ended[ended] = self.ended.get(ended, 0) + 1
        return Graded(score=score, ended=ended, nanodollars=cost)

    async def _graded(
        self, row: Row, decision: Decision | None, entry: JournalEntry | None
    ) -> tuple[float | None, str]:  # fmt: skip
        if decision is None or entry is None or _provider_failed(entry):
            return None, "failed"
        for_person = bool(NEVER_BY_A_MODEL & set(row.tags))
        if decision.action != "deliver" or decision.rung is None or decision.attempt is None:
            return float(for_person or self._person_right), "escalated"
        if for_person:
            return 0.0, "delivered"
        text = decision.attempt.answer.text if decision.attempt.answer is not None else ""
        score = await self._grader(row, self.rules.name, text, recorded_as(self._app, decision.rung))
        return score, "delivered" if score is not None else "ungraded"


def asked_alone(config: Config, feature: str, *, capped: bool) -> Config:
    """The configuration as a gate asks it: the policy, and nothing of what surrounds it.

    Without the cache, whose answers are older than the policy; without budgets, rates, audits and shadow calls of its own;
    with a promise taken for certified, since it is the policy that is asked about, not its certificate.

    Raises: ConfigError for an unknown feature, or one that has nothing but a cache.
    """
    rules, given = config.policy.features.get(feature), config.settings.features.get(feature)
    if rules is None or given is None:
        names = ", ".join(config.policy.features)
        raise ConfigError(f"there is no feature {feature!r}; there are {names}", file=config.file)
    ladder = tuple(rung for rung in rules.ladder if rung.kind != "cache")
    if not ladder:
        raise ConfigError(f"feature {feature!r} has no rung but the cache", file=config.file)
    quiet = replace(rules.route, shadow=0.0) if rules.route is not None else None
    alone = replace(rules, ladder=ladder, promise=None, audit=0.0, vary=0.0, route=quiet)
    settings = replace(
        config.settings,
        budget=BudgetSettings(usd=_UNTOLD, window="total") if capped else (),
        rate=(),
        tenants={},
        features={feature: replace(given, budget=(), rate=(), human_budget=None, audit=0.0)},
        recorder=replace(config.settings.recorder, file=""),
        notify=replace(config.settings.notify, webhook="", to=()),
    )
    return replace(config, settings=settings, policy=Policy.of({feature: alone}))


def _provider_failed(entry: JournalEntry) -> bool:
    """Whether a model could not be asked that the policy wanted to ask; a rung that never fits this request is none."""
    drafts = (step.value for step in entry.steps if step.stage == "call")
    return any(isinstance(each, NoDraft) and each.kind in _NOT_ASKED and each.model for each in drafts)
