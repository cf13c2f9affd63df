"""What happens to waiting cases by themselves: the chain of roles, safe defaults, deliveries."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from app_support import Gateway
from msgspec.structs import replace

from surefoot.app.outcomes import label_of_case
from surefoot.app.reply import Reply
from surefoot.app.waiting import DECLINED, NOTICE, Waiting
from surefoot.learning.standing import standing
from surefoot.policy import Promise
from surefoot.records import Case, Wait
from surefoot.trial.asking import request_of

Make = Callable[..., Gateway]
SECOND = 1_000_000_000
FEATURE = """
[features.f]
mode = "enforce"
ladder = ["small", "big"]
person = "nurse"
{more}
[features.f.maps.small]
p = 0.5
[features.f.maps.big]
p = {big}
[people.nurse]
sla_seconds = 100
deadline_seconds = 200
{nurse}
"""
RULE = '[[features.f.admit]]\nname = "any"\nphrases = ["question"]\nholding = "Call 112."\nred_flag = {}\n'


def features(nurse: str, *, more: str = "", big: float = 0.5) -> str:
    return FEATURE.format(nurse=nurse, more=more, big=big)


class Later:
    """A gateway with one waiting case, and a clock that can be moved."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.now = gateway, 0
        app = gateway.app
        self.waiting = Waiting(app.store, app.serving, app.settler, clock=lambda: self.now)
        self.reply: Reply = gateway.ask()
        self.opened_ns = self.case.opened_at_ns

    @property
    def case(self) -> Case:
        found = self.gateway.case(self.reply)
        assert found is not None
        return found

    def after(self, seconds: float) -> Case:
        self.now = self.opened_ns + int(seconds * SECOND)
        self.gateway.runner.run(self.waiting.see_to_deadlines())
        return self.case

    def bill(self) -> list[str]:
        return [line.rung for line in self.gateway.runner.run(self.gateway.store.ledger.entries())]


def test_a_case_knows_when_it_is_urgent_due_and_over(gateway: Make) -> None:
    case = Later(gateway(features(""))).case
    times = [at - case.opened_at_ns for at in (case.rank_ns, case.due_at_ns, case.deadline_ns)]
    assert times == [200 * SECOND, 100 * SECOND, 200 * SECOND]  # risk 0.5 doubles the hundred seconds
    assert (case.risk, case.weight, case.red_flag) == (0.5, 1.0, False)


def test_a_customers_weight_makes_its_cases_urgent_sooner(gateway: Make) -> None:
    case = Later(gateway(features("", more="customers = { local = 4.0 }"))).case
    assert case.rank_ns - case.opened_at_ns == 50 * SECOND


def test_nothing_happens_before_the_deadline(gateway: Make) -> None:
    assert Later(gateway(features(""))).after(199.9).state == "open"


def test_the_best_draft_is_delivered_with_a_notice(gateway: Make) -> None:
    case = Later(gateway(features('safe_default = "draft"'))).after(200)
    assert (case.state, case.verb, case.told) == ("expired", "default:draft", f"{NOTICE}\n\nAnswer 0.")


def test_a_question_is_declined_where_that_is_declared(gateway: Make) -> None:
    case = Later(gateway(features('safe_default = "decline"'))).after(200)
    assert (case.state, case.verb, case.told) == ("expired", "default:decline", DECLINED)


def test_a_red_flag_is_declined_even_where_the_stronger_model_is_declared(gateway: Make) -> None:
    late = Later(gateway(features('safe_default = "stronger"', more=RULE.format("true"), big=0.95)))
    assert late.case.red_flag and late.after(200).verb == "default:decline" and late.bill() == []


def test_what_a_rule_keeps_from_models_is_asked_of_none_at_the_deadline(gateway: Make) -> None:
    late = Later(gateway(features('safe_default = "stronger"', more=RULE.format("false"), big=0.95)))
    assert late.after(200).verb == "default:decline" and late.bill() == []


def test_the_top_rung_is_not_asked_twice(gateway: Make) -> None:
    late = Later(gateway(features('safe_default = "stronger"')))
    before = len(late.bill())
    assert late.after(200).verb == "default:decline" and len(late.bill()) == before


@pytest.mark.parametrize(("big", "how"), [(0.95, "stronger"), (0.4, "decline")])
def test_a_stronger_model_is_asked_and_delivered_when_the_policy_lets_it(gateway: Make, big: float, how: str) -> None:
    app = gateway(features("").replace('"small", "big"', '"small"').replace("[features.f.maps.big]\np = 0.5\n", ""))
    late = Later(app)
    app.reload(features('safe_default = "stronger"', big=big))
    case = late.after(200)
    assert case.verb == f"default:{how}"
    assert case.told == (f"{NOTICE}\n\nAnswer 0." if how == "stronger" else DECLINED)
    journal = app.runner.run(_entries(app))
    assert [entry.action for entry in journal] == ["escalate", "deliver" if how == "stronger" else "refuse"]
    assert app.runner.run(app.store.cases.open_cases()) == []


async def _entries(app: Gateway) -> list:
    return [entry async for entry in app.store.journal.entries()]


def test_the_next_role_is_asked_first_and_has_its_own_time(gateway: Make) -> None:
    doctor = "[people.doctor]\nsla_seconds = 10\ndeadline_seconds = 50\n"
    late = Later(gateway(features('next_role = "doctor"\n' + doctor)))
    case = late.after(200)
    assert (case.state, case.role, case.deadline_ns - case.opened_at_ns) == ("open", "doctor", 250 * SECOND)
    assert late.after(249).state == "open" and late.after(250).state == "expired"


def test_a_deadline_in_the_past_is_over_at_once_and_a_clock_set_back_brings_nothing_back(gateway: Make) -> None:
    late = Later(gateway(features("")))
    assert late.after(10_000).told == DECLINED
    assert late.after(-10_000) == late.case and late.case.told == DECLINED


def test_a_role_without_a_deadline_waits_as_long_as_it_takes(gateway: Make) -> None:
    late = Later(gateway(features("").replace("deadline_seconds = 200", "")))
    assert late.case.deadline_ns == 0 and late.after(10**8).state == "open"


def test_the_same_question_of_the_same_person_waits_in_the_same_case(gateway: Make) -> None:
    late = Later(gateway(features("")))
    app = late.gateway.app
    request = replace(request_of(app, app.policy.features["f"], late.gateway.rows[0]), wait=Wait(joins=True))
    again = late.gateway.runner.run(app.answer(request))
    assert msgspec.json.decode(again.body)["surefoot"]["case"] == late.case.id
    assert late.gateway.entry(again).case_id == late.case.id
    assert len(late.gateway.runner.run(late.gateway.store.cases.open_cases())) == 1


def test_the_certificate_is_about_expired_drafts_too(gateway: Make) -> None:
    promise = "audit = 0.01\npromise = { accuracy = 0.6, assurance = 0.9 }"
    text = features("", more=promise, big=0.95).replace('"small", "big"', '"big"')
    late = Later(gateway(text.replace("[features.f.maps.small]\np = 0.5\n", "")))
    assert late.case.propensity == 1.0 and late.after(200).told == DECLINED
    app = late.gateway
    (audit,) = app.runner.run(app.store.cases.open_cases(kind="audit"))
    label = label_of_case(audit, app.entry(late.reply), "wrong", by="amy", at_ns=late.now)
    assert app.runner.run(app.store.cases.judge(audit.id, label=label, at_ns=late.now))
    found = standing(app.labels(), Promise(accuracy=0.6), edition=app.app.policy.editions["f"])
    assert (found.n, found.accuracy) == (1, 0.0)
    assert late.case.state == "expired"
