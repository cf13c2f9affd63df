"""Where the demo's own files lie, and configurations for a folder of documents."""

from __future__ import annotations

import json
from pathlib import Path

CLINIC = Path(__file__).parent / "clinic"
CLINIC_CONFIG = CLINIC / "surefoot.toml"
CLINIC_MESSAGES = CLINIC / "messages.jsonl"
CLINIC_FEATURE = "clinic"
DOCS_FEATURE = "docs"

_STORE = """
[store]
database = {database}
key_file = {key_file}
"""

_DOCS = """
[providers.documents]
kind = "extractive"
folder = {folder}

[models.quotes]
provider = "documents"

[features.docs]
mode = "enforce"
ladder = ["cache", "quotes"]
uncalibrated = "deliver"   # no verdicts on your documents yet, so no map: quotes are delivered and called uncalibrated
person = "person"

[people.person]
holding = "The documents do not say. Your question has been passed to a person."
"""


def clinic_toml(folder: Path) -> str:
    """The clinic's configuration, keeping its data in a folder."""
    text = CLINIC_CONFIG.read_text("utf-8")
    text = text.replace('folder = "handbook"', f"folder = {_quoted(CLINIC / 'handbook')}")
    return text.replace('file = "messages.jsonl"', f"file = {_quoted(CLINIC_MESSAGES)}") + _store(folder)


def docs_toml(documents: Path, folder: Path | None) -> str:
    """The configuration that answers from a folder of documents; kept in memory when `folder` is None."""
    text = _DOCS.format(folder=_quoted(documents.resolve()))
    return text + (_store(folder) if folder else '\n[store]\ndatabase = "memory"\n')


def _store(folder: Path) -> str:
    database, key_file = _quoted(folder / "surefoot.db"), _quoted(folder / "surefoot.key")
    return _STORE.format(database=database, key_file=key_file)


def _quoted(path: Path) -> str:
    """A path as a TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(str(path))
