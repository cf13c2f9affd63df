"""What models cost: from the price book of genai-prices, or from the configuration. Nothing is fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from surefoot.config.schema import PriceSettings
from surefoot.records import ModelPrice, PriceLine

_NANO = Decimal(1_000_000_000)
_OWN_BOOK = {"openai": "openai", "anthropic": "anthropic"}
_FIELDS = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")


class PriceBook:
    """Prices by provider kind and model, looked up once and kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], ModelPrice | None] = {}

    def price(self, kind: str, model: str, override: PriceSettings | None) -> ModelPrice | None:
        """The price of a model: the override, else the book's for its own vendor, else anyone's; None when unpriced."""
        if override is not None:
            return from_settings(override)
        key = (kind, model)
        if key not in self._known:
            self._known[key] = _from_book(kind, model)
        return self._known[key]

    def block(self, name: str) -> str:
        """The TOML to paste for a model without a price."""
        return f'[models."{name}".price]\ninput_usd_per_million = 0.0\noutput_usd_per_million = 0.0\n'


def from_settings(settings: PriceSettings) -> ModelPrice:
    """A price as configured; cached and written tokens cost as much as others unless it says otherwise."""
    read, write = settings.cached_usd_per_million, settings.cache_write_usd_per_million
    line = PriceLine(
        input=_nano(settings.input_usd_per_million),
        cached=_nano(settings.input_usd_per_million if read is None else read),
        cache_write=_nano(settings.input_usd_per_million if write is None else write),
        output=_nano(settings.output_usd_per_million),
    )
    return ModelPrice(version="config", tiers=(line,), request=_nano(settings.request_usd))


def _from_book(kind: str, model: str) -> ModelPrice | None:
    # Imported here because it takes a tenth of a second, and a start without priced models does not need it.
    from genai_prices.data_snapshot import get_snapshot

    book = get_snapshot()
    for vendor in dict.fromkeys((_OWN_BOOK.get(kind), None)):
        try:
            _, found = book.find_provider_model(model, None, vendor, None)
        except LookupError:
            continue
        return _price(found.get_prices(datetime.now(UTC)))
    return None


def _price(found: Any) -> ModelPrice | None:
    given = {name: getattr(found, name, None) for name in _FIELDS}
    if given["input_mtok"] is None:
        return None
    starts = sorted({tier.start for price in given.values() for tier in getattr(price, "tiers", ())})
    lines = tuple(_line(given, start) for start in (0, *starts))
    request = getattr(found, "requests_kcount", None)
    return ModelPrice(
        version=f"genai-prices {version('genai-prices')}",
        tiers=lines,
        request=_nano(request) // 1000 if isinstance(request, Decimal) else 0,
    )


def _line(given: dict[str, Any], start: int) -> PriceLine:
    base, cached, written, output = (_at(given[name], start) for name in _FIELDS)
    return PriceLine(
        from_input_tokens=start + 1 if start else 0,  # the book's tiers begin above their threshold
        input=_nano(base or 0),
        cached=_nano(base or 0 if cached is None else cached),
        cache_write=_nano(base or 0 if written is None else written),
        output=_nano(output or 0),
    )


def _at(price: Any, start: int) -> Decimal | None:
    if price is None or isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if start and tier.start <= start]
    found: Decimal = reached[-1] if reached else price.base
    return found


def _nano(usd: float | Decimal) -> int:
    """USD per million tokens as nano-dollars per million tokens, exact for what was written."""
    return int((Decimal(str(usd)) * _NANO).to_integral_value())
