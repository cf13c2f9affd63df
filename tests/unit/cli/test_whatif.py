"""`surefoot whatif`: options instead of a file, words and JSON, and what is refused."""

import json
from pathlib import Path

import pytest
from learning_support import CONFIG, surefoot, traffic


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("surefoot.toml").write_text(CONFIG + "[features.clinic.maps.quotes]\np = 0.88\n")
    return tmp_path


def test_what_if_the_bar_were_higher(clinic: Path) -> None:
    traffic(8)
    told = surefoot("whatif", "--confidence", "0.90", "--person-minutes", "2")
    assert told.exit_code == 0, told.output
    assert "both policies as if they enforced" in told.output
    assert "not identifiable" in told.output
    assert "draft of rung flagship" in " ".join(told.output.split())
    assert "effective n" in " ".join(told.output.split())
    assert max(map(len, told.output.splitlines())) <= 80
    found = json.loads(surefoot("whatif", "--confidence", "0.90", "--json").output)["found"]
    questions = {each["name"]: each for each in found["questions"]}
    assert questions["automation"]["then"]["estimate"] is None
    assert found["requests"] == 8
    same = json.loads(surefoot("whatif", "surefoot.toml", "--json").output)["found"]
    assert same["changes"] == 0
    assert same["unidentified"]["estimate"] == 0
    listed = surefoot("whatif", "--confidence", "0.87", "--person-minutes", "2", "--people", "2", "--show", "3")
    assert "no change" in listed.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "nothing is moved"),
        (("--price", "flagship"), "MODEL=IN,OUT"),
        (("--price", "flagship=1,x"), "MODEL=IN,OUT"),
        (("--price", "nobody=1,2"), "no model 'nobody'"),
        (("--confidence", "1.5"), "between 0 and 1"),
        (("--ladder", "quotes,nobody"), "nobody"),
        (("--people", "0"), "above 0"),
        (("--confidence", "0.9", "--feature", "other"), "no feature 'other'"),
        (("--confidence", "0.9", "--since", "soon"), "no time"),
        (("missing.toml",), "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_said_on_one_line(clinic: Path, options: tuple[str, ...], said: str) -> None:
    told = surefoot("whatif", *options)
    assert told.exit_code in (1, 2)
    assert said in told.output
    assert "Traceback" not in told.output
