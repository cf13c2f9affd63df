"""Simulated models: seeded, over a handbook, with their own accuracy and faults. All they say is labelled."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from statistics import NormalDist
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from surefoot.config.schema import ModelSettings, ProviderSettings, SimulationSettings
from surefoot.providers import Abstained, Call, Said
from surefoot.providers.documents import Found, Index, read_folder
from surefoot.providers.extractive import best_sentences
from surefoot.providers.local import LocalProvider, estimated_usage, said_text
from surefoot.providers.rows import Row, read_rows

Item = TypeVar("Item")
_SIGMA = 0.5  # of the log-normal latency
_KNOWN = 0.38  # coverage from which on the handbook counts as having an answer
_OPENINGS = ("", "According to our handbook: ", "Good question. ", "Thanks for asking. ", "Here is what applies: ")
_CLOSINGS = ("", " Let us know if anything is unclear.", " I hope this helps.", " You can always call the front desk.")
_UNSURE = "I am not sure about this; the handbook does not seem to say."
_FIGURE = re.compile(r"\d+(?:[.,:-]\d+)*")
_NOT = re.compile(r"\b(?:not|never) ")
_VERB = re.compile(r"\b(?:is|are|was|were|can|may|must|will|should) (?!not|never)")


class Simulated(LocalProvider):
    """Plays models that are right as often as they are told to be.

    What is right comes from an answer key (a labelled file) where the question stands in one, else from the handbook passage
    that ranks best. A question that the key knows no facts for is answered rightly by saying so.
    Whether a model is right on a question is drawn from (seed, model, question), so that it is the same every time, but for a
    share `wavering` times the temperature (1 unless the request says so) that is drawn anew; wording varies with the
    request's own lot. Its `self_score` is what such a model says of itself; see `_self_score`.
    """

    kind = "simulated"
    simulated = True

    def __init__(
        self,
        name: str,
        index: Index,
        models: Mapping[str, SimulationSettings],
        *,
        seed: int = 0,
        key: Iterable[Row] = (),
    ) -> None:
        super().__init__(name)
        self._index, self._models, self._seed = index, dict(models), seed
        self._key = {row.query: row for row in key}

    @classmethod
    def of(cls, name: str, settings: ProviderSettings, models: Mapping[str, ModelSettings]) -> Simulated:
        """The provider of a configured folder and its models. Raises DataError."""
        behaviours = {key: model.simulation or SimulationSettings() for key, model in models.items()}
        key = read_rows(settings.file) if settings.file else ()
        return cls(name, Index(read_folder(settings.folder)), behaviours, seed=settings.seed, key=key)

    async def answer(self, call: Call, query: str, passages: tuple[str, ...]) -> Said | Abstained:
        """What the simulated model says."""
        behaviour = self._models.get(call.model, SimulationSettings())
        lot = _Lot(f"{self._seed}:{call.model}:{query}")
        drawn = call.request.draw + (".again" if call.request.again else "")
        if _Lot(drawn).uniform("wavers") < behaviour.wavering * _temperature(call):
            lot = _Lot(f"{self._seed}:{call.model}:{query}:{drawn}")
        truth = self._truth(query)
        right = truth is not None and lot.uniform("right") < behaviour.accuracy
        text = truth if truth is not None and right else self._failure(query, truth, behaviour, lot)
        unsure = text == _UNSURE
        text = _worded(text, behaviour, lot, _Lot(drawn))
        score = _self_score(right, unsure, lot.uniform("score"))
        said = said_text(call, text, usage=estimated_usage(query, passages, text), signals=(("self_score", score),))
        if behaviour.sleep:
            slow = math.exp(_SIGMA * NormalDist().inv_cdf(lot.uniform("latency")))
            await asyncio.sleep(behaviour.latency_ms * slow / 1000)
        return replace(said, simulated=True)

    def _truth(self, query: str) -> str | None:
        """The right answer; None when neither the key nor the handbook has one."""
        row = self._key.get(query)
        if row is not None:
            return row.reference if row.facts and isinstance(row.reference, str) else _UNSURE
        ranked = self._index.rank(query, most=1)
        return self._answer(ranked[0], query) if ranked and ranked[0].coverage >= _KNOWN else None

    def _failure(self, query: str, truth: str | None, behaviour: SimulationSettings, lot: _Lot) -> str:
        """What is said instead: that it does not know, the truth with a slip, or another passage."""
        if lot.uniform("hallucinates") >= behaviour.hallucination:
            return _UNSURE
        changed = _with_a_slip(truth, lot) if truth is not None and truth != _UNSURE else None
        if changed is not None:
            return changed
        ranked = self._index.rank(query, most=2)
        return self._answer(ranked[-1], query) if ranked else lot.pick("any", self._index.passages).text

    def _answer(self, found: Found, query: str) -> str:
        """What a passage says to the question."""
        return " ".join(found.passage.sentences[place] for place in best_sentences(self._index, found, query))


def _temperature(call: Call) -> float:
    """What the request asks for; 1 where it asks for nothing that is a number."""
    try:
        return max(0.0, msgspec.json.decode(bytes(call.request.top.get("temperature", b"1")), type=float))
    except msgspec.MsgspecError:
        return 1.0


def _self_score(right: bool, unsure: bool, u: float) -> float:
    """How sure a model says it is: uniform on [.05, .4] when it admits that it does not know, 1 - .3 u^2 when it answers
    rightly, uniform on [.45, .98] when it makes things up (it is overconfident)."""
    if unsure:
        return 0.05 + 0.35 * u
    return 1 - 0.3 * u * u if right else 0.45 + 0.53 * u


class _Lot:
    """Independent uniforms for every purpose, out of one seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def uniform(self, purpose: str) -> float:
        """A number in (0, 1)."""
        digest = blake2b(f"{purpose}|{self._seed}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") + 0.5) / 2**64

    def pick(self, purpose: str, items: tuple[Item, ...]) -> Item:
        """One of the items."""
        return items[int(self.uniform(purpose) * len(items))]


def _with_a_slip(text: str, lot: _Lot) -> str | None:
    """The text with every number changed or, when it has none, its first statement turned round; None when it has neither."""
    if _FIGURE.search(text):
        step = 1 + int(lot.uniform("slip") * 4)
        return _FIGURE.sub(lambda found: _shifted(found[0], step), text)
    if _NOT.search(text):
        return _NOT.sub("", text, count=1)
    return _VERB.sub(lambda found: found[0] + "not ", text, count=1) if _VERB.search(text) else None


def _shifted(figure: str, step: int) -> str:
    """A number, time, price or telephone number with its first part raised; it keeps its shape."""
    first = re.match(r"\d+", figure)
    assert first is not None  # it is a figure
    return str(int(first[0]) + step).zfill(len(first[0])) + figure[first.end() :]


def _worded(text: str, behaviour: SimulationSettings, lot: _Lot, draw: _Lot) -> str:
    """The text in a frame; another one when the model varies on this request."""
    source = draw if draw.uniform("varies") < behaviour.variation else lot
    return source.pick("opening", _OPENINGS) + text + source.pick("closing", _CLOSINGS)
