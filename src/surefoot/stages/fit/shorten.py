"""What is left out of a prompt: of its passages what the question does not need, and for a window what may be dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b, sha256

from msgspec import Struct
from msgspec.structs import replace

from surefoot.policy import Compress
from surefoot.providers.tokens import estimate
from surefoot.records import Request, Shortened
from surefoot.signals.extract.extract import GAP, read_passages
from surefoot.signals.extract.sufficiency import sendable
from surefoot.stages.fit.prefixes import Prefixes
from surefoot.stages.fit.prompt import passages_of, prompt_of, turns_of, with_passages, without
from surefoot.wire import Top
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import body_of


class Sent(Struct, frozen=True):
    """A prompt as it goes out: the fields, the handbook's passages, and what was left out of both."""

    top: Top
    handbook: tuple[str, ...]
    shortened: Shortened


def compressed(
    request: Request, handbook: tuple[str, ...], rules: Compress, prefixes: Prefixes, *, stopped: bool
) -> Sent:
    """A request with the passages that are its own and the handbook's in part, where the grounding test allows it.

    Args:
        stopped: whether the feature's compression did too much harm.
    """
    plain = Sent(request.top, handbook, Shortened())
    prompt = prompt_of(request.top)
    found = passages_of(prompt)
    texts = (*found.texts, *handbook)
    if not texts:
        return _in_full(plain, "nothing to leave out")
    if stopped:
        return _in_full(plain, "harm")
    shared = "\0".join(found.texts[: found.ahead])
    if shared and _is_shared(request, shared, prefixes):
        return _in_full(plain, "prefix")
    question = DIALECTS[request.dialect].question(request.top)[0]
    made = sendable(question, texts, rules.target)
    if made.compressed is None:
        return Sent(request.top, handbook, Shortened(why=made.tried[-1][1] or "nothing to leave out", tried=made.tried))
    kept = made.compressed.texts
    own = len(found.texts)
    top = with_passages(prompt, kept[:own]) if own else request.top
    saved = max(0, sum(map(estimate, texts)) - sum(map(estimate, kept)))
    return Sent(top, kept[own:], Shortened(compressed=made.share, tried=made.tried, saved_tokens=saved))


def windowed(sent: Sent, request: Request, keep: Sequence[str], fits: Callable[[Top, tuple[str, ...]], bool]) -> Sent:
    """A prompt without what was declared droppable, the last named first, no more than is needed.

    Args:
        keep: "passages" and "history", what is dropped last first.
        fits: whether a prompt with the handbook's passages fits.
    Returns: the prompt after everything droppable is gone where even that does not fit.
    """
    for name in reversed(keep):
        drop = _without_passages if name == "passages" else _without_history
        sent = drop(sent, request, fits)
        if fits(sent.top, sent.handbook):
            break
    return sent


def sealed(sent: Sent, request: Request) -> Sent:
    """What was left out, with the digest of the fields as they are sent."""
    if sent.top is request.top:
        return sent
    return Sent(sent.top, sent.handbook, replace(sent.shortened, digest=sha256(body_of(sent.top)).hexdigest()))


def _in_full(plain: Sent, why: str) -> Sent:
    return Sent(plain.top, plain.handbook, Shortened(why=why))


def _is_shared(request: Request, shared: str, prefixes: Prefixes) -> bool:
    digest = blake2b(f"{request.caller.tenant}\0{shared}".encode(), digest_size=16).hexdigest()
    return prefixes.seen(f"passages/{request.feature}", digest, request.at_ns)


def _without_history(sent: Sent, request: Request, fits: Callable[[Top, tuple[str, ...]], bool]) -> Sent:
    """Old turns go whole, oldest first: what a tool said stays with its call, and what is left begins with the user."""
    prompt = prompt_of(sent.top)
    gone: set[int] = set()
    top, turns = sent.top, 0
    for turn in turns_of(prompt):
        if fits(top, sent.handbook):
            break
        gone.update(turn)
        turns += 1
        top = without(prompt, frozenset(gone))
    return _less(sent, top, sent.handbook, turns=turns)


def _without_passages(sent: Sent, request: Request, fits: Callable[[Top, tuple[str, ...]], bool]) -> Sent:
    """The least relevant passage goes first; a sign stays in its place, so that the others keep their numbers."""
    prompt = prompt_of(sent.top)
    own = passages_of(prompt).texts
    texts = [*own, *sent.handbook]
    question = DIALECTS[request.dialect].question(request.top)[0]
    top, handbook, count = sent.top, sent.handbook, 0
    for place in _least_relevant_first(question, texts):
        if fits(top, handbook):
            break
        if texts[place] == GAP:
            continue
        texts[place], count = GAP, count + 1
        top = with_passages(prompt, texts[: len(own)]) if own else sent.top
        handbook = tuple(texts[len(own) :])
    return _less(sent, top, handbook, passages=count)


def _least_relevant_first(question: str, texts: Sequence[str]) -> list[int]:
    read = read_passages(question, texts)
    worth = [0.0] * len(texts)
    if read is not None:
        for place, p in zip(read.features.places, read.p, strict=True):
            worth[read.units[place].passage] += float(p)
    return sorted(range(len(texts)), key=lambda place: (worth[place], -place))


def _less(sent: Sent, top: Top, handbook: tuple[str, ...], *, turns: int = 0, passages: int = 0) -> Sent:
    before = len(body_of(sent.top)) + sum(len(text.encode()) for text in sent.handbook)
    after = len(body_of(top)) + sum(len(text.encode()) for text in handbook)
    was = sent.shortened
    return Sent(
        top,
        handbook,
        replace(
            was, dropped_turns=was.dropped_turns + turns, dropped_passages=was.dropped_passages + passages,
            saved_tokens=was.saved_tokens + max(0, before - after) // 4,
        ),
    )  # fmt: skip
