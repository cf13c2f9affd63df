"""volatile, unstable-order: what breaks the provider's prefix cache, and from which byte on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from surefoot.ledger.lint.caching import counted, worth
from surefoot.ledger.lint.findings import Hit
from surefoot.ledger.lint.pairs import Difference, Prefix
from surefoot.ledger.lint.traffic import Traffic, slot

_OFTEN = 0.2  # of the pairs in which a text must differ that does not look as if it changed: a new version differs once
_MOVE = "move it behind everything that stays the same, or into the user's message"
_SAID = {
    "passage": (
        "passages, which change, before text that does not",
        "put passages behind everything that stays the same",
    ),
    "tools": ("other tools than in the request before", "offer the same tools in every request, in the same order"),
    "text": ("text that changes from request to request", _MOVE),
}


def volatile(traffic: Traffic) -> Iterator[Hit]:
    """Time stamps, ids, names and passages before text that stays the same: by comparing requests, or by their look."""
    yield from _hits(traffic, order=False)


def unstable_order(traffic: Traffic) -> Iterator[Hit]:
    """The same tools, passages or JSON in another order than in the request before."""
    yield from _hits(traffic, order=True)


def _hits(traffic: Traffic, *, order: bool) -> Iterator[Hit]:
    often = Counter(
        key for prefix in traffic.prefixes for key in {_key(traffic, prefix, each) for each in prefix.differences}
    )
    for prefix in traffic.prefixes:
        seen: set[str] = set()
        for place, each in enumerate(prefix.differences):
            key = _key(traffic, prefix, each)
            rare = each.kind in ("text", "tools") and often[key] < _OFTEN * len(traffic.prefixes)
            if key in seen or rare or (each.kind == "order") != order:
                continue
            seen.add(key)
            yield _hit(traffic, prefix, each, key, first=place == 0)


def _hit(traffic: Traffic, prefix: Prefix, each: Difference, key: str, *, first: bool) -> Hit:
    sample = traffic.samples[prefix.number]
    call = sample.main
    model = call.model if call else ""
    before, after = (counted(sample.prompt, tokens, model) for tokens in (prefix.now_tokens, prefix.fixed_tokens))
    price = call.price if call else None
    saving = max(0.0, worth(sample.prompt, after - before, price, gap_seconds=prefix.gap_seconds)) if first else 0.0
    what, fix = _SAID.get(each.kind, (f"{'an' if each.kind == 'id' else 'a'} {each.kind} in the prefix", _MOVE))
    if each.kind == "order":
        what = f"the same {_NOUNS.get(each.segment.kind, 'text')} in another order or spacing than before"
        fix = "sort it, and write JSON with sorted keys"
    if not first:
        what += "; what it costs is counted with the first difference"
    else:
        what += f": {prefix.fixed_tokens - prefix.now_tokens} tokens that could be cached come after it"
    return Hit(
        rule="unstable-order" if each.kind == "order" else "volatile", severity="error", number=prefix.number, key=key,
        slot="tools" if key.startswith("tools ") else "", segment=each.segment, char=each.char, what=what, fix=fix,
        tokens=float(max(0, after - before)) if saving else 0.0, nanodollars=saving, at_most=prefix.gap_seconds is None,
    )  # fmt: skip


_NOUNS = {"tool": "tools", "passage": "passages", "schema": "schema", "system": "text", "example": "example"}


def _key(traffic: Traffic, prefix: Prefix, each: Difference) -> str:
    """What is one finding: a place and a kind of change; of tools and passages all of them together."""
    if each.kind in ("passage", "tools"):
        return f"{each.kind} change"
    if each.kind == "order" and each.segment.kind in ("tool", "passage"):
        return f"{each.segment.kind}s order"
    return f"{slot(traffic.samples[prefix.number].prompt, each.segment)} {each.kind}"
