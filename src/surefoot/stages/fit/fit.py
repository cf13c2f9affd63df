"""The stage: a try becomes an ask, with models, a prompt that fits them, and the worst case in money; or a refusal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from surefoot.policy import Budgets, Policy
from surefoot.policy.budget import HOUR_NS
from surefoot.providers.billing import worst_case
from surefoot.providers.imagetokens import illustrated
from surefoot.providers.registry import Model, Registry
from surefoot.providers.tokens import Estimator
from surefoot.records import Ask, BudgetLimit, Caller, Question, Request, Rung, Shortened, Try
from surefoot.stages.fit.count import tokens_of
from surefoot.stages.fit.marks import marked
from surefoot.stages.fit.prefixes import Prefixes
from surefoot.stages.fit.shorten import Sent, compressed, sealed, windowed
from surefoot.stages.handbook import Handbook
from surefoot.wire import Top

_JUDGED = ("model", "pair", "requested", "continued")  # kinds of rung whose prompts are shortened
_REMEMBERED = 256  # requests under way whose shortened prompt is kept for the next rung
_WHOLE = Shortened()
_GO_ON = frozenset({"openai", "anthropic"})  # kinds of provider that can be told what was said before


class Fit:
    """The stage, over the models of one configuration."""

    name = "fit"

    def __init__(
        self, registry: Registry, policy: Policy, handbooks: Mapping[str, Handbook] | None = None, *,
        estimator: Estimator | None = None, prefixes: Prefixes | None = None, harmful: Mapping[str, bool] | None = None,
        budgets: Budgets | None = None,
    ) -> None:  # fmt: skip
        """A stage over the models of a configuration.

        Args:
            harmful: by feature, whether its compression did too much harm; looked up at every request.
        """
        self._budgets = budgets or Budgets()
        self._registry, self._policy, self._handbooks = registry, policy, dict(handbooks or {})
        rungs = {rung.name: rung for feature in policy.features.values() for rung in feature.ladder}
        self._known = {name: self._configured(rung) for name, rung in rungs.items()}
        self._estimator, self._prefixes = estimator or Estimator(), prefixes or Prefixes()
        self._harmful = harmful if harmful is not None else {}
        self._made: OrderedDict[str, Sent] = OrderedDict()
        self._limits: dict[tuple[str, str], tuple[Caller, int, tuple[BudgetLimit, ...]]] = {}  # by key and feature

    async def __call__(self, value: Try, /) -> Ask:
        """The ask that a try amounts to; its `refusal` says why the rung cannot be asked."""
        request, question, rung = value.request, value.question, value.rung
        handbook = self._handbooks.get(request.feature)
        passages = handbook.texts(question.passages) if handbook is not None else ()
        bars = self._bars(request)
        if rung.kind == "cache":  # free, but not what judges its draft
            return Ask(request=request, question=question, rung=rung, limits=bars, passages=passages)
        models = self._models(rung, question, request.feature)
        if isinstance(models, str):
            return Ask(request=request, question=question, rung=rung, refusal=models)
        longer = _longer(question, (*passages, value.said))
        sent = self._sent(request, rung, passages)
        refusal = next((why for model in models if (why := _misfit(model, question, value.said))), None)
        too_long = None if refusal else self._too_long(models, request, sent, value.said)
        if too_long and (keep := self._policy.features[request.feature].window) and rung.kind in _JUDGED:
            sent = windowed(sent, request, keep, lambda top, own: self._fits(models, request, top, (*own, value.said)))
            too_long = self._too_long(models, request, sent, value.said)
        if refusal is None and too_long is None:
            sent = self._marked(models, request, rung, sent)
        sent = sealed(sent, request)
        return Ask(
            request=request,
            question=question,
            rung=rung,
            models=tuple(model.name for model in models),
            reserve_nanodollars=tuple(self._worst(model, longer, request) for model in models),
            limits=bars,
            passages=passages,
            refusal=refusal or too_long,
            too_long=refusal is None and too_long is not None and self._is_hopeless(request, question, sent),
            said=value.said,
            top=sent.top if sent.top is not request.top else None,
            sent=sent.handbook if sent.handbook != passages else None,
            shortened=sent.shortened if sent.shortened != _WHOLE else None,
        )

    def _bars(self, request: Request) -> tuple[BudgetLimit, ...]:
        """The budgets that a call must fit in. The narrowest window is an hour: until it ends they are those of before."""
        place, hour = (request.caller.key_id, request.feature), request.at_ns // HOUR_NS
        known = self._limits.get(place)
        if known is None or known[1] != hour or known[0] != request.caller:
            limits = self._budgets.limits(request.caller, request.feature, request.at_ns)
            known = self._limits[place] = (request.caller, hour, limits)
        return known[2]

    def _sent(self, request: Request, rung: Rung, passages: tuple[str, ...]) -> Sent:
        """The prompt with its passages compressed where the feature wants it; the same for every rung of a request."""
        rules = self._policy.features[request.feature].compress
        if rules is None or request.surface != "chat" or rung.kind not in _JUDGED:
            return Sent(request.top, passages, _WHOLE)
        found = self._made.get(request.id)
        if found is None:
            stopped = self._harmful.get(request.feature, False)
            found = compressed(request, passages, rules, self._prefixes, stopped=stopped)
            self._made[request.id] = found
            if len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)
        return found

    def _marked(self, models: Sequence[Model], request: Request, rung: Rung, sent: Sent) -> Sent:
        """With marks for Anthropic's cache, where they pay."""
        rules = self._policy.features[request.feature]
        if not rules.cache_marks or request.surface != "chat" or rung.kind not in _JUDGED or len(models) != 1:
            return sent
        if models[0].provider.kind != "anthropic" or request.dialect != "anthropic":
            return sent
        own = bool(sent.handbook)
        top = marked(sent.top, request, models[0], self._estimator, self._prefixes, own_passages=own)
        if top is None:
            return sent
        return Sent(top, sent.handbook, replace(sent.shortened, marked=True))

    def _too_long(self, models: Sequence[Model], request: Request, sent: Sent, said: str) -> str | None:
        for model in models:
            count = self._count(model, request, sent.top, (*sent.handbook, said))
            if model.context_tokens is not None and count > model.context_tokens:
                return f"about {count} tokens do not fit the {model.context_tokens} of model {model.name}"
        return None

    def _fits(self, models: Sequence[Model], request: Request, top: Top, more: Sequence[str]) -> bool:
        return all(
            model.context_tokens is None or self._count(model, request, top, more) <= model.context_tokens
            for model in models
        )

    def _count(self, model: Model, request: Request, top: Top, more: Sequence[str]) -> int:
        """Tokens of a prompt with what is added to it, and of the answer that the client wants room for."""
        if model.context_tokens is None:
            return 0
        added = sum(len(text.encode()) for text in more)
        room = request.max_output_tokens or 0
        return (
            tokens_of(self._estimator, model, request.dialect, top)
            + self._estimator.count(model.upstream, added)
            + room
        )

    def _is_hopeless(self, request: Request, question: Question, sent: Sent) -> bool:
        """Whether no rung of the ladder has a model with a window for the prompt."""
        for rung in self._policy.features[request.feature].ladder:
            models = () if rung.kind == "cache" else self._models(rung, question, request.feature)
            if isinstance(models, str) or not models or any(_misfit(model, question) for model in models):
                continue
            if self._too_long(models, request, sent, "") is None:
                return False
        return True

    def _models(self, rung: Rung, question: Question, feature: str) -> tuple[Model, ...] | str:
        if rung.kind in ("requested", "relay") or (rung.kind == "continued" and not rung.models):
            found = self._registry.requested(question.model, question.dialect)
            if found is None and rung.kind == "relay":
                found = self._first(feature, question.dialect)
            return (found,) if found else f"no provider of the {question.dialect} dialect offers this model"
        return self._known.get(rung.name) or self._configured(rung)

    def _configured(self, rung: Rung) -> tuple[Model, ...] | str:
        models = []
        for name in rung.models:
            model = self._registry.get(name)
            if model is None:
                return f"model {name} is not configured"
            models.append(model)
        return tuple(models)

    def _first(self, feature: str, dialect: str) -> Model | None:
        named = (self._registry.get(name) for name in self._policy.features[feature].models())
        return next((model for model in named if model and model.speaks(dialect)), None)

    def _worst(self, model: Model, question: Question, request: Request) -> int:
        """The dearest of the model and its fallbacks: whichever answers, the money is set aside."""
        family = [model, *(found for name in model.fallbacks if (found := self._registry.get(name)))]
        images = illustrated(request.body, request.top)
        if images is None:
            return max(_worst_of(member, question) for member in family)
        bare = question.input_tokens - images.image_tokens(request.dialect, request.model)
        return max(
            _worst_of(
                member,
                replace(question, input_tokens=bare + images.image_tokens(member.provider.kind, member.upstream)),
            )
            for member in family
        )


def _longer(question: Question, texts: tuple[str, ...]) -> Question:
    """The question as long as it will be with the handbook's passages, or with what was said already, in it."""
    more = sum(len(text.encode()) for text in texts) // 3
    return replace(question, input_tokens=question.input_tokens + more) if more else question


def _worst_of(model: Model, question: Question) -> int:
    if model.price is None or question.surface == "count_tokens":
        return 0
    output = 0 if question.surface == "embeddings" else question.max_output_tokens or model.max_output_tokens
    return worst_case(model.price, question.input_tokens, output, question.choices, tries=model.provider.tries)


def _misfit(model: Model, question: Question, said: str = "") -> str | None:
    if said and model.provider.kind not in _GO_ON:
        return f"model {model.name} cannot go on from another's words"
    if not model.speaks(question.dialect):
        return f"model {model.name} does not speak the {question.dialect} dialect"
    return None
