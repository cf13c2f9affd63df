"""A blind labelling round over the store: which drafts are judged, what the labeller sees of them, how a label is written.

First come the drafts whose chance to be judged is known, open audits and withheld ones: their labels certify. Then every other
draft of waiting cases (with a time given, of all requests since then), those that were climbed over and those of shadow calls
too: their labels teach and certify nothing. The order is drawn by a seed, so that whoever stops early has judged a random part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from msgspec import Struct

from surefoot.app.outcomes import group_of, label_id, label_of_case
from surefoot.records import Case, Checked, Content, Draft, JournalEntry, Label, Question, Read
from surefoot.replay import is_repeat
from surefoot.stages.handbook import Handbook
from surefoot.store import Store
from surefoot.wire import passages
from surefoot.wire.dialects import DIALECTS

_PEOPLE = ("audit", "round", "case")  # sources after which a draft is not judged again
_MOST = 100_000  # open cases


class Target(Struct, frozen=True, kw_only=True):
    """One draft to be judged."""

    request_id: str
    feature: str
    rung: str
    propensity: float | None = None
    case: Case | None = None  # an audit's, which the label closes


class Sheet(Struct, frozen=True, kw_only=True):
    """What the labeller sees of a draft: nothing that says what it is thought to be worth, or who wrote it."""

    question: str
    draft: str
    passages: tuple[str, ...] = ()
    earlier: tuple[tuple[str, str], ...] = ()  # (role, text) of the conversation before the question


async def targets(
    store: Store, features: Collection[str], *, since_ns: int | None = None, seed: int = 0
) -> list[Target]:
    """What there is to judge, in the order in which it is to be judged. Raises StoreError.

    Args:
        features: whose drafts.
        since_ns: only what came since then, and then delivered drafts without a case too; None: open cases alone.
    """
    cases = [
        case
        for case in await store.cases.open_cases(limit=_MOST)
        if case.feature in features and case.opened_at_ns >= (since_ns or 0)
    ]
    told = {
        (label.request_id, label.rung)
        for feature in features
        for label in await store.labels.all(feature=feature)
        if label.source in _PEOPLE
    }
    known = [_of_case(case) for case in cases if case.rung and (case.kind == "audit" or case.propensity is not None)]
    named = told | {(each.request_id, each.rung) for each in known}
    entries = [entry for case in cases if (entry := await store.journal.get(case.request_id)) is not None]
    if since_ns is not None:
        for feature in sorted(features):
            found = store.journal.entries(feature=feature, since_ns=since_ns, shadows=True)
            entries += [entry async for entry in found if not is_repeat(entry)]  # whose question is judged already
    others = {
        (each.request_id, each.rung): each
        for entry in entries
        for each in _drafts(entry)
        if (each.request_id, each.rung) not in named
    }
    first = [each for each in known if (each.request_id, each.rung) not in told]
    return [*_drawn(first, seed), *_drawn(others.values(), seed)]


async def sheet(store: Store, target: Target, handbooks: Mapping[str, Handbook]) -> Sheet | None:
    """What is shown of a target; None when it was not kept, its subject is erased, or the draft has no text."""
    entry, content = await store.journal.get(target.request_id), await store.journal.content(target.request_id)
    if entry is None or content is None:
        return None
    draft = _draft_text(entry, content, target.rung)
    if not draft.strip():
        return None
    dialect = DIALECTS[entry.dialect]
    texts = dialect.texts(dialect.parse(content.request_body, surface="chat").top)
    question, found = passages.sources(texts)
    asked, handbook = question_of(entry), handbooks.get(target.feature)
    if handbook is not None and asked is not None:
        found = (*found, *handbook.texts(asked.passages))
    return Sheet(question=question, draft=draft, passages=found, earlier=_earlier(texts))


async def write(store: Store, target: Target, verdict: str, *, by: str, at_ns: int) -> Label | None:
    """The label as it was written, durable; None when somebody else was faster. A wrong answer leaves the cache.

    An audit's case is closed by it. A question's stays open: its caller waits for an answer, and a verdict is none.
    Raises: StoreError.
    """
    entry = await store.journal.get(target.request_id)
    if entry is None:
        return None
    if target.case is not None and target.case.kind == "audit":
        label = label_of_case(target.case, entry, verdict, by=by, at_ns=at_ns)
        new = await store.cases.judge(target.case.id, label=label, at_ns=at_ns)
    else:
        label = Label(
            id=label_id(target.request_id, target.rung, "round"), request_id=target.request_id, at_ns=at_ns,
            tenant=entry.tenant, feature=entry.feature, rung=target.rung, edition=entry.edition, verdict=verdict,
            source="round", group=group_of(entry), propensity=target.propensity, by=by,
        )  # fmt: skip
        new = await store.labels.add(label)
    if new and verdict == "wrong":
        await store.cache.retract(request_id=_origin(entry, target.rung))
    return label if new else None


def question_of(entry: JournalEntry) -> Question | None:
    """What was read of a request; None when it was refused before."""
    return next((step.value.question for step in entry.steps if isinstance(step.value, Read)), None)


def _origin(entry: JournalEntry, rung: str) -> str:
    """Whose answer it is: another request's where the cache gave it."""
    drafts = (step.value for step in entry.steps if step.rung == rung and isinstance(step.value, Draft))
    return next(
        (draft.upstream_id for draft in drafts if draft.provider == "cache" and draft.upstream_id), entry.request_id
    )


def _of_case(case: Case) -> Target:
    return Target(
        request_id=case.request_id, feature=case.feature, rung=case.rung, case=case, propensity=case.propensity
    )  # fmt: skip


def _drafts(entry: JournalEntry) -> Iterable[Target]:
    """Every checked draft of a request, whichever rung it is of; the cache has none of its own."""
    if entry.surface != "chat":
        return
    checked = {step.rung for step in entry.steps if isinstance(step.value, Checked)}
    for step in entry.steps:
        own = isinstance(step.value, Draft) and step.value.believed is None
        if own and step.rung is not None and step.rung in checked:
            yield Target(request_id=entry.request_id, feature=entry.feature, rung=step.rung)


def _drawn(found: Iterable[Target], seed: int) -> list[Target]:
    """In an order that depends on the seed and on nothing that was said."""

    def lot(each: Target) -> bytes:
        return blake2b(f"{seed}\0{each.request_id}\0{each.rung}".encode(), digest_size=16).digest()

    return sorted(found, key=lot)


def _draft_text(entry: JournalEntry, content: Content, rung: str) -> str:
    bodies = dict(content.answers)
    return DIALECTS[entry.dialect].read(bodies[rung]).text if rung in bodies else ""


def _earlier(texts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    said = [(role, text) for role, text in texts if role in ("user", "assistant") and text.strip()]
    last = max((place for place, (role, _) in enumerate(said) if role == "user"), default=0)
    return tuple(said[:last])
