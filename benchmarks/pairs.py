"""Can the features of a pair tell that two questions ask the same? `python -m benchmarks.pairs FILE [--json]`.

FILE holds `{a, b, same}` lines (gzip or not). The product's features of a pair (cosine, shared stems, guards) make one
logistic map, which is fitted and tested on different questions (five folds; pairs that share a question are in one fold).
Beside it stands the cosine alone. Recall is of the pairs that ask the same, at a share of false hits among those that do not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine
from benchmarks.semantic_cache import lines
from surefoot.review.differences import Asked, Facts, differences, facts
from surefoot.signals.embedding import Lexical
from surefoot.stats.logistic import fit_logistic

_FOLDS, _FEWEST, _RATES = 5, 100, (0.01, 0.05)
_KINDS = ("number", "date", "name", "negation", "opposite")


def groups(pairs: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """By pair, the fold of its questions: those that are joined by a pair, however indirectly, have one fold."""
    leader: dict[str, str] = {}

    def find(text: str) -> str:
        while leader.setdefault(text, text) != text:
            leader[text] = leader[leader[text]]
            text = leader[text]
        return text

    for a, b in pairs:
        leader[find(a)] = find(b)
    digests = (blake2b(find(a).encode(), digest_size=8).digest() for a, _ in pairs)
    return np.array([int.from_bytes(each) % _FOLDS for each in digests], dtype=np.int64)


def features(
    a: str, b: str, known: dict[str, tuple[NDArray[np.float32], Facts]], rarity: dict[str, float]
) -> list[float]:
    """Of one pair; the same with its sides exchanged."""
    (one, mine), (other, theirs) = known[a], known[b]
    cosine = float(one @ other)
    shared = sum(rarity[stem] for stem in mine.stems & theirs.stems)
    either = sum(rarity[stem] for stem in mine.stems | theirs.stems)
    least = min(sum(rarity[stem] for stem in each.stems) for each in (mine, theirs))
    rarest = max((rarity[stem] for stem in mine.stems ^ theirs.stems), default=0.0)
    kinds = {each.kind for each in differences(mine, theirs)}
    lengths = sorted((len(a), len(b)))
    return [
        cosine, cosine**2, shared / either if either else 0.0, shared / least if least else 0.0, rarest,
        lengths[0] / max(lengths[1], 1), *(float(kind in kinds) for kind in _KINDS),
    ]  # fmt: skip


def auroc(score: NDArray[np.float64], same: NDArray[np.bool_]) -> float | None:
    """P(a pair that asks the same has the higher score), ties half; None without both kinds."""
    if same.all() or not same.any():
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    right = int(same.sum())
    return float((rank[same].sum() - right * (right + 1) / 2) / (right * (same.size - right)))


def recall(score: NDArray[np.float64], same: NDArray[np.bool_], rate: float) -> float | None:
    """The share of the same that lies above the lowest cut with at most `rate` false hits; None without both kinds."""
    if same.all() or not same.any():
        return None
    others = np.sort(score[~same])[::-1]
    cut = others[int(rate * others.size)]
    return float((score[same] > cut).mean())


def measured(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The map's and the cosine's figures. With fewer than 100 pairs or one kind only the cosine is the score."""
    pairs = [(row["a"], row["b"]) for row in rows]
    same = np.array([bool(row["same"]) for row in rows])
    embed = Lexical()
    known = {text: (embed(text), facts(Asked(id="", text=text))) for pair in pairs for text in pair}
    having: dict[str, int] = {}
    for _, each in known.values():
        for stem in each.stems:
            having[stem] = having.get(stem, 0) + 1
    rarity = {stem: float(np.log((1 + len(known)) / (1 + count)) + 1) for stem, count in having.items()}
    x = np.array([features(a, b, known, rarity) for a, b in pairs])
    score, fold, fitted = x[:, 0].copy(), groups(pairs), False
    parts = [fold == each for each in range(_FOLDS)]
    if len(rows) >= _FEWEST and all(part.any() and 0 < same[~part].mean() < 1 for part in parts):
        fitted = True
        for part in parts:
            center, scale = x[~part].mean(axis=0), np.maximum(x[~part].std(axis=0), 1e-6)
            line = fit_logistic((x[~part] - center) / scale, same[~part], l2=1.0)
            score[part] = line.z((x[part] - center) / scale)
    return {
        "n": len(rows), "same": int(same.sum()), "fitted": fitted, "auroc": auroc(score, same),
        "recall_at_fpr": {str(rate): recall(score, same, rate) for rate in _RATES},
        "cosine": {
            "auroc": auroc(x[:, 0], same), "recall_at_fpr": {str(rate): recall(x[:, 0], same, rate) for rate in _RATES}
        },
    }  # fmt: skip


def main() -> None:
    """Print the figures; the last line is one JSON object with `--json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = measured(list(lines(options.file)))
    report["machine"] = machine()
    for name, value in report.items():
        print(f"{name}: {value}")
    if options.json:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
