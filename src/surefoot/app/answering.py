"""What an answer brings along: its words as they are kept, a verdict on the draft, and the minutes it took."""

from __future__ import annotations

import math
from collections.abc import Sequence

from surefoot.app.caseview import LONGEST, clean, draft_of
from surefoot.app.outcomes import label_of_case
from surefoot.app.roster import Roster
from surefoot.errors import BadRequest
from surefoot.records import Case, CaseAnswer, Entry, Label
from surefoot.records.case import VERBS, human_cost, human_price
from surefoot.records.person import Person
from surefoot.store import Store

DECLINED = "We cannot answer this question."
_SECOND_NS = 1_000_000_000
_DAY_SECONDS = 86_400.0
_VERDICTS = {
    "accept": "accepted",
    "edit": "edited",
    "replace": "wrong",
    "reject": "wrong",
}  # "ask" says nothing of a draft


class Answering:
    """Prepares answers and writes them."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self._store, self._roster = store, roster

    async def given(self, case: Case, verb: str, text: str, *, general: bool) -> tuple[str, str]:
        """(verb, text) as they are kept."""
        if verb not in VERBS or (verb == "ask" and case.kind == "audit"):
            raise BadRequest(f"a case is answered by one of {', '.join(VERBS)}; an audit asks nobody", param="verb")
        if general and verb in ("reject", "ask"):
            raise BadRequest("what declines or asks back is for this person", param="general")
        if verb in ("accept", "edit") and not case.rung:
            raise BadRequest("there is no draft: write an answer of your own with replace", param="verb")
        said = checked(text)
        if case.kind == "audit":
            return verb, said
        draft = await self.draft(case) if verb in ("accept", "edit") else ""
        if verb == "accept":
            said = said or draft
        elif verb == "edit" and said == draft.strip():
            verb = "accept"  # nothing was edited: the draft was right
        elif verb == "reject":
            said = said or DECLINED
        if not said:
            raise BadRequest("there is nothing to send: write something first", param="text")
        return verb, said

    async def label(self, case: Case, verb: str, by: Person, now: int) -> Label | None:
        """The verdict on the draft that an answer is; None when there is no draft, or it says nothing of one."""
        entry = await self._store.journal.get(case.request_id)
        if not case.rung or verb not in _VERDICTS or entry is None:
            return None
        return label_of_case(case, entry, _VERDICTS[verb], by=by.name, at_ns=now)

    async def write(self, case: Case, fence: int, answer: CaseAnswer, by: Person, spent: Sequence[Entry]) -> bool:
        """Whether the case took an answer, with its label and the time it took."""
        now = answer.signed_at_ns
        return await self._store.cases.answer(
            case.id, fence=fence, answer=answer, label=await self.label(case, answer.verb, by, now), at_ns=now,
            deliver_at_ns=self._roster.delivered_at(case, now), entries=spent,
        )  # fmt: skip

    async def minutes(
        self, case: Case, seconds: float | None, now: int, *, estimated: bool | None = None
    ) -> Sequence[Entry]:
        """The ledger's line of the time that a person spent.

        Args:
            case: that it was spent on.
            seconds: rounded to whole ones, 0 too; None: since the claim, and at least one.
            now: when it is booked.
            estimated: whether nobody measured it; None: when it is not given.
        Raises: BadRequest.
        """
        if seconds is not None and not (math.isfinite(seconds) and 0 <= seconds <= _DAY_SECONDS):
            raise BadRequest("a handling time is from 0 seconds to a day", param="seconds")
        entry = await self._store.journal.get(case.request_id)
        spent = max(1, round(await self._since_claim(case, now))) if seconds is None else round(seconds)
        hourly = self._roster.role_of(case).hourly_nanodollars
        line = Entry(
            request_id=case.request_id, at_ns=now, tenant=case.tenant, key_id="" if entry is None else entry.key_id,
            feature=case.feature, rung="person", provider="person", model=case.role, kind="human", quantity=spent,
            price_per_million=human_price(hourly), nanodollars=human_cost(spent, hourly), price_version="config",
            estimated=seconds is None if estimated is None else estimated, note=case.id,
        )  # fmt: skip
        return (line,)

    async def _since_claim(self, case: Case, now: int) -> float:
        """Seconds since the case was last claimed; 0 when the clock was set back."""
        history = await self._store.cases.history(case.id)
        claimed = [event.at_ns for event in history if event.state == "claimed"]
        return min(_DAY_SECONDS, max(0, now - claimed[-1]) / _SECOND_NS) if claimed else 0.0

    async def draft(self, case: Case) -> str:
        """The text of the draft that a case is about; "" when there is none, or it is erased."""
        entry, content = (
            await self._store.journal.get(case.request_id),
            await self._store.journal.content(case.request_id),
        )
        return "" if entry is None or content is None or not case.rung else draft_of(entry, content, case.rung)


def checked(text: str) -> str:
    """A text as it may be kept. Raises BadRequest when it is too long."""
    if len(text) > LONGEST:
        raise BadRequest(f"this has {len(text):,} characters, at most {LONGEST:,} can be sent", param="text")
    return clean(text).text
