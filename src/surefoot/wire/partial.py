"""Reads JSON that broke off: a tool's input whose answer ran into its token limit."""

from __future__ import annotations

import re

import msgspec

from surefoot.errors import BadAnswer

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_PLAIN = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_CLOSER = {"{": "}", "[": "]"}


def value_of(text: str) -> object:
    """The value of a JSON text, or what is complete in it: open arrays and objects are closed, half a member is left out.

    This is what the SDKs make of such a text. Raises BadAnswer when it is not the beginning of any JSON array or object.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        whole = _closed(text)
    try:
        return msgspec.json.decode(whole)
    except msgspec.DecodeError as error:
        raise BadAnswer(f"a tool's input is not JSON: {error}") from error


def _closed(text: str) -> str:
    """The longest beginning that ends after a whole value, with everything closed that is open there."""
    waiting: list[str] = []  # the closing brackets, outermost first
    end, closers, before = 0, "", ""
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece == '"':  # a text that never ends
            break
        if piece in _CLOSER:
            waiting.append(_CLOSER[piece])
        elif waiting and piece == waiting[-1]:
            waiting.pop()
        elif piece in ",:" or (piece[0] == '"' and waiting[-1:] == ["}"] and before != ":"):  # a name is no value yet
            before = piece
            continue
        elif piece[0] != '"' and not _PLAIN.fullmatch(piece):
            if match.end() < len(text) or not _is_begun(piece):
                raise BadAnswer("a tool's input is not JSON")
            break
        before, end, closers = piece, match.end(), "".join(reversed(waiting))
    return text[:end] + closers


def _is_begun(piece: str) -> bool:
    """Whether more letters could make it a number or a word of JSON."""
    return piece[0] in "-0123456789" or any(word.startswith(piece) for word in ("true", "false", "null"))
