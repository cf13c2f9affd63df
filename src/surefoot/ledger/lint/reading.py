"""The journal's requests as the rules get them: a seeded sample, each with the one before it and its bill."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from msgspec import Struct

from surefoot.errors import BadAnswer, BadRequest, NotFound
from surefoot.ledger.lint.sample import Call, Sample, called_by
from surefoot.ledger.lint.segments import prompt_of
from surefoot.ledger.lint.traffic import Traffic
from surefoot.records import Content, Draft, Entry, JournalEntry, ModelPrice, NoDraft, PriceLine, Question, Read
from surefoot.stats import Estimate, clopper_pearson
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS

DAY_NS = 86_400 * 1_000_000_000
PriceOf = Callable[[str, str], ModelPrice | None]  # of a provider's name and its own name for a model
Texts = Callable[[tuple[str, ...]], tuple[str, ...]]  # of ids of the handbook's passages
_JUDGE = "judge."  # how rungs of judges begin: their prompts are Surefoot's own
_PAID = ("input", "cached_input", "cache_write")


class Metered(Struct, frozen=True, kw_only=True):
    """What the journal says without content."""

    requests: int  # that a model was called for
    input_tokens: int
    cached_tokens: int  # part of them
    changed: Estimate  # of requests one after the other: whose system text or tools differ, by digest
    readable: int  # of the sample: content is kept and can be taken apart
    sampled: int


class _Known(Struct, frozen=True):
    """What is kept of a request on the first walk."""

    request_id: str
    at_ns: int
    model: str
    prompt: str  # digest of system text and tools


async def traffic_of(
    store: Store, feature: str, *, since_ns: int, now_ns: int, most: int, seed: int, price_of: PriceOf, texts: Texts
) -> tuple[Traffic, Metered]:
    """A feature's chat requests that called a model, as far as their content is kept. Raises StoreError.

    Args:
        most: how many are looked at; of more a sample is drawn by the seed.
        price_of: for prices that the ledger does not hold, such as that of cached tokens where nothing was cached.
        texts: the handbook's passages, which the gateway puts into prompts.
    """
    known: list[_Known] = []
    sent = cached = 0
    async for entry in store.journal.entries(feature=feature, since_ns=since_ns):
        drafts = _drafts(entry)
        if entry.surface != "chat" or not drafts:
            continue
        question = _question(entry)
        last = drafts[-1]
        known.append(_Known(entry.request_id, entry.at_ns, last.model, question.prompt if question else ""))
        sent += sum(each.usage.input_tokens for each in drafts)
        cached += sum(each.usage.cached_tokens for each in drafts)
    known.sort(key=lambda each: each.at_ns)
    places = sorted(random.Random(seed).sample(range(len(known)), min(most, len(known))))  # noqa: S311  # no secret
    before = _before(known)
    read: dict[int, Sample | None] = {}

    async def sample(place: int) -> Sample | None:
        if place not in read:
            read[place] = await sample_of(store, known[place].request_id, price_of=price_of, texts=texts)
        return read[place]

    samples, befores = [], []
    for place in places:
        found = await sample(place)
        if found is not None:
            earlier = before[place]
            samples.append(found)
            befores.append(None if earlier is None else await sample(earlier))
    pairs = [(one, other) for one, other in pairwise(known) if one.prompt and other.prompt]
    metered = Metered(
        requests=len(known), input_tokens=sent, cached_tokens=cached, readable=len(samples), sampled=len(places),
        changed=clopper_pearson(sum(one.prompt != other.prompt for one, other in pairs), len(pairs)),
    )  # fmt: skip
    days = _per_day([each.at_ns for each in known], now_ns)
    return Traffic(samples, befores, feature=feature, per_day=days, requests=len(known)), metered


async def sample_of(store: Store, request_id: str, *, price_of: PriceOf, texts: Texts) -> Sample | None:
    """One request; None when its content is not kept or cannot be taken apart. Raises NotFound for an unknown id."""
    entry = await store.journal.get(request_id)
    if entry is None:
        raise NotFound(f"there is no request {request_id}")
    content = await store.journal.content(request_id)
    if content is None:
        return None
    entries = await store.ledger.entries(request_id=request_id)
    # Taking a long prompt apart takes milliseconds, of hundreds of prompts seconds: never on the loop.
    return await asyncio.to_thread(_taken_apart, entry, content, entries, price_of, texts)


def _taken_apart(
    entry: JournalEntry, content: Content, entries: Sequence[Entry], price_of: PriceOf, texts: Texts
) -> Sample | None:
    try:
        prompt = prompt_of(content.request_body, dialect=entry.dialect)
    except BadRequest:
        return None
    question, answers = _question(entry), _answers(entry.dialect, content)
    return Sample(
        prompt=prompt, calls=_calls(entry, entries, price_of), request_id=entry.request_id, at_ns=entry.at_ns, answers=answers,
        called=frozenset(name for _, body in content.answers for name in called_by(entry.dialect, body)),
        added=texts(question.passages) if question else (), subject=entry.subject,
    )  # fmt: skip


def _answers(dialect: str, content: Content) -> tuple[str, ...]:
    found = []
    for _, body in content.answers:
        try:
            found.append(DIALECTS[dialect].read(body).text)
        except BadAnswer:
            continue
    return tuple(found)


def _drafts(entry: JournalEntry) -> list[Draft | NoDraft]:
    """What model calls yielded, as far as a prompt was read for it."""
    found = (step.value for step in entry.steps if step.stage == "call")
    return [each for each in found if isinstance(each, Draft | NoDraft) and each.usage.input_tokens]


def _question(entry: JournalEntry) -> Question | None:
    return next((step.value.question for step in entry.steps if isinstance(step.value, Read)), None)


def _calls(entry: JournalEntry, entries: Sequence[Entry], price_of: PriceOf) -> tuple[Call, ...]:
    """The input of every model call, from the ledger; from the journal where it cost nothing."""
    groups: defaultdict[tuple[str, str, str, str], dict[str, Entry]] = defaultdict(dict)
    for line in entries:
        if line.kind in _PAID and not line.rung.startswith(_JUDGE):
            groups[line.rung, line.provider, line.model, line.note][line.kind] = line
    if groups:
        return tuple(_priced(*name[1:3], lines, price_of) for name, lines in groups.items())
    return tuple(
        Call(
            provider=each.provider if isinstance(each, Draft) else "", model=each.model,
            input_tokens=each.usage.input_tokens, cached_tokens=each.usage.cached_tokens,
            written_tokens=each.usage.cache_write_tokens, estimated=each.usage.estimated,
        )
        for each in _drafts(entry)
    )  # fmt: skip


def _priced(provider: str, model: str, lines: dict[str, Entry], price_of: PriceOf) -> Call:
    tokens = {kind: line.quantity for kind, line in lines.items()}
    whole = sum(tokens.values())
    book = price_of(provider, model)
    listed = book.line(whole) if book is not None else None
    paid = {kind: line.price_per_million for kind, line in lines.items()}
    full = paid.get("input", listed.input if listed else max(paid.values()))
    line = PriceLine(
        input=full, cached=paid.get("cached_input", listed.cached if listed else full),
        cache_write=paid.get("cache_write", listed.cache_write if listed else full), output=0,
    )  # fmt: skip
    return Call(
        provider=provider, model=model, input_tokens=whole, cached_tokens=tokens.get("cached_input", 0),
        written_tokens=tokens.get("cache_write", 0), price=line, estimated=any(each.estimated for each in lines.values()),
    )  # fmt: skip


def _before(known: Sequence[_Known]) -> list[int | None]:
    """For each request, the place of the one before it that asked the same model."""
    last: dict[str, int] = {}
    found = []
    for place, each in enumerate(known):
        found.append(last.get(each.model))
        last[each.model] = place
    return found


def _per_day(times_ns: Sequence[int], now_ns: int) -> tuple[int, ...]:
    """Requests of each whole day of 24 hours back from now, as far as the first request."""
    days = (now_ns - times_ns[0]) // DAY_NS if times_ns else 0
    counts = [0] * days
    for at_ns in times_ns:
        place = (now_ns - at_ns) // DAY_NS
        if 0 <= place < days:
            counts[place] += 1
    return tuple(counts)
