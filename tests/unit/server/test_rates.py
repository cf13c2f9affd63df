"""Both vendors' headers of rate limits."""

from surefoot.records.rate import RateState
from surefoot.server.proxy.rates import headers_of

SECOND = 1_000_000_000
STATE = RateState(requests=(60, 59), tokens=(1000, 0), resets_at_ns=60 * SECOND)


def test_openais_headers_have_a_duration() -> None:
    assert headers_of(STATE, "openai", 0) == [
        ("x-ratelimit-limit-requests", "60"), ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1m0s"),
        ("x-ratelimit-limit-tokens", "1000"), ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m0s"),
    ]  # fmt: skip
    assert dict(headers_of(STATE, "openai", 51 * SECOND - 1))["x-ratelimit-reset-requests"] == "10s"


def test_anthropics_headers_have_a_time() -> None:
    told = dict(headers_of(STATE, "anthropic", 0))
    assert told["anthropic-ratelimit-requests-limit"] == "60" and told["anthropic-ratelimit-tokens-remaining"] == "0"
    assert told["anthropic-ratelimit-requests-reset"] == "1970-01-01T00:01:00Z"


def test_what_is_not_limited_has_no_headers() -> None:
    assert headers_of(RateState(requests=None, tokens=None, resets_at_ns=0), "openai", 0) == []
