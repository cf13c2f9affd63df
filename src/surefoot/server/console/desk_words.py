"""The desk's words: times, states, events and keys as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from surefoot.records import Case, CaseEvent
from surefoot.review.clusters import ANOTHER, UNSURE
from surefoot.review.differences import NONE, Difference

SECOND = 1_000_000_000

STATES: Mapping[str, str] = {
    "open": "open",
    "claimed": "taken",
    "proposed": "waits for a second person",
    "answered": "answered, not delivered yet",
    "delivered": "delivered",
    "expired": "expired",
    "withdrawn": "withdrawn",
    "judged": "judged",
}
VERBS = (
    ("edit", "Edit the draft", "e"),
    ("replace", "Own answer", "r"),
    ("ask", "Ask back", "q"),
    ("reject", "Reject", "x"),
)
DONE: Mapping[str, str] = {
    "accept": "accepted the draft",
    "edit": "edited the draft",
    "replace": "answered",
    "ask": "asked back",
    "reject": "rejected the draft",
}
SAFE: Mapping[str, str] = {
    "draft": "the draft goes out with a notice",
    "decline": "the caller is told that nobody could answer",
    "stronger": "the strongest model answers",
}
SNOOZES = ((300, "5 minutes"), (900, "15 minutes"), (3600, "an hour"), (4 * 3600, "4 hours"), (24 * 3600, "a day"))
SHORTCUTS = (
    ("Anywhere", (("?", "these keys"), ("n", "take the next case"), ("l", "all cases"), ("Esc", "leave a field"))),
    ("In the queue", (("j", "down"), ("k", "up"), ("⏎", "open"), ("p", "why this priority"), ("h", "hand over my shift"))),
    (
        "At a case",
        (
            ("c", "take it"), ("]", "next unsupported sentence"), ("[", "the one before"), ("o", "show a hidden draft"),
            ("s", "put aside, hand over"), ("u", "undo before delivery"), ("b", "answer those alike"),
        ),
    ),
    (
        "Answering",
        (
            ("a", "accept the draft"), ("e", "edit it"), ("r", "write your own"), ("q", "ask back"), ("x", "reject"),
            ("f", "use the answer that seems to fit"), ("1…9", "insert a canned answer"), ("g", "this person / everybody"),
            ("Ctrl ⏎", "send"),
        ),
    ),
)  # fmt: skip
_EVENTS: Mapping[str, str] = {
    "opened": "opened",
    "claimed": "taken",
    "released": "given back",
    "lapsed": "given back: the lease ended",
    "answered": "answered",
    "proposed": "answered, a second person decides",
    "approved": "approved",
    "disapproved": "given back by the second person",
    "undone": "taken back before delivery",
    "delivered": "delivered",
    "expired": "not answered in time",
    "withdrawn": "withdrawn by the caller",
    "snoozed": "snoozed",
    "handed_over": "handed over",
    "reassigned": "given to somebody else",
    "chained": "not answered in time, on to the next role",
    "refused": "a late answer was refused and kept",
    "judged": "judged",
    "revealed": "an identifier was revealed",
}


def words_of(difference: Difference, *, mine: str = "yours") -> str:
    """A difference as people read it; identifiers stay covered. `mine` is whose question the answer was for."""
    if difference.kind == ANOTHER:
        return "another answer comes as near"
    if difference.kind == UNSURE:
        return "like, but not enough to be sure that the same answer fits"
    if difference.kind == "personal":
        return "other personal data"
    here, there = (side if side != NONE else "nothing" for side in (difference.here, difference.there))
    if difference.kind == "attachment" and here == there:
        return f"attachment: not the same as with {mine} ({here})"
    if difference.kind in ("attachment", "conversation"):
        verb = "came with" if difference.kind == "attachment" else "came after"
        return f"{difference.kind}: {mine} {verb} {here}, this one {verb} {there}"
    return f"{difference.kind}: {mine} says {here}, this one {there}"


def span(seconds: float) -> str:
    """A length of time in its two largest units: "50 s", "3 min", "2 h 5 min", "4 d"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86_400:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h" + (f" {minutes} min" if minutes else "")
    return f"{whole // 86_400} d"


def left(at_ns: int, now_ns: int) -> str:
    """How long until a time, or since: "12 min", "3 min ago"."""
    seconds = (at_ns - now_ns) / SECOND
    return span(seconds) if seconds >= 0 else f"{span(-seconds)} ago"


def iso(at_ns: int) -> str:
    """A time in UTC, as machines read it."""
    return datetime.fromtimestamp(at_ns / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(at_ns: int) -> str:
    """A time as people read it, in the server's zone."""
    return datetime.fromtimestamp(at_ns / SECOND, UTC).astimezone().strftime("%d %b %H:%M")


def state_of(case: Case, who: str) -> str:
    """A case's state, with who has it."""
    if case.state == "claimed":
        return "yours" if case.claimed_by == who else f"taken by {case.claimed_by}"
    return STATES.get(case.state, case.state)


def event_words(event: CaseEvent, *, blind: bool = False) -> str:
    """What happened, by whom. Of a blind case neither who nor how: both may say what its draft, or an answer, is worth."""
    said = _EVENTS.get(event.kind, event.kind.replace("_", " "))
    if blind:
        return said
    said += f" by {event.by}" if event.by else ""
    return f"{said}: {event.detail}" if event.detail and event.kind != "opened" else said
