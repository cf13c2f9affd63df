"""Small writes that share a transaction: one that fails hurts no other. And cases from before there were claims."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from msgspec.structs import replace
from samples import MINUTE, case, commit, label
from sqlalchemy import create_engine

from surefoot.errors import StoreError
from surefoot.records import CaseAnswer
from surefoot.store import Store

Open = Callable[..., Store]


async def test_of_many_answers_at_once_only_the_faulty_one_fails(store: Store):
    names = [f"r{n}" for n in range(20)]
    for name in names:
        await store.commit(commit(name, case=replace(case(name, kind="audit"), fingerprint=name)))
    await store.labels.add(label("taken", request="r7"))
    claims = [await store.cases.claim(f"case-{name}", by="amy", at_ns=1, lease_ns=MINUTE) for name in names]

    async def answer(place: int, name: str) -> bool | StoreError:
        claim, verdict = claims[place], label("taken" if name == "r7" else f"l-{name}", request=name)
        assert claim is not None
        given = CaseAnswer(verb="accept", text="", by="amy")
        try:
            return await store.cases.answer(
                claim.case.id, fence=claim.fence, answer=given, label=verdict, at_ns=2, deliver_at_ns=2
            )
        except StoreError as error:
            return error

    told = await asyncio.gather(*(answer(place, name) for place, name in enumerate(names)))
    assert [name for name, one in zip(names, told, strict=True) if one is not True] == ["r7"]
    found = await store.cases.find("case-r7")
    assert found is not None and found.state == "claimed"
    assert len(await store.labels.all()) == len(names)


def test_a_case_from_before_claims_keeps_its_place_and_can_be_answered(
    tmp_path: Path, open_: Open, runner: asyncio.Runner
):
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "surefoot.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    engine.dispose()
    with sqlite3.connect(path) as rows:
        rows.execute(
            "INSERT INTO cases (id, request_id, tenant, feature, role, state, reason, opened_at_ns, subject, fingerprint, kind,"
            " rung) VALUES ('old', 'r', 'clinic', 'triage', 'nurse', 'open', 'unsure', 77, 's', 'f', 'question', 'small')"
        )
        rows.execute("INSERT INTO case_events (case_id, at_ns, kind, detail) VALUES ('old', 77, 'opened', 'unsure')")
    store = open_(str(path))
    claim = runner.run(store.cases.claim_next(roles=["nurse"], by="amy", at_ns=99, lease_ns=MINUTE))
    assert claim is not None and (claim.case.id, claim.case.rank_ns, claim.case.wait) == ("old", 77, "poll")
    assert [event.kind for event in runner.run(store.cases.history("old"))] == ["opened", "claimed"]
