"""Quotations from documents, and what their score means."""

import gzip
from pathlib import Path

import msgspec
import pytest

from surefoot.demo.places import CLINIC, CLINIC_MESSAGES
from surefoot.providers.documents import Index, Passage, read_folder, sentences_of
from surefoot.providers.extractive import Extractive, Quotation
from surefoot.providers.rows import read_rows

PARKING = "# Parking\nCars may park here. Bikes are welcome. The gate is red. The first hour costs 4 dollars."


def over(folder: Path, text: str) -> Extractive:
    (folder / "a.md").write_text(text)
    return Extractive("e", Index(read_folder(folder)))


def test_an_omission_is_shown(tmp_path: Path) -> None:
    quotation = over(tmp_path, PARKING).quote("Where may cars park and what is the first hour?")
    assert quotation is not None
    assert "Cars may park here. … The" in quotation.text and "Bikes" not in quotation.text
    assert quotation.text.endswith("— a.md, Parking")


def test_a_number_asked_for_and_not_there_lowers_the_score(tmp_path: Path) -> None:
    provider = over(tmp_path, "# Parking\nCars park behind the house.")
    asked, plain = provider.quote("How much is it to park cars?"), provider.quote("park cars")
    assert asked is not None and plain is not None and asked.score < plain.score


def test_a_rival_passage_lowers_the_score(tmp_path: Path) -> None:
    text = "# A\nBlue tickets are sold.\n# B\nBlue tickets are sold.\n# C\nGreen tickets are refunded."
    provider = over(tmp_path, text)
    rivals, alone = provider.quote("blue tickets sold"), provider.quote("green tickets refunded")
    assert rivals is not None and alone is not None and rivals.score < alone.score


def holds(quotation: Quotation | None, texts: tuple[str, ...]) -> bool:
    return quotation is not None and all(text.casefold() in quotation.text.casefold() for text in texts)


def test_the_clinics_questions_are_mostly_quoted_rightly() -> None:
    provider = Extractive("e", Index(read_folder(CLINIC / "handbook")))
    rows = [row for row in read_rows(CLINIC_MESSAGES) if row.gold]
    right = sum(holds(provider.quote(row.query), row.facts) for row in rows)
    unknown = [row for row in read_rows(CLINIC_MESSAGES) if "unanswerable" in row.tags]
    assert right >= 0.75 * len(rows)
    assert sum(provider.quote(row.query) is None for row in unknown) >= 0.75 * len(unknown)


@pytest.mark.data
def test_the_document_that_answers_is_found_among_near_ones(data_dir: Path) -> None:
    lines = gzip.decompress((data_dir / "nq_documents.jsonl.gz").read_bytes()).splitlines()[:200]
    right = 0
    for row in map(msgspec.json.decode, lines):
        parts = [text.partition("\n") for text in row["context"]]
        passages = [
            Passage(id=str(place), file="f", title=title, sentences=sentences_of(text) or (text,))
            for place, (title, _, text) in enumerate(parts)
        ]
        quotation = Extractive("e", Index(passages)).quote(row["query"])
        right += quotation is not None and int(quotation.passage_id) == row["gold"]
    assert right >= 0.6 * len(lines)  # one in ten by chance
