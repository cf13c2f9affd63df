"""How answers vary in live traffic: what became of second answers that lots asked for, read from the journal."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from surefoot.records import Draft, JournalEntry, ShadowCall
from surefoot.replay import is_repeat
from surefoot.stats import Estimate, clopper_pearson
from surefoot.store import Store


class Repeats(Struct, frozen=True, kw_only=True):
    """The second answers of one feature's model."""

    feature: str
    model: str  # as its provider calls it
    differ: Estimate  # share of them that mean something else than the first
    unknown: int  # that cannot be compared: one of the two says nothing
    failed: int  # that did not come
    nanodollars: int  # what they cost


async def repeats(store: Store, features: Sequence[str], *, since_ns: int = 0) -> list[Repeats]:
    """By feature and model, most second answers first. All were drawn with the same chance, so that they speak for the others.

    Raises: StoreError.
    """
    found: dict[tuple[str, str], list[JournalEntry]] = {}
    for feature in features:
        async for entry in store.journal.entries(feature=feature, since_ns=since_ns, shadows=True):
            if is_repeat(entry):
                found.setdefault((feature, _model(entry)), []).append(entry)
    rows = [_row(feature, model, entries) for (feature, model), entries in found.items()]
    return sorted(rows, key=lambda row: (-row.differ.n, row.feature, row.model))


def _row(feature: str, model: str, entries: Sequence[JournalEntry]) -> Repeats:
    came = [entry for entry in entries if _came(entry)]
    verdicts = [call.agreement for entry in came if (call := _call(entry)) is not None and call.agreement is not None]
    return Repeats(
        feature=feature, model=model, differ=clopper_pearson(sum(each < 1 for each in verdicts), len(verdicts)),
        unknown=len(came) - len(verdicts), failed=len(entries) - len(came),
        nanodollars=sum(entry.nanodollars for entry in entries),
    )  # fmt: skip


def _call(entry: JournalEntry) -> ShadowCall | None:
    return next((step.value for step in entry.steps if isinstance(step.value, ShadowCall)), None)


def _came(entry: JournalEntry) -> bool:
    return any(isinstance(step.value, Draft) for step in entry.steps)


def _model(entry: JournalEntry) -> str:
    """Whose answer it was to be: of one that did not come, the rung's name."""
    draft = next((step.value for step in entry.steps if isinstance(step.value, Draft)), None)
    if draft is not None:
        return draft.model
    call = _call(entry)
    return call.rung if call is not None else ""
