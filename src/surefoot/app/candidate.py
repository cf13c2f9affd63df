"""A candidate beside what serves: what was moved, whether a replay can see it, what its models cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs
from msgspec.structs import replace

from surefoot.app.learn import Served
from surefoot.config.build import build_policy, rung_models
from surefoot.config.checks import problems_of
from surefoot.config.load import Config
from surefoot.config.schema import AdmitSettings, FeatureSettings, File, ModelSettings, PriceSettings
from surefoot.errors import ConfigError
from surefoot.evals.paths import Meant, enforced
from surefoot.policy import Policy, overlay, parse_ladder, rung_names
from surefoot.providers.billing import cost_of, worst_case
from surefoot.providers.prices import PriceBook
from surefoot.records import Entry, ModelPrice, Question, Usage

# What is asked, sent or checked hangs on these: what they would have brought is in no journal.
_EFFECTS = (
    "cache", "checks", "compress", "gates", "handbook", "judge", "mask", "schema", "stream", "window",
)  # fmt: skip
_WORDS = {"role": "", "holding": "", "red_flag": False}  # of an admit rule: these do not say what it matches
_INPUTS = ("input", "cached_input", "cache_write")
_PRICED = (*_INPUTS, "output", "request")  # an orphan's reservation stays as it was booked


class Moves(Struct, frozen=True, kw_only=True):
    """Common changes that need no file; None: as it is."""

    confidence: float | None = None
    ladder: tuple[str, ...] | None = None
    person_hourly_usd: float | None = None
    prices: Mapping[str, tuple[float, float]] = {}  # by model name: USD per million tokens of input and of output


class Priced(Struct, frozen=True):
    """What a call of a model can cost."""

    price: ModelPrice | None  # None: nothing
    output_tokens: int  # that it may write where the client sets no limit
    tries: int  # that may be billed for their prompt


class Candidate(Struct, frozen=True, kw_only=True):
    """What is asked about."""

    policy: Policy  # the one feature, enforced
    version: str  # of the whole candidate policy
    meant: Meant
    prices: Mapping[tuple[str, str], ModelPrice | None]  # by (provider, upstream name): of models whose price was moved
    models: Mapping[str, Priced]  # by name
    judged: bool  # whether a judge is paid too
    hourly_nanodollars: int
    sla_seconds: float
    role: str
    left_out: tuple[str, ...] = ()  # what was learned and does not fit the candidate

    def bill(self, lines: Sequence[Entry]) -> dict[str, int]:
        """By rung, what models cost a request, at the candidate's prices where these were moved.

        A shadow call's rung costs what it would have cost on the way.
        """
        found: dict[str, int] = {}
        moved: dict[tuple[str, str, str], list[Entry]] = {}
        for line in lines:
            if line.kind == "human":
                continue
            if (line.provider, line.model) in self.prices and line.kind in _PRICED:
                moved.setdefault((_on_the_way(line.rung), line.provider, line.model), []).append(line)
            else:
                rung = _on_the_way(line.rung)
                found[rung] = found.get(rung, 0) + line.nanodollars
        for (rung, provider, model), group in moved.items():
            price = self.prices[provider, model]
            found[rung] = found.get(rung, 0) + (_repriced(group, price) if price is not None else 0)
        return found

    def ceiling(self, question: Question | None, feature: str, rung: str) -> int | None:
        """The most that a ladder can cost from a rung on, as it would be reserved; None where there is no limit to name."""
        rungs = self.policy.features[feature].ladder
        place = next((at for at, each in enumerate(rungs) if each.name == rung), None)
        if question is None or place is None or self.judged:
            return None
        total = 0
        for each in rungs[place:]:
            if each.kind not in ("model", "pair", "cache"):
                return None
            for name in each.models:
                model = self.models[name]
                if model.price is not None:
                    written = question.max_output_tokens or model.output_tokens
                    total += worst_case(
                        model.price, question.input_tokens, written, question.choices, tries=model.tries
                    )  # fmt: skip
        return total


def _on_the_way(rung: str) -> str:
    return rung.removeprefix("shadow.")


def moved(settings: File, feature: str, moves: Moves) -> File:
    """Settings with the common changes made. Raises ConfigError for what cannot be, in the words of the option."""
    given = settings.features[feature]
    if moves.confidence is not None:
        given = replace(given, confidence=moves.confidence)
    if moves.ladder is not None:
        names = rung_names(parse_ladder(moves.ladder))
        given = replace(given, ladder=moves.ladder, maps={rung: m for rung, m in given.maps.items() if rung in names})
    models, people = dict(settings.models), dict(settings.people)
    for name, (read, written) in moves.prices.items():
        if name not in models:
            raise ConfigError(f"there is no model {name!r}; there are {', '.join(models)}", file="--price")
        price = PriceSettings(input_usd_per_million=read, output_usd_per_million=written)
        models[name] = replace(models[name], price=price)
    if moves.person_hourly_usd is not None:
        if given.person not in people:
            raise ConfigError(f"there is no [people.{given.person}] whose cost could be moved", file="--person-hourly")
        people[given.person] = replace(people[given.person], hourly_cost_usd=moves.person_hourly_usd)
    found = replace(settings, features={**settings.features, feature: given}, models=models, people=people)
    for problem in problems_of(found):
        raise ConfigError(problem.message, file="the candidate", key=".".join(problem.path))
    return found


def candidate_of(now: Served, serving: Config, settings: File, feature: str) -> Candidate:
    """The candidate that settings amount to, with what labels taught laid over it.

    Raises: ConfigError where it moves something whose effect no journal holds.
    """
    if feature not in settings.features:
        raise ConfigError(f"the candidate has no feature {feature!r}; it has {', '.join(settings.features)}")
    unseen = list(_unseen(serving.settings.features[feature], settings.features[feature]))
    if unseen:
        raise ConfigError(
            f"a what-if replays what was asked and checked, and these change it: {', '.join(unseen)}; try them with "
            "`surefoot trial`, or let them serve in observe", file="the candidate",
        )  # fmt: skip
    meant = rung_models(settings)
    policy, left_out = overlay(build_policy(settings), now.learned, meant)
    rules = policy.features[feature]
    book = PriceBook()
    return Candidate(
        policy=Policy.of({feature: enforced(rules)}), version=policy.version, meant=meant,
        prices=dict(_moved_prices(serving.settings, settings, book)),
        models={name: _priced(name, settings, book) for name in settings.models},
        judged=settings.features[feature].judge is not None, hourly_nanodollars=rules.person.hourly_nanodollars,
        sla_seconds=rules.person.sla_seconds, role=rules.person.role, left_out=left_out,
    )  # fmt: skip


def _unseen(before: FeatureSettings, after: FeatureSettings) -> Sequence[str]:
    found = [name for name in _EFFECTS if getattr(before, name) != getattr(after, name)]
    if (before.route is None) != (after.route is None) and after.route is not None:
        found.append("route")
    known = {rule.name: _matching(rule) for rule in before.admit}
    found += [f"admit {rule.name}" for rule in after.admit if known.get(rule.name) != _matching(rule)]
    return found


def _matching(rule: AdmitSettings) -> AdmitSettings:
    return structs.replace(rule, **_WORDS)


def _moved_prices(before: File, after: File, book: PriceBook) -> Sequence[tuple[tuple[str, str], ModelPrice | None]]:
    found = []
    for name, given in after.models.items():
        old = before.models.get(name)
        if old is not None and _told(old, name) == _told(given, name) and old.price != given.price:
            found.append(((given.provider, given.model or name), _price(name, after, book)))
    return found


def _told(given: ModelSettings, name: str) -> tuple[str, str]:
    return given.provider, given.model or name


def _price(name: str, settings: File, book: PriceBook) -> ModelPrice | None:
    given = settings.models[name]
    provider = settings.providers.get(given.provider)
    kind = provider.kind if provider is not None else given.provider
    return book.price(kind, given.model or name, given.price)


def _priced(name: str, settings: File, book: PriceBook) -> Priced:
    given = settings.models[name]
    provider = settings.providers.get(given.provider)
    return Priced(
        _price(name, settings, book), given.max_output_tokens, 1 + (provider.retries if provider is not None else 0)
    )


def _repriced(lines: Sequence[Entry], price: ModelPrice) -> int:
    """What a rung's calls of one model cost at another price. Calls of one kind are taken together: their tokens count, and
    the tier is that of all of them where a call was repeated.
    """
    tokens = {kind: sum(line.quantity for line in lines if line.kind == kind) for kind in (*_INPUTS, "output")}
    usage = Usage(
        input_tokens=sum(tokens[kind] for kind in _INPUTS), cached_tokens=tokens["cached_input"],
        cache_write_tokens=tokens["cache_write"], output_tokens=tokens["output"],
    )  # fmt: skip
    return cost_of(usage, price)
