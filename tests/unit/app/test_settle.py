"""What a request leaves behind: who is audited, what is hidden, and that weighting by the odds is fair."""

from collections.abc import Callable, Sequence

import pytest
from app_support import PLAIN, Gateway, lot

from surefoot.app.outcomes import group_of, label_of_case
from surefoot.app.reply import Reply
from surefoot.errors import NotFound
from surefoot.learning.standing import standing
from surefoot.policy import Promise
from surefoot.policy.lot import uniform
from surefoot.records import Label

Make = Callable[..., Gateway]
ALL = PLAIN.replace("0.3", "1.0")
CACHED = ALL.replace('["small"]', '["cache", "small"]')
OBSERVED = ALL.replace("enforce", "observe")
PROMISED = PLAIN.replace("audit = 0.3", "audit = 0.3\npromise = { accuracy = 0.85 }")
PRIVATE = "[store]\ncontent = false\n"


def judge(app: Gateway, reply: Reply, right: Sequence[bool]) -> Label | None:
    """The label of a person who always knows, on the case of a reply; None when it opened none."""
    case, entry = app.case(reply), app.entry(reply)
    if case is None:
        return None
    content = app.runner.run(app.store.journal.content(reply.request_id))
    assert content is not None
    number = int(dict(content.answers)[case.rung].split(b"Answer ")[1].split(b".")[0])
    label = label_of_case(case, entry, "accepted" if right[number] else "wrong", by="ann", at_ns=entry.at_ns)
    assert app.runner.run(app.store.cases.judge(case.id, label=label, at_ns=entry.at_ns))
    return label


def test_an_audit_hides_what_the_draft_was_thought_to_be_worth(gateway: Make) -> None:
    app = gateway(ALL)
    reply = app.ask()
    case = app.case(reply)
    assert case is not None and reply.decision is not None and reply.decision.action == "deliver"
    assert (case.kind, case.p, case.reason, case.rung, case.propensity) == ("audit", None, "blind audit", "small", 1.0)
    assert case.answer is None and case.role == "person"


def test_an_audit_is_told_to_no_caller(gateway: Make) -> None:
    app = gateway(ALL)
    reply = app.ask()
    case = app.case(reply)
    assert case is not None and case.id.encode() not in reply.body
    assert "x-surefoot-case" not in dict(reply.headers)
    with pytest.raises(NotFound):
        app.runner.run(app.app.case(app.app.caller(None), case.id))


@pytest.mark.parametrize(("features", "kept"), [(ALL, True), (PLAIN.replace("0.3", "0.0"), False)])
def test_what_is_audited_is_kept_even_where_content_is_not(gateway: Make, features: str, kept: bool) -> None:
    app = gateway(PRIVATE + features)
    content = app.runner.run(app.store.journal.content(app.ask(2).request_id))
    assert (content is not None) == kept
    if content is not None:
        assert b"Answer 2." in dict(content.answers)["small"]


def test_the_lot_is_logged_whether_it_was_drawn_or_not(gateway: Make) -> None:
    app = gateway()
    entries = [app.entry(app.ask(draw=lot(number))) for number in range(20)]
    assert {entry.lot.drawn for entry in entries if entry.lot} == {True, False}
    assert all(entry.lot is not None and entry.lot.propensity == 0.3 for entry in entries)
    assert all((entry.case_id is not None) == entry.lot.drawn for entry in entries if entry.lot)


def test_without_an_audit_nobody_is_drawn(gateway: Make) -> None:
    app = gateway(PLAIN.replace("0.3", "0.0"))
    entry = app.entry(app.ask())
    assert entry.lot is None and entry.case_id is None


def test_what_observe_delivers_against_the_policy_is_audited_and_certifies_nothing(gateway: Make) -> None:
    app = gateway(OBSERVED.replace("p = 0.9", "p = 0.5"))
    case = app.case(app.ask())
    assert case is not None and (case.kind, case.propensity) == ("audit", None)


def test_what_observe_delivers_as_the_policy_would_certifies(gateway: Make) -> None:
    app = gateway(OBSERVED)
    case = app.case(app.ask())
    assert case is not None and (case.kind, case.propensity) == ("audit", 1.0)


def test_a_cache_hit_takes_a_lot_of_its_own_and_belongs_to_its_originals_group(gateway: Make) -> None:
    app = gateway(CACHED.replace("1.0", "0.3"))
    first, *hits = [app.ask(0, draw=lot(number)) for number in range(30)]
    drawn = [uniform(lot(number), "audit", "cache") < 0.3 for number in range(1, 30)]
    cases = [app.case(hit) for hit in hits]
    assert [case is not None for case in cases] == drawn and any(drawn)
    assert {case.fingerprint for case in cases if case} == {group_of(app.entry(first))}
    assert {(case.rung, case.propensity) for case in cases if case} == {("cache", 0.3)}


def test_the_labels_of_a_question_and_its_hits_are_one_unit(gateway: Make) -> None:
    app = gateway(CACHED)
    labels = [judge(app, app.ask(number), [True] * 5) for number in (0, 0, 0, 1)]
    found = [label for label in labels if label]
    assert [label.rung for label in found] == ["small", "cache", "cache", "small"]
    assert standing(found, Promise(accuracy=0.85), edition=found[0].edition).n == 2


def test_a_draft_that_only_the_certificate_holds_back_is_always_judged(gateway: Make) -> None:
    app = gateway(PROMISED)
    reply = app.ask(draw=lot(1))
    case = app.case(reply)
    assert case is not None and (case.kind, case.rung, case.propensity) == ("question", "small", 1.0)
    assert app.entry(reply).action == "escalate" and app.entry(reply).lot is None


def test_a_draft_below_the_bar_waits_without_any_odds(gateway: Make) -> None:
    app = gateway(PROMISED.replace("p = 0.9", "p = 0.5"))
    case = app.case(app.ask())
    assert case is not None and (case.kind, case.propensity) == ("question", None)


def test_exactly_those_are_audited_whose_lot_was_drawn(gateway: Make) -> None:
    app = gateway(right=[True] * 400)
    cases = [app.case(app.ask(number, draw=lot(number))) is not None for number in range(400)]
    assert cases == [uniform(lot(number), "audit", "small") < 0.3 for number in range(400)]
    assert 0.3 * 400 - 28 < sum(cases) < 0.3 * 400 + 28  # 3 standard deviations


def test_weighting_by_the_odds_is_fair_where_counting_is_not(gateway: Make) -> None:
    """The audit is cut from 0.6 to 0.1 just when answers become worse: 5 % wrong, then 25 %; truly 15 %."""
    right = [number % 20 != 0 for number in range(400)] + [number % 4 != 0 for number in range(400)]
    weighted, counted, runs = 0.0, 0.0, 4
    for seed in range(runs):
        app = gateway(PLAIN.replace("0.3", "0.6"), right)
        first = [judge(app, app.ask(number, draw=lot(number, f"{seed}-")), right) for number in range(400)]
        app.reload(PLAIN.replace("0.3", "0.1"))
        then = [judge(app, app.ask(number, draw=lot(number, f"{seed}-")), right) for number in range(400, 800)]
        labels = [label for label in (*first, *then) if label]
        weighted += sum((not label.accepted) / (label.propensity or 0) for label in labels) / 800 / runs
        counted += sum(not label.accepted for label in labels) / len(labels) / runs
    error = ((20 * 0.4 / 0.6 + 100 * 0.9 / 0.1) / runs) ** 0.5 / 800  # of Horvitz and Thompson's estimate
    assert abs(weighted - 0.15) < 3 * error and counted < 0.15 - 3 * error
