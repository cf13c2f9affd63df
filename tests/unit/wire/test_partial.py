"""JSON that broke off is read as the SDKs read it."""

import json

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer
from surefoot.wire.partial import value_of

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=4)


@given(objects, st.booleans())
def test_what_is_complete_is_read_as_it_is(value: dict[str, object], ascii: bool) -> None:
    assert value_of(json.dumps(value, ensure_ascii=ascii)) == value


@given(objects, st.data())
def test_what_broke_off_is_read_as_the_sdk_reads_it(value: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps(value)
    text = text[: data.draw(st.integers(1, len(text)))]
    assert value_of(text) == jiter.from_json(text.encode(), partial_mode=True)


@pytest.mark.parametrize("text", ['{"a":nope}', '{"a" 1', "]", '{"a":1]', "", '"x', "{1:2}", "[1 2", "[nope", "[1}"])
def test_what_never_was_json_is_a_bad_answer(text: str) -> None:
    with pytest.raises(BadAnswer):
        value_of(text)
