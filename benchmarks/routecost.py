"""CPU that a learned start adds to a request: `python -m benchmarks.routecost`.

A model of full size with random numbers (16,384 columns, 2,000 landmarks in 64 directions and the outward form, 500 in the
form alone) judges questions of several
lengths as `read` does; then the rule chooses. A feature that does not route is beside it. Process time by rounds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np

from benchmarks.machine import machine, spread
from surefoot.policy import Feature, RouteRules, parse_ladder, route
from surefoot.records import Prospect, Question
from surefoot.signals.form import FORM
from surefoot.signals.question import PLACES
from surefoot.signals.router import Calibration, Kernel, RouteModel, Router

COLUMNS, DIMS, MARKS = 16_384, 64, 2_000
TEXT = "Could you tell me how many days I have to return a pair of shoes that I bought online last week with a gift card?! "
ROUNDS, CALLS = 30, 100


def kernel(topic: float, marks: int, size: int) -> Kernel:
    """Random landmarks of a kernel that compares the outward form, and the topic where it counts."""
    drawn = np.random.default_rng(1)
    return Kernel(
        topic=topic, form=0.1, landmarks=drawn.random((marks, size)).astype("<f2").tobytes(),
        likeness=drawn.random((marks, 2)).astype("<f4").tobytes(),
    )  # fmt: skip


def model() -> RouteModel:
    """Random numbers in the shapes of a fit on many labels."""
    drawn = np.random.default_rng(0)
    columns = np.full(PLACES, -1, dtype="<i4")
    columns[drawn.choice(PLACES, COLUMNS, replace=False)] = np.arange(COLUMNS)
    return RouteModel(
        rungs=("small", "large"), labels=7000, columns=columns.tobytes(),
        rarity=drawn.random(COLUMNS).astype("<f4").tobytes(),
        directions=drawn.integers(-127, 127, (COLUMNS, DIMS)).astype(np.int8).tobytes(),
        direction_scales=np.full(DIMS, 0.01, dtype="<f4").tobytes(), form_centers=(0.0,) * len(FORM),
        form_spreads=(1.0,) * len(FORM), kernels=(kernel(1.0, MARKS, DIMS + len(FORM)), kernel(0.0, MARKS // 4, len(FORM))),
        line=drawn.random((COLUMNS, 2)).astype("<f2").tobytes(),
        means=(0.7, 0.8), calibrations=(Calibration(), Calibration()),
    )  # fmt: skip


def microseconds(work: Callable[[], object]) -> dict[str, float]:
    """CPU of one call."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(CALLS):
            work()
        found.append((time.process_time_ns() - began) / CALLS / 1000)
    return {name: round(value, 1) for name, value in spread(found).items()}


def main() -> None:
    """Measure and print."""
    print(json.dumps(machine()))
    router = Router(model())
    for length in (124, 500, 4000):
        text = (TEXT * (length // len(TEXT) + 1))[:length]
        print(f"estimates, {length:5} characters  us {microseconds(lambda text=text: router.estimates(text))}")  # type: ignore[misc]
    bare = Question(
        fingerprint="",
        model="m",
        dialect="openai",
        surface="chat",
        stream=False,
        input_tokens=50,
        max_output_tokens=None,
    )
    prospects = tuple(Prospect(rung=name, p=0.8, gain=0.0, nanodollars=1000) for name in ("small", "large"))
    asked = Question(**{**{name: getattr(bare, name) for name in bare.__struct_fields__}, "prospects": prospects})
    ladder, draw = parse_ladder(["small", "large"]), f"{7:032x}"
    routing = Feature(name="f", ladder=ladder, route=RouteRules())
    plain = Feature(name="f", ladder=ladder)
    print(f"the rule                      us {microseconds(lambda: route(routing, asked, draw))}")
    print(f"the rule without a route      us {microseconds(lambda: route(plain, bare, draw))}")


if __name__ == "__main__":
    main()
