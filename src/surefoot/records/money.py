"""Money in integer nano-dollars (1 USD = 1,000,000,000). Floats never touch it."""

from __future__ import annotations

from msgspec import Struct

PER = 1_000_000  # prices are quoted per this many tokens


class PriceLine(Struct, frozen=True, kw_only=True):
    """Prices in nano-dollars per million tokens, valid for prompts of at least `from_input_tokens`."""

    from_input_tokens: int = 0
    input: int
    cached: int
    cache_write: int
    output: int


class ModelPrice(Struct, frozen=True, kw_only=True):
    """What a model costs, and where that is known from. `tiers` ascend by `from_input_tokens`; the first starts at 0."""

    version: str  # "genai-prices 0.2.3" | "config" | "free"
    tiers: tuple[PriceLine, ...]
    request: int = 0  # nano-dollars per call, whatever its length

    def line(self, input_tokens: int) -> PriceLine:
        """The tier that a prompt of this length is billed in, all of it (providers do not bill by slices)."""
        chosen = self.tiers[0]
        for tier in self.tiers[1:]:
            if input_tokens >= tier.from_input_tokens:
                chosen = tier
        return chosen


class Budget(Struct, frozen=True, kw_only=True):
    """What may be spent in a window at a place (organisation, tenant, feature, key), in one pot or in one for each of `per`."""

    nanodollars: int
    window: str = "month"  # "hour" | "day" | "week" | "month" | "total"; UTC, weeks begin on Monday
    per: str = "all"  # "all" | "tenant" | "feature" | "key"
    cheaper: bool = False  # at the limit: leave out rungs that do not fit, instead of refusing the request
    warn_at: tuple[float, ...] = ()  # shares of it, in (0, 1], ascending
    people: bool = False  # whether people's minutes count too; they are never refused


class Rate(Struct, frozen=True, kw_only=True):
    """What may be asked in a calendar minute at a place, in one pot or one for each of `per`. None: as much as is wanted."""

    requests: int | None = None
    tokens: int | None = None  # input and output
    per: str = "all"  # "all" | "tenant" | "feature" | "key"


class BudgetLimit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One budget that a call must fit in."""

    scope: str  # the pot: "organisation", "tenant:T", "feature:F", "key:K/feature:F"; `policy.budget` makes it
    window: str  # label of the current window: "2026-11-24T13", "2026-11-24", "2026-W48", "2026-11", "total"
    limit_nanodollars: int
    resets_at_ns: int | None = None
    cheaper: bool = False  # as of the budget
    warn_at: tuple[float, ...] = ()
    soft: bool = False  # never refuses: of people's minutes, which may exceed a budget


def cost(tokens: int, per_million: int) -> int:
    """Nano-dollars for tokens at a price per million: rounded half up, once per ledger entry."""
    return (tokens * per_million + PER // 2) // PER


def usd(nanodollars: int) -> str:
    """Nano-dollars as exact decimal USD."""
    sign, amount = ("-", -nanodollars) if nanodollars < 0 else ("", nanodollars)
    return f"{sign}{amount // 1_000_000_000}.{amount % 1_000_000_000:09d}"
