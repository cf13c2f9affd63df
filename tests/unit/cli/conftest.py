"""A folder with a configuration, in which the commands run."""

from pathlib import Path

import pytest
from cli_support import CONFIG


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration's file; the environment names no vendor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    file = tmp_path / "surefoot.toml"
    file.write_text(CONFIG)
    return file
