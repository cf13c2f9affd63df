"""What a stated answer is worth as a value: numbers, Python and JSON literals and prose in one canonical form each."""

from __future__ import annotations

import ast
import json
import re
import warnings
from decimal import Decimal, InvalidOperation

from msgspec import Struct

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_MONEY = re.compile(r"(?:US|CA|A)?[$€£¥₹]\s*")
_UNIT = re.compile(r"([-+]?\d[\d.,]*)(?:st|nd|rd|th|°)?(?:[\s/][a-z²³°.-]+){0,6}", re.IGNORECASE)
_NOT_A_UNIT = frozenset("and or to of not no more less than plus minus at from least most".split())
_ZEROS_FIRST = re.compile(r"[-+]?0\d+")
_CHOICE = re.compile(r"\(([a-h])\)(?:\s.*)?|([a-h])[.:)](?:\s.*)?|([a-h])", re.IGNORECASE)
_WORDS = {"true": "True", "false": "False", "null": "None", "none": "None"}
_LITERAL_CHARS = 2000  # longer than this is compared as text: literals from models are not trusted to be small
_EDGES = " .,;:"  # what prose leaves at its ends


class Value(Struct, frozen=True):
    """A stated answer in canonical form; `letters` is what stood there, where a string literal or JSON says so exactly."""

    text: str
    letters: str | None = None

    def same(self, other: Value) -> bool:
        """Whether two answers mean the same.

        Case does not count, unless both are known by their letters and one of them is cased as no sentence, title or
        label is ("mgItr"); then, as with spaces inside them, every letter counts.
        """
        if self.text.casefold() != other.text.casefold():
            return False
        if self.letters is None or other.letters is None or self.letters == other.letters:
            return True
        mine, theirs = self.letters.removesuffix("."), other.letters.removesuffix(".")
        return mine.casefold() == theirs.casefold() and _ordinary(mine) and _ordinary(theirs)


def value_of(raw: str, *, exact: bool = False) -> Value:
    """The canonical form of a stated answer; `exact`: it is the content of a JSON string.

    A number loses its dress (currency, percent, thousands separators, unit, trailing zeros); a literal is told by its
    value, so that spacing, the kind of quotes and the order of a dict or set do not matter; a choice is its letter; prose
    of several words loses case, repeated spaces and punctuation at its edges, a single word keeps its case.
    """
    text = unfenced(raw.strip()).strip("`" if exact else "*_`").strip()
    if not (exact and raw != raw.strip() and raw.strip().isdigit()):  # "  7 " as a string is not the number 7
        number = _number(text) or _number(_untexted(text).rstrip(_EDGES))
        if number is not None:
            return Value(number)
    found = _literal(text.removesuffix(".") if text[:1] in "[({" else text)
    if found is not None:
        return found
    bare = _untexted(text).rstrip(_EDGES)
    if bare.casefold() in _WORDS:
        return Value(_WORDS[bare.casefold()])
    if choice := _CHOICE.fullmatch(text):
        return Value((choice[1] or choice[2] or choice[3]).upper(), text if exact and choice[3] else None)
    return Value(_prose(bare or text), raw if exact else None)


def unfenced(text: str) -> str:
    """A text without the code fence around it."""
    fenced = re.fullmatch(r"```\w*\n?(.*?)\n?```", text, re.DOTALL)
    return fenced[1].strip() if fenced else text


def _untexted(text: str) -> str:
    return re.sub(r"^\\text\s*\{(.*)\}$", r"\1", text)


def _ordinary(text: str) -> bool:
    """Whether the case of a text says nothing: all small, all capital, a sentence's or a title's."""
    return text in (text.lower(), text.upper(), text.capitalize(), text.title())


def _prose(text: str) -> str:
    words = text.split()
    folded = " ".join(words).casefold() if len(words) > 1 else "".join(words)
    return folded.strip(_EDGES + "!\"'“”‘’") or folded


def _number(text: str) -> str | None:
    """A number by its value; None when the text is something else. "007" is a code, not the number 7."""
    if len(text) > 100:
        return None
    bare = _MONEY.sub("", text.replace("\\", "").replace("−", "-"), count=1).strip()
    bare = re.sub(r"\s*[$€£¥₹%]$", "", bare)
    if (unit := _UNIT.fullmatch(bare)) and not _NOT_A_UNIT.intersection(bare.casefold().split()):
        bare = unit[1].rstrip(".,")
    if not any(char.isdigit() for char in bare) or _ZEROS_FIRST.fullmatch(bare) or not _NUMBER.fullmatch(bare):
        return None
    try:
        value = Decimal(bare.replace(",", ""))
    except InvalidOperation:
        return None
    if abs(value.adjusted()) > 50:
        return bare
    return f"{value.normalize():f}" if value else "0"


def _literal(text: str) -> Value | None:
    """A Python or JSON literal; None when the text is not one, or is too large to be trusted."""
    if not text or len(text) > _LITERAL_CHARS or text[0] not in "[({'\"-bBrR":
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model's stray backslash is no news
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        value = _json(text)
    if value is None:
        return None
    if isinstance(value, str):
        return Value(_number(value) or _prose(value), value)
    return Value(_canonical(value))


def _json(text: str) -> object:
    """JSON where it is not Python (`true`, `null`); None when it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _canonical(value: object) -> str:
    """One spelling for equal values: sets and dicts in order, whole floats as integers. Booleans are no numbers."""
    match value:
        case bool() | None:
            return repr(value)
        case float() if value.is_integer() and abs(value) < 1e15:
            return repr(int(value))
        case list():
            return f"[{', '.join(map(_canonical, value))}]"
        case tuple():
            return f"({', '.join(map(_canonical, value))}{',' * (len(value) == 1)})"
        case set():
            return f"{{{', '.join(sorted(map(_canonical, value)))}}}" if value else "set()"
        case dict():
            pairs = sorted((_canonical(key), _canonical(item)) for key, item in value.items())
            return f"{{{', '.join(f'{key}: {item}' for key, item in pairs)}}}"
        case _:
            return repr(value)
