"""The same question again: it finds its case instead of opening a second one, and no model is asked twice."""

from __future__ import annotations

from collections import OrderedDict

from surefoot.records import Case, Question, Request
from surefoot.records.case import PENDING
from surefoot.store import Store

REMEMBERED_NS = 3_600_000_000_000  # for so long after its delivery the same question gets the answer that it had
_FOUND = (*PENDING, "delivered", "expired")
_MOST = 50_000  # questions that this process knows to have a case


class Repeats:
    """Finds the case of a question that was asked before.

    The store is asked only when there is reason to: this process opened a case for the question, under the policy and the
    standing of now, or the client says that it sends the request again. Other repeats are found when they would open a second
    case.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()  # (fingerprint, standing, subject)

    def note(self, question: Question, subject: str) -> None:
        """Remember that a question has a case, as its feature's promise stands."""
        key = (question.fingerprint, question.standing, subject)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """The policy is another: what went to a person may be answered now, so that every question is asked anew."""
        self._known.clear()

    async def __call__(self, request: Request, fingerprint: str, standing: str, /) -> str:
        """The id of the case of the same question of the same subject; "" when there is none. Raises StoreError."""
        if not request.wait.repeated and (fingerprint, standing, request.subject) not in self._known:
            return ""
        return await self.find(request, fingerprint)

    async def find(self, request: Request, fingerprint: str) -> str:
        """The id of the case that waits, or was answered not long ago; "" when there is none. Raises StoreError."""
        found = await self._store.cases.find_waiting(
            fingerprint, tenant=request.caller.tenant, feature=request.feature,
            subject=self._store.pseudonym(request.subject), states=_FOUND,
        )  # fmt: skip
        return "" if found is None or _is_over(found, request.at_ns) else found.id


def _is_over(case: Case, at_ns: int) -> bool:
    """Whether an ended case has nothing to tell any more: its answer is old, or erased, or was to a red flag, which is new."""
    return case.has_ended and (case.told is None or case.red_flag or at_ns - case.delivered_at_ns > REMEMBERED_NS)
