"""Golden sets: versions, questions that are asked twice, what is gone, and what a policy has seen before."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.errors import DataError
from surefoot.evals.golden import Golden, Header, Item, Origin, exported, grow, leaks, read_golden, version_of, written
from surefoot.providers.rows import Row, read_rows

EMPTY = Golden(header=Header(golden="triage", feature="f"))


def item(name: str, query: str, *, source: str = "case", at_ns: int = 1, reference: str = "yes") -> Item:
    origin = Origin(source=source, request_id=f"req_{name}", subject="s", at_ns=at_ns)
    return Item(id=name, query=query, reference=reference, group=name, origin=origin)


def grown(golden: Golden, *found: Item, gone: dict[str, str] | None = None) -> Golden:
    return grow(golden, found, gone=gone or {}, at_ns=9).golden


def test_a_set_survives_its_file_and_trials_read_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    raw = {"messages": msgspec.Raw(b'[{"role":"user","content":"May I?"}]')}
    golden = grown(EMPTY, item("b", "When do you open?"), replace(item("a", "May I?"), request=raw))
    file = tmp_path / "golden.jsonl"
    file.write_bytes(written(golden))
    again = read_golden(file.read_bytes(), file="golden.jsonl")
    assert again.version == golden.version == again.header.versions[-1].version and not again.is_edited
    assert [item.id for item in again.items] == ["a", "b"] and again.items[0].origin == golden.items[1].origin
    rows = read_rows(file)
    assert [row.id for row in rows] == ["a", "b"] and version_of(rows) == golden.version
    assert b"req_" not in exported(golden) and exported(golden).count(b"\n") == 2


@given(st.permutations(["How much is it?", "Where are you?", "Who answers?", "Can I cancel?"]))
@settings(max_examples=15, deadline=None)
def test_a_version_is_its_items_whatever_their_order_or_origin(queries: list[str]) -> None:
    rows = [Row(id=query, query=query, reference="x") for query in queries]
    assert version_of(rows) == version_of(sorted(rows, key=lambda row: row.id))
    assert version_of(rows) != version_of(rows[1:])
    items = [Item(id=row.id, query=row.query, reference="x", origin=item("o", "q").origin) for row in rows]
    assert version_of(items) == version_of(rows)


def test_the_same_question_stands_in_it_once_and_a_persons_newer_answer_counts() -> None:
    golden = grown(EMPTY, item("old", "How long do refills take?", at_ns=1, reference="2 days"))
    result = grow(
        golden,
        [
            item("again", "how long do refills take", at_ns=5, reference="3 days"),
            item("judged", "How long do refills take??", source="audit", at_ns=8),
            item("other", "How long do refills take on Sundays?", at_ns=5),
            item("known", "Do you take cards?", at_ns=5),
        ],
        gone={},
        at_ns=9,
    )
    assert {each.id for each in result.golden.items} == {"again", "other", "known"}
    assert (result.added, result.same, result.removed) == (3, 1, {"a newer answer": 1})
    versions = result.golden.header.versions
    assert versions[1].parent == versions[0].version and (versions[1].added, versions[1].removed) == (3, 1)
    groups = {each.id: each.group for each in result.golden.items}
    assert groups["again"] == groups["other"] != groups["known"]


def test_like_questions_with_another_number_or_a_negation_are_not_the_same() -> None:
    golden = grown(
        EMPTY,
        item("two", "May I take 2 tablets of ibuprofen a day?"),
        item("four", "May I take 4 tablets of ibuprofen a day?"),
        item("not", "May I not take 2 tablets of ibuprofen a day?"),
    )
    assert len(golden.items) == 3 and len({each.group for each in golden.items}) == 1


def test_what_is_gone_leaves_and_nothing_new_is_no_version() -> None:
    golden = grown(EMPTY, item("a", "When do you open?"), item("b", "Do you take cards?"))
    assert grown(golden, item("a", "When do you open?")) == golden
    result = grow(golden, [item("a", "When do you open?")], gone={"a": "erased"}, at_ns=9)
    assert [each.id for each in result.golden.items] == ["b"] and result.removed == {"erased": 1}
    assert result.golden.header.versions[-1].why == "1 erased"


def test_what_somebody_wrote_into_the_file_becomes_a_version_and_stays() -> None:
    golden = grown(EMPTY, item("a", "When do you open?"))
    by_hand = Item(id="mine", query="Do you take cards?", facts=("yes",))
    edited = Golden(header=golden.header, items=(*golden.items, by_hand))
    assert edited.is_edited
    result = grown(edited, item("b", "Do you take cards?", at_ns=99))
    assert not result.is_edited and [each.id for each in result.items] == ["a", "mine"]
    assert result.header.versions[-1].why == "edited by hand"


def test_questions_that_were_learned_from_are_told_from_those_that_were_not() -> None:
    rows = [Row(id=str(n), query=query) for n, query in enumerate(
        ["How long do refills take?", "Do you take cards?", "Who are you?", "May I take 4 tablets a day?"])]  # fmt: skip
    found = leaks(
        rows, questions={"labels": ["how long do REFILLS take", "May I take 2 tablets a day?"]},
        texts={"prompt": "Q: Do you take cards? A: yes. Who are you?", "handbook": ""},
    )  # fmt: skip
    assert found == {"0": "labels", "1": "prompt"}  # three words prove nothing


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "no header"), (b'{"id":"a"}', "no header"), (b'{"golden":"g"}', "header cannot be read"),
     (b'{"golden":"g","feature":"f"}\n{"query":1}', "not an item")],
)  # fmt: skip
def test_a_file_that_is_no_set_is_refused_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_golden(data, file="x.jsonl")
