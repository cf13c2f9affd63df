"""docs/regulated.md names fifteen requirements, and every test that it names exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "regulated.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)
]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_each_of_the_fifteen_requirements_has_a_row() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 16))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {each.name for each in ast.walk(tree) if isinstance(each, defined)}


def test_what_is_claimed_is_tested_and_what_is_claimed_in_part_says_what_is_lacking() -> None:
    for number, _, state, tests, lacking in ROWS:
        assert state in ("held", "in part", "not yet"), number
        assert state == "not yet" or re.search(r"`tests/[\w/]+\.py::\w+`", tests), number
        assert state == "held" or lacking, number


def test_the_page_counts_its_own_rows_rightly() -> None:
    words = dict(zip("zero one two three four five six seven eight nine ten".split(), range(11), strict=True))
    said = re.search(r"Fifteen requirements: (\w+) are held, (\w+) in part", PAGE)
    assert said is not None
    states = [row[2] for row in ROWS]
    assert (words[said[1]], words[said[2]]) == (states.count("held"), states.count("in part"))
