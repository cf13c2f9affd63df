"""Moves JSON values as raw bytes, so that whatever is not ours passes untouched."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from surefoot.errors import BadRequest
from surefoot.wire import Top

_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Encoder()


def top_of(body: bytes) -> Top:
    """A JSON object's fields with their values as raw bytes. Raises BadRequest for anything else."""
    try:
        body.decode("utf-8")
        return _TOP.decode(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 (byte {error.start})") from error
    except msgspec.DecodeError as error:
        raise BadRequest(f"the body is not a JSON object: {error}") from error
    except RecursionError as error:
        raise BadRequest("the body is nested too deeply") from error


def body_of(top: Mapping[str, bytes | msgspec.Raw]) -> bytes:
    """The JSON object of raw fields, in their order."""
    return b"{" + b",".join(_STRING.encode(name) + b":" + bytes(value) for name, value in top.items()) + b"}"


def tag_body(body: bytes, note: bytes) -> bytes:
    """A JSON object with `surefoot` as its last field; every other byte stays as it was.

    Raises: BadRequest when the body does not end in a brace.
    """
    end = body.rfind(b"}")
    if end < 0:
        raise BadRequest("the body is not a JSON object")
    before = body[:end].rstrip()
    comma = b"" if before.endswith(b"{") else b","
    return before + comma + b'"surefoot":' + note + body[end:]


def explain(error: msgspec.ValidationError) -> BadRequest:
    """A refusal that names the field at fault, from msgspec's own words."""
    text = str(error)
    words, _, path = text.partition(" - at `$.")
    param = path.rstrip("`") or None
    if param is None and "missing required field `" in words:
        param = words.split("`")[1]
    return BadRequest(text.replace("`$.", "`"), param=param)
