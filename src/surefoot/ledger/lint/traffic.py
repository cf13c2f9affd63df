"""A feature's requests, ready for the rules: what each segment cost, what the prefix shares with the one before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from surefoot.ledger.lint.cost import Spread, spread
from surefoot.ledger.lint.pairs import Prefix, compared, guessed
from surefoot.ledger.lint.sample import Sample, with_examples
from surefoot.ledger.lint.segments import PREFIX, Prompt, Segment
from surefoot.stats import Mean, mean_of

DAYS_PER_MONTH = 365.25 / 12
ASSURANCE = 0.975  # of each of two factors, so that their product holds with 0.95 (Bonferroni)
_COMMON = 0.5  # share of the requests from which on a text is nobody's own
LEAST_DAYS = 3  # whole ones, before a month is spoken of
_KINDS = {"history": "history", "passage": "passages", "question": "question", "image": "images", "schema": "schema"}


class Traffic:
    """Requests of one feature, the metered input of each by segment, and how many come in a month."""

    def __init__(
        self, samples: Sequence[Sample], befores: Sequence[Sample | None], *, feature: str = "",
        per_day: Sequence[int] = (), requests: int | None = None, own: bool = False,
    ) -> None:  # fmt: skip
        """Takes requests and, for each, the one before it.

        Args:
            samples: in the order of time.
            befores: for each sample the request before it of the same feature and model; None where there is none.
            per_day: requests of each whole day that was watched.
            requests: how many there are in all; the samples when None.
            own: whether the requests are the reader's own (a file), so that everything in them may be shown.
        """
        both = with_examples([*samples, *(each for each in befores if each is not None)])
        earlier = iter(both[len(samples) :])
        self.samples: tuple[Sample, ...] = tuple(both[: len(samples)])
        self.befores = tuple(None if each is None else next(earlier) for each in befores)
        self.feature, self.requests = feature, len(samples) if requests is None else requests
        self.per_day, self._own = tuple(per_day), own

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """What each segment of each sample cost."""
        return tuple(spread(sample) for sample in self.samples)

    @cached_property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The prefix of every sample that has one before it; of one without any, by its look."""
        found = [
            compared(before, sample, self.spreads[number].tokens, number=number)
            for number, (before, sample) in enumerate(zip(self.befores, self.samples, strict=True))
            if before is not None
        ]
        if found:
            return tuple(found)
        return tuple(
            guessed(sample, self.spreads[number].tokens, number=number) for number, sample in enumerate(self.samples)
        )  # fmt: skip

    @cached_property
    def per_month(self) -> Mean:
        """Requests a month, from whole days; without an interval below three of them."""
        days = self.per_day if len(self.per_day) >= LEAST_DAYS else ()
        return mean_of([count * DAYS_PER_MONTH for count in days], assurance=ASSURANCE)

    @cached_property
    def _known(self) -> dict[str, list[str]]:
        """Whose requests hold a text, by the text."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for sample in self.samples:
            for text in {each.text for each in sample.prompt.said if each.kind in PREFIX}:
                found[text].append(sample.subject)
        return found

    def shared(self, segment: Segment) -> bool:
        """Whether a segment is the feature's own text: of a kind that should not change, and the same in most requests.

        A name in a system text is in one person's requests, and no pattern finds names: where there are several subjects, the
        text must be in requests of two of them.
        """
        if segment.kind not in PREFIX:
            return False
        holders = self._known.get(segment.text, [])
        several = len({sample.subject for sample in self.samples}) > 1
        common = len(holders) >= max(2, _COMMON * len(self.samples))
        return self._own or (common and (not several or len(set(holders)) > 1))

    def cost(self, number: int, segment: Segment) -> tuple[int, int]:
        """(tokens, nano-dollars) of a segment of a sample."""
        place = next(n for n, each in enumerate(self.samples[number].prompt.said) if each is segment)
        return self.spreads[number].tokens[place], self.spreads[number].nanodollars[place]


def slots(prompt: Prompt) -> tuple[str, ...]:
    """What each segment of `prompt.said` is called in a report: "system 2" is the second paragraph of the system text."""
    counts = {"system": 0, "example": 0}
    found = []
    for each in prompt.said:
        if each.kind in counts:
            counts[each.kind] += 1
            found.append(f"{each.kind} {counts[each.kind]}")
        elif each.kind == "tool":
            found.append(f"tool {each.name}")
        else:
            found.append(_KINDS[each.kind])
    return tuple(found)


def slot(prompt: Prompt, segment: Segment) -> str:
    """What one segment is called."""
    return next(name for name, each in zip(slots(prompt), prompt.said, strict=True) if each is segment)
