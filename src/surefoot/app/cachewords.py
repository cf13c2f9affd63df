"""What a near cache watched, gave and could save, in words: for the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.app.cachereport import NearReport, Share


def title(found: NearReport) -> str:
    """Whose cache it is and how much it knows."""
    return f"{found.kind} cache: {found.entries} questions, {found.account.requests} requests counted"


def lines(found: NearReport) -> Iterator[tuple[str, str]]:
    """(name, words) of each figure, with n and interval where it is a rate."""
    account = found.account
    yield "map", f"fitted on {found.map_labels} labels" if found.map_labels else f"none; {found.labels} labels so far"
    yield "watched", f"the same answer was right in {_share(found.right)}"
    yield "would have hit", f"{found.near.n}, right in {_share(found.near)}"
    yield "bound", _bound(found)
    yield "hits", f"{account.hits}; judged right {_share(found.known)}; {account.explored} more were withheld by lot"
    for offer in found.offers:
        wrong = f"{offer.wrong} wrong" if offer.hits else "nothing given"
        yield f"at {offer.errors_per_request:.1%}", f"{offer.hits} hits, {wrong}, {offer.nanodollars / 1e9:.6f} USD saved"
    if found.proposed is not None:
        yield "proposed", f"errors_per_request = {found.proposed:g} (simulated on what was watched)"
    if found.why:
        yield "nothing is given", found.why


def _bound(found: NearReport) -> str:
    rules, said = found.rules, []
    if rules.errors_per_request is not None:
        allowed = rules.errors_per_request * found.account.requests
        said.append(
            f"{rules.errors_per_request:g} per request: at most {found.most_wrong} wrong with {rules.assurance:.0%}, "
            f"{allowed:.0f} allowed"
        )
    if rules.errors_per_hit is not None:
        said.append(f"{rules.errors_per_hit:g} per hit")
    return "; ".join(said) or "none declared"


def _share(found: Share) -> str:
    if found.share is None:
        return "not enough data: n = 0"
    return f"{found.share:.1%} [{found.low:.1%}, {found.high:.1%}], n = {found.n}"
