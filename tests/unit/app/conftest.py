"""Gateways that are closed after their test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_support import Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    made: list[Gateway] = []

    def make(*given: object, **named: object) -> Gateway:
        made.append(Gateway(tmp_path, *given, **named))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
