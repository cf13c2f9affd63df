"""Folders become passages and sentences, word for word."""

from pathlib import Path

import pytest

from surefoot.errors import DataError
from surefoot.providers.documents import Index, has_number, read_folder, sentences_of, wants_number


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Open until 5 p.m. The desk closes.", ("Open until 5 p.m.", "The desk closes.")),
        ("Is it free? No. You pay. See No. 5.", ("Is it free?", "No.", "You pay.", "See No. 5.")),
        ("J. K. Smith came. Über alles. He… left.", ("J. K. Smith came.", "Über alles.", "He… left.")),
        ("これは本です。それは犬です。", ("これは本です。", "それは犬です。")),
        ("| a|b. C |\n|--|--|\nafter", ("a|b. C", "after")),
        ("- one\n  goes on\n- two", ("one goes on", "two")),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, sentences: tuple[str, ...]) -> None:
    assert sentences_of(text) == sentences


def test_headings_make_passages_with_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Top\n===\nfirst\n## Same\none\n## Same\ntwo\n```\n# code\n```\n")
    passages = read_folder(tmp_path)
    assert [passage.id for passage in passages] == ["a#top", "a#same", "a#same-2"]
    assert passages[1].title == "Top / Same"


def test_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    for name in (".git", "seen"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text("Some text.")
    assert [passage.file for passage in read_folder(tmp_path)] == [str(Path("seen", "a.md"))]


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("\ufeff# Title\nText.".encode())
    assert read_folder(tmp_path)[0].title == "Title"


def test_a_folder_without_documents_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no Markdown or text"):
        read_folder(tmp_path)


def test_forms_of_a_word_are_one_word(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One\nCancelled visits and copies.\n# Two\nSomething else.")
    index = Index(read_folder(tmp_path))
    assert all(index.rank(word)[0].coverage == 1.0 for word in ("cancel", "cancelling", "copy", "visit"))


def test_a_sentence_gains_from_its_title_and_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Parking\nBikes are free. It costs 4 dollars. Nothing more.")
    index = Index(read_folder(tmp_path))
    found = index.rank("what do bikes cost")[0]
    bikes, costs, nothing = index.sentence_scores(found, "what do bikes cost")
    assert costs > nothing and bikes > nothing


@pytest.mark.parametrize(("question", "wants"), [("How long does it take?", True), ("Who are you?", False)])
def test_questions_that_want_a_number_are_known(question: str, wants: bool) -> None:
    assert wants_number(question) == wants


def test_numbers_are_seen_in_figures_words_and_days() -> None:
    assert has_number("at 7") and has_number("two days") and has_number("on Fridays") and not has_number("someone may")
