"""Laws of likeness, differences, queues and agreement."""

from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.review.clusters import Waiting
from surefoot.review.differences import Asked, differences, facts
from surefoot.review.likeness import Index
from surefoot.stats.agreement import krippendorff
from surefoot.stats.queueing import answered_within, erlang_c, people_needed

WORDS = st.sampled_from(
    "card lost refund when open not 5 mg 7 days Vienna before after £3 a@b.org without photo".split()
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)
LOADS = st.floats(0.05, 40.0)


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_a_score_is_a_share_and_the_order_is_theirs(texts: list[str]) -> None:
    found = Index((str(n), text) for n, text in enumerate(texts)).search(texts[0], limit=20)
    scores = [hit.score for hit in found]
    assert all(0 < score <= 1 for score in scores) and scores == sorted(scores, reverse=True)
    assert not texts[0] or max(scores) > 1 - 1e-6


@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=8))
def test_what_came_and_went_leaves_no_trace(kept: list[str], gone: list[str]) -> None:
    index = Index((f"g{n}", text) for n, text in enumerate(gone))
    for n, text in enumerate(kept):
        index.add(f"k{n}", text)
    for n in range(len(gone)):
        index.remove(f"g{n}")
    assert {hit.id for hit in index.search("card refund", limit=50)} <= {f"k{n}" for n in range(len(kept))}


@given(TEXTS, TEXTS)
def test_differences_are_the_same_from_both_sides(one: str, other: str) -> None:
    here, there = facts(Asked(id="a", text=one)), facts(Asked(id="b", text=other))
    forth, back = differences(here, there), differences(there, here)
    assert [each.kind for each in forth] == [each.kind for each in back]
    assert [(each.here, each.there) for each in forth if each.kind != "opposite"] == [
        (each.there, each.here) for each in back if each.kind != "opposite"
    ]


@given(TEXTS)
def test_a_text_differs_from_itself_in_nothing(text: str) -> None:
    assert differences(facts(Asked(id="a", text=text)), facts(Asked(id="b", text=text))) == ()


@given(TEXTS, st.lists(TEXTS, max_size=6))
def test_a_case_is_never_like_itself_and_never_twice(text: str, others: list[str]) -> None:
    waiting = Waiting(Asked(id=str(n), text=each) for n, each in enumerate([text, *others]))
    found = list(waiting.like(Asked(id="0", text=text), least=0.2))
    names = [member.case_id for member in found]
    assert "0" not in names and len(names) == len(set(names))


@given(LOADS, st.integers(1, 60))
def test_more_people_never_wait_more_and_more_load_never_less(load: float, people: int) -> None:
    assert erlang_c(people + 1, load) <= erlang_c(people, load) + 1e-12
    assert erlang_c(people, load * 1.1) >= erlang_c(people, load) - 1e-12


@settings(max_examples=60)
@given(st.floats(0.1, 300), st.floats(10, 600), st.floats(1.0, 20), st.floats(0.5, 0.95))
def test_who_is_needed_is_just_enough(per_hour: float, handle: float, times: float, share: float) -> None:
    seconds = handle * times
    people = people_needed(per_hour=per_hour, handle_seconds=handle, seconds=seconds, share=share)
    if people is None:
        return
    reached = [
        answered_within(n, per_hour=per_hour, handle_seconds=handle, seconds=seconds) for n in (people - 1, people)
    ]
    assert reached[0] < share <= reached[1]


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=12), st.permutations("abc"))
def test_alpha_does_not_depend_on_names_or_order(units: list[list[str]], names: list[str]) -> None:
    renamed = [[names["abc".index(value)] for value in reversed(unit)] for unit in reversed(units)]
    one, other = krippendorff(units, resamples=50), krippendorff(renamed, resamples=50)
    assert (one.alpha is None) == (other.alpha is None)
    if one.alpha is not None and other.alpha is not None:
        assert abs(one.alpha - other.alpha) < 1e-9 and one.low <= one.alpha <= one.high <= 1
