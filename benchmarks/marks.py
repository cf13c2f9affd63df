"""What marks for a provider's prefix cache are worth in conversations, by how often those go on. The cache is simulated.

    python -m benchmarks.marks [--conversations N] [--seed N]

Conversations arrive at random and interleave; after each turn a conversation goes on with the given chance, some seconds or
minutes later (exponential, median 60 s: some gaps are longer than the five minutes that a prefix is kept). Every request goes
through the stage `fit` of a feature with `cache_marks = true`, and its body through a simulation of Anthropic's rules.
Beside it: no marks, and a mark at the end of every turn ("always"). Costs are input alone, at 3 USD a million, a tenth for what
is read and 1.25 times for what is written, with a bootstrap interval over conversations' costs.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator

import msgspec
import numpy as np

from benchmarks.machine import machine
from surefoot.config.schema import ProviderSettings
from surefoot.policy import Feature, Policy, parse_ladder
from surefoot.providers.anthropic import AnthropicProvider
from surefoot.providers.billing import cost_of
from surefoot.providers.prefixcache import PrefixCache
from surefoot.providers.registry import Model, Registry
from surefoot.records import Caller, ModelPrice, PriceLine, Question, Request, Rung, Try
from surefoot.stages import Fit
from surefoot.stages.fit.turns import marked_turns
from surefoot.wire.dialects import DIALECTS

PRICE = ModelPrice(
    version="benchmark",
    tiers=(PriceLine(input=3_000_000_000, cached=300_000_000, cache_write=3_750_000_000, output=15_000_000_000),),
)
SYSTEM = (
    "You are a careful assistant of a shop. Answer from the handbook, briefly and politely. " * 20
)  # about 440 tokens
CHANCES = (0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
WORDS = "shoe return parcel refund order size colour invoice delivery street number question answer help date".split()


def traffic(conversations: int, chance: float, seed: int) -> Iterator[tuple[int, float, list[dict[str, str]]]]:
    """(conversation, seconds, its messages so far), in the order of time."""
    rng = random.Random(seed)
    every = []
    for number in range(conversations):
        at, messages = rng.uniform(0, conversations * 4), []
        while True:
            messages = [*messages, {"role": "user", "content": said(rng, 200 if not messages else 60)}]
            every.append((number, at, messages))
            if rng.random() >= chance:
                break
            messages = [*messages, {"role": "assistant", "content": said(rng, 250)}]
            at += 5 + rng.expovariate(np.log(2) / 60)
    return iter(sorted(every, key=lambda each: each[1]))


def said(rng: random.Random, words: int) -> str:
    """Some words."""
    return " ".join(rng.choices(WORDS, k=max(1, int(rng.expovariate(1 / words)))))


def request(number: int, at: float, messages: list[dict[str, str]]) -> Request:
    """One turn."""
    body = msgspec.json.encode({"model": "m", "max_tokens": 200, "system": SYSTEM, "messages": messages})
    return Request(
        id=f"req_{number}", at_ns=int(at * 1e9), draw="0" * 32, dialect="anthropic", surface="chat",
        caller=Caller(key_id="local", tenant="local"), feature="f", model="m", stream=False, body=body,
        top=DIALECTS["anthropic"].parse(body, surface="chat").top,
    )  # fmt: skip


async def costs(conversations: int, chance: float, seed: int) -> dict[str, np.ndarray]:
    """Nano-dollars of each conversation, by what marks it."""
    provider = AnthropicProvider("a", ProviderSettings(kind="anthropic", api_key="none"))
    model = Model(name="m", provider=provider, upstream="claude-sonnet-4-5", price=PRICE)
    feature = Feature(name="f", ladder=parse_ladder(["m"]), cache_marks=True)
    fit = Fit(Registry(models={"m": model}), Policy.of({"f": feature}))
    caches = {name: PrefixCache() for name in ("none", "always", "ours")}
    spent = {name: np.zeros(conversations) for name in caches}
    for place, (number, at, messages) in enumerate(traffic(conversations, chance, seed)):
        given = request(place, at, messages)
        question = Question(
            fingerprint="", model="m", dialect="anthropic", surface="chat", stream=False,
            input_tokens=len(given.body) // 3, max_output_tokens=200,
        )  # fmt: skip
        ask = await fit(Try(request=given, question=question, rung=Rung(name="m", kind="model", models=("m",))))
        tops = {"none": given.top, "always": marked_turns(given.top, given, 0), "ours": ask.top}
        for name, top in tops.items():
            spent[name][number] += cost_of(caches[name].usage(top or given.top, given.at_ns), PRICE)
    await provider.close()
    return spent


def interval(ours: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float]:
    """(saving, its 95 % interval by resampling conversations) against another way."""
    n = len(ours)
    picks = rng.integers(0, n, (1000, n))
    found = 1 - ours[picks].sum(1) / other[picks].sum(1)
    return float(1 - ours.sum() / other.sum()), *map(float, np.quantile(found, (0.025, 0.975)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(machine())
    print(
        f"synthetic, simulated cache; {given.conversations} conversations each, seed {given.seed}; saving of input cost"
    )
    print(f"{'goes on':>8} {'ours against no marks':>32} {'always against no marks':>32}")
    for chance in CHANCES:
        spent = asyncio.run(costs(given.conversations, chance, given.seed))
        cells = []
        for name in ("ours", "always"):
            saving, low, high = interval(spent[name], spent["none"], np.random.default_rng(given.seed))
            cells.append(f"{saving:+8.1%} [{low:+.1%}, {high:+.1%}]")
        print(f"{chance:8.0%} {cells[0]:>32} {cells[1]:>32}")


if __name__ == "__main__":
    main()
