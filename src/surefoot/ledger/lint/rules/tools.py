"""uncalled-tool: tool definitions that are paid for in every request and never called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from surefoot.ledger.lint.findings import Hit, Note
from surefoot.ledger.lint.sample import calls_in, tools_of
from surefoot.ledger.lint.traffic import Traffic
from surefoot.stats import clopper_pearson

LEAST = 60  # requests that offered the tool: then a tool that was never called is called in fewer than 6 in 100


def uncalled_tool(traffic: Traffic) -> Iterator[Hit | Note]:
    """Tools that no answer called, nor any earlier turn, in at least 60 requests whose answers are known."""
    known = [number for number, sample in enumerate(traffic.samples) if sample.answers is not None]
    offered = Counter(each.name for number in known for each in tools_of(traffic.samples[number].prompt))
    if not offered:
        if any(tools_of(sample.prompt) for sample in traffic.samples):
            yield Note(rule="uncalled-tool", said="not enough data: no answer is known")
        return
    called = {
        name for number in known for name in traffic.samples[number].called | calls_in(traffic.samples[number].prompt)
    }
    few = sorted(name for name, n in offered.items() if n < LEAST and name not in called)
    if few:
        yield Note(
            rule="uncalled-tool", said=f"not enough data on {', '.join(few)}: offered in fewer than {LEAST} requests"
        )
    for number in known:
        for each in tools_of(traffic.samples[number].prompt):
            if each.name in called or offered[each.name] < LEAST:
                continue
            tokens, paid = traffic.cost(number, each)
            n = offered[each.name]
            yield Hit(
                rule="uncalled-tool", severity="warning", number=number, key=each.name, segment=each, tokens=float(tokens),
                what=f"tool {each.name} was called in 0 of {n} requests (at most {clopper_pearson(0, n).high:.1%})",
                fix="leave it out, or offer it only where it may be needed", nanodollars=float(paid),
            )  # fmt: skip
