"""The final answer of a model's text, normalised, so that two models can be compared by what they mean."""

from __future__ import annotations

import re

from surefoot.signals.values import Value, unfenced, value_of

_ANSWER_KEY = re.compile(r"""["'](?:final[_ ]?)?answer["']\s*:\s*""", re.IGNORECASE)
_HASHES = re.compile(r"^####[ \t]*(\S[^\n]*)", re.MULTILINE)
_BOXED = re.compile(r"\\boxed\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_SAYS = re.compile(r"\banswer(?:\*\*)?[ \t]*(?:is[ \t]*:?|:|=)(?:\*\*)?\s*(\S[^\n]*)", re.IGNORECASE)
_HASH_LINE = re.compile(r"#[ \t]+(\S[^\n]*)")
_STRING_ENDS = re.compile(r'(?<!\\)(?:\\\\)*"\s*(?:[,}]|```|$)')
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_SHORT_WORDS = 12


def final_answer(text: str) -> str | None:
    """The normalised final answer; None when the text states none.

    Looked for in this order: the last `"answer"` key of JSON (fenced, truncated or slightly broken JSON too), `#### x`,
    `\\boxed{x}`, the last "answer is x" or "answer: x", and a text of at most 12 words itself.
    """
    value = _value(text)
    return None if value is None else value.text


def agree(one: str, other: str) -> float | None:
    """1.0 when two texts give the same final answer, 0.0 when they differ, None when either gives none.

    Stricter than comparing `final_answer` where both are strings in quotes or in JSON: see `Value.same`.
    """
    first, second = _value(one), _value(other)
    if first is None or second is None:
        return None
    return 1.0 if first.same(second) else 0.0


def _value(text: str) -> Value | None:
    keys = list(_ANSWER_KEY.finditer(text))
    if keys:
        rest = text[keys[-1].end() :]
        raw = _json_value(rest)
        return None if raw is None else value_of(raw, exact=rest.startswith('"'))
    said = _stated(text)
    return value_of(said) if said and said.strip() else None


def _stated(text: str) -> str | None:
    """What a text without JSON says is its answer, as it stands there."""
    for pattern in (_HASHES, _BOXED, _SAYS):
        found = pattern.findall(text)
        if found:
            return str(found[-1])
    stripped = unfenced(text.strip())
    if line := _HASH_LINE.fullmatch(stripped):
        return line[1]
    if len(stripped.split()) <= _SHORT_WORDS and "\n" not in stripped:
        return stripped
    return None


def _json_value(rest: str) -> str | None:
    """The value that follows a key, as text; None when it is cut off."""
    if rest.startswith('"'):
        ended = _STRING_ENDS.search(rest, 1)
        if ended is None:
            return None
        return _ESCAPED.sub(_unescaped, rest[1 : rest.index('"', ended.start())])
    if rest[:1] in ("'", "[", "{"):
        return _balanced(rest)
    bare = re.match(r"[^,}\n`]+", rest)
    return bare[0].strip() if bare else None


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[0])


def _balanced(rest: str) -> str | None:
    """A bracketed or single-quoted value up to its end; None when it does not end."""
    depth, quote, escaped = 0, "", False
    for place, char in enumerate(rest):
        if escaped:
            escaped = False
        elif quote:
            escaped = char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "[{(") - (char in "]})")
        if depth == 0 and not quote and not escaped:
            return rest[: place + 1]
    return None
