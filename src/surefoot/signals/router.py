"""A fitted route model applied: from a question to how probably each rung's draft is acceptable.

A question's n-grams are weighted by how rare they are and judged twice: by a line over them, and by the question's likeness
to labelled ones (landmarks) in the directions in which this feature's questions differ. The mean of the two, calibrated, is
the estimate. A model is arrays of numbers that a fit wrote down: nothing is downloaded, and no text is in it.
"""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.question import FORM, WORD_PLACES, Features, features

LETTERS_LENGTH = 0.7  # of the part that runs of letters make; the words' part has length 1

Array = NDArray[np.float32]
Columns = NDArray[np.int32]


class Calibration(Struct, frozen=True, kw_only=True):
    """bias + slope * raw: least squares on cross-fitted estimates."""

    bias: float = 0.0
    slope: float = 1.0

    def at(self, raw: float) -> float:
        """The calibrated value."""
        return self.bias + self.slope * raw


class RouteModel(Struct, frozen=True, kw_only=True):
    """What labels taught about where to start, as data. Arrays are little-endian bytes in row order."""

    rungs: tuple[str, ...]  # cheapest first; the gain of each is over the first
    labels: int  # questions with a verdict
    columns: bytes  # int32, shape (PLACES,): the n-gram's column, -1 for one that is left out
    rarity: bytes  # float32, shape (columns,)
    directions: bytes  # int8, shape (columns, dims)
    direction_scales: bytes  # float32, shape (dims,)
    form_centers: tuple[float, ...]
    form_scales: tuple[float, ...]  # how much the outward form counts, over its spread
    landmarks: bytes  # float16, shape (marks, dims + len(FORM))
    likeness: bytes  # float32, shape (marks, rungs)
    line: bytes  # float16, shape (columns, rungs)
    means: tuple[float, ...]  # of each rung's verdicts
    p: Calibration  # of the first rung's estimate
    gains: tuple[Calibration, ...]  # of each rung's estimate less the first's
    models: dict[str, tuple[str, ...]] = {}  # by rung, what the labels are about
    apgr: float | None = None  # of the last rung's gain, cross-fitted; None: the rungs did not differ


class RouteEstimate(Struct, frozen=True, kw_only=True):
    """What a model says of one rung for one question."""

    rung: str
    p: float  # that its draft is acceptable, in [0, 1]
    gain: float  # over the first rung, in [-1, 1]; 0 for the first itself


class Router:
    """Applies a model. Holds some 10 MB; takes about a tenth of a millisecond for a short question."""

    def __init__(self, model: RouteModel) -> None:
        self.model = model
        rungs = len(model.rungs)
        self._columns = np.frombuffer(model.columns, dtype="<i4")
        self._rarity: Array = np.frombuffer(model.rarity, dtype="<f4")
        scales = np.frombuffer(model.direction_scales, dtype="<f4")
        steps = np.frombuffer(model.directions, dtype=np.int8).reshape(self._rarity.size, scales.size)
        landmarks = np.frombuffer(model.landmarks, dtype="<f2").astype(np.float32)
        self._landmarks: Array = landmarks.reshape(-1, scales.size + len(FORM))
        self._lengths: Array = np.einsum("md,md->m", self._landmarks, self._landmarks)
        self._likeness = np.frombuffer(model.likeness, dtype="<f4").reshape(-1, rungs)
        line = np.frombuffer(model.line, dtype="<f2").astype(np.float32).reshape(-1, rungs)
        self._dims = scales.size
        self._weights: Array = np.hstack([steps * scales, line])  # of one n-gram side by side: one look-up for both
        self._means: Array = np.array(model.means, dtype=np.float32)
        self._centers = np.array(model.form_centers, dtype=np.float32)
        self._scales = np.array(model.form_scales, dtype=np.float32)

    def estimates(self, text: str) -> tuple[RouteEstimate, ...]:
        """One for each rung, cheapest first."""
        found = features(text)
        columns, weights = weighted(found, self._columns, self._rarity)
        both = weights @ self._weights[columns]
        line = both[self._dims :]
        seen = np.concatenate((unit(both[: self._dims]), (found.form - self._centers) * self._scales))
        distances = self._lengths + (float(seen @ seen) - 2 * (self._landmarks @ seen))
        raw = (self._means + (line + np.exp(-distances) @ self._likeness) / 2).tolist()
        return estimates_of(self.model, raw)


def write_route(model: RouteModel) -> bytes:
    """A model as it is stored."""
    return msgspec.msgpack.encode(model)


def read_route(data: bytes) -> RouteModel:
    """What `write_route` wrote."""
    return msgspec.msgpack.decode(data, type=RouteModel)


def estimates_of(model: RouteModel, raw: list[float]) -> tuple[RouteEstimate, ...]:
    """The calibrated estimates of raw ones, by rung."""
    first = min(1.0, max(0.0, model.p.at(raw[0])))
    found = [RouteEstimate(rung=model.rungs[0], p=first, gain=0.0)]
    for rung, each, calibration in zip(model.rungs[1:], raw[1:], model.gains, strict=True):
        gain = min(1.0, max(-1.0, calibration.at(each - raw[0])))
        found.append(RouteEstimate(rung=rung, p=min(1.0, max(0.0, first + gain)), gain=gain))
    return tuple(found)


def weighted(found: Features, columns: Columns, rarity: Array) -> tuple[Columns, Array]:
    """(columns of a question's n-grams, their weights); the words' part has length 1, the letters' less."""
    mine = columns[found.places]
    known = mine >= 0
    mine = mine[known]
    weights = found.values[known] * rarity[mine]
    words = int(np.count_nonzero(known[: int(np.searchsorted(found.places, WORD_PLACES))]))
    for part, wanted in ((weights[:words], 1.0), (weights[words:], LETTERS_LENGTH)):
        length = float(np.sqrt(part @ part))
        if length > 0:
            part *= wanted / length
    return mine, weights


def unit(vector: Array) -> Array:
    """The vector at length 1; one of nothing stays nothing."""
    length = float(np.sqrt(vector @ vector))
    return vector / np.float32(length) if length > 0 else vector
