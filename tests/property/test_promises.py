"""Laws of promises: the order of labels does not matter, better evidence never says less, a cut rests on scores."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.learning.examples import Example, Walk
from surefoot.learning.threshold import certify_threshold
from surefoot.policy import Promise
from surefoot.stats.sequential import CERTIFIED, OPEN, certify

PROMISE = Promise(accuracy=0.85)
labels = st.lists(st.tuples(st.booleans(), st.sampled_from([1.0, 0.5, 0.05])), max_size=60)


def stand(found: list[tuple[bool, float]], accuracy: float = 0.85, assurance: float = 0.95):  # type: ignore[no-untyped-def]
    return certify(
        [wrong for wrong, _ in found], [weight for _, weight in found], accuracy=accuracy, assurance=assurance
    )


@given(labels, st.randoms())
def test_the_order_of_labels_does_not_matter(found, random) -> None:  # type: ignore[no-untyped-def]
    other = list(found)
    random.shuffle(other)
    assert stand(found) == stand(other)


@given(labels, st.integers(0, 59))
def test_a_label_that_turns_right_never_says_less(found, place: int) -> None:  # type: ignore[no-untyped-def]
    better = [(wrong and at != place, weight) for at, (wrong, weight) in enumerate(found)]
    assert stand(better).log_wealth >= stand(found).log_wealth
    assert stand(better).at_least >= stand(found).at_least - 1e-5


@given(labels)
def test_a_right_label_more_never_says_less_and_a_wrong_one_never_more(found) -> None:  # type: ignore[no-untyped-def]
    now = stand(found).log_wealth
    assert stand([*found, (True, 1.0)]).log_wealth <= now <= stand([*found, (False, 1.0)]).log_wealth


@given(labels, st.floats(0.5, 0.9), st.floats(0.01, 0.09))
def test_a_stricter_promise_is_never_easier(found, accuracy: float, more: float) -> None:  # type: ignore[no-untyped-def]
    assert stand(found, accuracy + more).log_wealth <= stand(found, accuracy).log_wealth + 1e-9


@given(labels)
def test_certified_and_needing_nothing_are_the_same(found) -> None:  # type: ignore[no-untyped-def]
    now = stand(found)
    assert (now.state == CERTIFIED) == (now.labels_needed == 0) == (now.at_least >= 0.85 - 1e-6)
    assert now.accuracy is None or 0 <= now.at_least <= now.accuracy + 1e-6


@dataclass(frozen=True)
class Labelled:
    walks: list[Walk]
    p: np.ndarray


@st.composite
def labelled(draw) -> Labelled:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, difficulty = draw(st.integers(1, 250)), draw(st.floats(0.2, 3))
    p = np.round(rng.random(n), draw(st.integers(1, 4)))
    right = rng.random(n) < p ** (1 / difficulty)
    groups = rng.integers(0, max(1, n // draw(st.integers(1, 3))), n)
    return Labelled(
        [walk(at, str(group), bool(ok)) for at, (group, ok) in enumerate(zip(groups, right, strict=True))], p
    )


def walk(at: int, group: str, accepted: bool) -> Walk:
    return Walk(id=str(at), group=group, drafts=(Example(id=str(at), group=group, signals={}, accepted=accepted),))


@settings(max_examples=40)
@given(labelled(), st.randoms())
def test_a_cut_does_not_depend_on_the_order_of_walks(found: Labelled, random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(found.walks)))
    random.shuffle(order)
    cut = certify_threshold(found.walks, [found.p], PROMISE, start_at=0.85)
    assert certify_threshold([found.walks[at] for at in order], [found.p[order]], PROMISE, start_at=0.85) == cut


@settings(max_examples=40)
@given(labelled())
def test_a_certified_cut_passes_the_exact_test_and_no_other_says_it_does(found: Labelled) -> None:
    cut = certify_threshold(found.walks, [found.p], PROMISE, start_at=0.85)
    assert cut.state in (CERTIFIED, OPEN)
    assert (cut.state == CERTIFIED) == (cut.threshold is not None) == (cut.labels_needed == 0)
    if cut.threshold is not None:
        assert cut.accuracy is not None and cut.accuracy > 0.85 and cut.n >= 19 and cut.threshold in found.p


@settings(max_examples=40)
@given(labelled())
def test_a_wrong_answer_that_turns_right_never_makes_the_cut_stricter(found: Labelled) -> None:
    before = certify_threshold(found.walks, [found.p], PROMISE, start_at=0.85)
    better = [walk(at, each.group, True) for at, each in enumerate(found.walks[: len(found.walks) // 2])]
    after = certify_threshold([*better, *found.walks[len(better) :]], [found.p], PROMISE, start_at=0.85)
    assert (after.threshold is None) <= (before.threshold is None)
    assert before.threshold is None or (after.threshold is not None and after.threshold <= before.threshold)
