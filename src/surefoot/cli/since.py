"""`--since 7d`: how far back a command looks."""

from __future__ import annotations

import re
import time

from surefoot.errors import ConfigError

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_GIVEN = re.compile(r"(\d+)\s*([mhdw])")


def since_ns(given: str | None) -> int:
    """UTC nanoseconds of a moment so long ago: "30m", "12h", "7d", "4w"; 0, from the beginning, for None.

    Raises: ConfigError for anything else.
    """
    if given is None:
        return 0
    found = _GIVEN.fullmatch(given.strip())
    if found is None:
        raise ConfigError(f"{given!r} is no time: write 30m, 12h, 7d or 4w", file="--since")
    return time.time_ns() - int(found[1]) * _SECONDS[found[2]] * 1_000_000_000
