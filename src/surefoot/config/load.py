"""Reads the configuration: one TOML file to `Config`, or an error with its line and what to write instead."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from surefoot.config.build import build_policy
from surefoot.config.checks import problems_of
from surefoot.config.locate import line_of
from surefoot.config.schema import File
from surefoot.errors import ConfigError
from surefoot.policy import Policy

_REFERENCE = re.compile(r"^(?:env:|os\.environ/)([A-Za-z_][A-Za-z0-9_]*)$")
_PATHS = (
    ("providers", "*", "folder"),
    ("providers", "*", "file"),
    ("providers", "*", "ca_file"),
    ("store", "key_file"),
    ("features", "*", "handbook"),
    ("features", "*", "admit", "*", "classifier", "file"),
)
_UNKNOWN = re.compile(r"unknown field `([^`]*)`(?: - at `\$\.?([^`]*)`)?")


class Config(Struct, frozen=True, kw_only=True):
    """A configuration as it is served: the settings as written, references resolved, and the policy they amount to."""

    settings: File
    policy: Policy
    file: str = "surefoot.toml"
    digest: str = ""  # of the text, to see a change
    unpriced_ok: bool = False  # a trial on recordings may use models without a price; serving may not


def load(path: Path | str, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in a file. Raises ConfigError."""
    file = Path(path)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from error
    return load_text(text, file=str(path), environ=environ, base=file.parent)


def load_text(
    text: str, *, file: str = "surefoot.toml", environ: Mapping[str, str] = os.environ, base: Path | None = None
) -> Config:
    """The configuration in a text; relative paths are taken from `base`. Raises ConfigError for its first problem."""
    found = problems(text, file=file, environ=environ, base=base)
    if found:
        raise found[0]
    settings = _settings(text, file, environ, base)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Config(settings=settings, policy=build_policy(settings), file=file, digest=digest)


def problems(
    text: str, *, file: str = "surefoot.toml", environ: Mapping[str, str] = os.environ, base: Path | None = None
) -> tuple[ConfigError, ...]:
    """Everything that is wrong with a configuration, in the order of its lines; () when nothing is."""
    try:
        settings = _settings(text, file, environ, base)
    except ConfigError as error:
        return (error,)
    found = [
        ConfigError(problem.message, file=file, line=line_of(text, problem.path), key=".".join(problem.path))
        for problem in problems_of(settings)
    ]
    return tuple(sorted(found, key=lambda error: error.line or 0))


def _settings(text: str, file: str, environ: Mapping[str, str], base: Path | None) -> File:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        raise ConfigError(f"not TOML: {error}", file=file, line=int(where[1]) if where else None) from error
    resolved = _resolved(raw, (), text, file, environ)
    for path in _PATHS:
        _absolute(resolved, path, base)
    try:
        return msgspec.convert(resolved, File, strict=True)
    except msgspec.ValidationError as error:
        raise _explained(error, text, file) from error


def _resolved(value: Any, path: tuple[str, ...], text: str, file: str, environ: Mapping[str, str]) -> Any:
    """The value with every reference to the environment replaced."""
    if isinstance(value, dict):
        return {name: _resolved(inner, (*path, name), text, file, environ) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, path, text, file, environ) for inner in value]
    reference = _REFERENCE.match(value) if isinstance(value, str) else None
    if reference is None:
        return value
    if reference[1] not in environ:
        message = f"the environment has no {reference[1]}"
        raise ConfigError(message, file=file, line=line_of(text, path), key=".".join(path))
    return environ[reference[1]]


def _absolute(raw: Any, path: tuple[str, ...], base: Path | None) -> None:
    """Take relative paths from where the file lies."""
    head, *rest = path
    if isinstance(raw, list) and head == "*":
        for item in raw:
            _absolute(item, tuple(rest), base)
    if base is None or not isinstance(raw, dict):
        return
    for name in list(raw) if head == "*" else [head]:
        if not rest and isinstance(raw.get(name), str) and raw[name]:
            raw[name] = str(base / raw[name])
        elif rest:
            _absolute(raw.get(name), tuple(rest), base)


def _explained(error: msgspec.ValidationError, text: str, file: str) -> ConfigError:
    message = str(error)
    unknown = _UNKNOWN.search(message)
    if unknown:
        path = tuple(_split(unknown[2] or ""))
        near = difflib.get_close_matches(unknown[1], _known(path), n=1)
        line, key = _place(text, (*path, unknown[1]))
        table = ".".join(key[:-1])
        words = f"unknown key `{unknown[1]}`" + (f" in [{table}]" if table else "")
        hint = f"; did you mean `{near[0]}`?" if near else f"; known keys: {', '.join(_known(path))}"
        return ConfigError(words + hint, file=file, line=line, key=".".join(key))
    said, _, where = message.partition(" - at `$.")
    line, path = _place(text, tuple(_split(where.rstrip("`"))))
    shown = ".".join(path)
    return ConfigError(f"{shown}: {said}" if shown else said, file=file, line=line, key=shown)


def _place(text: str, path: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """(line, path with real names); msgspec writes `[...]` for a mapping's key, so such a part fits any name."""
    for candidate in _candidates(tomllib.loads(text), path):
        if (line := line_of(text, candidate)) is not None:
            return line, candidate
    return line_of(text, path), path


def _candidates(raw: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every path in the file that fits; the last part must exist (or be what is missing)."""
    if not path:
        yield ()
        return
    head, *rest = path
    names = list(raw) if head == "..." and isinstance(raw, dict) else [head]
    for name in names:
        inner = raw.get(name) if isinstance(raw, dict) else None
        if inner is None and rest:
            continue
        if inner is None and not (isinstance(raw, dict) and name in raw):
            continue
        for tail in _candidates(inner, tuple(rest)):
            yield (name, *tail)


def _split(path: str) -> list[str]:
    """msgspec's path "features[...].ladder[0]" as names; positions in arrays are left out."""
    parts = re.split(r"[.\[\]]+", path.replace("[...]", ".\0"))
    return ["..." if part == "\0" else part for part in parts if part and not part.isdigit()]


def _known(path: tuple[str, ...]) -> list[str]:
    """The keys that the schema knows at a path."""
    kind: Any = File
    for part in path:
        if part == "...":
            continue
        hints = {field.name: field.type for field in msgspec.structs.fields(kind)}
        kind = _struct_in(hints.get(part))
        if kind is None:
            return []
    return [field.name for field in msgspec.structs.fields(kind)]


def _struct_in(kind: Any) -> Any:
    """The struct inside a type such as dict[str, Struct] or Struct | None; None when there is none."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    for inner in getattr(kind, "__args__", ()):
        if (found := _struct_in(inner)) is not None:
            return found
    return None
