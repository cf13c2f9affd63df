"""Which models there are: a configured name, its provider, its price and its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from surefoot.providers import Provider
from surefoot.records import ModelPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model that a rung can ask."""

    name: str  # as configured
    provider: Provider
    upstream: str  # the provider's own name for it
    price: ModelPrice | None  # None: it costs nothing (quotes, recordings, unpriced simulations)
    context_tokens: int | None = None
    max_output_tokens: int = 4096
    fallbacks: tuple[str, ...] = ()
    logprobs: bool = False  # whether token log-probabilities are asked for, whatever the client asks

    def speaks(self, dialect: str) -> bool:
        """Whether it can be asked in a dialect without crossing."""
        return dialect in self.provider.dialects


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All models by name. `vendors` answer for models that no table names, if the price book knows them."""

    models: Mapping[str, Model]
    vendors: tuple[Provider, ...] = ()
    price_of: Callable[[Provider, str], ModelPrice | None] = lambda provider, model: None
    _asked: dict[tuple[str, str], Model | None] = field(default_factory=dict)

    def get(self, name: str) -> Model | None:
        """A configured model, by its name or by its upstream's name; None when there is none."""
        found = self.models.get(name)
        if found is not None:
            return found
        return next((model for model in self.models.values() if model.upstream == name), None)

    def requested(self, name: str, dialect: str) -> Model | None:
        """The model a client names: a configured one, else a priced one of a vendor that speaks the dialect, else None."""
        key = (name, dialect)
        if key not in self._asked:
            if len(self._asked) > 10_000:  # names come from callers: keep no more than this many
                self._asked.clear()
            self._asked[key] = self._find(name, dialect)
        return self._asked[key]

    def _find(self, name: str, dialect: str) -> Model | None:
        found = self.get(name)
        if found is not None and found.speaks(dialect):
            return found
        for vendor in self.vendors:
            if dialect in vendor.dialects:
                price = self.price_of(vendor, name)
                if price is not None:
                    return Model(name=name, provider=vendor, upstream=name, price=price)
        return None
