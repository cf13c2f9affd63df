"""Takes values out of a vendor's JSON when their shape is not certain: what has the wrong shape is a bad answer, no crash."""

from __future__ import annotations

from typing import Any

from surefoot.errors import BadAnswer

Json = dict[str, Any]
_FIXED = frozenset({"id", "type", "index", "role", "object"})  # said again, not said in pieces


def object_in(holder: Json, name: str) -> Json:
    """A field that holds an object; a new empty one when it is missing or null. Raises BadAnswer for anything else."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadAnswer(f"{name} is not an object")
    return value


def objects_in(holder: Json, name: str) -> list[Json]:
    """A field that holds objects; an empty list when it is missing or null. Raises BadAnswer for anything else."""
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadAnswer(f"{name} is not a list of objects")
    return value


def place_in(holder: Json) -> int:
    """The `index` field, 0 when it is missing. Raises BadAnswer unless it is a number from 0."""
    place = holder.get("index", 0)
    if not isinstance(place, int) or place < 0:
        raise BadAnswer("index is not a number from 0")
    return place


def merge(holder: Json, name: str, piece: object) -> None:
    """Add a streamed piece to a field: texts and lists grow, objects member by member, anything else is replaced."""
    kept = holder.get(name)
    if piece is None:
        holder.setdefault(name, None)
    elif name in _FIXED:
        holder[name] = piece if piece != "" else kept or piece
    elif isinstance(kept, str) and isinstance(piece, str):
        holder[name] = None  # nobody else holds the text now, so that it grows in place and not by copying
        kept += piece
        holder[name] = kept
    elif isinstance(kept, list) and isinstance(piece, list):
        kept.extend(piece)
    elif isinstance(kept, dict) and isinstance(piece, dict):
        for inner, value in piece.items():
            merge(kept, inner, value)
    else:
        holder[name] = piece
