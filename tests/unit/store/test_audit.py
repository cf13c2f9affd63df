"""The trail's arithmetic: whatever is done to a chain, the first row at fault is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import TrailBroken
from surefoot.records.audit import AuditEvent, Head
from surefoot.store.audit import Walk, digest, encode, genesis, vouching
from surefoot.store.chain import link

CHAIN = "0a" * 8
Row = tuple[int, bytes, bytes, bytes]

events = st.lists(
    st.builds(AuditEvent, kind=st.text(max_size=8), by=st.text(max_size=8), detail=st.text(max_size=20)),
    min_size=1,
    max_size=8,
)


def rows_of(given: list[AuditEvent]) -> list[Row]:
    """A chain: (position, prev_hash, hash, body)."""
    rows, head = [], genesis(CHAIN)
    for position, event in enumerate(given, start=1):
        body = encode(event)
        rows.append((position, head, link(head, body), body))
        head = rows[-1][2]
    return rows


def walk(rows: list[Row], *named: tuple[Head, str]) -> Walk:
    found = Walk(named)
    found.begin(CHAIN)
    for row in rows:
        found.step(*row)
    found.end()
    found.close()
    return found


@given(events)
def test_what_was_written_verifies(given: list[AuditEvent]) -> None:
    assert walk(rows_of(given)).rows == len(given)


@given(events, st.data())
def test_any_flipped_bit_of_any_body_names_its_row(given: list[AuditEvent], data: st.DataObject) -> None:
    rows = rows_of(given)
    place = data.draw(st.integers(0, len(rows) - 1))
    position, previous, row_hash, body = rows[place]
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    changed = bytes(byte ^ (1 << bit % 8 if index == bit // 8 else 0) for index, byte in enumerate(body))
    rows[place] = (position, previous, row_hash, changed)
    with pytest.raises(TrailBroken) as told:
        walk(rows)
    assert told.value.row == f"{CHAIN}/{place + 1}"


@given(events.filter(lambda found: len(found) > 1), st.data())
def test_a_row_that_is_taken_out_is_named_unless_it_was_the_last(given: list[AuditEvent], data: st.DataObject) -> None:
    rows = rows_of(given)
    place = data.draw(st.integers(0, len(rows) - 2))
    with pytest.raises(TrailBroken, match="missing") as told:
        walk(rows[:place] + rows[place + 1 :])
    assert told.value.row == f"{CHAIN}/{place + 1}"


@given(events)
def test_a_head_that_was_named_misses_even_the_last_row(given: list[AuditEvent]) -> None:
    rows = rows_of(given)
    head = Head(trail="audit", chain=CHAIN, position=len(rows), hash=rows[-1][2].hex())
    walk(rows, (head, "a checkpoint"))
    with pytest.raises(TrailBroken, match="a checkpoint names it"):
        walk(rows[:-1], (head, "a checkpoint"))


values = st.dictionaries(
    st.sampled_from(["id", "kind", "text", "p"]),
    st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.booleans()),
)


@given(values, values)
def test_rows_that_differ_have_different_digests(one: dict, other: dict) -> None:
    told = [digest("t", sorted(row), row) for row in (one, other)]
    alike = [sorted((name, repr(value)) for name, value in row.items()) for row in (one, other)]
    assert (told[0] == told[1]) == (alike[0] == alike[1])


def test_a_row_that_is_vouched_for_twice_is_a_forgery() -> None:
    first = vouching(AuditEvent(kind="a"), "stops", "id", {"id": 1, "reason": "wrong doses"})
    second = vouching(AuditEvent(kind="a"), "stops", "id", {"id": 1, "reason": "routine"})
    with pytest.raises(TrailBroken, match=f"audit_events row {CHAIN}/2 .* vouched for before"):
        walk(rows_of([first, second]))


def test_time_that_goes_back_within_a_chain_is_a_fault() -> None:
    with pytest.raises(TrailBroken, match="its time lies before"):
        walk(rows_of([AuditEvent(kind="a", at_ns=2), AuditEvent(kind="b", at_ns=1)]))
