"""The final answer of a model's text, normalised, so that two models can be compared by what they mean."""

from __future__ import annotations

import ast
import re
from decimal import Decimal, InvalidOperation

_ANSWER_KEY = re.compile(r'"answer"\s*:\s*')
_HASHES = re.compile(r"^####\s*(.+?)\s*$", re.MULTILINE)
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_SAYS = re.compile(
    r"(?:^|\b)(?:the\s+)?(?:final\s+)?answer\s*(?:is|:|=)\s*:?\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE
)  # fmt: skip
_HASH_LINE = re.compile(r"^#\s+(\S.*?)\s*$")
_NUMBER = re.compile(r"^[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?$")
_CHOICE = re.compile(r"^\(?([A-Ha-h])\)?(?:[.:)]|$)(?:\s.*)?$")
_SHORT_WORDS = 12
_LITERAL_CHARS = 2000  # longer than this is compared as text: literals from models are not trusted to be small


def final_answer(text: str) -> str | None:
    """The normalised final answer; None when the text states none.

    Looked for in this order: the last `"answer"` key of JSON (fenced, truncated or slightly broken JSON too), `#### x`,
    `\\boxed{x}`, "the answer is x", and a text of at most 12 words itself.
    """
    raw = _stated(text)
    return None if raw is None else _normal(raw)


def agree(one: str, other: str) -> float | None:
    """1.0 when two texts give the same final answer, 0.0 when they differ, None when either gives none."""
    first, second = final_answer(one), final_answer(other)
    if first is None or second is None:
        return None
    return 1.0 if first == second else 0.0


def _stated(text: str) -> str | None:
    keys = list(_ANSWER_KEY.finditer(text))
    if keys:
        return _json_value(text[keys[-1].end() :])
    for pattern in (_HASHES, _BOXED, _SAYS):
        found = pattern.findall(text)
        if found:
            return str(found[-1])
    stripped = _unfenced(text.strip())
    if hash_line := _HASH_LINE.match(stripped):
        return hash_line[1]
    if stripped and len(stripped.split()) <= _SHORT_WORDS and "\n" not in stripped:
        return stripped
    return None


def _json_value(rest: str) -> str | None:
    """The value that follows a key, as text; broken endings are taken as far as they go."""
    if rest.startswith('"'):
        ended = re.search(r'(?<!\\)(?:\\\\)*"\s*(?:[,}]|```|$)', rest[1:])
        inner = rest[1 : ended.start() + 1 + _kept(ended)] if ended else None
        return None if inner is None else _unescaped(inner)
    if rest[:1] in "[{":
        return _balanced(rest)
    bare = re.match(r"[^,}\n`]+", rest)
    return bare[0].strip() if bare else None


def _kept(ended: re.Match[str]) -> int:
    """Backslashes before the closing quote belong to the value."""
    return len(ended[0]) - len(ended[0].lstrip("\\"))


def _unescaped(inner: str) -> str:
    table = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "/": "/"}
    return re.sub(r"\\(.)", lambda found: table.get(found[1], found[0]), inner)


def _balanced(rest: str) -> str | None:
    depth, quote = 0, ""
    for place, char in enumerate(rest):
        if quote:
            quote = "" if char == quote and rest[place - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "[{(") - (char in "]})")
            if depth == 0:
                return rest[: place + 1]
    return None


def _unfenced(text: str) -> str:
    fenced = re.fullmatch(r"```\w*\n?(.*?)\n?```", text, re.DOTALL)
    return fenced[1].strip() if fenced else text


def _normal(raw: str) -> str:
    text = _unfenced(raw.strip()).strip().strip("*_`").strip()
    text = re.sub(r"^\\text\{(.*)\}$", r"\1", text).rstrip(".").strip() if not text.startswith(("'", '"')) else text
    number = _number(text)
    if number is not None:
        return number
    literal = _literal(text)
    if literal is not None:
        return literal
    if choice := _CHOICE.match(text):
        return choice[1].upper()
    return _words(text)


def _words(text: str) -> str:
    """Prose without case and edges; a single word keeps its case, since it may be a value."""
    words = text.split()
    folded = " ".join(words).casefold() if len(words) > 1 else "".join(words)
    return folded.strip(" .,;:!\"'")


def _number(text: str) -> str | None:
    """A number without its dress: currency, percent, thousands, units of one word, trailing zeros."""
    bare = re.sub(r"^(?:US)?[$€£]\s*|\s*[$€£%]$|\\", "", text).strip()
    bare = re.sub(r"^([-+]?[\d.,]+)\s+[A-Za-z]+$", r"\1", bare)
    bare = re.sub(r"^[-+]\s*[$€£]", lambda found: found[0][0], bare)
    if not bare or not _NUMBER.match(bare) or not any(c.isdigit() for c in bare):
        return None
    try:
        value = Decimal(bare.replace(",", ""))
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 50:
        return bare
    return f"{value.normalize():f}" if value else "0"


def _literal(text: str) -> str | None:
    """A Python or JSON literal by its value: spacing and the kind of quotes do not matter; a lone string is its content."""
    if not text or len(text) > _LITERAL_CHARS or text[0] not in "[({'\"TFNtfn":
        return None
    pythonic = {"true": "True", "false": "False", "null": "None", "none": "None"}.get(text.casefold(), text)
    try:
        value = ast.literal_eval(pythonic)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return _words(value) if isinstance(value, str) else repr(value)
