"""Server-sent events: bytes in, whole events out, whatever the network cut them into."""

from __future__ import annotations

import msgspec

from surefoot.errors import BadAnswer

MAX_EVENT_BYTES = 8 * 1024 * 1024


class Splitter:
    """Splits a stream into events that end in one blank line. Comments alone (keep-alives) are dropped."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now. Raises BadAnswer when one is longer than MAX_EVENT_BYTES."""
        data = self._rest + data if self._rest else data
        held = b""
        if b"\r" in data:
            if data.endswith(b"\r"):  # perhaps the first half of a line end
                data, held = data[:-1], b"\r"
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n\n" not in data:
            self._keep(data + held)
            return []
        *whole, rest = data.split(b"\n\n")
        self._keep(rest + held)
        return [event.lstrip(b"\n") + b"\n\n" for event in whole if _says_something(event)]

    def rest(self) -> bytes:
        """What is left when the stream ends; b"" when it ended cleanly."""
        return self._rest.strip(b"\r\n")

    def _keep(self, rest: bytes) -> None:
        if len(rest) > MAX_EVENT_BYTES:
            raise BadAnswer(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        self._rest = rest


def data_of(event: bytes) -> bytes:
    """An event's data lines, joined; b"" when it has none."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return event[6:-2]
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def object_of(event: bytes) -> dict[str, object]:
    """An event's data as a JSON object. Raises BadAnswer when it is none."""
    try:
        return msgspec.json.decode(data_of(event), type=dict[str, object])
    except msgspec.DecodeError as error:
        raise BadAnswer(f"an event is not a JSON object: {error}") from error


def event_of(payload: object, *, name: str = "") -> bytes:
    """One event with a JSON payload, named where the dialect names its events."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _says_something(event: bytes) -> bool:
    stripped = event.lstrip(b"\n")
    return bool(stripped) and not (stripped.startswith(b":") and b"\ndata:" not in stripped)
