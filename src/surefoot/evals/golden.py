"""Golden sets: what an item is, what a version is, which items are the same, and which were seen before.

A set is a JSONL file: a header with its versions, then the items, each a row that trials and gates read. A version is the
digest of its items, whatever their order; the file holds the newest one's items, the header what became of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.errors import DataError
from surefoot.providers.rows import Row, is_header
from surefoot.review.differences import Asked, differences, facts
from surefoot.review.likeness import Index

NEAR = 0.8  # cosine from which on two questions without a difference count as one
TOGETHER = 0.5  # from which on they belong to one group
_LEAST_WORDS = 4  # of a question that is looked for in a text
_LOOKED_AT = 10  # near questions


class Origin(Struct, frozen=True, kw_only=True):
    """Where an item comes from."""

    source: str  # "case": a person's answer, marked general | "audit" | "round": an answer that was judged right
    request_id: str
    subject: str  # pseudonym
    at_ns: int  # when the person answered or judged


class Item(Row, frozen=True, kw_only=True):
    """One item: a row with its origin; None for one that was added by hand."""

    origin: Origin | None = None


class Version(Struct, frozen=True, kw_only=True):
    """One state of a set."""

    version: str  # digest of its items
    parent: str  # "" for the first
    at_ns: int
    items: int
    added: int = 0
    removed: int = 0
    why: str = ""  # what was removed: "erased", "the same question", ...


class Header(Struct, frozen=True, kw_only=True):
    """The first line of a set's file."""

    golden: str  # its name
    feature: str
    versions: tuple[Version, ...] = ()  # oldest first


class Golden(Struct, frozen=True, kw_only=True):
    """A golden set."""

    header: Header
    items: tuple[Item, ...] = ()

    @property
    def version(self) -> str:
        """The digest of the items that are there."""
        return version_of(self.items)

    @property
    def is_edited(self) -> bool:
        """Whether the items are not those of the newest version: somebody changed the file by hand."""
        return not self.header.versions or self.header.versions[-1].version != self.version


class Grown(Struct, frozen=True, kw_only=True):
    """A set after it grew, and what became of what was found."""

    golden: Golden
    added: int
    removed: Mapping[str, int]  # by reason
    same: int  # found, and not taken: the set has the question already


def version_of(rows: Sequence[Row]) -> str:
    """The digest of what is asked and wanted, whatever the order: the first 16 hex digits of the sha256 of the sorted JSON."""
    encoded = sorted(msgspec.json.encode(_said(row, origin=False), order="deterministic") for row in rows)
    return sha256(b"\n".join(encoded)).hexdigest()[:16]


def grow(
    golden: Golden, found: Sequence[Item], *, gone: Mapping[str, str], at_ns: int, by_hand: str = "edited by hand"
) -> Grown:
    """The set with what was found, without what is gone and without questions that stand in it twice.

    Args:
        golden: as it was read.
        found: candidates, in any order. A person's newer answer to a question takes the older one's place.
        gone: by item id, why it must not stay.
        at_ns: now.
        by_hand: what a version that somebody made in the file is called.
    Returns: the same versions when nothing changed.
    """
    versions = golden.header.versions
    if golden.is_edited and golden.items:
        versions = (*versions, _version(golden.items, versions, at_ns, why=by_hand, added=0))
    kept = [item for item in golden.items if item.id not in gone]
    removed: dict[str, int] = {}
    for item in golden.items:
        if item.id in gone:
            removed[gone[item.id]] = removed.get(gone[item.id], 0) + 1
    known = {item.id for item in golden.items}
    fresh = sorted((item for item in found if item.id not in known and item.id not in gone), key=_rank, reverse=True)
    pool, added, same = _Pool(kept), 0, 0
    for item in fresh:
        twin = pool.twin(item)
        if twin is not None and not _replaces(item, twin):
            same += 1
            continue
        if twin is not None:
            pool.drop(twin)
            removed["a newer answer"] = removed.get("a newer answer", 0) + 1
        pool.add(item)
        added += 1
    items = tuple(pool.items())
    if added or removed:
        why = ", ".join(f"{count} {reason}" for reason, count in removed.items())
        versions = (*versions, _version(items, versions, at_ns, why=why, added=added, removed=sum(removed.values())))
    header = replace(golden.header, versions=versions)
    return Grown(golden=Golden(header=header, items=items), added=added, removed=removed, same=same)


def read_golden(data: bytes, *, file: str) -> Golden:
    """The set in a file's bytes. Raises DataError naming the line at fault."""
    lines = [line for line in data.splitlines() if line.strip()]
    if not lines or not is_header(lines[0]):
        raise DataError("it is no golden set: its first line is no header", file=file, line=1)
    try:
        header = msgspec.json.decode(lines[0], type=Header)
    except msgspec.DecodeError as error:
        raise DataError(f"its header cannot be read: {error}", file=file, line=1) from error
    items = []
    for place, line in enumerate(lines[1:], 2):
        try:
            items.append(msgspec.json.decode(line, type=Item))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"not an item: {error}", file=file, line=place) from error
    return Golden(header=header, items=tuple(items))


def written(golden: Golden) -> bytes:
    """The file of a set: one line each, items by id, so that versions differ by what changed."""
    items = sorted(golden.items, key=lambda item: item.id)
    return b"\n".join([msgspec.json.encode(golden.header), *map(_line, items)]) + b"\n"


def exported(golden: Golden) -> bytes:
    """Its items as plain labelled rows, without where they come from."""
    items = sorted(golden.items, key=lambda item: item.id)
    return b"".join(_line(replace(item, origin=None)) + b"\n" for item in items)


def leaks(
    rows: Sequence[Row], *, questions: Mapping[str, Sequence[str]], texts: Mapping[str, str]
) -> dict[str, str]:  # fmt: skip
    """By item id, where its question was seen before: an item that a policy was made with says little about it.

    Args:
        questions: by where they stand, questions that were learned from.
        texts: by where they stand, prompts or documents; a question of four words or more is looked for in them word by word.
    """
    found: dict[str, str] = {}
    for where, known in questions.items():
        pool = _Pool([Item(id=str(place), query=text) for place, text in enumerate(known) if text.strip()])
        for row in rows:
            if row.id not in found and pool.twin(row) is not None:
                found[row.id] = where
    for where, text in texts.items():
        whole = f" {_plain(text)} "
        for row in rows:
            words = _plain(row.query)
            if row.id not in found and len(words.split()) >= _LEAST_WORDS and f" {words} " in whole:
                found[row.id] = where
    return found


class _Pool:
    """Items by their questions, to find the same one."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items: dict[str, Item] = {}
        self._exact: dict[str, str] = {}
        self._index = Index()
        for item in items:
            self._keep(item)

    def items(self) -> Iterator[Item]:
        """In the order in which they came."""
        return iter(self._items.values())

    def twin(self, row: Row) -> Item | None:
        """The item that asks the same: in the same words, or nearly so without a number, name or negation that differs."""
        exact = self._exact.get(_key(row))
        if exact is not None:
            return self._items[exact]
        return next(
            (item for item, score in self._near(row) if score >= NEAR and not _differ(row, item)), None
        )  # fmt: skip

    def add(self, item: Item) -> None:
        """Take an item in, in the group of the nearest one."""
        near = next((other for other, score in self._near(item) if score >= TOGETHER), None)
        group = item.group or item.id if near is None else near.group or near.id
        self._keep(replace(item, group=group))

    def drop(self, item: Item) -> None:
        """An item goes."""
        del self._items[item.id]
        self._exact.pop(_key(item), None)
        self._index.remove(item.id)

    def _keep(self, item: Item) -> None:
        self._items[item.id] = item
        self._exact.setdefault(_key(item), item.id)
        self._index.add(item.id, item.query)

    def _near(self, row: Row) -> list[tuple[Item, float]]:
        hits = self._index.search(row.query, limit=_LOOKED_AT, least=min(NEAR, TOGETHER))
        return [(self._items[hit.id], hit.score) for hit in hits]


def _rank(item: Item) -> tuple[bool, int]:
    """A person's answer before a judged one, the newer before the older."""
    origin = item.origin
    return origin is not None and origin.source == "case", origin.at_ns if origin is not None else 0


def _replaces(item: Item, twin: Item) -> bool:
    """Whether a newcomer takes the place of the same question's item; one that was added by hand stays."""
    return twin.origin is not None and _rank(item) > _rank(twin)


def _differ(one: Row, other: Row) -> bool:
    mine, theirs = (facts(Asked(id=row.id, text=row.query)) for row in (one, other))
    return bool(differences(mine, theirs))


def _key(row: Row) -> str:
    return _plain(row.query)


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def _line(item: Item) -> bytes:
    return msgspec.json.encode(_said(item))


def _said(row: Row, *, origin: bool = True) -> dict[str, object]:
    """A row's fields that say something: one that is new to the format changes no digest."""
    told: dict[str, object] = msgspec.json.decode(msgspec.json.encode(row))
    left_out = () if origin else ("origin",)
    plain = {name: value for name, value in told.items() if (value or name in ("id", "query")) and name not in left_out}
    if plain.get("dialect") == "openai":
        del plain["dialect"]
    return plain


def _version(
    items: Sequence[Item], before: Sequence[Version], at_ns: int, *, why: str, added: int, removed: int = 0
) -> Version:  # fmt: skip
    return Version(
        version=version_of(items), parent=before[-1].version if before else "", at_ns=at_ns, items=len(items),
        added=added, removed=removed, why=why,
    )  # fmt: skip
