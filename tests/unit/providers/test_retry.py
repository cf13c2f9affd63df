"""When a provider is asked again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer, Overloaded, ProviderError, Rejected, TimedOut, Unreachable
from surefoot.providers.retry import asked_seconds, delay_seconds


@pytest.mark.parametrize("error", [Rejected("x", status=400), BadAnswer("x"), Unreachable("our key", status=401)])
def test_what_would_fail_again_is_not_tried_again(error: ProviderError) -> None:
    assert delay_seconds(error, 1, "0") is None


@given(st.integers(1, 30), st.text(max_size=8))
def test_waiting_is_jittered_under_a_cap_and_the_same_for_the_same_draw(attempt: int, draw: str) -> None:
    wait = delay_seconds(TimedOut("x"), attempt, draw)
    assert wait is not None and 0 <= wait <= min(8, 0.25 * 2 ** (attempt - 1))
    assert wait == delay_seconds(TimedOut("x"), attempt, draw)


def test_what_the_provider_asks_for_is_done_within_reason() -> None:
    assert delay_seconds(Overloaded("x", status=429, retry_after=3.0), 1, "0") == 3.0
    assert delay_seconds(Overloaded("x", status=429, retry_after=31.0), 1, "0") is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:10 GMT"}, 10.0),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:10 -0000"}, 10.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_headers_are_read_in_all_their_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_seconds(headers, datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)) == seconds
