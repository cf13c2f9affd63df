"""What the desk's templates are filled with: rows of the queue, a case's page. Values only; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct

from surefoot.app.caseview import CaseView, is_blind
from surefoot.records import Case, CaseEvent, Confidence
from surefoot.records.case import WAITING
from surefoot.review.priority import Priority
from surefoot.server.console.desk_room import asks_password
from surefoot.server.console.desk_words import (
    DONE,
    SAFE,
    SECOND,
    SHORTCUTS,
    STATES,
    VERBS,
    clock,
    event_words,
    iso,
    left,
    span,
    state_of,
)

SIZE = 50  # rows of a page
_LEVELS = 9


class Filters(Struct, frozen=True, kw_only=True):
    """What the queue shows."""

    role: str = ""
    feature: str = ""
    show: str = ""  # one of SHOWS

    def query(self, **more: str) -> str:
        """As the query of an address; empty fields are left out."""
        fields = {"role": self.role, "feature": self.feature, "show": self.show, **more}
        return urlencode({name: value for name, value in fields.items() if value})


SHOWS = (
    ("", "everything that waits"),
    ("mine", "mine"),
    ("open", "open"),
    ("audit", "audits"),
    ("proposed", "second person"),
)


class Row(Struct, frozen=True, kw_only=True):
    """One case in the queue."""

    id: str
    question: str
    feature: str
    role: str
    reason: str
    priority: str
    level: int  # 0 ... 9, for the bar
    priority_why: str
    opened: str
    waits: str
    deadline: str
    left: str
    late: bool
    state: str
    mine: bool
    red_flag: bool
    blind: str


def row_of(case: Case, question: str, priority: Priority, *, who: str, now_ns: int) -> Row:
    """A row. Of a blind case neither reason nor priority is told: both may say what its draft is thought to be worth."""
    due, blind = case.deadline_ns or case.due_at_ns, is_blind(case)
    return Row(
        id=case.id,
        question=question or "(what was asked is not kept)",
        feature=case.feature,
        role=case.role,
        reason="" if blind else case.reason,
        priority="" if blind else f"{priority.value:.2f}",
        level=0 if blind else min(_LEVELS, max(0, int(priority.value * (_LEVELS - 2)))),
        priority_why="" if blind else priority.explanation,
        opened=iso(case.opened_at_ns),
        waits=span((now_ns - case.opened_at_ns) / SECOND),
        deadline=iso(due) if due else "",
        left=left(due, now_ns) if due else "",
        late=0 < due < now_ns,
        state=_row_state(case, who, now_ns),
        mine=case.state == "claimed" and case.claimed_by == who,
        red_flag=case.red_flag,
        blind="audit" if case.kind == "audit" else "second person" if case.state == "proposed" else "",
    )


def _row_state(case: Case, who: str, now_ns: int) -> str:
    if case.state == "open" and case.snoozed_until_ns > now_ns:
        return f"snoozed, {left(case.snoozed_until_ns, now_ns)}"
    return state_of(case, who)


def counted(
    tally: Mapping[tuple[str, str], int], roles: Sequence[str] | None, *, mine: int, late: int
) -> Mapping[str, int]:
    """How many wait, in the roles that may be seen (None: all)."""
    waiting = sum(
        count for (role, state), count in tally.items() if state in WAITING and (roles is None or role in roles)
    )
    return {"open": waiting, "mine": mine, "late": late}


def gauge_of(confidence: Confidence, bar: float | None) -> Mapping[str, object] | None:
    """Where p, its interval and the bar lie on a line from 0 to 100; None when nobody knows p."""
    if confidence.p is None:
        return None
    low = confidence.low if confidence.low is not None else confidence.p
    high = confidence.high if confidence.high is not None else confidence.p
    words = f"p = {confidence.p:.2f}"
    if high > low:
        words += f", between {low:.2f} and {high:.2f}"
    if bar is not None:
        words += f"; the bar is {bar:.2f}"
    return {
        "p": f"{100 * confidence.p:.1f}", "low": f"{100 * low:.1f}", "width": f"{100 * max(0.0, high - low):.1f}",
        "bar": None if bar is None else f"{100 * bar:.1f}", "words": words,
    }  # fmt: skip


def events_of(history: Sequence[CaseEvent], *, blind: bool) -> Sequence[Mapping[str, str]]:
    """What happened, newest first. Of a blind case why it was opened and who answered stay untold."""
    shown = [
        each for each in history if not blind or each.kind in ("opened", "claimed", "released", "lapsed", "snoozed")
    ]
    return [
        {"at": iso(each.at_ns), "clock": clock(each.at_ns), "words": event_words(each, blind=blind)}
        for each in reversed(shown)
    ]  # fmt: skip


def answer_of(case: Case, shown: str) -> Mapping[str, str] | None:
    """What was answered, by whom; None before. Whoever decides as the second person is not told who the first was."""
    if case.answer is None or case.verb.startswith("default:"):
        return None
    if case.state == "proposed":
        return {"who": "Proposed answer", "text": shown, "signed": ""}
    agreed = f", approved by {case.approved_by}" if case.approved_by else ""
    return {
        "who": f"{case.answered_by} {DONE.get(case.verb, case.verb)}",
        "text": shown,
        "signed": f"signed {clock(case.answered_at_ns)}{agreed}"
        + (" · for everybody who asks this" if case.general else ""),
    }


def head_of(case: Case, *, safe_default: str, priority: Priority, who: str, now_ns: int) -> Mapping[str, object]:
    """What stands at the head of a case's page."""
    due = case.deadline_ns if case.state in ("open", "claimed", "proposed") else 0
    return {
        "state": case.state,
        "state_words": state_of(case, who),
        "red_flag": case.red_flag,
        "second": case.two_persons or case.state == "proposed",
        "opened": iso(case.opened_at_ns),
        "waits": span(((case.answered_at_ns or now_ns) - case.opened_at_ns) / SECOND),
        "deadline": iso(due) if due else "",
        "deadline_ms": due // 1_000_000,
        "left": left(due, now_ns) if due else "",
        "late": 0 < due < now_ns,
        "safe_default": SAFE.get(safe_default, "") if due else "",
        "priority": f"{priority.value:.2f}",
        "priority_why": priority.explanation if case.state in ("open", "claimed") and not is_blind(case) else "",
    }


def delivered_words(case: Case) -> str:
    """Confirmation that the caller has an answer, and how it gets it; "" before."""
    if not case.delivered_at_ns:
        return "Judged. Your verdict is kept." if case.state == "judged" else ""
    how = {
        "poll": "the caller gets it when it asks", "held": "the held connection has it",
        "sse": "it was sent as an event", "webhook": "the webhook is called",
    }.get(case.wait, "")  # fmt: skip
    what = (
        "Nobody answered in time: the safe default was delivered" if case.verb.startswith("default:") else "Delivered"
    )
    return f"{what} at {clock(case.delivered_at_ns)}; {how}." if how else f"{what} at {clock(case.delivered_at_ns)}."


def heading_of(view: CaseView) -> str:
    """A case's title: the beginning of its question."""
    words = " ".join(view.question.split())
    return (words[:90] + "…" if len(words) > 90 else words) or f"Case {view.case.id}"


def verbs_for(view: CaseView) -> Sequence[tuple[str, str, str]]:
    """What can be done: nothing to edit or to reject where there is no draft."""
    return [each for each in VERBS if view.draft or each[0] in ("replace", "ask")]


CONSTANT: Mapping[str, object] = {"shortcuts": SHORTCUTS, "states": STATES, "asks_password": asks_password}
"""What every page of the desk knows."""
