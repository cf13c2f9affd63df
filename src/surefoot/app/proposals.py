"""What a request says of the near cache: the verdict on what was proposed to it, and its place among near questions."""

from __future__ import annotations

from hashlib import blake2b

from msgspec.structs import replace

from surefoot.policy import inputs_of
from surefoot.records import Answer, CacheEntry, Decision, Draft, NoDraft, Proposal, Request
from surefoot.review.guards import same_answer
from surefoot.signals.final_answer import final_answer
from surefoot.stages.nearby import Open
from surefoot.trace import LiveTrace


def proposal_of(request: Request, trace: LiveTrace, decision: Decision | None, nanodollars: int) -> Proposal | None:
    """The proposal that was not given, with its verdict if the model answered; None where there was none to judge.

    One that was given stands in the account already. Of a request that goes to a person the verdict comes later, or never.
    """
    attempt = next((each for each in trace.attempts if each.proposed is not None), None)
    near = trace.question.near if trace.question is not None else None
    if attempt is None or near is None or decision is None or attempt.proposed is None:
        return None
    done = attempt.draft.near
    if not isinstance(attempt.draft, NoDraft) or done is None:
        return None
    said = _delivered(decision)
    if said is None and decision.action != "escalate":
        return None
    found = Proposal(
        request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant, feature=request.feature,
        answer=near.answer, item=near.item, inputs=inputs_of(near), p=done.p, action=done.action, vetoed=bool(near.vetoed),
        nanodollars=nanodollars,
    )  # fmt: skip
    if said is None:
        return found
    right = same_answer(attempt.proposed.text, said.text)
    return replace(found, right=right, source="model", judged_at_ns=request.at_ns)


def among_near(entry: CacheEntry | None, asked: Open | None, proposal: Proposal | None, text: str) -> CacheEntry | None:
    """A believed answer with its question's vector; a further question of the proposed answer where that was found right.

    Calls of tools hang on the question's very words: they enter for the same question only.
    Args:
        text: of the answer.
    """
    if entry is None or asked is None or entry.finish != "stop":
        return entry
    same = proposal is not None and proposal.right is True
    answer = proposal.answer if same and proposal is not None else answer_id(asked.asked.context, text)
    return replace(entry, context=asked.asked.context, answer=answer, near=asked.near())


def answer_id(context: str, text: str) -> str:
    """128 bits, hex, of an answer in its context: texts that state the same final answer, or the same words, have one id."""
    stated = final_answer(text) or " ".join(text.casefold().split())
    return blake2b(f"{context}\0{stated}".encode("utf-8", "replace"), digest_size=16).hexdigest()


def _delivered(decision: Decision) -> Answer | None:
    """What a model said and the caller got whole; None for anything else."""
    attempt = decision.attempt
    if decision.action != "deliver" or attempt is None or not isinstance(attempt.draft, Draft):
        return None
    return attempt.answer if attempt.draft.finish == "stop" and attempt.draft.provider != "cache" else None
