"""Width and height of an image out of the first bytes of its base64 text: PNG, GIF, WebP, JPEG. No pixel is ever decoded."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from typing import Literal

_SEGMENTS = 256  # of a JPEG that are looked at: its size stands after its metadata
_STARTS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's start-of-frame markers: baseline, progressive, ...


def dimensions(data: str) -> tuple[int, int] | None:
    """(width, height) in pixels of an image in base64; None for what is none of these formats, or broken."""
    head = _bytes(data, 0, 32)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _sized(_number(head, 16, 4, "big"), _number(head, 20, 4, "big"))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return _sized(_number(head, 6, 2), _number(head, 8, 2))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head[:2] == b"\xff\xd8":
        return _jpeg(data)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """VP8X: 24 bits each, less one. VP8L: 14 bits each, less one. VP8: 14 bits each, after the key frame's start code."""
    match head[12:16]:
        case b"VP8X":
            return _sized(_number(head, 24, 3) + 1, _number(head, 27, 3) + 1) if len(head) >= 30 else None
        case b"VP8L":
            bits = _number(head, 21, 4)
            return _sized((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1) if len(head) >= 25 else None
        case b"VP8 " if head[23:26] == b"\x9d\x01\x2a":
            return _sized(_number(head, 26, 2) & 0x3FFF, _number(head, 28, 2) & 0x3FFF)
        case _:
            return None


def _jpeg(data: str) -> tuple[int, int] | None:
    """From one segment's head to the next, up to the frame's: a few bytes of each."""
    place = 2
    for _ in range(_SEGMENTS):
        head = _bytes(data, place, 9)
        if len(head) < 9 or head[0] != 0xFF:
            return None
        if head[1] == 0xFF:  # a fill byte
            place += 1
        elif head[1] in _STARTS:
            return _sized(_number(head, 7, 2, "big"), _number(head, 5, 2, "big"))
        else:
            place += 2 + _number(head, 2, 2, "big")
    return None


def _number(head: bytes, place: int, size: int, order: Literal["little", "big"] = "little") -> int:
    """A number out of some bytes; 0 where they end before it does."""
    return int.from_bytes(head[place : place + size], order) if len(head) >= place + size else 0


def _bytes(data: str, start: int, count: int) -> bytes:
    """Some bytes of a base64 text; fewer, or b"", where it ends or is broken."""
    first = start // 3 * 4
    text = data[first : first + (count // 3 + 2) * 4]
    text = text[: len(text) // 4 * 4]
    try:
        return b64decode(text, validate=True)[start % 3 : start % 3 + count]
    except (Error, ValueError):
        return b""


def _sized(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width and height else None
