"""The embedder that a model serves: an effect of `read`, budgeted and billed like any call, and left out when it fails."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.errors import BudgetSpent
from surefoot.policy import Budgets
from surefoot.providers.billing import worst_case
from surefoot.providers.registry import Model
from surefoot.records import Ask, Embedded, Question, Request, Rung
from surefoot.signals.embedding import packed, unit
from surefoot.signals.personal import mask
from surefoot.signals.question import shortened
from surefoot.stages.call import Calls
from surefoot.wire.dialects import DIALECTS

_DIALECT = "openai"
_BYTES_PER_TOKEN = 3
_KEPT_BYTES = 32 * 1024 * 1024
_KEPT_NS = 3600 * 1_000_000_000  # a text that was erased is out of memory within the hour

Vector = NDArray[np.float32]


class _Place(Struct):
    index: int
    embedding: list[float]


class _Vectors(Struct):
    data: list[_Place]


_ANSWER = msgspec.json.Decoder(_Vectors)


class EmbedderRules(Struct, frozen=True, kw_only=True):
    """How the embedder is asked."""

    dimensions: int = 0  # asked for; 0: as many as the model has
    timeout_seconds: float = 2.0  # then the question goes on without its vector


class RemoteEmbedder:
    """Vectors of a model behind an OpenAI-compatible `/embeddings`, kept by text for an hour.

    What goes wrong (no answer in time, no vectors in it, no room in a budget) is counted and told by None: the built-in
    features do alone. Only a store that cannot set money aside stops the request, as it does for any call.
    """

    semantic = True

    def __init__(
        self, model: Model, calls: Calls, budgets: Budgets, *, rules: EmbedderRules, masks: Mapping[str, tuple[str, ...]],
        on_failed: Callable[[], None],
    ) -> None:  # fmt: skip
        """An embedder over a configuration's calls.

        Args:
            model: that is asked.
            budgets: that every question must have room in.
            masks: by feature, kinds of personal data that the model does not see.
            on_failed: counts a question that has to do without its vectors.
        """
        self.name = f"{model.provider.kind}/{model.upstream}@{rules.dimensions or 'all'}"
        self._model, self._calls, self._budgets, self._rules = model, calls, budgets, rules
        self._masks, self._on_failed = masks, on_failed
        self._known: OrderedDict[bytes, tuple[int, Vector]] = OrderedDict()  # by digest of the text: (since, vector)
        self._asked: dict[str, int] = {}  # calls by request, until it is settled
        self._first: dict[str, Vector] = {}  # the first text's vector by request, until it is settled

    async def embed(self, texts: Sequence[str], request: Request, /) -> list[Vector | None]:
        """By text its vector, or None. Raises StoreError where money cannot be set aside."""
        sent = [self._masked(shortened(text), request.feature) for text in texts]
        names = [blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in sent]
        found = {name: self._kept(name, request.at_ns) for name in names}
        wanted = {name: text for name, text in zip(names, sent, strict=True) if found[name] is None and text.strip()}
        if wanted:
            vectors = await self._ask(list(wanted.values()), request)
            for name, vector in zip(wanted, vectors, strict=False):
                found[name] = vector
                self._keep(name, vector, request.at_ns)
        first = found[names[0]] if names else None
        if first is not None:
            self._first.setdefault(request.id, first)
        return [found[name] for name in names]

    def taken(self, request_id: str) -> Embedded | None:
        """The first vector that a request asked for, as it is kept with what was said. It is forgotten here."""
        self._asked.pop(request_id, None)
        vector = self._first.pop(request_id, None)
        return None if vector is None else Embedded(embedder=self.name, vector=packed(vector))

    def _masked(self, text: str, feature: str) -> str:
        kinds = self._masks.get(feature)
        return mask(text, {}, kinds)[0] if kinds else text

    def _kept(self, name: bytes, now_ns: int) -> Vector | None:
        since, vector = self._known.get(name, (0, None))
        return vector if now_ns - since < _KEPT_NS else None

    def _keep(self, name: bytes, vector: Vector, now_ns: int) -> None:
        self._known[name] = (now_ns, vector)
        self._known.move_to_end(name)
        while len(self._known) * vector.nbytes > _KEPT_BYTES:
            self._known.popitem(last=False)

    async def _ask(self, texts: list[str], request: Request) -> list[Vector]:
        """One vector a text, or none at all."""
        place = self._asked.get(request.id, 0)
        self._asked[request.id] = place + 1
        try:
            async with asyncio.timeout(self._rules.timeout_seconds):
                said = await self._calls.aside(self._question(texts, request, place))
        except (TimeoutError, BudgetSpent):
            said = None
        vectors = [] if said is None else self._read(said.answer.body, len(texts))
        if not vectors:
            self._on_failed()
        return vectors

    def _question(self, texts: list[str], request: Request, place: int) -> Ask:
        asked: dict[str, object] = {"model": self._model.upstream, "input": texts, "encoding_format": "float"}
        if self._rules.dimensions:
            asked["dimensions"] = self._rules.dimensions
        body = msgspec.json.encode(asked)
        tokens = len(body) // _BYTES_PER_TOKEN + 1
        reserve = worst_case(self._model.price, tokens, 0, 1) if self._model.price is not None else 0
        plain = replace(
            request, dialect=_DIALECT, surface="embeddings", body=body, stream=False, context=(), headers=(),
            top=DIALECTS[_DIALECT].parse(body, surface="embeddings").top,
        )  # fmt: skip
        question = Question(
            fingerprint="", model=self._model.name, dialect=_DIALECT, surface="embeddings", stream=False,
            input_tokens=tokens, max_output_tokens=0,
        )  # fmt: skip
        return Ask(
            request=plain, question=question, rung=Rung(name="embedder", kind="embedder", models=(self._model.name,)),
            models=(self._model.name,) * (place + 1), reserve_nanodollars=(reserve,) * (place + 1),
            limits=self._budgets.limits(request.caller, request.feature, request.at_ns),
        )  # fmt: skip

    def _read(self, body: bytes, texts: int) -> list[Vector]:
        """The vectors of an answer, at length 1; [] where it is not one usable vector a text."""
        try:
            places = sorted(_ANSWER.decode(body).data, key=lambda each: each.index)
        except msgspec.MsgspecError:
            return []
        sizes = {len(each.embedding) for each in places}
        if len(places) != texts or len(sizes) != 1 or sizes == {0} or self._rules.dimensions not in (0, *sizes):
            return []
        vectors = [unit(np.array(each.embedding, dtype=np.float32)) for each in places]
        return vectors if all(np.isfinite(each).all() and each.any() for each in vectors) else []
