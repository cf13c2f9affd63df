"""A text as it is read, whatever it is made of: the forms that patterns and phrases look at."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)
_APOSTROPHES = str.maketrans("", "", "'’‘`´ʼ′")


def plain(text: str) -> str:
    """A text in compatibility form (NFKC: full-width letters, ligatures) without characters that nobody sees.

    Gone are zero-width spaces and joiners, soft hyphens and marks of direction; letters keep case and accents.
    """
    if text.isascii():
        return text
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def without_apostrophes(text: str) -> str:
    """A text in which "can't", "can’t" and "cant" are one."""
    return text.translate(_APOSTROPHES)


def unaccented(text: str) -> str:
    """A text in small letters without accents: "Diarrhée" is "diarrhee"."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))
