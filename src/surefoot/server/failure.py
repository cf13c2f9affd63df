"""An unexpected failure as the log may show it: where it was, never what it was about."""

from __future__ import annotations

import traceback
from pathlib import Path


def where(error: BaseException) -> str:
    """The places an error went through, innermost last: "app.py:12 answer > call.py:7 ask".

    Neither local variables nor the error's own words are in it: they may hold a password, a key or what a patient wrote.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
