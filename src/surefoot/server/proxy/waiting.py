"""How a caller says that it will wait for a person, and what it is told while it does."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.errors import BadRequest
from surefoot.records import Case, Wait
from surefoot.wire import Parsed

MANNERS = ("poll", "held", "sse", "webhook")
_MOST = 2**63  # of an event's id


def wait_of(parsed: Parsed, headers: Mapping[str, str]) -> Wait:
    """How a caller wants to wait: the body counts before the header. Raises BadRequest for a manner that is none."""
    manner = parsed.wait or headers.get("x-surefoot-wait", "").strip().lower()
    if manner and manner not in MANNERS:
        raise BadRequest(f"x-surefoot-wait is one of {', '.join(MANNERS)}", param="x-surefoot-wait")
    timeout = headers.get("x-stainless-read-timeout", "")
    return Wait(
        manner=manner, webhook=parsed.webhook, timeout_seconds=_seconds(timeout) if timeout else None, joins=True,
        repeated=headers.get("x-stainless-retry-count", "0") != "0",
    )  # fmt: skip


def resumed(headers: Mapping[str, str]) -> int:
    """The id of the last event that a reader has; 0 for everything. Raises BadRequest for what was never an id."""
    given = headers.get("last-event-id", "").strip()
    if not given:
        return 0
    if not (given.isascii() and given.isdigit() and int(given[:20]) < _MOST and len(given) <= 20):
        raise BadRequest("Last-Event-ID is no id of an event", param="last-event-id")
    return int(given)


def headers_of(case: Case, retry_after: int) -> list[tuple[str, str]]:
    """The headers beside what is told of a case."""
    headers = [("x-surefoot-case", case.id)]
    return headers if case.has_ended else [*headers, ("retry-after", str(retry_after))]


def _seconds(text: str) -> float | None:
    """A time-out as SDKs write it; None for anything else: it is a hint, and hints refuse no request."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e9 else None
