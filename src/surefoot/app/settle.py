"""What a request leaves behind: its journal entry, its bill, its content, its case, its place in the cache. One commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from surefoot.app.economics import answering_model, baseline_nanodollars, earned
from surefoot.app.proposals import among_near, proposal_of
from surefoot.app.times import times_of
from surefoot.policy import Budgets, Feature, audit_lot
from surefoot.providers.billing import entries_of
from surefoot.records import (
    Attempt,
    CacheEntry,
    Case,
    Commit,
    Content,
    Decision,
    Deliver,
    Draft,
    Embedded,
    Entry,
    Escalate,
    JournalEntry,
    Lot,
    ModelPrice,
    PricedCall,
    Request,
    Reservation,
    Settlement,
)
from surefoot.records.case import human_cost
from surefoot.records.hook import place_of
from surefoot.review.priority import AUDIT_SECONDS, rank_ns, risk_of
from surefoot.stages.nearby import Open
from surefoot.trace import LiveTrace

NOBODY = "We are sorry: nobody can answer your question at the moment. Please ask again later, or in another way."
UNCHECKED = "No person could check this. A language model wrote it, and it may be wrong:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a page ended, as the journal needs it."""

    request: Request
    feature: Feature
    policy: str  # version
    edition: str  # of the feature
    trace: LiveTrace
    settlements: tuple[Settlement, ...]
    decision: Decision | None  # None: refused, broken off or failed before a verdict
    error: str = ""  # code of what went wrong
    own_us: int = 0
    baseline: ModelPrice | None = None  # what the feature's baseline costs; None: no price is known
    asked: Open | None = None  # the question as the near cache looked for it
    waiting: str = ""  # the case of the same question, asked before, that this one joins; "" when there is none
    embedded: Embedded | None = None  # the question's vector, where an embedder gave one

    @property
    def action(self) -> str:
        """What was done, "refuse" when the page did not come to its end."""
        if self.request.shadow_of:
            return "shadow"
        return self.decision.action if self.decision else "refuse"

    @property
    def nanodollars(self) -> int:
        """What all of it cost."""
        return sum(entry.nanodollars for settlement in self.settlements for entry in settlement.entries)

    @property
    def case_id(self) -> str | None:
        """The case that an escalation opens, or joins."""
        return (self.waiting or case_id(self.request)) if self.action == "escalate" else None

    @property
    def red_flag(self) -> bool:
        """Whether a red flag sent it to a person."""
        verdict = self.decision.verdict if self.decision else None
        rule = verdict.rule if isinstance(verdict, Escalate) else ""
        return any(admit.red_flag for admit in self.feature.admits if rule and admit.name == rule)

    @property
    def holding(self) -> str:
        """What the caller is told while a person answers: the rule's own words where a rule has some, else its person's.

        Where there is no money for a person it is the safe default, and the end of it.
        """
        if self.action == "default":
            return self._default
        verdict = self.decision.verdict if self.decision else None
        sent = verdict if isinstance(verdict, Escalate) else None
        person = self.feature.person_of(sent.role) if sent and sent.role else self.feature.person
        rule = sent.rule if sent else ""
        own = next((admit.holding for admit in self.feature.admits if rule and admit.name == rule), person.holding)
        return own if own != person.holding else person.holding_at(self.request.at_ns)

    @property
    def _default(self) -> str:
        """The role's safe default; asking a stronger model is none here: the ladder is climbed already."""
        decision = self.decision
        verdict = decision.verdict if decision else None
        role = verdict.role if isinstance(verdict, Escalate) else self.feature.person.role
        attempt = decision.attempt if decision else None
        whole = attempt is not None and attempt.answer is not None and not attempt.draft.released
        if (
            attempt is None
            or attempt.answer is None
            or not whole
            or self.feature.person_of(role).safe_default != "draft"
        ):
            return NOBODY
        return f"{UNCHECKED}\n\n{attempt.answer.text}" if attempt.answer.text.strip() else NOBODY


def case_id(request: Request) -> str:
    """The id of the case that a request may open: derived, so that it is the same wherever it is computed."""
    return "case_" + request.id.removeprefix("req_")


def settle(
    request: Request, attempts: Iterable[Attempt], judged: Iterable[PricedCall], abandoned: Iterable[PricedCall]
) -> tuple[Settlement, ...]:
    """One settlement for each model call made, judges' and those that were broken off included."""
    calls = [*(call for attempt in attempts for call in attempt.priced), *judged]
    return tuple(
        Settlement(reservation_id=call.reservation_id, entries=_entries(request, call))
        for call in (*calls, *abandoned)
    )  # fmt: skip


def commit_of(
    outcome: Outcome, *, pseudonym: str, keep_content: bool, epoch: int, budgets: Budgets | None = None
) -> Commit:
    """The one transaction of a request."""
    request, decision = outcome.request, outcome.decision
    lot = _lot(outcome)
    case = _case(outcome, pseudonym) or _audit(outcome, pseudonym, lot)
    content = _content(outcome) if keep_content or case is not None else None
    proposal = proposal_of(request, outcome.trace, decision, outcome.nanodollars)
    entry = JournalEntry(
        request_id=request.id,
        at_ns=request.at_ns,
        draw=request.draw,
        tenant=request.caller.tenant,
        key_id=request.caller.key_id,
        feature=request.feature,
        dialect=request.dialect,
        surface=request.surface,
        subject=pseudonym,
        policy=outcome.policy,
        mode=outcome.feature.mode,
        steps=tuple(outcome.trace.steps),
        action=outcome.action,
        rung=decision.rung.name if decision and decision.rung else None,
        case_id=case.id if case else outcome.waiting or None,
        edition=outcome.edition,
        lot=lot,
        content_digest=sha256(msgspec.msgpack.encode(content)).hexdigest() if content else "",
        error=outcome.error,
        nanodollars=outcome.nanodollars,
        own_us=outcome.own_us,
        tags=request.attribution.tags,
        model=answering_model(decision),
        baseline_nanodollars=baseline_nanodollars(request, decision, outcome.baseline),
        shadow_of=request.shadow_of,
    )
    return Commit(
        entry=entry,
        settlements=outcome.settlements,
        content=content,
        subject=request.subject,
        case=case,
        joins=request.wait.joins,
        cache=among_near(_believed(outcome, epoch), outcome.asked, proposal, _text(decision)),
        proposal=proposal,
        revenue=earned(outcome.feature, request, outcome.action),
        set_aside=_set_aside(outcome, case, budgets) if case is not None and budgets is not None else None,
    )


def _entries(request: Request, call: PricedCall) -> tuple[Entry, ...]:
    return entries_of(
        call,
        request_id=request.id,
        at_ns=request.at_ns,
        tenant=request.caller.tenant,
        key_id=request.caller.key_id,
        feature=request.feature,
    )


def _content(outcome: Outcome) -> Content:
    answers = tuple(
        (attempt.draft.rung, attempt.answer.body) for attempt in outcome.trace.attempts if attempt.answer is not None
    )
    return Content(
        request_body=outcome.request.body, answers=answers, attribution=outcome.request.attribution,
        context=outcome.request.context, embedded=outcome.embedded,
    )  # fmt: skip


def _case(outcome: Outcome, pseudonym: str) -> Case | None:
    request, decision, question = outcome.request, outcome.decision, outcome.trace.question
    if decision is None or decision.action != "escalate" or question is None or outcome.waiting:
        return None
    sent = decision.verdict if isinstance(decision.verdict, Escalate) else None
    feature, wait = outcome.feature, outcome.request.wait
    role = sent.role if sent else feature.person.role
    red_flag = sent is not None and any(rule.red_flag for rule in feature.admits if rule.name == sent.rule)
    risk, weight = (
        risk_of(p=decision.confidence.p, red_flag=red_flag),
        feature.customers.get(request.caller.tenant, 1.0),
    )
    case = Case(
        id=case_id(request),
        request_id=request.id,
        tenant=request.caller.tenant,
        feature=request.feature,
        role=role,
        state="open",
        reason=decision.verdict.reason,
        opened_at_ns=request.at_ns,
        subject=pseudonym,
        fingerprint=question.fingerprint,
        p=decision.confidence.p,
        rung=decision.rung.name if decision.rung and _has_draft(decision) else "",
        # A draft that only the missing certificate held back is always judged, so that the certificate can be earned.
        propensity=1.0 if sent is not None and sent.withheld else None,
        risk=risk,
        weight=weight,
        red_flag=red_flag,
        two_persons=feature.two_persons,
        wait=wait.manner or ("webhook" if wait.webhook else "poll"),
        webhook=place_of(wait.webhook),
    )
    times = times_of(case, feature.person_of(role), now_ns=request.at_ns)
    return replace(case, rank_ns=times.rank_ns, due_at_ns=times.due_at_ns, deadline_ns=times.deadline_ns)


def _set_aside(outcome: Outcome, case: Case, budgets: Budgets) -> Reservation | None:
    """The minutes that a case may take, in every budget that counts people; None when none does."""
    request = outcome.request
    limits = budgets.human_limits(request.caller, request.feature, request.at_ns)
    if not limits:
        return None
    person = outcome.feature.person_of(case.role)
    return Reservation(
        id=case.id, request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant, key_id=request.caller.key_id,
        feature=request.feature, rung="person", provider="person", model=case.role, limits=limits,
        nanodollars=human_cost(round(person.reserve_seconds), person.hourly_nanodollars),
    )  # fmt: skip


def _lot(outcome: Outcome) -> Lot | None:
    """The lot of a delivered answer; None where no audit is held or there is nothing to judge."""
    decision, request = outcome.decision, outcome.request
    if decision is None or decision.action != "deliver" or decision.rung is None or request.surface != "chat":
        return None
    lot = audit_lot(outcome.feature, request.draw, decision.rung.name)
    return lot if lot.propensity > 0 and _has_draft(decision) else None


def _audit(outcome: Outcome, pseudonym: str, lot: Lot | None) -> Case | None:
    """The case of a delivered answer that was drawn: a person judges it without seeing what it was thought to be worth.

    In `observe` everything is delivered, also what would not have been: only what the policy itself delivers may certify it.
    """
    request, decision, question = outcome.request, outcome.decision, outcome.trace.question
    if lot is None or not lot.drawn or decision is None or question is None or decision.rung is None:
        return None
    return Case(
        id=case_id(request), request_id=request.id, tenant=request.caller.tenant, feature=request.feature,
        role=outcome.feature.person.role, state="open", reason="blind audit", opened_at_ns=request.at_ns,
        subject=pseudonym, fingerprint=question.fingerprint, kind="audit", rung=decision.rung.name,
        propensity=lot.propensity if isinstance(decision.verdict, Deliver) else None,
        rank_ns=rank_ns(request.at_ns, sla_seconds=AUDIT_SECONDS, risk=1.0),
    )  # fmt: skip


def _has_draft(decision: Decision) -> bool:
    return decision.attempt is not None and isinstance(decision.attempt.draft, Draft)


def _text(decision: Decision | None) -> str:
    answer = decision.attempt.answer if decision is not None and decision.attempt is not None else None
    return answer.text if answer is not None else ""


def _believed(outcome: Outcome, epoch: int) -> CacheEntry | None:
    """The cache entry of an answer that is believed: calibrated, over a real bar, and not itself from the cache."""
    decision, feature, request = outcome.decision, outcome.feature, outcome.request
    question = outcome.trace.question
    if decision is None or question is None or decision.rung is None or decision.attempt is None:
        return None
    draft, answer, sure = decision.attempt.draft, decision.attempt.answer, decision.confidence
    if not isinstance(draft, Draft) or answer is None or decision.rung.kind in ("cache", "relay"):
        return None
    if not isinstance(decision.verdict, Deliver) or sure.p is None or sure.low is None or feature.confidence <= 0:
        return None
    if not any(rung.kind == "cache" for rung in feature.ladder) or draft.finish not in ("stop", "tools"):
        return None
    return CacheEntry(
        fingerprint=question.fingerprint,
        tenant=request.caller.tenant,
        feature=request.feature,
        epoch=epoch,
        request_id=request.id,
        at_ns=request.at_ns,
        expires_at_ns=request.at_ns + feature.cache.ttl_seconds * 1_000_000_000,
        model=draft.model,
        provider=draft.provider,
        finish=draft.finish,
        p=sure.p,
        low=sure.low,
        body=answer.body,
        subject=request.subject,
    )
