"""Prompt lint over the store or over a file, with the configuration's prices and handbooks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from surefoot.config.load import Config
from surefoot.errors import BadRequest, NotFound
from surefoot.ledger.lint.cachemiss import Miss, explain
from surefoot.ledger.lint.places import lines
from surefoot.ledger.lint.reading import Metered, PriceOf, Texts, sample_of, traffic_of
from surefoot.ledger.lint.report import Report, lint
from surefoot.ledger.lint.sample import Call, Sample, estimated_tokens
from surefoot.ledger.lint.segments import Prompt, prompt_of
from surefoot.ledger.lint.traffic import Traffic
from surefoot.providers.prices import PriceBook
from surefoot.records import ModelPrice
from surefoot.stages.handbook import Handbook
from surefoot.store import Store

SAMPLED = 500  # requests that are looked at, unless somebody asks for more


class Linted(Struct, frozen=True, kw_only=True):
    """A feature's report with what it rests on."""

    report: Report
    metered: Metered | None  # None: of a file
    content: bool  # whether the store keeps content


async def lint_feature(
    store: Store, config: Config, feature: str, *, since_ns: int, now_ns: int, most: int = SAMPLED, seed: int = 0
) -> Linted:
    """The report on a feature's traffic. Raises NotFound for an unknown feature, StoreError."""
    if feature not in config.policy.features:
        raise NotFound(f"there is no feature {feature!r}; there are {', '.join(config.policy.features)}")
    traffic, metered = await traffic_of(
        store, feature, since_ns=since_ns, now_ns=now_ns, most=most, seed=seed, price_of=prices(config),
        texts=_texts(config, feature),
    )  # fmt: skip
    return Linted(report=await asyncio.to_thread(lint, traffic), metered=metered, content=config.settings.store.content)


async def explain_requests(store: Store, config: Config, before: str, after: str) -> Miss:
    """Why the provider's cache missed on the second request. Raises NotFound, also where no content is kept."""
    found: list[Sample] = []
    for request_id in (before, after):
        entry = await store.journal.get(request_id)
        texts = _texts(config, entry.feature if entry else "")
        sample = await sample_of(store, request_id, price_of=prices(config), texts=texts)
        if sample is None:
            raise NotFound(f"the content of {request_id} is not kept, so there is nothing to compare")
        found.append(sample)
    return explain(*found)


def lint_file(data: bytes, *, name: str, config: Config | None = None) -> Linted:
    """The report on requests in a file: one JSON body, or one a line. Nothing is known of their traffic.

    Raises: BadRequest, with the line, for what is no request.
    """
    samples = [Sample(prompt=prompt, calls=_call(prompt, config)) for prompt in _prompts(data)]
    traffic = Traffic(samples, [None, *samples[:-1]], feature=name, own=True)
    return Linted(report=lint(traffic), metered=None, content=True)


def prices(config: Config) -> PriceOf:
    """Prices by a provider's name and a model's own: as configured, else from the book."""
    book, settings = PriceBook(), config.settings

    def price_of(provider: str, model: str) -> ModelPrice | None:
        given = settings.providers.get(provider)
        named = [
            each.price
            for name, each in settings.models.items()
            if model in (name, each.model) and provider == each.provider
        ]
        return book.price(given.kind if given else provider, model, named[0] if named else None)

    return price_of


def _prompts(data: bytes) -> Sequence[Prompt]:
    rows = list(lines(data))
    if len(rows) > 1 and rows[0][1].strip().endswith(b"}") and rows[1][1].lstrip().startswith(b"{"):
        found = []
        for number, (_, row) in enumerate(rows, 1):
            try:
                found.append(prompt_of(row))
            except BadRequest as error:
                raise BadRequest(f"request {number}: {error.message}", param=error.param) from error
        return found
    return [prompt_of(data)]


def _call(prompt: Prompt, config: Config | None) -> tuple[Call, ...]:
    """What a request's input would cost, nothing cached, by its length in bytes."""
    tokens = estimated_tokens(prompt)
    given = config.settings.models.get(prompt.model) if config else None
    name = (given.model if given else None) or prompt.model.rpartition("/")[2]  # LiteLLM writes "openai/gpt-4o"
    price = PriceBook().price(prompt.dialect, name, given.price if given else None)
    line = price.line(tokens) if price is not None else None
    return (Call(provider=prompt.dialect, model=prompt.model, input_tokens=tokens, price=line, estimated=True),)


def _texts(config: Config, feature: str) -> Texts:
    given = config.settings.features.get(feature)
    if given is None or not given.handbook:
        return lambda ids: ()
    return Handbook(given.handbook).texts
