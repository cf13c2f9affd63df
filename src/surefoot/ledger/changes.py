"""Why a bill differs from the one before: volume, mix, tokens and price, adding up to the nano-dollar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct

from surefoot.records import Spent

CAUSES = ("volume", "mix", "tokens", "price")


class Calls(Struct, frozen=True, kw_only=True):
    """What one feature asked of one rung and model in a period."""

    calls: int
    kinds: Mapping[str, tuple[int, int]]  # by kind of token: (how many, nano-dollars)


Cell = tuple[str, str, str]  # feature, rung, model


class Period(Struct, frozen=True, kw_only=True):
    """What was spent in a stretch of time, and for how many requests."""

    requests: int
    cells: Mapping[Cell, Calls]

    @property
    def nanodollars(self) -> int:
        """All of it."""
        return sum(money for calls in self.cells.values() for _, money in calls.kinds.values())


class Driver(Struct, frozen=True, kw_only=True):
    """What one feature, rung and model added to the difference, beyond the number of requests."""

    feature: str
    rung: str
    model: str
    nanodollars: int
    cause: str  # the greatest part of it: "mix" | "tokens" | "price"


class Change(Struct, frozen=True, kw_only=True):
    """The difference of two periods in nano-dollars; the four causes add up to it exactly."""

    before: int
    after: int
    volume: int  # more or fewer requests at the mean cost of a request
    mix: int  # another share of features, rungs and models in the requests, climbing included
    tokens: int  # another number of tokens a call
    price: int  # another price of a token, cached tokens and other kinds among it
    drivers: tuple[Driver, ...] = ()  # the greatest first, at most five

    @property
    def nanodollars(self) -> int:
        """The difference."""
        return self.after - self.before


def period(rows: Iterable[Spent], requests: int) -> Period:
    """A period of rows grouped by feature, rung, model and kind.

    Args:
        rows: stretches are added up; a cell's calls are the most that any one kind of token has.
        requests: how many there were, each counted once whatever it asked.
    """
    counts: dict[Cell, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for row in rows:
        kept = counts[row.feature, row.rung, row.model][row.kind]
        for place, more in enumerate((row.requests, row.quantity, row.nanodollars)):
            kept[place] += more
    cells = {
        cell: Calls(
            calls=max(calls for calls, _, _ in kinds.values()),
            kinds={kind: (quantity, money) for kind, (_, quantity, money) in kinds.items()},
        )
        for cell, kinds in counts.items()
    }
    return Period(requests=requests, cells=cells)


def compare(before: Period, after: Period) -> Change:
    """The difference of two periods, by cause.

    Money is requests x (calls a request x (tokens a call x price)), divided factor by factor from the outside: each product's
    difference is the one factor's change at the mean of the other. What one period does not know (the price of a model that
    was not asked) is taken from the other, so that it causes nothing; without any request in one of them, all is volume.
    Fractions are exact; rounding to nano-dollars gives the remainder to the causes that lost most by it.

    Source: the indicator of Bennet (1920), JRSS 83, nested; for two factors it is Shapley's value.
    """
    difference = after.nanodollars - before.nanodollars
    if not before.requests or not after.requests:
        return Change(before=before.nanodollars, after=after.nanodollars, volume=difference, mix=0, tokens=0, price=0)
    costs = [Fraction(each.nanodollars, each.requests) for each in (before, after)]
    requests = Fraction(before.requests + after.requests, 2)
    parts = {"volume": (after.requests - before.requests) * (costs[0] + costs[1]) / 2}
    drivers: list[Driver] = []
    for cell in sorted({*before.cells, *after.cells}):
        causes = _cell(before, after, cell)
        for cause, part in causes.items():
            parts[cause] = parts.get(cause, Fraction(0)) + part * requests
        drivers.append(
            Driver(
                feature=cell[0], rung=cell[1], model=cell[2], nanodollars=round(sum(causes.values(), Fraction(0)) * requests),
                cause=max(causes, key=lambda cause: abs(causes[cause])),
            )
        )  # fmt: skip
    drivers = sorted((driver for driver in drivers if driver.nanodollars), key=lambda driver: -abs(driver.nanodollars))
    whole = _rounded([parts.get(cause, Fraction(0)) for cause in CAUSES], difference)
    volume, mix, tokens, price = whole
    return Change(
        before=before.nanodollars, after=after.nanodollars, volume=volume, mix=mix, tokens=tokens, price=price,
        drivers=tuple(drivers[:5]),
    )  # fmt: skip


def _cell(before: Period, after: Period, cell: Cell) -> dict[str, Fraction]:
    """What a cell changes the cost of one request by: mix, tokens and price."""
    old, new = before.cells.get(cell), after.cells.get(cell)
    old, new = old or Calls(calls=0, kinds={}), new or Calls(calls=0, kinds={})
    tokens, price = Fraction(0), Fraction(0)
    shares = [Fraction(each.calls, of.requests) for each, of in ((old, before), (new, after))]
    costs = [_cost(each) for each in (old, new)]
    if not old.calls or not new.calls:
        costs = [costs[1] if not old.calls else costs[0]] * 2
    else:
        share = (shares[0] + shares[1]) / 2
        for kind in {*old.kinds, *new.kinds}:
            (t0, p0), (t1, p1) = _rate(old, kind), _rate(new, kind)
            p0, p1 = (p1 if p0 is None else p0), (p0 if p1 is None else p1)
            if p0 is None or p1 is None:
                continue
            tokens += share * (t1 - t0) * (p0 + p1) / 2
            price += share * (p1 - p0) * (t0 + t1) / 2
    return {"mix": (shares[1] - shares[0]) * (costs[0] + costs[1]) / 2, "tokens": tokens, "price": price}


def _cost(calls: Calls) -> Fraction:
    """Nano-dollars a call; 0 of none."""
    return Fraction(sum(money for _, money in calls.kinds.values()), calls.calls) if calls.calls else Fraction(0)


def _rate(calls: Calls, kind: str) -> tuple[Fraction, Fraction | None]:
    """(tokens a call, nano-dollars a token or None where there is no token).

    Money without tokens (a booking and its return) is one piece a call at what it came to.
    """
    quantity, money = calls.kinds.get(kind, (0, 0))
    if not quantity:
        return (Fraction(1), Fraction(money, calls.calls)) if money else (Fraction(0), None)
    return Fraction(quantity, calls.calls), Fraction(money, quantity)


def _rounded(parts: Sequence[Fraction], total: int) -> list[int]:
    """Whole numbers that add up to the total, each less than 1 from its part (largest remainders)."""
    whole = [part.numerator // part.denominator for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (whole[place] - parts[place], place))
    for place in order[: total - sum(whole)]:
        whole[place] += 1
    return whole
