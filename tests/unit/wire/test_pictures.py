"""Sizes of images out of their first bytes."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.wire.pictures import dimensions

sides = st.integers(1, 16_383)


def big(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def little(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + big(13, 4) + b"IHDR" + big(width, 4) + big(height, 4) + b"\x08\x02\0\0\0"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + little(width, 2) + little(height, 2) + b"\xf7\0\0"


def extended(width: int, height: int) -> bytes:
    return b"RIFF\0\0\0\0WEBPVP8X" + little(10, 4) + b"\0\0\0\0" + little(width - 1, 3) + little(height - 1, 3)


def lossless(width: int, height: int) -> bytes:
    return b"RIFF\0\0\0\0WEBPVP8L" + little(9, 4) + b"\x2f" + little(width - 1 | height - 1 << 14, 4) + b"\0" * 8


def lossy(width: int, height: int) -> bytes:
    return b"RIFF\0\0\0\0WEBPVP8 " + little(9, 4) + b"\x10\0\0\x9d\x01\x2a" + little(width, 2) + little(height, 2)


def jpeg(width: int, height: int, marker: int = 0xC0, metadata: tuple[int, ...] = (16,)) -> bytes:
    """With segments of metadata, such as a camera's, a profile's and a preview image's, which holds a frame of its own."""
    inner = b"\xff\xc0" + big(17, 2) + b"\x08" + big(1, 2) + big(1, 2)
    segments = b"".join(b"\xff\xe1" + big(size + 2, 2) + (inner * size)[:size] for size in metadata)
    return (
        b"\xff\xd8" + segments + b"\xff" + bytes([0xFF, marker]) + big(17, 2) + b"\x08" + big(height, 2) + big(width, 2)
    )


@given(sides, sides, st.sampled_from([png, gif, extended, lossless, lossy, jpeg]), st.binary(max_size=40))
def test_the_size_is_read_in_every_format(width: int, height: int, made, rest: bytes) -> None:
    assert dimensions(b64encode(made(width, height) + rest + b"\0" * 9).decode()) == (width, height)


@given(sides, sides, st.sampled_from([0xC0, 0xC1, 0xC2, 0xC9]), st.lists(st.integers(0, 65_533), max_size=4))
def test_a_jpegs_size_stands_after_its_metadata(width: int, height: int, marker: int, metadata: list[int]) -> None:
    data = b64encode(jpeg(width, height, marker, tuple(metadata)) + b"\0" * 9).decode()
    assert dimensions(data) == (width, height)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda data: b64encode(data).decode())))
def test_what_is_no_image_has_no_size(text: str) -> None:
    assert dimensions(text) is None


@pytest.mark.parametrize("made", [png, gif, lossy, jpeg])
def test_what_breaks_off_or_is_nothing_wide_has_no_size(made) -> None:
    whole = b64encode(made(640, 480)).decode()
    assert all(dimensions(whole[:end]) in (None, (640, 480)) for end in range(len(whole)))
    assert dimensions(b64encode(made(0, 480) + b"\0" * 9).decode()) is None
