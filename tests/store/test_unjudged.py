"""A draft whose judgement was promised is judged, also when its case ends without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from samples import MINUTE, case, commit, label

from surefoot.records import Case, CaseAnswer
from surefoot.store import Store

T = 100 * MINUTE
End = Callable[[Store, str], Awaitable[None]]


async def expired(store: Store, case_id: str) -> None:
    claim = await store.cases.expire(case_id, at_ns=T, lease_ns=MINUTE)
    assert claim is not None
    assert await store.cases.conclude(case_id, fence=claim.fence, how="decline", text="Sorry.", at_ns=T)


async def withdrawn(store: Store, case_id: str) -> None:
    assert await store.cases.withdraw(case_id, tenant="clinic", at_ns=T)


async def asked_back(store: Store, case_id: str, verb: str = "ask", *, judged: bool = False) -> None:
    claim = await store.cases.claim(case_id, by="amy", at_ns=T, lease_ns=MINUTE)
    assert claim is not None
    given = CaseAnswer(verb=verb, text="Since when?", by="amy")
    verdict = replace(label("l", source="round"), propensity=1.0) if judged else None
    await store.cases.answer(case_id, fence=claim.fence, answer=given, label=verdict, at_ns=T, deliver_at_ns=T)
    assert len(await store.cases.deliver_due(now_ns=T)) == 1


async def opened(store: Store, **fields: object) -> None:
    given = replace(case("a"), **({"propensity": 1.0, "deadline_ns": T, "role": "doctor"} | fields))
    await store.commit(commit("a", said="q", case=given))


async def audits(store: Store) -> list[Case]:
    return list(await store.cases.waiting(states=("open", "judged"), kind="audit"))


@pytest.mark.parametrize("end", [expired, withdrawn, asked_back])
async def test_a_withheld_draft_whose_case_ends_unjudged_is_audited_blind(store: Store, end: End):
    await opened(store)
    await end(store, "case-a")
    (audit,) = await audits(store)
    assert (audit.request_id, audit.rung, audit.propensity, audit.p, audit.role) == ("a", "small", 1.0, None, "doctor")
    assert (audit.reason, audit.deadline_ns, audit.opened_at_ns) == ("blind audit", 0, T)
    assert [event.kind for event in await store.cases.history(audit.id)] == ["opened"]
    verdict = replace(label("v", source="audit"), propensity=1.0)
    assert await store.cases.judge(audit.id, label=verdict, at_ns=T + 1)
    assert [found.id for found in await store.labels.of("a")] == ["v"]


async def test_a_case_that_ends_with_a_verdict_is_not_judged_again(store: Store):
    await opened(store)
    await asked_back(store, "case-a", "accept", judged=True)
    assert await audits(store) == [] and len(await store.labels.of("a")) == 1


@pytest.mark.parametrize("end", [expired, withdrawn, asked_back])
async def test_what_a_round_has_judged_is_not_judged_again(store: Store, end: End):
    await opened(store)
    await store.labels.add(replace(label("l", source="round"), propensity=1.0))
    await end(store, "case-a")
    assert await audits(store) == []


@pytest.mark.parametrize("fields", [{"propensity": None}, {"rung": ""}])
async def test_where_no_judgement_was_promised_none_is_asked_for(store: Store, fields: dict[str, object]):
    await opened(store, **fields)
    await expired(store, "case-a")
    assert await audits(store) == []
