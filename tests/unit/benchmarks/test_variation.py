"""The benchmark of variation: pairs are their seed, and it says how many of each were told apart."""

from pathlib import Path

import msgspec
import pytest

from benchmarks import variation as bench
from surefoot.providers.rows import RecordedAnswer, Row


def test_pairs_are_the_seeds_and_verdicts_say_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Row(id=str(n), answers={
            "a": RecordedAnswer(text=f"The answer is {n}.", correct=True), "b": RecordedAnswer(text=f"so the answer is {n}", correct=True),
            "c": RecordedAnswer(text=f"The answer is {n + 1}.", correct=False), "d": RecordedAnswer(correct=True),
        })
        for n in range(20)
    ]  # fmt: skip
    (tmp_path / "gsm8k.jsonl.gz").write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    monkeypatch.setenv("SUREFOOT_DATA", str(tmp_path))
    assert bench.pairs("gsm8k", 10, 1) == bench.pairs("gsm8k", 10, 1) != bench.pairs("gsm8k", 10, 2)
    found = {row["method"]: row for row in bench.rows_of("gsm8k", 15, 1)}
    assert found["ours"]["same"][:2] == [15, 15] and found["ours"]["different_called_same"][:2] == [0, 15]
    assert found["the same text"]["same"][0] == 0
    assert "same called same 100.0%" in bench.shown(found["ours"])
