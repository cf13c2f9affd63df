"""What asking items will cost, before anything is asked: from prices, bytes and the length of known answers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from surefoot.app import App
from surefoot.policy import Feature
from surefoot.providers.billing import cost_of, worst_case
from surefoot.providers.registry import Model
from surefoot.providers.rows import Row
from surefoot.providers.tokens import estimate
from surefoot.records import Usage
from surefoot.trial.asking import request_of

ANSWER_TOKENS = 300  # of an answer of which no other is known
_VERDICT_TOKENS = 60  # of a judge


class Cost(Struct, frozen=True, kw_only=True):
    """What a number of items will cost, in nano-dollars. Tokens are estimated from bytes."""

    least: int  # when every first rung is enough
    whole: int  # when every rung is asked, its judge as well
    worst: int  # and answers are as long as they may be
    unpriced: tuple[str, ...] = ()  # models whose price nobody knows: they are in none of these


def cost_before(app: App, feature: Feature, rows: Sequence[Row], *, samples: int) -> Cost:
    """The cost of asking each row `samples` times."""
    settings = app.config.settings.features[feature.name]
    judge = app.registry.get(settings.judge.model) if settings.judge is not None else None
    rungs = [[model for name in rung.models if (model := app.registry.get(name))] for rung in feature.ladder]
    known = [model for rung in rungs for model in (*rung, *([judge] if judge and rung else []))]
    unpriced = {model.name for model in known if model.price is None and model.provider.kind != "extractive"}
    handbook = app.serving.runtime.handbooks.get(feature.name)
    least = whole = worst = 0
    for row in rows:
        size = len(request_of(app, feature, row).body)
        if handbook is not None:
            size += sum(len(text.encode()) for text in handbook.texts(handbook.look_up(row.query)))
        out = _answer_tokens(row)
        by_rung = [sum(_likely(model, size, out) for model in rung) for rung in rungs]
        judging = 0 if judge is None else _likely(judge, size + 4 * out, _VERDICT_TOKENS)
        least += by_rung[0] + judging
        whole += sum(by_rung) + judging * len(rungs)
        worst += sum(_worst(model, size) for model in known)
    return Cost(
        least=least * samples, whole=whole * samples, worst=worst * samples, unpriced=tuple(sorted(unpriced))
    )  # fmt: skip


def _answer_tokens(row: Row) -> int:
    texts = [*row.accepted, *(answer.text for answer in row.answers.values() if answer.text)]
    return max(map(estimate, texts)) if texts else ANSWER_TOKENS


def _likely(model: Model, size: int, out: int) -> int:
    if model.price is None:
        return 0
    return cost_of(Usage(input_tokens=-(-size // 4), output_tokens=out, estimated=True), model.price)


def _worst(model: Model, size: int) -> int:
    return 0 if model.price is None else worst_case(model.price, -(-size // 3), model.max_output_tokens, 1)
