"""A fitted route model applied: from a question to how probably each rung's draft is acceptable.

A question is judged in several ways, and the mean of them, calibrated, is the estimate: by a line over its n-grams, weighted
by how rare they are, and by kernels, which compare it with labelled questions (landmarks): in the directions in which this
feature's questions differ, in their outward form, and, where an embedder is configured, in what they mean. A model is arrays
of numbers that a fit wrote down: nothing is downloaded, and no text is in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.question import WORD_PLACES, Features, features

VERSION = 2  # of what a model holds
LETTERS_LENGTH = 0.7  # of the part that runs of letters make; the words' part has length 1
_FURTHEST = np.float32(4.0)  # spreads: an outlier is no further away than that

Array = NDArray[np.float32]
Columns = NDArray[np.int32]


class Calibration(Struct, frozen=True, kw_only=True):
    """bias + slope * raw: least squares on cross-fitted estimates."""

    bias: float = 0.0
    slope: float = 1.0

    def at(self, raw: float) -> float:
        """The calibrated value."""
        return self.bias + self.slope * raw


class Kernel(Struct, frozen=True, kw_only=True):
    """Likeness to labelled questions, exp(-squared distance), with what each landmark's likeness is worth."""

    topic: float  # how much the directions count in the distance: all of them together are of length 1
    form: float  # how much each figure of the outward form counts, in its own spreads
    meaning: float = 0.0  # how much the embedder's vector counts, which is of length 1
    landmarks: bytes  # float16, shape (marks, the parts that count)
    likeness: bytes  # float32, shape (marks, rungs)


class Meaning(Struct, frozen=True, kw_only=True):
    """What an embedder's vectors add."""

    embedder: str  # whose they are
    center: bytes  # float32, shape (dimensions,)
    directions: bytes  # float16, shape (dimensions, kept)
    kernel: Kernel  # instead of the first one
    calibrations: tuple[Calibration, ...]  # as the model's own


class RouteModel(Struct, frozen=True, kw_only=True):
    """What labels taught about where to start, as data. Arrays are little-endian bytes in row order."""

    version: int = VERSION
    rungs: tuple[str, ...]  # cheapest first; the gain of each is over the first
    labels: int  # questions with a verdict
    columns: bytes  # int32, shape (PLACES,): the n-gram's column, -1 for one that is left out
    rarity: bytes  # float32, shape (columns,): log of one over the share of questions that the n-gram is in, plus 1
    directions: bytes  # int8, shape (columns, dims): steps of `direction_scales`
    direction_scales: bytes  # float32, shape (dims,)
    form_centers: tuple[float, ...]  # of the outward form
    form_spreads: tuple[float, ...]
    kernels: tuple[Kernel, ...]
    meaning: Meaning | None = None  # None: no embedder was asked, or its vectors did not help
    line: bytes  # float16, shape (columns, rungs)
    means: tuple[float, ...]  # of each rung's verdicts
    calibrations: tuple[Calibration, ...]  # of the first rung's estimate, then of each rung's less the first's
    models: dict[str, tuple[str, ...]] = {}  # by rung, what the labels are about
    apgr: float | None = None  # of the last rung's gain, cross-fitted; None: the rungs did not differ


class _Version(Struct):
    version: int = 1


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
        line = np.frombuffer(model.line, dtype="<f2").astype(np.float32).reshape(-1, rungs)
        self._dims = scales.size
        self._weights: Array = np.hstack([steps * scales, line])  # of one n-gram side by side: one look-up for both
        self._means: Array = np.array(model.means, dtype=np.float32)
        self._centers = np.array(model.form_centers, dtype=np.float32)
        self._spreads = np.array(model.form_spreads, dtype=np.float32)
        self._kernels = [_Kernel(each, rungs) for each in model.kernels]
        self._meant: list[_Kernel] = []
        if model.meaning is not None:
            self._meant = [_Kernel(model.meaning.kernel, rungs), *self._kernels[1:]]
            self._center = np.frombuffer(model.meaning.center, dtype="<f4")
            directions = np.frombuffer(model.meaning.directions, dtype="<f2").astype(np.float32)
            self._meaning = directions.reshape(self._center.size, -1)

    def takes(self, vector: Array | None, embedder: str) -> bool:
        """Whether a vector of this embedder's tells the model more."""
        meaning = self.model.meaning
        return (
            vector is not None and meaning is not None and meaning.embedder == embedder and vector.size == self._center.size
        )

    def estimates(self, text: str, vector: Array | None = None) -> tuple[RouteEstimate, ...]:
        """One for each rung, cheapest first.

        Args:
            text: the question.
            vector: the embedder's, if the model takes it; without one the built-in features do alone.
        """
        found = features(text)
        columns, weights = weighted(found, self._columns, self._rarity)
        both = weights @ self._weights[columns]
        topic, form = unit(both[: self._dims]), outward(found.form, self._centers, self._spreads)
        meaning = None if vector is None else unit((vector - self._center) @ self._meaning)
        kernels = self._kernels if meaning is None else self._meant
        of = self.model.meaning if meaning is not None and self.model.meaning is not None else self.model
        worth = both[self._dims :]
        for kernel in kernels:
            worth = worth + kernel.worth(parts(kernel.of, topic, form, meaning))
        return estimates_of(self.model.rungs, of.calibrations, (self._means + worth / (1 + len(kernels))).tolist())


class _Kernel:
    """A kernel as it is applied."""

    def __init__(self, of: Kernel, rungs: int) -> None:
        self.of = of
        self._likeness = np.frombuffer(of.likeness, dtype="<f4").reshape(-1, rungs)
        landmarks = np.frombuffer(of.landmarks, dtype="<f2").astype(np.float32)
        self._landmarks: Array = 2 * landmarks.reshape(self._likeness.shape[0], -1)
        self._lengths: Array = np.einsum("md,md->m", self._landmarks, self._landmarks) / 4

    def worth(self, seen: Array) -> Array:
        """By rung, what the likeness to all landmarks comes to."""
        likeness: Array = np.exp(self._landmarks @ seen - (self._lengths + seen @ seen))
        return np.asarray(likeness @ self._likeness, dtype=np.float32)


def write_route(model: RouteModel) -> bytes:
    """A model as it is stored."""
    return msgspec.msgpack.encode(model)


def read_route(data: bytes) -> RouteModel | None:
    """What `write_route` wrote; None for a model of an earlier version, which has to be fitted again."""
    if msgspec.msgpack.decode(data, type=_Version).version != VERSION:
        return None
    return msgspec.msgpack.decode(data, type=RouteModel)


def outward(form: Array, centers: Array, spreads: Array) -> Array:
    """The outward form in spreads from its mean, at most `_FURTHEST` of them; of one question or many."""
    found: Array = np.minimum(np.maximum((form - centers) / spreads, -_FURTHEST), _FURTHEST)
    return found


def parts(kernel: Kernel, topic: Array, form: Array, meaning: Array | None) -> Array:
    """What a kernel compares of one question, or of many as rows."""
    counted = [part * np.float32(by) for part, by in ((topic, kernel.topic), (form, kernel.form)) if by]
    if kernel.meaning and meaning is not None:
        counted.append(meaning * np.float32(kernel.meaning))
    found: Array = np.concatenate(counted, axis=-1)
    return found


def estimates_of(
    rungs: Sequence[str], calibrations: tuple[Calibration, ...], raw: list[float]
) -> tuple[RouteEstimate, ...]:
    """The calibrated estimates of raw ones, by rung."""
    first = min(1.0, max(0.0, calibrations[0].at(raw[0])))
    found = [RouteEstimate(rung=rungs[0], p=first, gain=0.0)]
    for rung, each, calibration in zip(rungs[1:], raw[1:], calibrations[1:], strict=True):
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
