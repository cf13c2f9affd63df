"""The time that a person spends on a batch is booked once, to the second, whoever else takes cases meanwhile."""

import tempfile
from pathlib import Path

from app_support import Gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.records.case import Signed
from surefoot.records.person import Person

AMY, BEN = (Person(name=name, shown=name.title(), role="operator") for name in ("amy", "ben"))
CASES = 6
UNSURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
[features.f.maps.small]
p = 0.2
[people.person]
hourly_cost_usd = 36.0
capacity = 10
"""


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 600), st.integers(0, 1000), st.sets(st.integers(1, CASES - 1)), st.sets(st.integers(1, CASES - 1))
)
def test_the_time_of_a_batch_is_split_never_lost_and_never_counted_twice(
    own: int, spent: int, confirmed: set[int], taken: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(Path(folder), UNSURE, right=(True,) * CASES)
        run, desk = gateway.runner.run, gateway.app.desk
        ids = [case.id for number in range(CASES) if (case := gateway.case(gateway.ask(number))) is not None]
        claim = run(desk.claim(ids[0], by=AMY))
        assert claim is not None
        said = {"verb": "replace", "text": "So it is.", "general": True, "seconds": float(own)}
        assert run(desk.answer(ids[0], by=AMY, fence=claim.fence, **said))
        for number in taken:
            run(desk.claim(ids[number], by=BEN))
        others = [ids[number] for number in sorted(confirmed)]
        told = run(desk.batch.answer(ids[0], others, by=AMY, signed=Signed(meaning="I answer"), seconds=float(spent)))
        assert set(told) == {ids[number] for number in confirmed - taken}
        lines = [line for line in run(gateway.store.ledger.entries()) if line.kind == "human"]
        gateway.close()
    assert sum(line.quantity for line in lines) == own + (spent if told else 0)
    assert sum(line.nanodollars for line in lines) == 10_000_000 * sum(line.quantity for line in lines)
    shares = [line.quantity for line in lines[1:]]
    assert len(lines) == 1 + len(told) and max(shares, default=0) - min(shares, default=0) <= 1
