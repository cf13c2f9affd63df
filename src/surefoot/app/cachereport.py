"""How each feature's near cache does: what it watched, what it gave, what its bound allows, and what another one would save."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from surefoot.learning.errorbound import HIT as GIVEN
from surefoot.learning.errorbound import ErrorBound
from surefoot.learning.nearbook import NearBook
from surefoot.learning.nearmap import FEWEST
from surefoot.policy import Feature, NearRules, Policy, near_lot
from surefoot.records import NearAccount, Proposal
from surefoot.records.near import HIT
from surefoot.stats import clopper_pearson
from surefoot.store import Store

BOUNDS = (0.005, 0.01, 0.02, 0.05)  # that are tried on what was watched
KIND = "lexical"  # what the built-in embedder finds: shared words


class Share(Struct, frozen=True, kw_only=True):
    """A share with its two-sided 95 % interval; None and [0, 1] of n = 0."""

    n: int
    share: float | None
    low: float
    high: float


class Offer(Struct, frozen=True, kw_only=True):
    """What a bound would have done with what was watched, by simulation with the lots that were drawn."""

    errors_per_request: float
    hits: int
    wrong: int
    nanodollars: int  # that its hits cost when the model answered them


class NearReport(Struct, frozen=True, kw_only=True):
    """One feature's."""

    feature: str
    kind: str
    rules: NearRules
    entries: int  # cached questions with a vector
    account: NearAccount
    labels: int  # verdicts that the map may be fitted on
    map_labels: int  # that the map which serves was fitted on; 0: none
    right: Share  # of all proposals that were judged and not given
    near: (
        Share  # of those that no guard vetoed and whose p reached the bar: what would have been given without any bound
    )
    most_wrong: int  # near hits, with the assurance
    known: Share  # right ones of the hits that somebody judged
    offers: tuple[Offer, ...]  # () once a bound is declared, and before there is a map
    proposed: float | None  # the tightest of `offers` that would have given anything
    why: str  # why nothing near is given now; "" when it may be


async def near_report(store: Store, policy: Policy, feature: str) -> NearReport | None:
    """A feature's near cache; None where it has none. Raises StoreError."""
    rules = policy.features[feature].cache.near
    if rules is None:
        return None
    book = NearBook(rules)
    book.account = await store.near.account(feature)
    found = await store.near.proposals(feature)
    judged = sorted((each for each in found if each.right is not None), key=lambda each: each.judged_at_ns)
    for each in judged:
        book.learn(each)
    bar = policy.features[feature].confidence
    watched = [each for each in judged if each.action != HIT and each.source != "silence"]
    would = [each for each in watched if not each.vetoed and each.p is not None and each.p >= bar]
    told = [each for each in judged if each.action == HIT]
    offers = () if rules.bounded or not would else await _offers(store, watched, book, bar)
    held = [name for _, owner, name in await store.near.held() if owner == feature]
    return NearReport(
        feature=feature, kind=KIND, rules=rules, entries=len(held), account=book.account, labels=book.labels,
        map_labels=rules.line.labels if rules.line is not None else 0, right=_share(watched), near=_share(would),
        most_wrong=book.most_wrong, known=_share(told), offers=offers,
        proposed=next((offer.errors_per_request for offer in offers if offer.hits), None),
        why=_why(policy.features[feature], rules, book),
    )  # fmt: skip


def _share(found: Sequence[Proposal]) -> Share:
    told = clopper_pearson(sum(each.right is True for each in found), len(found))
    return Share(n=len(found), share=told.estimate if found else None, low=told.low, high=told.high)


async def _offers(store: Store, watched: Sequence[Proposal], book: NearBook, bar: float) -> tuple[Offer, ...]:
    """Each bound over what was watched, in order; requests without a proposal are spread evenly between."""
    draws = {each.request_id: await _lot(store, each, book.rules) for each in watched}
    between = max(0.0, book.account.requests / len(watched) - 1)
    offers = []
    for limit in BOUNDS:
        bound, hits, wrong, saved, idle = (
            ErrorBound(
                errors_per_request=limit, label_error=book.rules.label_error, explore=book.rules.explore,
                assurance=book.rules.assurance,
            ),
            0, 0, 0, 0.0,
        )  # fmt: skip
        for each in sorted(watched, key=lambda each: (each.at_ns, each.request_id)):
            idle += between
            while idle >= 1:
                bound.choose(None, 1.0)
                idle -= 1
            fits = each.p if each.p is not None and each.p >= bar and not each.vetoed else None
            chosen = bound.choose(fits, draws[each.request_id])
            if chosen.action == GIVEN:
                hits, wrong, saved = hits + 1, wrong + (not each.right), saved + each.nanodollars
            else:
                bound.judge(chosen, each.right is True)
        offers.append(Offer(errors_per_request=limit, hits=hits, wrong=wrong, nanodollars=saved))
    return tuple(offers)


async def _lot(store: Store, proposal: Proposal, rules: NearRules) -> float:
    """The number that decides whether a proposal is withheld: below `explore` where the request's own lot says so."""
    entry = await store.journal.get(proposal.request_id)
    return 0.0 if entry is None or near_lot(rules, entry.draw).drawn else 1.0


def _why(feature: Feature, rules: NearRules, book: NearBook) -> str:
    if feature.confidence <= 0 or not any(rung.kind == "cache" for rung in feature.ladder):
        return "the feature has no cache rung, or its bar is 0"
    if rules.line is None:
        more = max(0, FEWEST - book.labels)
        return f"no map yet: {more} more labels" if more else "a map is being fitted"
    if not rules.bounded:
        return "no bound is declared: it only watches"
    if book.requests <= rules.shadow_requests:
        return f"shadow: {rules.shadow_requests + 1 - book.requests} more requests are only watched"
    wanted = book.wanted()
    if wanted is not None and wanted > book.requests:
        return f"the account has no room for a wrong one: about {wanted - book.requests} more requests"
    if rules.errors_per_hit is not None and book.gate().certified is None:
        return f"no band of p is certified for {rules.errors_per_hit:g} per hit: more labels at high p are needed"
    return ""
