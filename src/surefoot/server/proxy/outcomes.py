"""What a body of reports says, and what is answered to it. Each report is read by itself: a malformed one hurts no other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from surefoot.app.outcomes import OUTCOMES, REMARK, Report, Told
from surefoot.errors import BadRequest, RequestRefused
from surefoot.records.money import usd
from surefoot.records.units import MOST_USD

MOST = 1000  # reports in one body
_LONGEST = 200  # characters of an id or a rung
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_FIELDS = ("request_id", "outcome", "reason", "rung", "value_usd")
_NANO = Decimal(1_000_000_000)

_decode = msgspec.json.Decoder(float_hook=Decimal).decode  # an amount never becomes a float


def parse(body: bytes) -> tuple[list[Report | RequestRefused], bool]:
    """(reports, whether they came as a list): one report as an object, or {"outcomes": [...]}.

    Raises: BadRequest naming the field, for a single report that is malformed or a list that is none.
    """
    try:
        given = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise BadRequest('the body must be an object: {"request_id": ..., "outcome": ...} or {"outcomes": [...]}')
    if "outcomes" not in given:
        return [_report(given, "")], False
    listed = given["outcomes"]
    if len(given) > 1:
        raise BadRequest(
            "a body with outcomes has no other field", param=next(name for name in given if name != "outcomes")
        )
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST:
        raise BadRequest(f"outcomes must be a list of 1 to {MOST} reports", param="outcomes")
    return [_of_list(each, f"outcomes[{place}]") for place, each in enumerate(listed)], True


def answer(told: Sequence[Told | RequestRefused], reports: Sequence[Report | RequestRefused], *, listed: bool) -> bytes:
    """The body of the answer: one outcome, or a list with what became of each, in their order.

    Raises: the refusal of a single report.
    """
    if listed:
        said = [_said(each, given) for each, given in zip(told, reports, strict=True)]
        return msgspec.json.encode({"object": "list", "data": said})
    only = told[0]
    if isinstance(only, RequestRefused):
        raise only
    return msgspec.json.encode(_said(only, reports[0]))


def _said(told: Told | RequestRefused, given: Report | RequestRefused) -> dict[str, object]:
    if isinstance(told, RequestRefused):
        error = {"status": told.status, "code": told.code, "message": told.message, "param": told.param}
        return {"object": "outcome", "request_id": getattr(given, "request_id", None), "error": error}
    label, revenue = told.label, told.revenue
    value = None if revenue is None else usd(revenue.nanodollars)
    if label is None:
        assert revenue is not None
        return {
            "object": "outcome", "id": revenue.id, "request_id": revenue.request_id, "outcome": revenue.outcome,
            "feature": revenue.feature, "value_usd": value, "created": revenue.at_ns // 1_000_000_000, "new": told.new,
        }  # fmt: skip
    return {
        "object": "outcome",
        "id": label.id,
        "request_id": label.request_id,
        "outcome": label.verdict,
        "feature": label.feature,
        "rung": label.rung,
        "reason": label.reason or None,
        "remark": told.remarked,
        "created": label.at_ns // 1_000_000_000,
        "new": told.new,
        "retracted": told.retracted,
        "value_usd": value,
    }


def _of_list(given: object, place: str) -> Report | RequestRefused:
    if not isinstance(given, dict):
        return BadRequest(f"{place} must be an object", param=place)
    try:
        return _report(given, f"{place}.")
    except BadRequest as error:
        return error


def _report(given: dict[str, object], place: str) -> Report:
    strange = next((name for name in given if name not in _FIELDS), None)
    if strange is not None:
        raise BadRequest(f"a report has the fields {', '.join(_FIELDS)}", param=f"{place}{strange}"[:_LONGEST])
    outcome = given.get("outcome")
    if not isinstance(outcome, str) or not _NAME.fullmatch(outcome):
        raise BadRequest(
            f"outcome must be one of {', '.join(OUTCOMES)}, or declared by the feature", param=f"{place}outcome"
        )
    return Report(
        request_id=_text(given, "request_id", place, least=1, most=_LONGEST),
        outcome=outcome,
        nanodollars=_amount(given.get("value_usd"), f"{place}value_usd"),
        reason=_text(given, "reason", place, most=REMARK).strip(),
        rung=_text(given, "rung", place, most=_LONGEST),
        place=place,
    )


def _text(given: dict[str, object], name: str, place: str, *, most: int, least: int = 0) -> str:
    value = given.get(name)
    if value is None and not least:
        return ""
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise BadRequest(f"{name} must be a text of {least} to {most} characters", param=f"{place}{name}")
    if "\0" in value:
        raise BadRequest(f"{name} holds a NUL character", param=f"{place}{name}")
    return value


def _amount(given: object, place: str) -> int | None:
    """USD as nano-dollars, exactly as written: a number, or a text that holds one; None when nothing was said."""
    if given is None:
        return None
    try:
        if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
            raise ValueError
        nano = Decimal(given) * _NANO
        if not nano.is_finite() or nano != nano.to_integral_value() or abs(nano) > MOST_USD * _NANO:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise BadRequest(
            f"value_usd is a number from -{MOST_USD:,} to {MOST_USD:,} with at most 9 decimals", param=place
        ) from None
    return int(nano)
