"""The verbs of the desk: who may do what, what an answer brings along, what is refused and kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from app_support import Gateway

from surefoot.app.answering import DECLINED
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.records import Case, Claim, Entry
from surefoot.records.case import WITH_PASSWORD, Signed
from surefoot.records.person import Person

Make = Callable[..., Gateway]
AMY, BEN, LEA, IDA = (
    Person(name=name, shown=name.title(), role=role)
    for name, role in (("amy", "operator"), ("ben", "operator"), ("lea", "lead"), ("ida", "auditor"))
)
FEATURE = """
[features.f]
mode = "enforce"
ladder = ["cache", "small"]
person = "nurse"
undo_seconds = 0
{more}
[features.f.maps.small]
p = 0.5
[people.nurse]
capacity = 2
hourly_cost_usd = 36.0
{nurse}
[people.doctor]
who = ["ben"]
"""


def features(more: str = "", nurse: str = "") -> str:
    return FEATURE.format(more=more, nurse=nurse)


class Desk:
    """A desk with cases: one for each question that was asked."""

    def __init__(self, gateway: Gateway, asked: int = 1) -> None:
        self.gateway, self.desk, self.run = gateway, gateway.app.desk, gateway.runner.run
        self.cases = [gateway.case(gateway.ask(number)) for number in range(asked)]

    @property
    def id(self) -> str:
        found = self.cases[0]
        assert found is not None
        return found.id

    def case(self, case_id: str = "") -> Case:
        found = self.run(self.gateway.store.cases.find(case_id or self.id))
        assert found is not None
        return found

    def claim(self, by: Person = AMY, case_id: str = "") -> Claim:
        claim = self.run(self.desk.claim(case_id or self.id, by=by))
        assert claim is not None
        return claim

    def answer(self, verb: str, text: str = "", by: Person = AMY, fence: int | None = None, **more: object) -> bool:
        held = self.claim(by).fence if fence is None else fence
        return self.run(self.desk.answer(self.id, by=by, fence=held, verb=verb, text=text, **more))  # type: ignore[arg-type]

    def deliver(self) -> Case:
        self.run(self.gateway.app.waiting.deliver())
        return self.case()

    def minutes(self) -> list[Entry]:
        return [line for line in self.run(self.gateway.store.ledger.entries()) if line.kind == "human"]


@pytest.fixture
def desk(gateway: Make) -> Callable[..., Desk]:
    return lambda more="", nurse="", asked=1: Desk(gateway(features(more, nurse)), asked)


Opened = Callable[..., Desk]


def test_an_accepted_draft_is_told_word_for_word_and_labelled(desk: Opened) -> None:
    at = desk()
    assert at.answer("accept", seconds=90.0)
    assert at.deliver().told == "Answer 0."
    (label,) = at.gateway.labels()
    assert (label.verdict, label.source, label.by, label.rung, label.propensity) == (
        "accepted",
        "case",
        "amy",
        "small",
        None,
    )


@pytest.mark.parametrize(
    ("verb", "text", "verdict"),
    [("edit", "Answer 0, with care.", "edited"), ("replace", "Something else.", "wrong"), ("reject", "", "wrong")],
)
def test_each_verb_says_what_the_draft_was_worth(desk: Opened, verb: str, text: str, verdict: str) -> None:
    at = desk()
    assert at.answer(verb, text)
    assert at.deliver().told == (text or DECLINED)
    assert [label.verdict for label in at.gateway.labels()] == [verdict]


def test_an_edit_that_changes_nothing_accepts(desk: Opened) -> None:
    at = desk()
    assert at.answer("edit", " Answer 0. ")
    assert at.deliver().verb == "accept"
    assert [label.verdict for label in at.gateway.labels()] == ["accepted"]


def test_asking_back_reaches_the_caller_and_labels_nothing(desk: Opened) -> None:
    at = desk()
    assert at.answer("ask", "Since when?")
    assert at.deliver().told == "Since when?" and at.gateway.labels() == []


def test_a_draft_that_only_the_certificate_held_back_is_labelled_so_that_it_certifies(gateway: Make) -> None:
    at = Desk(gateway(features("promise = { accuracy = 0.8 }\naudit = 0.5").replace("p = 0.5", "p = 0.95")))
    assert at.case().propensity == 1.0 and at.answer("accept")
    at.deliver()
    (label,) = at.gateway.labels()
    assert (label.source, label.propensity) == ("round", 1.0)


def test_minutes_cost_what_the_role_costs(desk: Opened) -> None:
    at = desk()
    at.answer("accept", seconds=90.0)
    (line,) = at.minutes()
    assert (line.quantity, line.nanodollars, line.estimated, line.model) == (90, 900_000_000, False, "nurse")


def test_minutes_that_nobody_told_are_counted_from_the_claim_and_called_estimated(desk: Opened) -> None:
    at = desk()
    at.answer("accept")
    (line,) = at.minutes()
    assert line.estimated and line.quantity >= 1


def test_an_answer_is_for_this_person_unless_it_is_called_general(desk: Opened) -> None:
    at = desk()
    at.answer("replace", "Drink tea.")
    at.deliver()
    assert at.gateway.entry(at.gateway.ask(0)).action == "escalate"


def test_a_general_answer_is_given_again_with_the_confidence_that_is_asked_for(desk: Opened) -> None:
    at = desk()
    at.answer("replace", "Drink tea.", general=True)
    at.deliver()
    again = at.gateway.ask(0)
    assert b"Drink tea." in again.body and again.decision is not None
    assert (again.decision.action, again.decision.confidence.p) == ("deliver", 0.85)


def test_a_general_answer_of_a_feature_with_red_flags_is_not_given_again(desk: Opened) -> None:
    rule = '[[features.f.admit]]\nname = "pain"\nphrases = ["chest pain"]\nholding = "Call 112."\nred_flag = true'
    at = desk(rule)
    at.answer("replace", "Drink tea.", general=True)
    at.deliver()
    assert at.gateway.entry(at.gateway.ask(0)).action == "escalate"


def test_what_declines_or_asks_cannot_be_general(desk: Opened) -> None:
    at = desk()
    for verb in ("reject", "ask"):
        with pytest.raises(BadRequest):
            at.answer(verb, "No.", general=True)


def test_a_lost_claim_is_told_and_its_text_is_there_for_the_next_one(desk: Opened) -> None:
    at = desk()
    lost = at.claim(AMY)
    at.run(at.desk.reassign(at.id, by=LEA, to="ben"))
    assert not at.answer("replace", "Take two.", fence=lost.fence)
    assert at.case().autosave == "Take two."


def test_a_fence_alone_does_not_make_a_case_ones_own(desk: Opened) -> None:
    at = desk()
    claim = at.claim(AMY)
    assert not at.answer("replace", "Mine.", by=BEN, fence=claim.fence)
    assert not at.run(at.desk.heartbeat(at.id, by=BEN, fence=claim.fence))
    assert not at.run(at.desk.release(at.id, by=BEN, fence=claim.fence))
    assert at.case().claimed_by == "amy"


def test_nobody_has_more_cases_at_once_than_the_role_allows(desk: Opened) -> None:
    at = desk(asked=3)
    assert at.run(at.desk.next(by=AMY)) and at.run(at.desk.next(by=AMY))
    with pytest.raises(NotAllowed):
        at.run(at.desk.next(by=AMY))
    assert at.run(at.desk.next(by=BEN)) is not None


def test_a_roles_cases_are_for_those_that_it_names(desk: Opened) -> None:
    at = desk(nurse='who = ["amy"]')
    assert at.desk.roles_of("amy") == ("nurse",) and at.desk.roles_of("ben") == ("doctor",)
    with pytest.raises(NotAllowed):
        at.claim(BEN)
    assert at.run(at.desk.next(by=BEN)) is None


def test_who_only_looks_answers_nothing(desk: Opened) -> None:
    at = desk()
    with pytest.raises(NotAllowed):
        at.claim(IDA)
    with pytest.raises(NotAllowed):
        at.run(at.desk.reassign(at.id, by=AMY, to="ben"))


def test_a_case_is_handed_over_to_a_role_that_there_is(desk: Opened) -> None:
    at = desk()
    claim = at.claim()
    with pytest.raises(BadRequest):
        at.run(at.desk.release(at.id, by=AMY, fence=claim.fence, role="docter"))
    assert at.run(at.desk.release(at.id, by=AMY, fence=claim.fence, role="doctor", note="rash"))
    assert (at.case().role, at.case().note) == ("doctor", "rash")


def test_an_answer_can_be_taken_back_by_its_author_alone(desk: Opened) -> None:
    at = desk()
    claim = at.claim()
    at.answer("replace", "Tea.", fence=claim.fence)
    assert at.run(at.desk.undo(at.id, by=BEN, fence=claim.fence)) is None
    again = at.run(at.desk.undo(at.id, by=AMY, fence=claim.fence))
    assert again is not None and again.case.autosave == "Tea." and len(at.minutes()) == 1


def test_where_two_must_agree_the_author_cannot_approve(desk: Opened) -> None:
    at = desk("two_persons = true")
    fence = at.claim().fence
    at.answer("replace", "Tea.", fence=fence)
    with pytest.raises(NotAllowed):
        at.run(at.desk.approve(at.id, by=AMY, fence=fence))
    assert at.run(at.desk.approve(at.id, by=BEN, fence=fence, seconds=30.0))
    assert at.deliver().told == "Tea." and [line.quantity for line in at.minutes()][-1] == 30


@pytest.mark.parametrize(
    ("verb", "text"), [("replace", " \n"), ("edit", "\x00"), ("replace", "x" * 100_001), ("shout", "x")]
)
def test_what_cannot_be_sent_is_refused_before_anything_is_written(desk: Opened, verb: str, text: str) -> None:
    at = desk()
    with pytest.raises(BadRequest):
        at.answer(verb, text)
    assert at.case().state == "claimed" and at.minutes() == []


def test_control_characters_do_not_reach_the_caller(desk: Opened) -> None:
    at = desk()
    at.answer("replace", "Drink\x1b[31m tea.\r\n<script>alert(1)</script>")
    assert at.deliver().told == "Drink[31m tea.\n<script>alert(1)</script>"


def test_a_handling_time_that_cannot_be_is_refused(desk: Opened) -> None:
    at = desk()
    for seconds in (-1.0, float("nan"), 1e9):
        with pytest.raises(BadRequest):
            at.answer("replace", "Tea.", seconds=seconds)


def test_a_case_that_there_is_not_is_not_found(desk: Opened) -> None:
    with pytest.raises(NotFound):
        desk().claim(AMY, "case_none")


def spread(desk: Desk, others: list[str], *, seconds: float | None = None, **more: object) -> list[str]:
    """Answer the first case for everybody, and give that to others."""
    assert desk.answer("replace", "Within 30 days.", general=True, seconds=10)
    given = {"by": AMY, "signed": Signed(meaning="I answer"), "seconds": seconds} | more
    return list(desk.run(desk.desk.batch.answer(desk.id, others, **given)))  # type: ignore[arg-type]


def test_a_general_answer_is_given_to_others_each_with_a_claim_of_its_own(desk: Callable[..., Desk]) -> None:
    one = desk(asked=5)  # more than the capacity of two: they are held for a moment only
    others = [case.id for case in one.cases[1:]]
    assert spread(one, [*others, "case_none"], seconds=9) == others
    for name in others:
        case = one.case(name)
        assert (case.answer, case.verb, case.general, case.answered_by) == ("Within 30 days.", "replace", True, "amy")
    said = one.run(one.gateway.store.cases.history(others[0]))[-1].detail
    assert said == f"replace, general: I answer, as for {one.id} (signed in a session)"


def test_a_member_whose_draft_says_the_same_accepts_it(desk: Callable[..., Desk]) -> None:
    one = desk(asked=2)
    other = one.cases[1].id
    draft = one.run(one.desk.draft(one.case(other)))
    one.answer("replace", draft, general=True)
    one.run(one.desk.batch.answer(one.id, [other], by=AMY, signed=Signed(meaning="I answer")))
    assert one.case(other).verb == "accept"


def test_what_somebody_is_writing_to_is_left_alone(desk: Callable[..., Desk]) -> None:
    one = desk(asked=3)
    held, free = (case.id for case in one.cases[1:])
    one.claim(BEN, held)
    assert spread(one, [held, free], seconds=7) == [free]
    assert one.case(held).claimed_by == "ben"
    assert sum(line.quantity for line in one.minutes()) == 10 + 7


def test_an_answer_for_one_person_or_of_another_is_given_to_nobody(desk: Callable[..., Desk]) -> None:
    one = desk(asked=2)
    other = one.cases[1].id
    one.answer("replace", "As we said.", general=False)
    for by in (AMY, BEN):
        with pytest.raises(NotAllowed):
            one.run(one.desk.batch.answer(one.id, [other], by=by, signed=Signed(meaning="I answer")))
    assert one.case(other).state == "open"


@pytest.mark.parametrize("allowed", [True, False])
def test_in_bulk_only_where_the_feature_allows_it(desk: Callable[..., Desk], allowed: bool) -> None:
    one = desk(f"bulk = {str(allowed).lower()}", asked=2)
    other = one.cases[1].id
    if allowed:
        assert spread(one, [other], bulk=True) == [other]
        assert one.run(one.gateway.store.cases.history(other))[-1].detail.endswith(
            f"as for {one.id}, in bulk (signed in a session)"
        )
        return
    with pytest.raises(NotAllowed, match="looks at every case"):
        spread(one, [other], bulk=True)
    assert one.case(other).state == "open"


def test_time_that_nobody_measured_is_marked(desk: Callable[..., Desk]) -> None:
    one = desk(asked=2)
    spread(one, [one.cases[1].id], seconds=30, estimated=True)
    assert [(line.quantity, line.estimated) for line in one.minutes()] == [(10, False), (30, True)]


def test_where_the_role_asks_for_the_password_neither_answer_nor_batch_goes_without(desk: Callable[..., Desk]) -> None:
    one = desk(nurse='sign = "password"', asked=2)
    proven = Signed(meaning="I answer", how=WITH_PASSWORD)
    with pytest.raises(NotAllowed, match="signed with the password"):
        one.answer("replace", "Within 30 days.", general=True)
    assert one.answer("replace", "Within 30 days.", general=True, signed=proven, seconds=1)
    with pytest.raises(NotAllowed, match="signed with the password"):
        one.run(one.desk.batch.answer(one.id, [one.cases[1].id], by=AMY, signed=Signed()))
    assert one.run(one.desk.batch.answer(one.id, [one.cases[1].id], by=AMY, signed=proven)) == [one.cases[1].id]
