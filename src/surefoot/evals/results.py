"""Results for bets out of the files that the product's own commands write as JSON, or out of a plain one by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from surefoot.errors import BadRequest
from surefoot.evals.gate import AGAINST
from surefoot.records.bet import STAGES, Result

_Z = 1.959964  # an interval of 95 % is so many standard errors to either side
_RATES = {"delivered_error": ("delivered_error", -1.0), "automation_rate": ("escalated_share", -1.0)}
_KNOWN = "a result by hand ({stage, effect, error, n, cost_usd}), `gate --json`, or `trial --json` with --against"


def result_of(
    data: bytes, *, measure: str, stage: str = "", against: bytes | None = None, source: str = ""
) -> Result:  # fmt: skip
    """The result that a file tells.

    Args:
        data: JSON: a result by hand; of a gate that compared two policies; or of a trial, with `against` the other trial's.
        measure: of the bet's objective; a gate and a trial know some of them only.
        stage: of STAGES, for files that do not say: a gate's and a trial's are "trial".
    Raises: BadRequest for what tells no result of this measure.
    """
    found = _read(data, source)
    if against is not None or "by_rung" in found:
        return _trial(found, _read(against, "--against") if against is not None else None, measure, stage, source)
    run = found.get("run")
    if isinstance(run, dict) and "verdict" in run:
        return _gate(run, measure, stage, source)
    plain = {"source": source, **({"stage": stage} if stage else {}), **found}
    try:
        given = msgspec.convert(plain, Result, strict=True)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{source or 'this'} tells no result: {error}; know {_KNOWN}") from None
    return checked(given)


def checked(given: Result) -> Result:
    """The result, if it makes sense. Raises BadRequest."""
    if given.stage not in STAGES:
        raise BadRequest(f"there is no stage {given.stage!r}; there are {', '.join(STAGES)}")
    if not (math.isfinite(given.effect) and math.isfinite(given.error) and given.error > 0):
        raise BadRequest(
            "a result needs an effect and its standard error, above 0: without it nobody knows how sure it is"
        )
    if given.n < 1 or not (math.isfinite(given.cost_usd) and given.cost_usd >= 0):
        raise BadRequest("a result has n of at least 1 and a cost of at least 0")
    return given


def _gate(run: Mapping[str, Any], measure: str, stage: str, source: str) -> Result:
    """The gate's paired difference of the shares right. Its interval is a little wider than a plain one of 95 %."""
    if measure != "delivered_error":
        raise BadRequest(f"a gate tells how many answers are right: that is delivered_error, not {measure}")
    cost = sum(side["nanodollars"] for side in run["sides"]) / 1e9
    for each in run["verdict"]["findings"]:
        if each["kind"] == AGAINST and each["estimate"] is not None:
            error, effect = (each["high"] - each["low"]) / (2 * _Z), each["estimate"]
            return checked(
                Result(stage=stage or "trial", effect=effect, error=error, n=each["n"], cost_usd=cost, source=source)
            )
    raise BadRequest("this gate compared with no other policy, or had not enough data: run it with --against")


def _trial(
    found: Mapping[str, Any], other: Mapping[str, Any] | None, measure: str, stage: str, source: str
) -> Result:  # fmt: skip
    """Two trials' difference, as if their rows were independent: where they are the same rows, it is surer than told."""
    if measure not in _RATES:
        raise BadRequest(f"trials tell {' and '.join(_RATES)}, not {measure}: give the result by hand")
    if other is None or "by_rung" not in other or "by_rung" not in found:
        raise BadRequest("a trial tells a result beside another one only: --from NEW.json --against OLD.json")
    name, sign = _RATES[measure]
    new, old = found[name], other[name]
    if new.get("estimate") is None or old.get("estimate") is None:
        raise BadRequest(f"one of the trials has no {name}: not enough labelled rows")
    error = math.hypot(new["high"] - new["low"], old["high"] - old["low"]) / (2 * _Z)
    cost = math.fsum(each.get("cost_usd") or 0.0 for each in (found, other))
    effect = sign * (new["estimate"] - old["estimate"])
    return checked(
        Result(
            stage=stage or "trial", effect=effect, error=error, n=min(new["n"], old["n"]), cost_usd=cost, source=source
        )
    )


def _read(data: bytes, source: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except msgspec.MsgspecError as error:
        raise BadRequest(f"{source or 'this'} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadRequest(f"{source or 'this'} tells no result; know {_KNOWN}")
    return found
