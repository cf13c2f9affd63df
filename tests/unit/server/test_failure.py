"""What the log says of a failure."""

import re

from surefoot.server.failure import where


def fails(password: str) -> None:
    raise ValueError(f"cannot read {password!r}")


def test_a_failure_says_where_it_was_and_nothing_of_what_it_was_about() -> None:
    try:
        fails("s3cret")
    except ValueError as error:
        said = where(error)
    assert re.fullmatch(r"test_failure\.py:\d+ test_a_failure\w+ > test_failure\.py:\d+ fails", said)


def test_an_error_that_was_never_raised_was_nowhere() -> None:
    assert where(ValueError("s3cret")) == ""
