"""read: what a request asks, as scalars: its fingerprint, its length, what it needs, which rules match it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from surefoot.errors import FeatureStopped
from surefoot.providers.imagetokens import illustrated
from surefoot.records import Nearness, Prospect, Question, Request
from surefoot.records.audit import Stop
from surefoot.signals.embedding import Embedder
from surefoot.stages.admission import Admission, Scores, said_by_users
from surefoot.stages.context import NO_MATTER
from surefoot.stages.handbook import Handbook
from surefoot.stages.prompt import Prompts
from surefoot.stages.routing import Routing
from surefoot.wire import passages
from surefoot.wire.dialects import DIALECTS

_NOT_PLAIN = ("response_format", "logprobs", "thinking", "modalities", "audio", "output_config", "web_search_options")
_BYTES_PER_TOKEN = 3  # on the low side for English (about 4), so that a reservation is rather too large than too small


class LookUp(Protocol):
    """Knows what was asked before."""

    def __call__(self, request: Request, fingerprint: str, edition: str, /) -> Nearness | None:
        """The cached answer to the nearest question in the same context; None where there is none."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a feature wants to know of its requests beyond their bytes."""

    admission: Admission | None = None
    handbook: Handbook | None = None
    by_sentence: bool = False  # whether plain text is released while it is written
    routing: Routing | None = None  # what is expected of each rung, for features that choose where to begin
    near: LookUp | None = None  # what lies near, for features whose cache looks for it


PLAIN = Reading()


class Repeats(Protocol):
    """Knows which questions have a case."""

    def forget(self) -> None:
        """Every question is asked anew: the policy is another."""

    async def __call__(self, request: Request, fingerprint: str, standing: str, /) -> str:
        """The id of the case of the same question of the same subject; "" when there is none."""


class ReadRequest:
    """The stage. What it is given is read at every request: how each feature's promise stands at that moment, what is stopped,
    and whose human budget is spent (`people_spent`)."""

    name = "read"

    def __init__(
        self,
        by_feature: Mapping[str, Reading] | None = None,
        standings: Mapping[str, str] | None = None,
        stops: Mapping[str, Stop] | None = None,
        repeats: Repeats | None = None,
        people_spent: Container[str] = frozenset(),
        embedder: Embedder | None = None,
    ) -> None:
        self._by_feature = dict(by_feature or {})
        self._standings = standings if standings is not None else {}
        self._stops = stops if stops is not None else {}
        self._repeats, self._people_spent = repeats, people_spent
        self._prompts, self._embedder = Prompts(), embedder

    async def __call__(self, request: Request, /) -> Question:
        """The question in a request. Raises FeatureStopped where a person stopped the feature and nobody is to answer."""
        stop = self._stops.get(request.feature) if self._stops else None
        if stop is not None and (stop.refuse or request.surface != "chat"):
            raise FeatureStopped(f"feature {request.feature!r} is stopped: no model answers until it is resumed")
        reading = self._by_feature.get(request.feature, PLAIN)
        if request.surface != "chat":
            reading = PLAIN
        matched: tuple[str, ...] = ()
        scores: Scores = ()
        found: tuple[str, ...] = ()
        prompt = self._prompts.version(request) if request.surface == "chat" else ""
        input_tokens = _tokens(request)
        prospects: tuple[Prospect, ...] = ()
        scarcity: float | None = None
        routed_by = ""
        if reading is not PLAIN:
            texts = DIALECTS[request.dialect].texts(request.top)
            if reading.admission is not None:
                _, sources = passages.sources(texts)
                matched, scores = await reading.admission(
                    request.feature, said_by_users(texts), (*sources, *request.context)
                )
            if reading.handbook is not None:
                found = reading.handbook.look_up(passages.gather(texts)[0])
            if reading.routing is not None:
                asked, vector = said_by_users(texts).last, None
                if self._embedder is not None and not matched and stop is None:
                    (vector,) = await self._embedder.embed([asked], request)
                prospects, routed_by = reading.routing(request, asked, input_tokens, vector)
                scarcity = reading.routing.scarcity(request) if reading.routing.scarcity is not None else None
        edition = reading.handbook.edition if reading.handbook is not None else ""
        name, standing = fingerprint(request, edition), self._standings.get(request.feature, "")
        waiting = ""
        if self._repeats is not None and request.wait.joins and request.surface == "chat":
            waiting = await self._repeats(request, name, standing)
        return Question(
            near=reading.near(request, name, edition) if reading.near is not None else None,
            fingerprint=name,
            waiting=waiting,
            model=request.model,
            dialect=request.dialect,
            surface=request.surface,
            stream=request.stream,
            input_tokens=input_tokens,
            max_output_tokens=request.max_output_tokens,
            has_tools=request.has_tools,
            choices=request.choices,
            matched=matched,
            standing=standing,
            prompt=prompt,
            passages=found,
            scores=scores,
            stopped=stop is not None,
            people_spent=request.feature in self._people_spent,
            prospects=prospects,
            scarcity=scarcity,
            routed_by=routed_by,
            by_sentence=reading.by_sentence and writes_text(request),
        )


def writes_text(request: Request) -> bool:
    """Whether the answer to a streamed request is one plain text: tools, choices and structured answers are held whole."""
    special = any(bytes(request.top[field]) not in (b"null", b"false") for field in _NOT_PLAIN if field in request.top)
    return request.stream and not request.has_tools and request.choices == 1 and not special


def fingerprint(request: Request, edition: str = "") -> str:
    """128 bits, hex, over everything that changes the answer: tenant, feature, dialect, surface, headers, body, handbook.

    Fields are sorted by name, their values taken byte for byte: another spacing is another fingerprint, which costs a
    miss and never gives a wrong hit. All lengths are written before the values, so that nothing can be shifted between them.
    """
    top = request.top
    texts = (
        *(request.caller.tenant, request.feature, request.dialect, request.surface, edition),
        *(part for header in request.headers for part in header),
        *request.context,
    )
    parts = [text.encode() for text in texts]
    for field in sorted(top):
        if field not in NO_MATTER:
            parts += (field.encode(), bytes(top[field]))
    lengths = ",".join([str(len(part)) for part in parts])
    return blake2b(b"".join((lengths.encode(), b":", *parts)), digest_size=16).hexdigest()


def _tokens(request: Request) -> int:
    """How long the prompt is at most, in tokens: images by their size, where they say it."""
    size = illustrated(request.body, request.top)
    if size is None:
        return -(-len(request.body) // _BYTES_PER_TOKEN)
    return -(-size.text // _BYTES_PER_TOKEN) + size.image_tokens(request.dialect, request.model)
