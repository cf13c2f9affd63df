"""What a golden set grows from: people's general answers and answers that were judged right, out of the store.

Content is masked (`signals.personal`) before it leaves the store: a set is a file that lies beside the configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog
from msgspec import Struct

from surefoot.app.caseview import draft_of, spoken
from surefoot.app.rounds import question_of
from surefoot.config.load import Config
from surefoot.errors import SurefootError
from surefoot.evals.golden import Golden, Item, Origin
from surefoot.providers.documents import read_folder
from surefoot.records import Case, Content, JournalEntry, Label, Revision
from surefoot.review.leverage import read_along
from surefoot.signals.personal import KINDS, mask, unmask
from surefoot.stages.context import NO_MATTER
from surefoot.stages.masking import masked_top
from surefoot.store import Store
from surefoot.wire.attachments import attachments
from surefoot.wire.dialects import DIALECTS

_PAGE = 500
_TOLD = ("accept", "edit", "replace")  # verbs that answer a question
_JUDGED = ("audit", "round")  # sources of labels by people who judged a draft

log = structlog.get_logger("surefoot")


class Found(Struct, frozen=True, kw_only=True):
    """Candidates for a set, and how many could not be taken, by reason."""

    items: tuple[Item, ...]
    left_out: dict[str, int]


async def candidates(store: Store, feature: str, *, since_ns: int = 0, public: str = "") -> Found:
    """General answers and answers judged right of a feature. Raises StoreError.

    Args:
        since_ns: answered or judged from then on.
        public: a text whose telephone numbers and addresses are everybody's: they are not masked in what was answered.
    """
    items: list[Item] = []
    left: dict[str, int] = {}
    for case in await _answered(store, feature, since_ns):
        told = _Told("case", f"case/{case.id}", case.request_id, case.answer or "", case.answered_at_ns)
        _take(await _item(store, told, public), items, left)
    for label in await store.labels.all(feature=feature, since_ns=since_ns):
        if label.source in _JUDGED and label.accepted:
            _take(await _of_label(store, label, public), items, left)
    return Found(items=tuple(items), left_out=left)


async def gone(store: Store, golden: Golden) -> dict[str, str]:
    """By item id, why it must not stay: its subject was erased since, or its answer was retracted. Raises StoreError.

    What retention destroyed takes judged answers with it, but not a person's general answer: that is for everybody.
    """
    found: dict[str, str] = {}
    rows = await store.audit.events(kind="subject.erased", limit=1_000_000)
    for item in golden.items:
        if item.origin is None:
            continue
        ended = [
            row.event for row in rows if row.event.on == item.origin.subject and row.event.at_ns > item.origin.at_ns
        ]
        if any(not event.detail.startswith("retention") for event in ended):
            found[item.id] = "erased"
        elif ended and item.origin.source != "case":
            found[item.id] = "past its retention"
        elif item.origin.source == "case" and not await _still_general(store, item):
            found[item.id] = "no longer general"
    return found


async def learned_from(store: Store, feature: str, revision: Revision | None) -> Sequence[str]:
    """The questions whose labels a revision was fitted on, as far as their content is kept; () for none. Raises StoreError."""
    if revision is None:
        return ()
    labels = await store.labels.all(feature=feature)
    names = dict.fromkeys(label.request_id for label in labels if label.at_ns <= revision.at_ns)
    found = [await _question(store, name) for name in names]
    return [text for text in found if text]


def handbook_of(config: Config, feature: str) -> str:
    """All of a feature's handbook as one text; "" without one. Raises DataError."""
    given = config.settings.features.get(feature)
    if given is None or not given.handbook:
        return ""
    return "\n".join(passage.text for passage in read_folder(given.handbook))


async def _answered(store: Store, feature: str, since_ns: int) -> list[Case]:
    """Cases of a feature that a person answered for everybody and looked at, oldest event first."""
    newest, after = await store.cases.last_change(), 0
    named: dict[str, bool] = {}  # case -> whether nobody looked at it
    while after < newest and (changes := await store.cases.changes(after=after, limit=_PAGE)):
        for each in changes:
            if each.kind in ("answered", "proposed") and each.feature == feature and each.at_ns >= since_ns:
                named[each.case_id] = read_along(each.detail).bulk
        after = changes[-1].id
    cases = [await store.cases.find(name) for name, bulk in named.items() if not bulk]
    return [case for case in cases if case is not None and _speaks(case)]


def _speaks(case: Case) -> bool:
    """Whether a case's answer is a person's, for everybody, and stands."""
    states = ("answered", "delivered")
    return case.kind == "question" and case.state in states and case.general and case.verb in _TOLD


async def _still_general(store: Store, item: Item) -> bool:
    """Whether the case behind an item still says so; a case that this store does not know takes nothing away."""
    case = await store.cases.find(item.id.removeprefix("case/"))
    return case is None or _speaks(case)


async def _of_label(store: Store, label: Label, public: str) -> Item | str:
    entry, content = await _kept(store, label.request_id)
    if entry is None or content is None:
        return "content is not kept"
    draft = draft_of(entry, content, label.rung)
    if not draft.strip():
        return "no text was said"
    told = _Told(label.source, f"label/{label.id}", label.request_id, draft, label.at_ns)
    return await _item(store, told, public)


class _Told(Struct, frozen=True):
    """What somebody answered, or judged right."""

    source: str
    name: str  # of the item
    request_id: str
    text: str
    at_ns: int


async def _item(store: Store, told: _Told, public: str) -> Item | str:
    """An item, masked; or why there is none."""
    entry, content = await _kept(store, told.request_id)
    if entry is None or content is None or not told.text.strip():
        return "content is not kept"
    dialect = DIALECTS[entry.dialect]
    try:
        top = dialect.parse(content.request_body, surface="chat").top
        question = spoken(entry, content).turns[-1].text
    except (SurefootError, msgspec.MsgspecError) as error:  # a body that only its provider understood
        log.warning("a question cannot be read", request=told.request_id, error=type(error).__name__)
        return "it cannot be read"
    if attachments(top):
        return "something is attached"
    if not question.strip():
        return "no text was asked"
    asked, known = masked_top({key: value for key, value in top.items() if key not in NO_MATTER}, KINDS)
    texts = []
    for text in (question, *content.context, told.text):
        masked, known = mask(text, known)
        texts.append(masked)
    ours = {name: value for name, value in known.items() if value in public}
    return Item(
        id=told.name, query=texts[0], reference=unmask(texts[-1], ours), context=tuple(texts[1:-1]), task=entry.feature,
        group=told.name, request=asked, dialect=entry.dialect,
        origin=Origin(source=told.source, request_id=told.request_id, subject=entry.subject, at_ns=told.at_ns),
    )  # fmt: skip


async def _kept(store: Store, request_id: str) -> tuple[JournalEntry | None, Content | None]:
    entry = await store.journal.get(request_id)
    return entry, await store.journal.content(request_id) if entry is not None else None


async def _question(store: Store, request_id: str) -> str:
    entry, content = await _kept(store, request_id)
    if entry is None or content is None or question_of(entry) is None:
        return ""
    try:
        return mask(spoken(entry, content).turns[-1].text, {})[0]
    except (SurefootError, msgspec.MsgspecError) as error:
        log.warning("a question cannot be read", request=request_id, error=type(error).__name__)
        return ""


def _take(found: Item | str, items: list[Item], left: dict[str, int]) -> None:
    if isinstance(found, str):
        left[found] = left.get(found, 0) + 1
    else:
        items.append(found)
