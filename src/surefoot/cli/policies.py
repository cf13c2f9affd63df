"""Policies by a name on the command line: what serves now, a revision by its number, or a configuration's file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from surefoot.app.golden import handbook_of, learned_from
from surefoot.cli.common import find_config
from surefoot.config.load import Config, load
from surefoot.errors import ConfigError, DataError
from surefoot.evals.golden import leaks
from surefoot.providers.rows import Row, read_rows
from surefoot.records import Revision
from surefoot.store.open import open_store
from surefoot.trial.sides import Named

MAIN = "main"


async def named_policy(name: str | None, config: Path | None, *, option: str) -> Named:
    """The policy of a name.

    Args:
        name: "main": the configuration with the revision that serves; a number: with that revision; else a file, with the
            revision that serves in its own store where there is one; None: the configuration's own file.
        config: the configuration that "main" and numbers mean.
        option: where the name was given, for errors.
    Raises: ConfigError for a file that is none or a revision that does not exist, StoreError.
    """
    if name is not None and name != MAIN and not name.isdecimal():
        found = load(name)
        return Named(name=Path(name).name, config=found, revision=await _revision(found, None, option))
    found = find_config(config)
    number = int(name) if name is not None and name.isdecimal() else None
    told = MAIN if name == MAIN else Path(found.file).name
    return Named(name=told, config=found, revision=await _revision(found, number, option))


def only_feature(config: Config, feature: str | None) -> str:
    """The feature that is meant. Raises ConfigError when several are and none is named."""
    names = list(config.policy.features)
    if feature is None and len(names) == 1:
        return names[0]
    if feature not in names:
        said = "name one with --feature" if feature is None else f"there is no feature {feature!r}"
        raise ConfigError(f"{said}: {', '.join(names)}", file=config.file)
    return feature


async def _revision(config: Config, number: int | None, option: str) -> Revision | None:
    """A revision of the configuration's store; the one that serves for None. A store that is not there is not made."""
    if not has_store(config):
        if number:
            raise ConfigError(f"there is no revision {number}: the store is not there", file=option)
        return None
    settings = config.settings.store
    store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
    await store.start()
    try:
        wanted = await store.revisions.serving() if number is None else number
        found = await store.revisions.get(wanted) if wanted else None
    finally:
        await store.close()
    if number and found is None:
        raise ConfigError(f"there is no revision {number}; `surefoot revisions` lists them", file=option)
    return found


def has_store(config: Config) -> bool:
    """Whether the configured store is there already."""
    database = config.settings.store.database
    return database.startswith("postgres") or (database != "memory" and Path(database).is_file())


async def seen_before(
    rows: Sequence[Row], named: Sequence[Named], feature: str, files: Sequence[Path]
) -> dict[str, str]:  # fmt: skip
    """By item id, where policies have seen its question: among the labels that a revision was fitted on, in the handbook, or
    in a file that is named: a labelled file (.jsonl), or any text, such as a prompt with its examples.

    Raises: DataError for a file that cannot be read, StoreError.
    """
    questions: dict[str, Sequence[str]] = {}
    texts: dict[str, str] = {}
    for each in named:
        if each.revision is not None:
            asked = await _asked(each.config, feature, each.revision)
            questions[f"what revision {each.revision.number} was fitted on"] = asked
        texts[f"the handbook of {each.name}"] = handbook_of(each.config, feature)
    for file in files:
        if ".jsonl" in file.suffixes:
            questions[file.name] = [row.query for row in read_rows(file)]
            continue
        try:
            texts[file.name] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read: {error}", file=str(file)) from error
    return await asyncio.to_thread(leaks, rows, questions=questions, texts=texts)


async def _asked(config: Config, feature: str, revision: Revision) -> Sequence[str]:
    settings = config.settings.store
    store = open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
    await store.start()
    try:
        return await learned_from(store, feature, revision)
    finally:
        await store.close()
