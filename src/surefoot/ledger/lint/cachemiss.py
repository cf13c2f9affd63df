"""Why the provider's prefix cache missed between two real requests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

from surefoot.ledger.lint.caching import STEP_TOKENS, counted, has_mark, least_tokens, life
from surefoot.ledger.lint.cost import spread
from surefoot.ledger.lint.pairs import diverge
from surefoot.ledger.lint.sample import Sample, tools_of
from surefoot.ledger.lint.segments import Prompt, Segment
from surefoot.ledger.lint.traffic import slot
from surefoot.ledger.lint.volatile import find_volatile
from surefoot.signals.personal import mask

_AROUND = 32  # characters on each side of a difference that are shown


class Side(Struct, frozen=True, kw_only=True):
    """Where one of two prompts parts from the other."""

    slot: str
    path: str
    line: int
    column: int
    byte: int  # of the body as sent
    text: str  # around it, personal data masked


class Miss(Struct, frozen=True, kw_only=True):
    """What is known of the cache on the second of two requests."""

    cached_tokens: int | None  # that were metered as read from the cache; None: nobody metered the request
    input_tokens: int | None
    same_tokens: int  # at the beginning, the same in both; scaled to what was metered
    least_tokens: int  # that the vendor caches
    gap_seconds: float | None
    causes: tuple[str, ...]  # why it missed, the surest first; () when it hit as far as it could
    before: Side | None = None  # where the prompts part; None where one only goes on, or ends
    after: Side | None = None


def explain(before: Sample, after: Sample) -> Miss:
    """Why the second request read less from the provider's cache than it could have, if it did."""
    call, prompt = after.main, after.prompt
    parted = diverge(before.prompt, prompt)
    tokens = spread(after).tokens
    end = len(before.prompt.said) if parted is None else parted.index
    same = sum(tokens[:end])
    if parted is not None and parted.after is not None:
        same += tokens[parted.index] * parted.char // (len(parted.after.text) or 1)
    model = call.model if call else ""
    return Miss(
        cached_tokens=None if call is None or call.estimated else call.cached_tokens,
        input_tokens=None if call is None else call.input_tokens, same_tokens=same,
        least_tokens=least_tokens(prompt, model), gap_seconds=_gap(before, after), causes=_causes(before, after, same),
        before=None if parted is None else _side(before.prompt, parted.before, parted.char),
        after=None if parted is None else _side(prompt, parted.after, parted.char),
    )  # fmt: skip


def _causes(before: Sample, after: Sample, same: int) -> tuple[str, ...]:
    one, other, prompt = before.main, after.main, after.prompt
    model = other.model if other else ""
    could = counted(prompt, _reachable(prompt, spread(after).tokens, same), model)
    slack = max(STEP_TOKENS, could // 20)  # tokens are shared out by bytes, and that is not exact
    if other is not None and not other.estimated and other.cached_tokens and could - slack <= other.cached_tokens:
        return ()
    found: list[str] = []
    if one is not None and other is not None:
        if one.provider != other.provider:
            found.append(f"another provider: {one.provider}, then {other.provider}; each has a cache of its own")
        if one.model != other.model:
            found.append(f"another model: {one.model}, then {other.model}; each has a cache of its own")
    if before.prompt.dialect != prompt.dialect:
        found.append(f"another dialect: {before.prompt.dialect}, then {prompt.dialect}")
    found += _of_time(before, after)
    found += _of_tools(before.prompt, prompt)
    found += _of_options(before.prompt, prompt)
    if not has_mark(prompt):
        found.append("no cache mark: this vendor caches only what is marked")
    elif prompt.dialect == "anthropic" and not has_mark(before.prompt):
        found.append("the request before had no cache mark, so it wrote nothing")
    least = least_tokens(prompt, model)
    if not found and same >= least:
        found.append(
            f"nothing in the requests: {same} tokens are the same, and the vendor sent it elsewhere or had dropped them"
        )
    parted = diverge(before.prompt, prompt)
    if parted is not None and (segment := parted.after or parted.before) is not None:
        holder = prompt if parted.after is not None else before.prompt
        found.append(f"the prompts part in {slot(holder, segment)}, after {same} tokens{_look(segment, parted.char)}")
    if same < least:
        found.append(f"too short: {same} tokens are the same, this model caches from {least}")
    return tuple(found)


def _reachable(prompt: Prompt, tokens: Sequence[int], same: int) -> int:
    """How many of the tokens that are the same can be read: with marks of one's own, those up to the last mark among them."""
    if prompt.dialect == "openai" or prompt.option("cache_control"):
        return same
    ends = [end for each, end in zip(prompt.said, accumulate(tokens), strict=False) if each.marked and end <= same]
    return ends[-1] if ends else 0


def _of_time(before: Sample, after: Sample) -> list[str]:
    gap = _gap(before, after)
    if gap is None:
        return []
    if gap < 0:
        return ["the second request came before the first one"]
    kept = life(before.prompt)
    if gap > kept.possible:
        return [f"too old: {gap:.0f} s lie between them, a prefix is kept {kept.possible:.0f} s"]
    if gap > kept.sure:
        return [f"perhaps too old: {gap:.0f} s lie between them, a prefix is kept {kept.sure:.0f} s at least"]
    return []


def _of_tools(before: Prompt, after: Prompt) -> list[str]:
    one, other = tools_of(before), tools_of(after)
    had, has = {each.name: each.text for each in one}, {each.name: each.text for each in other}
    gone, new = sorted(had.keys() - has.keys()), sorted(has.keys() - had.keys())
    changed = sorted(name for name in had.keys() & has.keys() if had[name] != has[name])
    found = [
        f"tools {word}: {', '.join(names)}" for word, names in (("gone", gone), ("new", new), ("changed", changed)) if names
    ]  # fmt: skip
    if not found and [each.name for each in one] != [each.name for each in other]:
        found.append("the same tools in another order")
    return found


def _of_options(before: Prompt, after: Prompt) -> list[str]:
    names = {
        "prompt_cache_key": "prompt_cache_key differs, so that the requests may go to different machines",
        "tool_choice": "tool_choice differs", "thinking": "thinking differs", "reasoning_effort": "reasoning_effort differs",
    }  # fmt: skip
    return [said for name, said in names.items() if before.option(name) != after.option(name)]


def _look(segment: Segment, char: int) -> str:
    """What changes looks like, where it looks like anything."""
    kinds = [each.kind for each in find_volatile(segment.text) if each.start <= char < each.end]
    return f": {kinds[0]}" if kinds else ""


def _gap(before: Sample, after: Sample) -> float | None:
    return None if before.at_ns is None or after.at_ns is None else (after.at_ns - before.at_ns) / 1e9


def _side(prompt: Prompt, segment: Segment | None, char: int) -> Side | None:
    """One side, with its surroundings; personal data that reaches over their edge is masked before it is cut."""
    if segment is None:
        return None
    line, column = segment.place(char)
    masked, _ = mask(segment.text[char:], {})
    ahead, _ = mask(segment.text[:char], {})
    text = f"{'…' if len(ahead) > _AROUND else ''}{ahead[-_AROUND:]}»{masked[:_AROUND]}{'…' if len(masked) > _AROUND else ''}"
    return Side(
        slot=slot(prompt, segment), path=segment.path, line=line, column=column, byte=prompt.byte(segment, char),
        text=" ".join(text.split()),
    )  # fmt: skip
