"""Events come out whole, once, and at a cost that does not grow with what was fed before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer
from surefoot.wire.sse import MAX_EVENT_BYTES, Splitter, data_of, event_of, object_of, with_data

lines = st.lists(st.sampled_from([b"data: a", b"data:b", b": c", b"event: x", b"id: 1"]), min_size=1, max_size=3)


def feed(data: bytes, sizes: list[int]) -> list[bytes]:
    splitter, found = Splitter(), []
    for size in (*sizes, len(data)):
        found += splitter.feed(data[:size])
        data = data[size:]
    return [*found, splitter.rest()]


@given(st.lists(lines, max_size=5), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(1, 9), max_size=40))
def test_where_the_network_cuts_changes_nothing(events: list[list[bytes]], end: bytes, sizes: list[int]) -> None:
    data = b"".join(end.join(event) + end + end for event in events) + b"data: x"  # lets a last "\r" stand
    assert feed(data, sizes) == feed(data, [])


@given(st.lists(lines, max_size=5), st.sampled_from([b"\r\n", b"\r"]))
def test_every_line_end_reads_the_same(events: list[list[bytes]], end: bytes) -> None:
    def framed(end: bytes) -> bytes:
        return b"".join(end.join(event) + end + end for event in events) + b"data: x"

    assert feed(framed(end), []) == feed(framed(b"\n"), [])


def test_an_event_in_many_pieces_is_put_together_once() -> None:
    splitter, piece = Splitter(), b"x" * 1024
    assert not any(splitter.feed(piece) for _ in range(4096))  # minutes, were every piece to copy all before it
    assert splitter.feed(b"\n") == []
    assert splitter.feed(b"\n") == [piece * 4096 + b"\n\n"]


@pytest.mark.parametrize("end", [b"", b"\n\n"])
def test_an_event_beyond_the_limit_is_refused_whole_or_not(end: bytes) -> None:
    with pytest.raises(BadAnswer):
        Splitter().feed(b"data: " + b"x" * MAX_EVENT_BYTES + end)


def test_many_events_in_one_piece_may_exceed_the_limit_together() -> None:
    half = b"data: " + b"x" * (MAX_EVENT_BYTES // 2 + 1) + b"\n\n"
    assert Splitter().feed(half + half) == [half, half]


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: a\n\n", b"a"),
        (b"data:a\n\n", b"a"),
        (b"data:  a\n\n", b" a"),
        (b"event: x\ndata: a\n\n", b"a"),
        (b"data: a\nid: 1\n\n", b"a"),
        (b"data: a\ndata:b\n\n", b"a\nb"),
        (b"event: x\n\n", b""),
        (b"data: a", b"a"),
    ],
)
def test_the_data_is_what_its_lines_say(event: bytes, data: bytes) -> None:
    assert data_of(event) == data


def test_new_data_leaves_the_other_lines_alone() -> None:
    assert with_data(b"event: x\ndata:a\n\n", b"b") == b"event: x\ndata:b\n\n"
    assert with_data(b"data: a\nid: 1\n\n", b"b\nc") == b"id: 1\ndata: b\ndata: c\n\n"


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"])
def test_what_is_no_object_is_a_bad_answer(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        object_of(b"data: " + data + b"\n\n")


def test_an_event_is_named_when_its_dialect_names_events() -> None:
    assert event_of({"a": 1}, name="x") == b'event: x\ndata: {"a":1}\n\n'


def test_an_event_has_an_id_where_a_reader_may_resume() -> None:
    assert event_of({"a": 1}, name="told", id="7") == b'id: 7\nevent: told\ndata: {"a":1}\n\n'
