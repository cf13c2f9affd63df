"""What a bet is worth: how probable it is that it works, what that brings, and which look at it pays best next.

The prior is sceptical and declared: nothing moves, give or take so much that one change in ten moves as far as was hoped. Each
stage of looking has a bias of its own, since a file is not the traffic and a shadow is not what users see; its standard
deviation is a declared share of what was hoped, and more items do not shrink it. So a trial alone can never prove a bet.
Sources: normal updating, Gelman et al. (2013), Bayesian Data Analysis, chapter 2; worth of a look, Raiffa and Schlaifer (1961);
the bound at every look, Robbins (1970), a normal mixture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.records.bet import STAGES, Result, Stake
from surefoot.stats.intervals import Mean

PRIOR_REACHES = 0.1  # P(a change moves as far as was hoped), before anything is known
BIAS = {"trial": 0.5, "replay": 0.3, "shadow": 0.2, "ab": 0.0}  # sd of a stage's bias, as a share of what was hoped
MONTHS = 6  # over which a decision is worth something
_SURE = 0.05  # doubt of the bound that holds at every look
_POWER = 0.8416 + 1.6449  # standard errors between nothing and what was hoped: 80 % power, 5 % one-sided
_Z10, _Z95 = 1.2816, 1.959964
_TELLS = 0.1  # of what the best look tells: one that tells less is no advice, however cheap
_LEAST = 30  # items below which a look is not worth the name
_MOST = 1_000_000


class Prices(Struct, frozen=True, kw_only=True):
    """What a look costs an item, and how far items scatter where no result says so. None is unknown."""

    usd: Mapping[str, float | None]  # by stage
    item_sd: float | None  # standard deviation of one item's difference


class Look(Struct, frozen=True, kw_only=True):
    """A look that could be taken next: as many items as show what was hoped for with 80 % power."""

    stage: str
    n: int | None  # None: unknown, or more than a million
    usd: float | None
    gains_usd: float | None  # what knowing it is worth over MONTHS, before its price; None: a unit's worth is not known
    p_changes: float | None  # P(it turns the decision)


class Odds(Struct, frozen=True, kw_only=True):
    """What is believed of a bet. Effects are in the measure's unit, above 0 is better."""

    prior_sd: float
    effect: float
    low: float  # 95 %
    high: float
    p_works: float  # P(effect >= what was hoped)
    p_helps: float  # P(effect > 0)
    n: int  # items of all results
    surely: str  # "better" | "worse" | "": what the A/B results say with 95 %, at every look
    month_usd: float | None  # expected, if it were promoted; None: a unit's worth or the volume is not known
    month_low_usd: float | None  # 95 %
    month_high_usd: float | None
    spent_usd: float  # on finding out so far
    looks: tuple[Look, ...]  # that can be priced or not, the best buy first

    @property
    def next_look(self) -> Look | None:
        """The best buy of those that tell enough; None where none is worth its price, or nothing is known."""
        most = max((look.gains_usd for look in self.looks if look.gains_usd is not None), default=0.0)
        for look in self.looks:
            if look.gains_usd is None or look.usd is None or look.gains_usd <= look.usd:
                continue
            if look.gains_usd >= _TELLS * most:
                return look
        return None


def odds(
    stake: Stake, results: Sequence[Result], *, prices: Prices, requests: Mean, worth_usd: float | None
) -> Odds:  # fmt: skip
    """What is believed after some results.

    Args:
        results: each on data of its own.
        requests: a day's requests, over days; its value None when there were none.
        worth_usd: of one unit for one request; None: unknown.
    Raises: ValueError for what was hoped, or an error, that is not above 0.
    """
    if stake.moves <= 0 or any(each.error <= 0 for each in results):
        raise ValueError("what is hoped for and standard errors are above 0")
    prior_sd = stake.moves / _Z10
    precision, weighted = prior_sd**-2, 0.0
    for stage in STAGES:
        pooled = _pooled([each for each in results if each.stage == stage])
        if pooled is not None:
            mine = 1 / (pooled[1] ** 2 + (BIAS[stage] * stake.moves) ** 2)
            precision, weighted = precision + mine, weighted + mine * pooled[0]
    mean, sd = weighted / precision, precision**-0.5
    month = _month(mean, sd, requests, worth_usd)
    unit = None if worth_usd is None or requests.value is None else worth_usd * requests.value * 30 * MONTHS
    looks = [_look(stage, stake, results, prices, mean, sd, unit) for stage in STAGES]
    return Odds(
        prior_sd=prior_sd, effect=mean, low=mean - _Z95 * sd, high=mean + _Z95 * sd,
        p_works=_above(stake.moves, mean, sd), p_helps=_above(0.0, mean, sd), n=sum(each.n for each in results),
        surely=_surely([each for each in results if each.stage == "ab"], prior_sd),
        month_usd=month[0], month_low_usd=month[1], month_high_usd=month[2],
        spent_usd=math.fsum(each.cost_usd for each in results), looks=tuple(sorted(looks, key=_bargain)),
    )  # fmt: skip


def _pooled(results: Sequence[Result]) -> tuple[float, float] | None:
    """(effect, standard error) of one stage's results together; None of none."""
    if not results:
        return None
    weights = [each.error**-2 for each in results]
    total = math.fsum(weights)
    return math.fsum(w * each.effect for w, each in zip(weights, results, strict=True)) / total, total**-0.5


def _surely(results: Sequence[Result], prior_sd: float) -> str:
    """What A/B results say, however often one looked: a mixture of bets against "nothing moves" has won twentyfold."""
    pooled = _pooled(results)
    if pooled is None:
        return ""
    effect, variance, mixed = pooled[0], pooled[1] ** 2, prior_sd**2
    wealth = 0.5 * math.log(variance / (variance + mixed)) + effect**2 * mixed / (2 * variance * (variance + mixed))
    if wealth < -math.log(_SURE):
        return ""
    return "better" if effect > 0 else "worse"


def _month(
    mean: float, sd: float, requests: Mean, worth_usd: float | None
) -> tuple[float | None, float | None, float | None]:  # fmt: skip
    """A month's worth with 95 %: the effect's uncertainty and the volume's, as if they were normal and independent."""
    if worth_usd is None or requests.value is None:
        return None, None, None
    volume = requests.value * 30
    expected = mean * volume * worth_usd
    if requests.low is None or requests.high is None:
        return expected, None, None
    scatter = (requests.high - requests.low) / (2 * _Z95) * 30
    spread = math.sqrt((mean * scatter) ** 2 + (volume * sd) ** 2 + (sd * scatter) ** 2) * worth_usd
    return expected, expected - _Z95 * spread, expected + _Z95 * spread


def _look(
    stage: str, stake: Stake, results: Sequence[Result], prices: Prices, mean: float, sd: float, unit_usd: float | None
) -> Look:  # fmt: skip
    mine = [each for each in results if each.stage == stage]
    item_sd = mine[-1].error * math.sqrt(mine[-1].n) if mine else prices.item_sd
    if item_sd is None:
        return Look(stage=stage, n=None, usd=None, gains_usd=None, p_changes=None)
    n = max(_LEAST, math.ceil((_POWER * item_sd / stake.moves) ** 2))
    if n > _MOST:
        return Look(stage=stage, n=None, usd=None, gains_usd=None, p_changes=None)
    paid = mine[-1].cost_usd / mine[-1].n if mine and mine[-1].n else prices.usd.get(stage)
    # What the look would add to what is known: its noise, and the stage's bias, as far as earlier results do not share it.
    bias = (BIAS[stage] * stake.moves) ** 2
    before = _pooled(mine)
    noise = item_sd**2 / n
    if before is not None:
        together = 1 / (1 / noise + before[1] ** -2)
        others = sd**-2 - 1 / (before[1] ** 2 + bias)
        after = 1 / (others + 1 / (together + bias))
    else:
        after = 1 / (sd**-2 + 1 / (noise + bias))
    shift = math.sqrt(max(sd**2 - after, 0.0))
    gain = shift * _loss(abs(mean) / shift) if shift > 0 else 0.0
    return Look(
        stage=stage, n=n, usd=None if paid is None else paid * n, gains_usd=None if unit_usd is None else gain * unit_usd,
        p_changes=_above(abs(mean), 0.0, shift) if shift > 0 else 0.0,
    )  # fmt: skip


def _bargain(look: Look) -> tuple[bool, float, int]:
    """Known worth first, the most of it for a dollar; what costs nothing before all, if it is worth anything."""
    if look.gains_usd is None or look.usd is None:
        return True, look.usd if look.usd is not None else math.inf, STAGES.index(look.stage)
    bargain = look.gains_usd / look.usd if look.usd > 0 else math.inf if look.gains_usd > 0 else 0.0
    return False, -bargain, STAGES.index(look.stage)


def _loss(u: float) -> float:
    """The unit normal loss: E[max(Z - u, 0)]."""
    return math.exp(-u * u / 2) / math.sqrt(2 * math.pi) - u * _above(u, 0.0, 1.0)


def _above(bar: float, mean: float, sd: float) -> float:
    return 0.5 * math.erfc((bar - mean) / (sd * math.sqrt(2)))
