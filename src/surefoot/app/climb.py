"""One request's way up its ladder, as the journal has it: where it began and why, what each rung said, what it cost.

Content is covered as at the desk: identifiers stand as placeholders. What is erased or was not kept is not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.app.caseview import Cover, draft_of, spoken
from surefoot.app.rounds import question_of
from surefoot.records import (
    Case,
    Checked,
    Confidence,
    Content,
    Deliver,
    Draft,
    Entry,
    Escalate,
    Evidence,
    Fail,
    JournalEntry,
    NoDraft,
    Prospect,
    Routed,
    ShadowCall,
    Signal,
    Stronger,
    Weighed,
)
from surefoot.replay import shadow_id
from surefoot.store import Store


class Tread(Struct, frozen=True, kw_only=True):
    """One rung that was asked."""

    rung: str
    draft: Draft | NoDraft
    text: str = ""  # of the draft, covered; "" when there is none or it is not kept
    signals: tuple[Signal, ...] = ()
    confidence: Confidence | None = None  # None: it was never weighed
    verdict: Deliver | Stronger | Escalate | Fail | None = None  # None: nothing was decided of it, as of a shadow call
    nanodollars: int = 0  # its judges included


class Climb(Struct, frozen=True, kw_only=True):
    """What is known of a request."""

    entry: JournalEntry
    case: Case | None
    kept: bool  # whether what was said can be read
    question: str = ""  # covered
    prospects: tuple[Prospect, ...] = ()
    scarcity: float | None = None
    routed: Routed | None = None
    treads: tuple[Tread, ...] = ()  # in the order in which they were asked
    admitted: Escalate | None = None  # the rule that sent it to a person before any rung
    shadow: ShadowCall | None = None
    shadowed: Tread | None = None  # what the shadow call's rung said; None where it came to nothing
    people_nanodollars: int = 0


async def climb_of(store: Store, request_id: str) -> Climb | None:
    """The climb of a request; None when the journal has no such request. Raises StoreError.

    A shadow call is shown with its request.
    """
    entry = await store.journal.get(request_id)
    if entry is not None and entry.shadow_of:
        entry = await store.journal.get(entry.shadow_of)
    if entry is None:
        return None
    extra = await store.journal.get(shadow_id(entry.request_id))
    content = await store.journal.content(entry.request_id)
    more = await store.journal.content(extra.request_id) if extra is not None else None
    lines, _ = await store.ledger.of([entry.request_id, shadow_id(entry.request_id)])
    costs = _costs(lines)
    said = spoken(entry, content) if content is not None and entry.surface == "chat" else None
    cover = Cover.over((said.turns[-1].text if said else "", *_drafts(entry, content), *_drafts(extra, more)))
    asked = question_of(entry)
    shadows = _treads(extra, more, cover, costs, "shadow.") if extra is not None else ()
    return Climb(
        entry=entry,
        case=await store.cases.find(entry.case_id) if entry.case_id else None,
        kept=said is not None,
        question=cover.text(said.turns[-1].text) if said else "",
        prospects=asked.prospects if asked else (),
        scarcity=asked.scarcity if asked else None,
        routed=next((step.value for step in entry.steps if isinstance(step.value, Routed)), None),
        treads=_treads(entry, content, cover, costs),
        admitted=next((step.value for step in entry.steps if step.stage == "admit" and isinstance(step.value, Escalate)), None),
        shadow=next((step.value for step in extra.steps if isinstance(step.value, ShadowCall)), None) if extra else None,
        shadowed=shadows[0] if shadows else None,
        people_nanodollars=sum(line.nanodollars for line in lines if line.kind == "human"),
    )  # fmt: skip


def _treads(
    entry: JournalEntry, content: Content | None, cover: Cover, costs: Mapping[str, int], booked: str = ""
) -> tuple[Tread, ...]:
    """What became of each rung, by its steps."""
    found: dict[str, dict[str, object]] = {}
    for step in entry.steps:
        if step.rung is None:
            continue
        match step.value:
            case Draft() | NoDraft():
                found[step.rung] = {"draft": step.value}
            case Checked() if step.rung in found:
                found[step.rung]["signals"] = _told(step.value.evidence)
            case Weighed() if step.rung in found:
                found[step.rung]["confidence"] = step.value.confidence
            case Deliver() | Stronger() | Escalate() | Fail() if step.rung in found:
                found[step.rung]["verdict"] = step.value
            case _:
                pass
    return tuple(
        Tread(
            rung=rung,
            text="" if content is None or entry.surface != "chat" else cover.text(draft_of(entry, content, rung)),
            nanodollars=costs.get(f"{booked}{rung}", 0) + costs.get(f"{booked}judge.{rung}", 0),
            **values,  # type: ignore[arg-type]  # fields by name, each of its own type
        )
        for rung, values in found.items()
    )


def _told(evidence: Evidence) -> tuple[Signal, ...]:
    """Signals that said something, least safe first."""
    spoke = [signal for signal in evidence.signals if signal.score is not None]
    return tuple(sorted(spoke, key=lambda signal: (signal.score or 0.0, signal.name)))


def _drafts(entry: JournalEntry | None, content: Content | None) -> tuple[str, ...]:
    if entry is None or content is None or entry.surface != "chat":
        return ()
    return tuple(draft_of(entry, content, rung) for rung, _ in content.answers)


def _costs(lines: Sequence[Entry]) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line in lines:
        found[line.rung] += line.nanodollars
    return found
