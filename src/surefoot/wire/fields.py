"""Moves JSON values as raw bytes, so that whatever is not ours passes untouched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from surefoot.errors import BadAnswer, BadRequest
from surefoot.records import Request
from surefoot.wire import Top
from surefoot.wire.sse import data_of, with_data

# Far above what any model takes, and low enough for a reservation to be a 64-bit number of nano-dollars.
TokenLimit = Annotated[int, Meta(ge=1, le=2**31 - 1)]
ChoiceCount = Annotated[int, Meta(ge=1, le=1024)]
TokenCount = Annotated[int, Meta(ge=0, le=2**40)]  # as billed: below zero it would be a credit
Name = Annotated[str, Meta(min_length=1)]
WaitManner = Literal["poll", "held", "sse", "webhook"]

Metered = TypeVar("Metered", bound=Struct)

_TOP = msgspec.json.Decoder(dict[str, Raw])
_JSON = msgspec.json.Encoder()


def metered(raw: Raw, decoder: msgspec.json.Decoder[Metered | None]) -> Metered | None:
    """Usage as a provider wrote it; None when it is no usage: below zero, beyond all measure, not a number.

    The answer beside it is as good as ever, and it is not free: whoever reads it estimates what nobody metered.
    """
    try:
        return decoder.decode(raw) if bytes(raw) else None
    except msgspec.ValidationError:
        return None


class Ours(Struct, forbid_unknown_fields=True):
    """The `surefoot` object of a request."""

    context: tuple[str, ...] = ()
    feature: str = ""
    wait: WaitManner | None = None  # instead of the feature's own manner
    webhook: Annotated[str, Meta(max_length=2048)] = ""  # whom to call when a person has answered


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


def answer_id(request: Request) -> str:
    """The id of an answer that we compose ourselves, in the manner of the request's dialect."""
    return answer_id_of(request.dialect, request.id)


def answer_id_of(dialect: str, request_id: str) -> str:
    """As `answer_id`, where only the request's id is left."""
    prefix = "chatcmpl-" if dialect == "openai" else "msg_"
    return prefix + request_id.removeprefix("req_")


def body_of(top: Mapping[str, bytes | Raw]) -> bytes:
    """The JSON object of raw fields, in their order."""
    return b"{" + b",".join(_JSON.encode(name) + b":" + bytes(value) for name, value in top.items()) + b"}"


def strip(top: Top, tags: Iterable[str], inner: object) -> tuple[str, ...]:
    """Take out of a request what is ours or LiteLLM's, which a vendor would refuse.

    Args:
        top: the request's fields; `surefoot`, `tags` and a list in `metadata.tags` leave it.
        tags: the `tags` field as read.
        inner: the `metadata.tags` field as read, whatever it was.
    Returns: all tags that were there.
    """
    top.pop("surefoot", None)
    top.pop("tags", None)
    if not isinstance(inner, list):
        return tuple(tags)
    rest = _TOP.decode(bytes(top["metadata"]))
    rest.pop("tags", None)
    top["metadata"] = Raw(body_of(rest))
    return (*tags, *(tag for tag in inner if isinstance(tag, str)))


def tag_body(body: bytes, note: bytes) -> bytes:
    """A JSON object with `surefoot` as its last field; every other byte stays as it was, but for space before the brace.

    Raises: BadRequest when the body is no object.
    """
    end = body.rfind(b"}")
    if end < 0 or not body.lstrip().startswith(b"{") or body[end + 1 :].strip():
        raise BadRequest("the body is not a JSON object")
    before = body[:end].rstrip()
    comma = b"" if before.endswith(b"{") else b","
    return before + comma + b'"surefoot":' + note + body[end:]


def tag_event(event: bytes, note: bytes, *, inside: str = "") -> bytes:
    """An event with `surefoot` as the last field of its payload, or of the object in the payload's field `inside`.

    Raises: BadAnswer when there is no such object.
    """
    data = data_of(event)
    try:
        if not inside:
            return with_data(event, tag_body(data, note))
        top = top_of(data)
        top[inside] = Raw(tag_body(bytes(top.get(inside, b"")), note))
        return with_data(event, body_of(top))
    except BadRequest as error:
        raise BadAnswer(f"an event cannot be tagged: {error.message}") from error


def explain(error: msgspec.ValidationError) -> BadRequest:
    """A refusal that names the field at fault, from msgspec's own words."""
    text = str(error)
    words, _, path = text.partition(" - at `$.")
    param = path.rstrip("`") or None
    if param is None and "missing required field `" in words:
        param = words.split("`")[1]
    return BadRequest(text.replace("`$.", "`"), param=param)
