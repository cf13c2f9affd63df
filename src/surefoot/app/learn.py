"""What serves, what the store's labels teach, and how a candidate would do in shadow. Reads the store, asks nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from surefoot.app.near import lines_of, with_lines
from surefoot.config.build import rung_models
from surefoot.config.load import Config
from surefoot.learning.drift import last_alarm
from surefoot.learning.examples import held_out
from surefoot.learning.gathered import Gathered, gather_labels, learn_judged
from surefoot.learning.ladder import LadderReport
from surefoot.learning.routing import Asked, with_route
from surefoot.learning.standing import standing, unit
from surefoot.policy import Learned, LearnedFeature, Policy, overlay
from surefoot.policy.learned import decode_learned
from surefoot.records import Deliver, Escalate, Fail, JournalEntry, Label, Revision
from surefoot.replay import is_repeat, replay_entry
from surefoot.stages.admission import said_by_users
from surefoot.stats.sequential import Certified
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS


class Served(Struct, frozen=True, kw_only=True):
    """What new requests are decided by: the configuration with the revision that serves laid over it."""

    policy: Policy
    learned: Learned
    revision: Revision | None  # None: the configuration alone
    models: Mapping[str, tuple[str, ...]]  # by rung name, which models it means
    left_out: tuple[str, ...]  # what was learned and does not fit the configuration any more


class Shadow(Struct, frozen=True, kw_only=True):
    """What a candidate would have done with requests of the journal, and how its promise stands on those that are labelled."""

    requests: int
    delivers: int  # it would deliver a draft that the journal holds
    unknown: int  # it would ask a rung that was not asked then: nobody knows
    judgeable: int  # of what it delivers: drafts with a known chance to be judged blind
    standing: Certified
    labels: tuple[Label, ...] = ()  # that count

    @property
    def whole(self) -> bool:
        """Whether every draft that it would deliver is known and had its chance to be judged: then the labels speak for all."""
        return self.unknown == 0 and self.judgeable == self.delivers


class Learnt(Struct, frozen=True, kw_only=True):
    """What was learned of one feature, from where."""

    found: LearnedFeature
    report: LadderReport
    sources: Mapping[str, int]  # labels by source; rows by "file"
    left_out: Mapping[str, int] = {}


async def served(store: Store, config: Config, number: int | None = None) -> Served:
    """What serves, or what revision `number` would serve. Raises StoreError."""
    number = await store.revisions.serving() if number is None else number
    revision = await store.revisions.get(number) if number else None
    learned = decode_learned(revision.data) if revision is not None else Learned()
    models = rung_models(config.settings)
    policy, left = overlay(config.policy, learned, models)
    if any(feature.cache.near is not None for feature in policy.features.values()):
        policy = with_lines(policy, lines_of(await store.near.maps()))
    return Served(policy=policy, learned=learned, revision=revision, models=models, left_out=left)


async def gathered(store: Store, now: Served, feature: str, *, since_ns: int = 0) -> Gathered:
    """A feature's labels of a time with their evidence. Raises StoreError."""
    labels = await store.labels.all(feature=feature, since_ns=since_ns)
    return gather_labels(labels, await entries_of(store, labels), now.models)


async def entries_of(store: Store, labels: Iterable[Label]) -> dict[str, JournalEntry]:
    """The journal's entries of labelled requests, as far as they are there. Raises StoreError."""
    found = {}
    for name in {label.request_id for label in labels}:
        entry = await store.journal.get(name)
        if entry is not None:
            found[name] = entry
    return found


async def learn_from_store(store: Store, now: Served, feature: str, *, since_ns: int = 0) -> Learnt:
    """What the labels of a time teach about a feature. Raises StoreError."""
    labels = await gathered(store, now, feature, since_ns=since_ns)
    rules = now.policy.features[feature]
    found, report = await asyncio.to_thread(learn_judged, labels.on_the_way, rules, now.models)
    if rules.route is not None:
        rungs = [rung.name for rung in rules.ladder if rung.kind != "cache"]
        found, _ = await asyncio.to_thread(with_route, found, await asked_of(store, labels), rungs, now.models)
    return Learnt(found=found, report=report, sources=labels.sources(), left_out=labels.left_out)


async def asked_of(store: Store, labels: Gathered) -> list[Asked]:
    """Labelled questions in their own words; those whose content is not kept, or erased, teach no route. Raises StoreError.

    A shadow call's draft is of the question of its request.
    """
    verdicts: dict[str, dict[str, bool]] = {}
    groups: dict[str, str] = {}
    for each in labels.judged:
        verdicts.setdefault(each.asked, {})[each.label.rung] = each.label.accepted
        groups[each.asked] = each.example.group
    found = []
    for name, accepted in verdicts.items():
        entry, content = await store.journal.get(name), await store.journal.content(name)
        if entry is None or content is None:
            continue
        dialect = DIALECTS[entry.dialect]
        text = said_by_users(dialect.texts(dialect.parse(content.request_body, surface=entry.surface).top)).last
        found.append(Asked(text=text, group=groups[name], accepted=accepted, embedded=content.embedded))
    return found


def candidate(now: Served, learnt: Iterable[Learnt]) -> Learned:
    """What serves with what was learned put in its place; features and rungs not learned keep their maps.

    A feature's thresholds are the new ones or none: an old threshold says nothing about what a new map's p delivers.
    """
    features = dict(now.learned.features)
    for each in learnt:
        if not each.found.rungs and not each.found.route:
            continue
        before = features.get(each.report.feature, LearnedFeature())
        kept = {name: rung for name, rung in before.rungs.items() if rung.models == now.models.get(name, ())}
        features[each.report.feature] = replace(
            each.found,
            rungs={**kept, **each.found.rungs},
            route=each.found.route or before.route,
            route_labels=each.found.route_labels or before.route_labels,
        )
    return Learned(features=features)


async def shadow(
    store: Store,
    policy: Policy,
    feature: str,
    *,
    since_ns: int = 0,
    from_labels_ns: int = 0,
    held_of: int | None = None,
) -> Shadow | None:
    """How a policy would have done while another served, by replay of the journal; None for a feature without a promise.

    A label counts where the policy would deliver the very draft that was judged. Raises StoreError.
    Args:
        since_ns: requests from then on are replayed.
        from_labels_ns: labels from then on count: those that a map was fitted on must not certify it.
        held_of: how many groups the maps were learned from, when only those that no map was fitted on count.
    """
    rules = policy.features[feature]
    if rules.promise is None:
        return None
    enforced = Policy.of({feature: replace(rules, mode="enforce")})
    places: dict[str, str | None] = {}
    requests = delivers = unknown = judgeable = 0
    shadows = await shadows_of(store, feature, since_ns=since_ns)
    async for entry in store.journal.entries(feature=feature, since_ns=since_ns):
        if entry.surface != "chat" or entry.action == "refuse":
            continue
        requests += 1
        rung, known = await would_deliver(entry, enforced, shadows.get(entry.request_id))
        places[entry.request_id] = rung
        delivers, unknown = delivers + (rung is not None), unknown + (not known)
        judgeable += rung is not None and judged_with_chance(entry) == rung
    labels = [
        replace(label, edition="")
        for label in await store.labels.all(feature=feature, since_ns=from_labels_ns)
        if unit(label) is not None and places.get(label.request_id) == label.rung
    ]
    if held_of is not None:
        labels = [label for label in labels if held_out(label.group or label.request_id, held_of)]
    certified = standing(labels, rules.promise, edition="")
    return Shadow(
        requests=requests, delivers=delivers, unknown=unknown, judgeable=judgeable, standing=certified,
        labels=tuple(labels),
    )  # fmt: skip


def carried(seen: Shadow, edition: str) -> list[Label]:
    """The labels that certify a candidate's edition once it serves: those of its shadow, when they speak for all it delivers.

    The candidate was fixed before they came, so that they count as if it had served. Where it would deliver drafts that had no
    chance to be judged, the labels are a part that nobody chose by lot: none is carried, and its promise is earned anew.
    """
    if not seen.whole:
        return []
    return [replace(label, id=f"{label.id}.{edition}", edition=edition) for label in seen.labels]


async def shadows_of(store: Store, feature: str, *, since_ns: int = 0) -> dict[str, JournalEntry]:
    """By request, the shadow calls of a time. Raises StoreError."""
    return {
        entry.shadow_of: entry
        async for entry in store.journal.entries(feature=feature, since_ns=since_ns, shadows=True)
        if entry.shadow_of and not is_repeat(entry)
    }


async def would_deliver(
    entry: JournalEntry, policy: Policy, shadow_call: JournalEntry | None = None
) -> tuple[str | None, bool]:
    """(the rung whose draft a policy would deliver, whether the journal knows all that it would ask).

    A draft that only a missing certificate would hold back counts as delivered. What a shadow call said is known too.
    """
    steps = (await replay_entry(entry, policy, shadow_call)).steps
    match steps[-1].value if steps else None:
        case Deliver() | Escalate(withheld=True):
            return steps[-1].rung, True
        case Escalate() | Fail():
            return None, True
        case _:
            return None, False


def judged_with_chance(entry: JournalEntry) -> str | None:
    """The rung whose draft had a known chance to be judged blind; None when there is none."""
    for step in entry.steps:
        if isinstance(step.value, Escalate) and step.value.withheld:
            return step.rung
        if isinstance(step.value, Deliver) and entry.lot is not None and entry.lot.propensity > 0:
            return step.rung
    return None


async def promise_now(store: Store, now: Served, feature: str) -> Certified | None:
    """How a feature's promise stands in its present edition; None without one. Raises StoreError."""
    rules = now.policy.features[feature]
    if rules.promise is None:
        return None
    edition = now.policy.editions[feature]
    alarm_ns = last_alarm(await store.incidents.all(feature=feature), edition=edition)
    labels: Sequence[Label] = await store.labels.all(feature=feature)
    return standing(labels, rules.promise, edition=edition, alarm_ns=alarm_ns)


def before_this(promotions: Sequence[tuple[int, int]]) -> int | None:
    """The number that served before the one that serves; None when none did.

    A promotion of what served before takes the later one back, so that several rollbacks go further and further.
    Args:
        promotions: (at_ns, number), oldest first, as the store keeps them.
    """
    stack = [0]
    for _, number in promotions:
        if len(stack) > 1 and number == stack[-2]:
            stack.pop()
        elif number != stack[-1]:
            stack.append(number)
    return stack[-2] if len(stack) > 1 else None
