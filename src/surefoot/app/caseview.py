"""What a page of the desk needs of a case: who said what, the draft with what its passages do not say, why it came here.

All of it is read from the journal and its content; nothing is judged anew. Identifiers (`signals.personal`) are replaced by
placeholders before anything is shown, and an answer's placeholders are put back before it is sent: what an operator may not
see, the person it belongs to still gets. Of a blind case nothing that says what the draft is worth is in the view at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from surefoot.app.rounds import question_of
from surefoot.records import (
    Case,
    Checked,
    Confidence,
    Content,
    Draft,
    Escalate,
    Evidence,
    JournalEntry,
    Signal,
    Span,
    Weighed,
)
from surefoot.signals.personal import find_personal, mask, placeholders, unmask
from surefoot.stages.handbook import Handbook
from surefoot.store import Store
from surefoot.wire import passages
from surefoot.wire.attachments import Attachment, attachments
from surefoot.wire.dialects import DIALECTS

LONGEST = 100_000  # characters of an answer
_PASSAGE = 4_000  # characters of a passage that are shown
_AROUND = 160  # characters shown before and after the nearest place
_KEPT = frozenset("\n\t")  # control characters that mean something in an answer

WHY: Mapping[str, str] = {
    "number": "a number that is not in the passages",
    "elsewhere": "a number that the passages say of something else",
    "unit": "another unit than in the passages",
    "date": "a date or time that is not in the passages",
    "name": "a name that is not in the passages",
    "quote": "a quotation that the passages do not contain",
    "negation": "denies what the passages say, or the other way round",
    "opposite": "says the opposite of the passages",
    "words": "words that the passages do not contain, or not together",
}
"""What is missing in an unsupported sentence, in words for people."""


class Turn(Struct, frozen=True):
    """Something that was said."""

    role: str  # "user" | "assistant"
    text: str


class Piece(Struct, frozen=True, kw_only=True):
    """A part of the draft, in its order; all pieces together are the draft."""

    text: str
    supported: bool | None = None  # None: nothing was checked here
    why: str = ""  # for people; "" when it is supported
    passage: int | None = None  # the nearest passage, counted from 0
    before: str = ""  # the passage around the nearest place
    nearest: str = ""
    after: str = ""


class Shown(Struct, frozen=True):
    """One signal as people read it."""

    name: str
    score: float | None  # [0, 1], higher is safer; None: the check said nothing
    detail: str = ""


class Why(Struct, frozen=True, kw_only=True):
    """Why a case waits for a person."""

    reason: str
    rule: str = ""  # the admit rule that sent it here
    confidence: Confidence = Confidence()
    bar: float | None = None  # what the lower end of p was compared with
    signals: tuple[Shown, ...] = ()  # least safe first, silent ones last


class CaseView(Struct, frozen=True, kw_only=True):
    """A case as it is shown. Texts are masked; `hidden` is for the server only and must not reach a page."""

    case: Case
    kept: bool  # whether what was said is still there
    question: str = ""
    earlier: tuple[Turn, ...] = ()
    attachments: tuple[Attachment, ...] = ()  # what came with the words; it is not shown
    draft: str = ""  # whole; "" when there is none, or it is a tool call
    pieces: tuple[Piece, ...] = ()
    passages: tuple[str, ...] = ()
    model: str = ""  # whose draft it is; "" of a blind case
    why: Why | None = None  # None of a blind case
    hidden: Mapping[str, str] = {}  # placeholder -> value

    @property
    def unsupported(self) -> int:
        """How many sentences of the draft the passages do not support."""
        return sum(piece.supported is False for piece in self.pieces)


def is_blind(case: Case) -> bool:
    """Whether whoever works on a case may not know what its draft is thought to be worth: audits and second reviews."""
    return case.kind == "audit" or case.state == "proposed"


async def case_view(
    store: Store, case: Case, *, handbook: Handbook | None = None, bar: float | None = None
) -> CaseView:
    """What is shown of a case. Raises StoreError.

    Args:
        handbook: of the case's feature, when its drafts rest on one.
        bar: the feature's, for the explanation.
    """
    entry, content = await store.journal.get(case.request_id), await store.journal.content(case.request_id)
    blind = is_blind(case)
    why = None if blind or entry is None else why_of(case, entry, bar)
    if entry is None or content is None:
        return CaseView(case=case, kept=False, why=why)
    said = spoken(entry, content, handbook)
    draft = draft_of(entry, content, case.rung)
    spans = () if blind else spans_of(entry, case.rung)
    own = said.passages[len(said.passages) - said.own :]
    cover = Cover.over((*(turn.text for turn in said.turns), draft, *said.passages), public=own)
    turns = tuple(Turn(turn.role, cover.text(turn.text)) for turn in said.turns)
    return CaseView(
        case=case,
        kept=True,
        question=turns[-1].text if turns else "",
        earlier=turns[:-1],
        attachments=said.attachments,
        draft=cover.text(draft),
        pieces=pieces_of(draft, spans, said.passages, cover),
        passages=tuple(cover.text(passage)[:_PASSAGE] for passage in said.passages),
        model="" if blind else _model(entry, case.rung),
        why=why,
        hidden=cover.hidden,
    )


class Said(Struct, frozen=True):
    """What a request said: the turns, the question last, and everything that an answer may rest on."""

    turns: tuple[Turn, ...]
    passages: tuple[str, ...]
    own: int = 0  # how many of them, the last ones, are the handbook's
    attachments: tuple[Attachment, ...] = ()  # what came with the user's messages


def spoken(entry: JournalEntry, content: Content, handbook: Handbook | None = None) -> Said:
    """The conversation without its passages, and the passages in the order in which the checks counted them."""
    dialect = DIALECTS[entry.dialect]
    top = dialect.parse(content.request_body, surface="chat").top
    texts = dialect.texts(top)
    question, found = passages.sources(texts)
    asked = question_of(entry)
    own = handbook.texts(asked.passages) if handbook is not None and asked is not None else ()
    found = (*found, *content.context, *own)
    said = [Turn(role, text) for role, text in texts if role in ("user", "assistant") and text.strip()]
    last = max((place for place, turn in enumerate(said) if turn.role == "user"), default=len(said))
    before = (Turn(turn.role, passages.find(turn.text)[0]) for turn in said[:last])
    return Said((*before, Turn("user", question)), found, len(own), attachments(top))


def draft_of(entry: JournalEntry, content: Content, rung: str) -> str:
    """The text of a rung's draft; "" when there is none."""
    body = dict(content.answers).get(rung)
    return "" if body is None else DIALECTS[entry.dialect].read(body).text


def spans_of(entry: JournalEntry, rung: str) -> tuple[Span, ...]:
    """What was found of a rung's draft, sentence by sentence; () when nothing was checked."""
    return _evidence(entry, rung).spans


def why_of(case: Case, entry: JournalEntry, bar: float | None) -> Why:
    """Why a case was opened, as the journal has it."""
    rule, confidence = "", Confidence(p=case.p)
    for step in entry.steps:
        match step.value:
            case Escalate():
                rule = step.value.rule
            case Weighed() if step.rung == case.rung:
                confidence = step.value.confidence
            case _:
                pass
    return Why(
        reason=case.reason, rule=rule, confidence=confidence, bar=bar, signals=_in_order(_evidence(entry, case.rung))
    )


def pieces_of(draft: str, spans: Sequence[Span], found: Sequence[str], cover: Cover) -> tuple[Piece, ...]:
    """The draft cut at its checked sentences. Spans that do not lie in it, one after the other, are left out."""
    pieces, at = [], 0
    for span in sorted(spans, key=lambda each: each.start):
        if not at <= span.start < span.end <= len(draft):
            continue
        if at < span.start:
            pieces.append(Piece(text=cover.part(draft, at, span.start)))
        pieces.append(_sentence(draft, span, found, cover))
        at = span.end
    if at < len(draft):
        pieces.append(Piece(text=cover.part(draft, at, len(draft))))
    return tuple(pieces)


def _sentence(draft: str, span: Span, found: Sequence[str], cover: Cover) -> Piece:
    text = cover.part(draft, span.start, span.end)
    why = "" if span.supported else WHY.get(span.why, "not what the passages say")
    near = found[span.passage] if span.passage is not None and span.passage < len(found) else None
    if near is None or not 0 <= span.passage_start < span.passage_end <= len(near):
        return Piece(text=text, supported=span.supported, why=why)
    first = max(0, span.passage_start - _AROUND)
    last = min(len(near), span.passage_end + _AROUND)
    return Piece(
        text=text,
        supported=span.supported,
        why=why,
        passage=span.passage,
        before=("…" if first else "") + cover.part(near, first, span.passage_start),
        nearest=cover.part(near, span.passage_start, span.passage_end),
        after=cover.part(near, span.passage_end, last) + ("…" if last < len(near) else ""),
    )


class Cover(Struct, frozen=True):
    """Masks the identifiers of a case, the same value by the same placeholder wherever it stands."""

    hidden: Mapping[str, str]  # placeholder -> value
    public: frozenset[str] = frozenset()  # values that everybody may see

    @classmethod
    def over(cls, texts: Sequence[str], *, public: Sequence[str] = ()) -> Cover:
        """A cover for texts; placeholders that somebody wrote in them are not used.

        Args:
            texts: of the case.
            public: texts that the house itself gives out: its telephone number is nobody's secret.
        """
        taken = frozenset[str]().union(*map(placeholders, texts))
        hidden: dict[str, str] = {}
        for text in texts:
            _, hidden = mask(text, hidden, taken=taken)
        told = frozenset(text[each.start : each.end] for text in public for each in find_personal(text))
        return cls({name: value for name, value in hidden.items() if value not in told}, told)

    def text(self, text: str) -> str:
        """A text with placeholders."""
        return self.part(text, 0, len(text))

    def part(self, text: str, start: int, end: int) -> str:
        """text[start:end] with placeholders. An identifier that the cut goes through belongs to the part it begins in."""
        names = {value: name for name, value in self.hidden.items()}
        parts, at = [], start
        for each in find_personal(text):
            if each.end <= at or each.start >= end or text[each.start : each.end] in self.public:
                continue
            if each.start >= at:
                parts += [text[at : each.start], names.get(text[each.start : each.end], f"[{each.kind.upper()}]")]
            at = each.end
        return "".join((*parts, text[at:end] if at < end else ""))


def uncovered(view: CaseView, text: str) -> str:
    """An answer as its reader gets it: the placeholders of this case replaced by what they stand for."""
    return unmask(text, view.hidden)


def covered(view: CaseView, text: str) -> str:
    """What an operator wrote, with this case's values covered again; nothing else of it is touched."""
    for name, value in view.hidden.items():
        text = text.replace(value, name)
    return text


def identifiers_in(view: CaseView, text: str) -> tuple[str, ...]:
    """The placeholders of this case whose value, or which themselves, stand in a text: it is about one person."""
    written = placeholders(text)
    return tuple(
        name for name, value in view.hidden.items() if value in text or not placeholders(name).isdisjoint(written)
    )


class Clean(Struct, frozen=True):
    """A text as it may be kept, and how many characters were taken out of it."""

    text: str
    removed: int


def clean(text: str) -> Clean:
    """A text from a form: line ends as one sign, without control characters and lone surrogates, without blank ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in plain if char in _KEPT or unicodedata.category(char) not in ("Cc", "Cs"))
    return Clean(kept.strip(), len(plain) - len(kept))


def _in_order(evidence: Evidence) -> tuple[Shown, ...]:
    """Whole checks before their parts ("grounded" before "grounded.words"), least safe first, silent ones last."""

    def rank(signal: Signal) -> tuple[bool, bool, float]:
        return signal.score is None, "." in signal.name, signal.score if signal.score is not None else 1.0

    return tuple(Shown(each.name, each.score, each.detail) for each in sorted(evidence.signals, key=rank))


def _evidence(entry: JournalEntry, rung: str) -> Evidence:
    found: Iterable[Evidence] = (
        step.value.evidence for step in entry.steps if isinstance(step.value, Checked) and step.rung == rung
    )
    return next(iter(found), Evidence())


def _model(entry: JournalEntry, rung: str) -> str:
    return next((step.value.model for step in entry.steps if isinstance(step.value, Draft) and step.rung == rung), "")
