"""One immutable value that says how every feature decides. It is stored by version and swapped by reference."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.policy.hours import Hours
from surefoot.policy.near import NearRules
from surefoot.records import Rung


class Input(Struct, frozen=True, kw_only=True):
    """One signal's part in a fitted map: weight * (score - center) / scale when it is there.

    `absent` is what is added when the check abstained, as learned from drafts of which it abstained too. None: it never
    did while labels were gathered, so that nothing is known of such a draft and it stays uncalibrated.
    """

    signal: str
    center: float
    scale: float  # above 0
    weight: float
    absent: float | None = None


class Curve(Struct, frozen=True, kw_only=True):
    """From the fitted line's z to a probability with an interval, as numbers that need no library to apply.

    kind "platt":       p = sigmoid(a z + b).
    kind "beta":        p = sigmoid(a ln s - b ln(1 - s) + c) with s = sigmoid(z).
    kind "venn-abers":  two step tables p0 <= p1; p = p1 / (1 - p0 + p1), between low <= p0 and p1 <= high.
    `band` holds (z, low, high) of a bootstrap, 5 % left out on each side, ascending, read by straight lines between.
    """

    kind: str
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    band: tuple[tuple[float, float, float], ...] = ()
    p0: tuple[tuple[float, float], ...] = ()  # (z from which on, value); below the first: 0
    p1: tuple[tuple[float, float], ...] = ()  # (z up to which, value); above the last: 1


class Map(Struct, frozen=True, kw_only=True):
    """From evidence to a calibrated probability, for one rung: configured by hand, or fitted from labels.

    kind "fixed":    p, whatever the evidence.
    kind "logistic": 1 / (1 + exp(-(a * logit(score) + b))) of one signal (Platt 1999, on the logit of the score).
    kind "steps":    a non-decreasing step function of one signal: the p of the last step whose score is reached.
    kind "fitted":   `bias` + `inputs`, then `curve`: L2 logistic regression and a calibrator, both from labels.
    A missing signal leaves the rung uncalibrated for this draft unless the labels say what its absence means; it is never
    taken as 0.
    """

    kind: str
    p: float | None = None
    signal: str = ""
    a: float = 1.0
    b: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()  # (score from which on, p), ascending in both
    margin: float = 0.0  # half-width of the interval around p; `low` is what is compared with the bar
    bias: float = 0.0
    inputs: tuple[Input, ...] = ()
    curve: Curve | None = None
    labels: int = 0  # that it was fitted on; 0: set by hand


class Promise(Struct, frozen=True, kw_only=True):
    """(B): among delivered answers at least `accuracy` are right, with `assurance`. It is about the set, not the answer."""

    accuracy: float
    assurance: float = 0.95


class Admit(Struct, frozen=True, kw_only=True):
    """A rule that sends a request straight to a role, whatever any confidence says. `read` tells which ones match."""

    name: str
    role: str
    holding: str  # what the caller is told at once
    red_flag: bool = False


class RouteRules(Struct, frozen=True, kw_only=True):
    """How a feature chooses where its ladder begins."""

    explore: float = 0.02  # share of requests that begin anywhere, so that the other rungs' worth stays known
    person_seconds: float = 120.0  # that a person's answer takes
    model: str = ""  # digest of the route model that serves; "": none, prospects are declared
    labels: int = 0  # that it was fitted on
    second_nanodollars: int = 0  # what a second of the caller's waiting is worth
    shadow: float = 0.0  # share of requests after which another rung is asked, to learn what it would have said


class CacheRules(Struct, frozen=True, kw_only=True):
    """How long a believed answer may be given again."""

    ttl_seconds: int = 86_400
    near: NearRules | None = None  # answers of near questions too; None: of the same question only


class RevenueRules(Struct, frozen=True, kw_only=True):
    """What a feature earns."""

    request_nanodollars: int = 0  # for each delivered request
    outcomes: dict[str, int] = {}  # name -> nano-dollars when it is reported without a value


class Compress(Struct, frozen=True, kw_only=True):
    """Passages are sent in part where the grounding test allows it."""

    target: float = 0.5  # share of their characters that is tried first, (0, 1)
    max_harm: float = 0.2  # share of compressed answers that may go wrong before nothing is compressed


class Person(Struct, frozen=True, kw_only=True):
    """A role at the end of a ladder: what the caller is told while it waits, and what happens when it waits for too long."""

    role: str
    holding: str = "Your question has been passed to a person, who will answer it."
    retry_after_seconds: int = 60
    sla_seconds: float = 900.0  # within which a case should be answered
    deadline_seconds: float = 0.0  # after which `next_role` is asked, else the safe default happens; 0: never
    safe_default: str = "decline"  # "draft" | "decline" | "stronger"
    next_role: str = ""
    hourly_nanodollars: int = 60_000_000_000
    reserve_seconds: float = 300.0  # of work that are set aside in budgets for each waiting case
    capacity: int = 4  # cases that one person has at once
    hours: Hours = Hours()  # when somebody is there: SLA and deadline count in open time, but for red flags
    holding_closed: str = (
        ""  # what the caller is told while nobody is there; {opens}: when somebody is. "": `holding` and that
    )

    def holding_at(self, at_ns: int) -> str:
        """What a caller is told at a moment: outside the hours also when somebody is there again."""
        opens = self.hours.opens_ns(at_ns)
        if opens == at_ns:
            return self.holding
        said = self.holding_closed or f"{self.holding} Nobody is there before {{opens}}."
        return said.replace("{opens}", self.hours.on_the_wall(opens))


class Feature(Struct, frozen=True, kw_only=True):
    """One feature's ladder and bars."""

    name: str
    mode: str = "observe"  # "observe" delivers and records | "enforce" acts
    ladder: tuple[Rung, ...]
    person: Person = Person(role="person")
    confidence: float = 0.85  # the bar for the lower end of p; 0 delivers everything
    uncalibrated: str = "deliver"  # what becomes of a draft that no map judges: "deliver" | "climb"
    # "hold" judges, then streams | "sentence" releases each that is supported | "through" judges afterwards (observe only)
    stream: str = "hold"
    maps: dict[str, Map] = {}  # by rung name
    thresholds: dict[
        str, float
    ] = {}  # by rung name, for p: learned from labels for a promise or a ladder without a person
    per_answer: bool = True  # whether rule (A), the bar, counts where a threshold is learned
    promise: Promise | None = None
    audit: float = 0.0  # share of delivered answers that a person judges blind
    vary: float = 0.0  # share of answered requests after which the same rung is asked once more, to see how answers vary
    admits: tuple[Admit, ...] = ()
    people: dict[str, Person] = {}  # by role: everybody whom a case of this feature may come to
    two_persons: bool = False  # whether an answer needs a second, different person
    customers: dict[str, float] = {}  # tenant -> its weight in the queue; who is not named weighs 1
    undo_seconds: float = 10.0  # within which an answer can be taken back
    bulk: bool = False  # whether one answer may resolve like cases without a look at each
    cache: CacheRules = CacheRules()
    compress: Compress | None = None
    window: tuple[str, ...] = ()  # what may be dropped for a window, the last first: "passages" | "history"
    cache_marks: bool = False  # whether prompts are marked for the provider's prefix cache where it pays
    baseline: str | None = None  # model name the saving is stated against; None: the last model of the ladder
    revenue: RevenueRules | None = None
    route: RouteRules | None = None  # None: the ladder begins at its first rung

    @property
    def has_red_flags(self) -> bool:
        """Whether any rule sends requests past every model, whatever they think."""
        return any(rule.red_flag for rule in self.admits)

    def person_of(self, role: str) -> Person:
        """Who a role is to this feature; one that it does not know any more is like its person."""
        if role == self.person.role:
            return self.person
        return self.people.get(role) or replace(self.person, role=role, next_role="")

    def models(self) -> tuple[str, ...]:
        """Every configured model of the ladder, in order, each once."""
        return tuple(dict.fromkeys(name for rung in self.ladder for name in rung.models))


_NOBODY = Person(role="person")


class Policy(Struct, frozen=True, kw_only=True):
    """All features; `version` is the digest of everything else in it, `editions` the digest of each feature.

    A promise holds for one edition: what is changed in another feature, or decides nothing, does not end it.
    """

    features: dict[str, Feature]
    version: str = ""
    editions: dict[str, str] = {}

    @classmethod
    def of(cls, features: dict[str, Feature]) -> Policy:
        """A policy with its digests filled in: the first 16 hex digits of the sha256 of its JSON."""
        editions = {name: _digest(_deciding(name, feature)) for name, feature in features.items()}
        return cls(features=features, version=_digest(encode(features)), editions=editions)


def encode(features: dict[str, Feature]) -> bytes:
    """Canonical JSON of a policy's features: what is hashed and stored."""
    return msgspec.json.encode(features, order="deterministic")


def decode(data: bytes) -> Policy:
    """The policy that `encode` wrote."""
    return Policy.of(msgspec.json.decode(data, type=dict[str, Feature]))


def _deciding(name: str, feature: Feature) -> bytes:
    """The feature as far as it decides what is delivered: how many are audited, what is promised, who answers and how cases
    wait do not end a certificate. Nor does an update that brings more of such options: they are left out.
    """
    plain = replace(feature, audit=0.0, promise=None, person=_NOBODY, baseline=None)
    told = msgspec.to_builtins(plain, order="deterministic")
    told["person"] = {field: told["person"][field] for field in ("role", "holding", "retry_after_seconds")}
    for field in ("compress", "window", "cache_marks"):
        if not told[field] or field == "cache_marks":
            del told[field]  # off, or about money alone
    for field in ("vary", "people", "two_persons", "customers", "undo_seconds", "bulk", "revenue"):
        del told[field]
    told |= {"budget_nanodollars": None, "budget_window": "month"}  # where budgets stood once: digests are as they were
    if feature.route is None:
        del told["route"]
    else:
        del told["route"]["shadow"]  # it decides nothing
        if not feature.route.second_nanodollars:
            del told["route"]["second_nanodollars"]
    if feature.cache.near is None:
        del told["cache"]["near"]
    else:
        del told["cache"]["near"]["line"]  # refitted by itself under a bound of its own, which no promise has to watch
    return msgspec.json.encode({name: told})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
