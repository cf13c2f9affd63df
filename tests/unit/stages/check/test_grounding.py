"""The check says what grounding says, as evidence."""

from check_support import request, scores, seen

from surefoot.stages.check import Findings, Grounding

PASSAGE = "Repeat prescriptions take 2 working days. Requests by phone are not accepted."


def test_without_passages_nothing_is_said() -> None:
    assert Grounding()(seen("Two working days.")) == Findings()


def test_without_an_answer_nothing_is_said() -> None:
    assert Grounding()(seen(" ", passages=(PASSAGE,))) == Findings()


def test_every_sentence_has_a_span_of_the_answer_and_its_nearest_of_a_passage() -> None:
    answer = "Repeat prescriptions take 2 working days. You can request them by phone."
    first, second = Grounding()(seen(answer, passages=("Other things.", PASSAGE))).spans
    assert answer[first.start : first.end] == "Repeat prescriptions take 2 working days."
    assert (first.supported, first.why, first.passage) == (True, "", 1)
    assert PASSAGE[second.passage_start : second.passage_end] == "Requests by phone are not accepted."
    assert (second.supported, second.why) == (False, "negation")


def test_the_first_signal_is_that_of_the_weakest_sentence() -> None:
    found = Grounding()(seen("Repeat prescriptions take 2 working days. Fees are 70 dollars.", passages=(PASSAGE,)))
    assert found.signals[0].name == "grounded"
    assert found.signals[0].score == min(span.score for span in found.spans)


def test_names_and_order_of_signals_never_change() -> None:
    one = Grounding()(seen("Repeat prescriptions take 2 working days.", passages=(PASSAGE,)))
    other = Grounding()(seen('"So", said Bob on 3 May, "10 mg"? 感冒药', passages=("x",)))
    assert list(scores(one)) == list(scores(other))
    assert all(score is not None for score in scores(other).values())


def test_passages_of_the_message_and_of_the_handbook_count_alike() -> None:
    block = request([{"role": "user", "content": f"<context>{PASSAGE}</context> How long?"}])
    answer = "Repeat prescriptions take 2 working days."
    assert scores(Grounding()(seen(answer, of=block))) == scores(Grounding()(seen(answer, passages=(PASSAGE,))))
