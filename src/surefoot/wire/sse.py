"""Server-sent events: bytes in, whole events out, whatever the network cut them into."""

from __future__ import annotations

import msgspec

from surefoot.errors import BadAnswer

MAX_EVENT_BYTES = 8 * 1024 * 1024
COMMENT = b": waiting for a person\n\n"  # keeps a connection alive; readers of events do not see it


class Splitter:
    """Splits a stream into events that end in one blank line. Comments alone (keep-alives) are dropped.

    Costs time linear in the stream: an unfinished event is kept in the pieces it came in, and only a new piece is searched.
    """

    __slots__ = ("_held", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of the unfinished event, line ends already "\n"
        self._size = 0
        self._held = False  # whether the last byte was "\r", perhaps the first half of a line end

    def feed(self, data: bytes) -> list[bytes]:
        """The events that are complete now. Raises BadAnswer when one is longer than MAX_EVENT_BYTES."""
        if self._held or b"\r" in data:
            data = self._unified(data)
        pieces = self._pieces
        if b"\n\n" not in data and not (pieces and data.startswith(b"\n") and pieces[-1].endswith(b"\n")):
            self._keep(data)
            return []
        if pieces:
            data = b"".join((*pieces, data))
        *whole, rest = data.split(b"\n\n")
        self._pieces, self._size = [], 0
        self._keep(rest)
        if len(data) > MAX_EVENT_BYTES:
            for event in whole:
                _measure(len(event))
        return [event.lstrip(b"\n") + b"\n\n" for event in whole if _says_something(event)]

    def rest(self) -> bytes:
        """What is left when the stream ends; b"" when it ended cleanly."""
        return b"".join(self._pieces).strip(b"\n")

    def _unified(self, data: bytes) -> bytes:
        """The bytes with every line end as "\\n"; a last "\\r" waits for what follows it."""
        if self._held:
            data = b"\r" + data
        self._held = data.endswith(b"\r")
        if self._held:
            data = data[:-1]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._size += len(rest)
            _measure(self._size)
            self._pieces.append(rest)


def data_of(event: bytes) -> bytes:
    """An event's data lines, joined; b"" when it has none."""
    start = 0 if event.startswith(b"data:") else event.find(b"\ndata:") + 1
    if start or event.startswith(b"data:"):
        start += 6 if event.startswith(b" ", start + 5) else 5
        if event.find(b"\n", start) == len(event) - 2:  # the usual case: one data line, and it is the last
            return event[start:-2]
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def with_data(event: bytes, data: bytes) -> bytes:
    """An event with other data; its other lines, and the usual frame around a single line, stay byte for byte."""
    frame, old = event.rstrip(b"\n"), data_of(event)
    if old and b"\n" not in data and frame.endswith(old):
        start = len(frame) - len(old)
        return frame[:start] + data + event[len(frame) :]
    others = [line for line in frame.split(b"\n") if not line.startswith(b"data:")]
    return b"\n".join((*others, *(b"data: " + line for line in data.split(b"\n")))) + b"\n\n"


def object_of(event: bytes) -> dict[str, object]:
    """An event's data as a JSON object. Raises BadAnswer when it is none."""
    try:
        return msgspec.json.decode(data_of(event), type=dict[str, object])
    except msgspec.DecodeError as error:
        raise BadAnswer(f"an event is not a JSON object: {error}") from error
    except RecursionError as error:
        raise BadAnswer("an event is nested too deeply") from error


def event_of(payload: object, *, name: str = "", id: str = "") -> bytes:
    """One event with a JSON payload, named where the dialect names its events, with an id where a reader may resume."""
    head = (f"id: {id}\n" if id else "").encode() + (f"event: {name}\n" if name else "").encode()
    return head + b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _measure(size: int) -> None:
    if size > MAX_EVENT_BYTES:
        raise BadAnswer(f"an event is longer than {MAX_EVENT_BYTES} bytes")


def _says_something(event: bytes) -> bool:
    stripped = event.lstrip(b"\n")
    return bool(stripped) and not (stripped.startswith(b":") and b"\ndata:" not in stripped)
