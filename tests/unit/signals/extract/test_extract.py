"""Compression of passages: what is kept, and that nothing protected is lost from what may be sent."""

from __future__ import annotations

from surefoot.signals.extract.extract import GAP, compress, read_passages
from surefoot.signals.extract.sufficiency import doubt, sendable
from surefoot.signals.extract.units import units

RETURNS = (
    "Returns\nThe shop was founded in 1987 by two brothers from Leeds. Its rooms are painted green. You can return shoes within 30 "
    "days for a full refund. Unless the box is missing, no fee is charged. The brothers liked football and long walks. Their "
    "mother kept the accounts for many years in a leather book."
)
WALKS = (
    "Walks\nThe hills around the town are popular. Many visitors arrive by train in spring. The station has two platforms and a "
    "small café. A bus leaves for the lake every hour in summer."
)
QUESTION = "Within how many days can I return shoes?"


def _kept(question: str, passages: tuple[str, ...], target: float) -> str:
    read = read_passages(question, passages)
    assert read is not None
    return "\n".join(compress(read, target).texts)


def test_what_the_question_asks_for_is_kept_and_the_rest_left_out():
    kept = _kept(QUESTION, (RETURNS, WALKS), 0.5)
    assert "within 30 days" in kept
    assert "platforms" not in kept
    assert GAP in kept


def test_a_sentence_that_narrows_the_one_before_it_comes_along():
    kept = _kept(QUESTION, (RETURNS, WALKS), 0.45)
    assert "Unless the box is missing" in kept


def test_the_title_stays_with_what_stands_below_it():
    assert _kept(QUESTION, (RETURNS, WALKS), 0.5).startswith("Returns\n")


def test_a_passage_that_is_left_out_is_still_counted():
    read = read_passages(QUESTION, (WALKS, RETURNS))
    assert read is not None
    texts = compress(read, 0.4).texts
    assert len(texts) == 2
    assert texts[0] == GAP


def test_a_repetition_is_left_out_even_when_there_is_room():
    again = "Fees\nThe fee for a lost card is 20 pounds. The fee for a lost card is 20 pounds."
    assert _kept("What is the fee for a lost card?", (again,), 1.0).count("20 pounds") == 1


def test_the_same_sentence_with_another_number_is_no_repetition():
    other = "Fees\nThe fee for a lost card is 20 pounds. The fee for a lost card is 25 pounds."
    kept = _kept("What is the fee for a lost card?", (other,), 1.0)
    assert "20 pounds" in kept
    assert "25 pounds" in kept


def test_code_and_tables_are_never_cut_in_two():
    text = "Setup\nRun this first. It takes a while.\n```\npip install surefoot\n\nsurefoot serve\n```\nThen wait. Nothing else is needed."
    kinds = [unit.kind for unit in units((text,))]
    assert kinds.count("code") == 1
    table = "Prices\n| plan | price |\n|---|---|\n| basic | 5 |\n| full | 9 |\n\nPrices are yearly. They may change."
    found = [unit for unit in units((table,)) if unit.kind == "table"]
    assert len(found) == 1
    assert "full | 9" in table[found[0].start : found[0].end]


def test_a_quotation_of_several_sentences_is_one_unit():
    text = 'She said: "We came early. We left late. Nobody saw us." Then she went home.'
    assert next(text[unit.start : unit.end] for unit in units((text,))).endswith('Nobody saw us."')


def test_nothing_is_done_without_a_question_or_without_text():
    assert read_passages("", (RETURNS,)) is None
    assert read_passages(QUESTION, ()) is None
    assert sendable("", (RETURNS,), 0.5).compressed is None


def test_a_condition_near_the_question_is_protected():
    text = (
        "Pills\nThe tablets are white. The tablets come in a box of thirty. Children must not take the tablets with milk. The box "
        "is blue. The maker is in Basel. The leaflet has six pages."
    )
    read = read_passages("May children take the tablets with milk?", (text,))
    assert read is not None
    assert doubt(compress(read, 0.05)) == "protected"
    made = compress(read, 0.6)
    assert "must not take" in made.texts[0]
    assert made.lost_protected == 0


def test_the_test_sends_everything_when_it_cannot_tell_what_matters():
    vague = tuple(f"Note {n}\nSomething happened here. It was about things." for n in range(8))
    assert sendable("What about zebras?", vague, 0.5).compressed is None


def test_the_test_says_what_it_tried_and_why_it_went_on():
    result = sendable(QUESTION, (RETURNS, WALKS), 0.25)
    assert result.tried[0][0] == 0.25
    assert result.tried[-1][1] == "" or result.compressed is None


def test_text_without_spaces_between_words_is_compressed_too():
    text = "返品規則。靴は三十日以内に返品できます。店は一九八七年に開店しました。部屋は緑色です。駅は近いです。庭には花があります。"
    assert "三十日以内" in _kept("靴の返品は何日以内ですか", (text,), 0.6)
