"""Frozen values in the order they become known; they import nothing but errors.

Request -> Question -> Ask -> Attempt (Draft or NoDraft) -> Evidence -> Confidence -> Verdict -> Decision -> Reply.
All are `msgspec.Struct`: frozen, keyword-only, cheap to make, and their JSON is what the journal keeps.
"""

from surefoot.records.case import Case, CaseAnswer, CaseEvent, Claim, Moment
from surefoot.records.draft import Answer, Ask, Attempt, Draft, NoDraft, PricedCall, Rung, Shortened, Tried, Try, Usage
from surefoot.records.evidence import Confidence, Evidence, Signal, Span
from surefoot.records.journal import (
    CacheEntry,
    Checked,
    Commit,
    Content,
    Embedded,
    Entry,
    Expired,
    Fitted,
    Incident,
    JournalEntry,
    Key,
    Label,
    Read,
    Reservation,
    Revision,
    Settlement,
    Spent,
    Step,
    Weighed,
)
from surefoot.records.money import Budget, BudgetLimit, ModelPrice, PriceLine, Rate
from surefoot.records.near import Gate, NearAccount, NearItem, NearMapRow, Nearness, Proposal, Proposed
from surefoot.records.request import Attribution, Caller, Question, Request, Wait
from surefoot.records.route import Candidate, Prospect, Routed, ShadowCall
from surefoot.records.units import Revenue
from surefoot.records.verdict import Decision, Deliver, Escalate, Fail, Lot, Stronger, Verdict

__all__ = [
    "Answer", "Ask", "Attempt", "Attribution", "Budget", "BudgetLimit", "CacheEntry", "Caller", "Candidate", "Case",
    "CaseAnswer", "CaseEvent", "Checked", "Claim", "Commit", "Confidence", "Content", "Decision", "Deliver", "Draft",
    "Embedded", "Entry", "Escalate", "Evidence", "Expired", "Fail", "Fitted", "Gate", "Incident", "JournalEntry", "Key",
    "Label", "Lot", "ModelPrice", "Moment", "NearAccount", "NearItem", "NearMapRow", "Nearness", "NoDraft", "PriceLine",
    "PricedCall", "Proposal", "Proposed", "Prospect", "Question", "Rate", "Read", "Request", "Reservation", "Revenue",
    "Revision", "Routed", "Rung", "Settlement", "ShadowCall", "Shortened", "Signal", "Span", "Spent", "Step",
    "Stronger", "Tried", "Try", "Usage", "Verdict", "Wait", "Weighed",
]  # fmt: skip
