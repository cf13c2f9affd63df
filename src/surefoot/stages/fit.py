"""fit: which models a rung means for this request, whether it fits them, and what the call may cost at worst."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from surefoot.policy import Policy, limits
from surefoot.providers.billing import worst_case
from surefoot.providers.registry import Model, Registry
from surefoot.records import Ask, Question, Rung, Try
from surefoot.stages.handbook import Handbook

_GO_ON = frozenset({"openai", "anthropic"})  # kinds of provider that can be told what was said before


class Fit:
    """The stage, over the models of one configuration."""

    name = "fit"

    def __init__(self, registry: Registry, policy: Policy, handbooks: Mapping[str, Handbook] | None = None) -> None:
        self._registry, self._policy, self._handbooks = registry, policy, dict(handbooks or {})
        rungs = {rung.name: rung for feature in policy.features.values() for rung in feature.ladder}
        self._known = {name: self._configured(rung) for name, rung in rungs.items()}

    async def __call__(self, value: Try, /) -> Ask:
        """The ask that a try amounts to; its `refusal` says why the rung cannot be asked."""
        request, question, rung = value.request, value.question, value.rung
        handbook = self._handbooks.get(request.feature)
        passages = handbook.texts(question.passages) if handbook is not None else ()
        bars = limits(request.caller, self._policy.features[request.feature], request.at_ns)
        if rung.kind == "cache":  # free, but not what judges its draft
            return Ask(request=request, question=question, rung=rung, limits=bars, passages=passages)
        models = self._models(rung, question, request.feature)
        if isinstance(models, str):
            return Ask(request=request, question=question, rung=rung, refusal=models)
        longer = _longer(question, (*passages, value.said))
        refusal = next((why for model in models if (why := _misfit(model, longer, value.said))), None)
        return Ask(
            request=request,
            question=question,
            rung=rung,
            models=tuple(model.name for model in models),
            reserve_nanodollars=tuple(self._worst(model, longer) for model in models),
            limits=bars,
            passages=passages,
            refusal=refusal,
            said=value.said,
        )

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

    def _worst(self, model: Model, question: Question) -> int:
        """The dearest of the model and its fallbacks: whichever answers, the money is set aside."""
        family = [model, *(found for name in model.fallbacks if (found := self._registry.get(name)))]
        return max(_worst_of(member, question) for member in family)


def _longer(question: Question, texts: tuple[str, ...]) -> Question:
    """The question as long as it will be with the handbook's passages, or with what was said already, in it."""
    more = sum(len(text.encode()) for text in texts) // 3
    return replace(question, input_tokens=question.input_tokens + more) if more else question


def _worst_of(model: Model, question: Question) -> int:
    if model.price is None or question.surface == "count_tokens":
        return 0
    output = 0 if question.surface == "embeddings" else question.max_output_tokens or model.max_output_tokens
    return worst_case(model.price, question.input_tokens, output, question.choices)


def _misfit(model: Model, question: Question, said: str = "") -> str | None:
    if said and model.provider.kind not in _GO_ON:
        return f"model {model.name} cannot go on from another's words"
    if not model.speaks(question.dialect):
        return f"model {model.name} does not speak the {question.dialect} dialect"
    if model.context_tokens is not None and question.input_tokens > model.context_tokens:
        return f"about {question.input_tokens} tokens do not fit the {model.context_tokens} of model {model.name}"
    return None
