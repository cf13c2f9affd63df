"""The stage: a feature's checks in their order, those that wait for somebody side by side."""

import asyncio

from check_support import scores, seen

from surefoot.records import Attempt, Evidence, NoDraft, PricedCall, Rung, Signal, Tried, Usage
from surefoot.stages.check import Checks, CheckSet, Complete, Findings, Judge, Refusal, Seen

CALL = PricedCall(rung="judge.small", provider="p", model="j", usage=Usage(), price=None)


class Meets:
    """A check that answers only once all its companions have been asked."""

    def __init__(self, name: str, barrier: asyncio.Barrier) -> None:
        self.name, self.barrier = name, barrier

    async def __call__(self, given: Seen, /) -> Findings:
        await self.barrier.wait()
        return Findings(signals=(Signal(name=self.name, score=1.0),))


def evidence(checks: CheckSet, tried: Tried) -> Evidence:
    async def run() -> Evidence:
        async with asyncio.timeout(20):
            return await Checks({"f": checks})(tried)

    return asyncio.run(run())


def test_gates_run_side_by_side_and_their_signals_stay_in_order() -> None:
    barrier = asyncio.Barrier(3)
    asking = tuple(Meets(f"gate.{name}", barrier) for name in "abc")
    found = evidence(CheckSet((Complete(),), asking), seen("text").tried)
    assert [signal.name for signal in found.signals] == ["complete", "gate.a", "gate.b", "gate.c"]


def test_what_judging_cost_is_on_the_evidence() -> None:
    async def ask(given: Seen, prompt: str) -> tuple[str | None, tuple[PricedCall, ...]]:
        return "70", (CALL,)

    found = evidence(CheckSet((), (Judge(ask),)), seen("text").tried)
    assert found.priced == (CALL,) and scores(Findings(signals=found.signals)) == {"judge": 0.7}


def test_there_is_no_evidence_on_no_draft_and_none_on_what_is_relayed() -> None:
    tried = seen("text").tried
    none = Tried(ask=tried.ask, attempt=Attempt(draft=NoDraft(rung="small", kind="miss", reason="x")))
    assert evidence(CheckSet((Refusal(),)), none) == Evidence()
    relayed = Tried(
        ask=type(tried.ask)(
            request=tried.ask.request, question=tried.ask.question, rung=Rung(name="relay", kind="relay")
        ),
        attempt=tried.attempt,
    )
    assert evidence(CheckSet((Refusal(),)), relayed) == Evidence()
