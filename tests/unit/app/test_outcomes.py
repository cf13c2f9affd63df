"""What a report becomes: one label, with what the journal knows of the answer; a wrong one leaves the cache."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from app_support import PLAIN, Gateway

from surefoot.app.outcomes import Report, group_of, label_id, label_of_case
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.learning.standing import standing
from surefoot.policy import Promise
from surefoot.records import Caller

Make = Callable[..., Gateway]
CACHED = PLAIN.replace('["small"]', '["cache", "small"]')
CLIMBING = (
    PLAIN.replace('["small"]', '["small", "big"]').replace("p = 0.9", "p = 0.5") + "[features.f.maps.big]\np = 0.9\n"
)
PROMISED = PLAIN.replace("audit = 0.3", "audit = 0.3\npromise = { accuracy = 0.85 }")
SENT_ON = PLAIN.replace("p = 0.9", "p = 0.5")


def said(request_id: str, outcome: str = "wrong", **more: str) -> Report:
    return Report(request_id=request_id, outcome=outcome, **more)


def test_a_label_says_what_the_journal_says_of_the_answer(gateway: Make) -> None:
    app = gateway()
    reply = app.ask()
    (told,) = app.report(said(reply.request_id, reason="out-of-date"))
    entry, label = app.entry(reply), told.label
    assert (label.rung, label.edition, label.feature, label.tenant) == ("small", entry.edition, "f", "local")
    assert (label.source, label.propensity, label.reason, label.by) == ("client", None, "out-of-date", "local")
    assert label.group == group_of(entry) and app.labels() == [label]


def test_the_same_report_again_is_the_same_label(gateway: Make) -> None:
    app = gateway()
    report = said(app.ask().request_id)
    (first,), (again,) = app.report(report), app.report(report)
    assert first.new and not again.new and first.label == again.label
    assert len(app.labels()) == 1


def test_a_changed_mind_is_another_label_and_the_first_stays(gateway: Make) -> None:
    app = gateway()
    request_id = app.ask().request_id
    app.report(said(request_id, "accepted"), said(request_id, "wrong"), said(request_id, "edited"))
    assert [label.verdict for label in app.labels()] == ["accepted", "wrong", "edited"]


def test_what_two_keys_report_is_two_labels(gateway: Make) -> None:
    app = gateway()
    report = said(app.ask().request_id)
    other = Caller(key_id="key_2", tenant="local", scopes=("outcomes",))
    app.report(report)
    app.runner.run(app.app.outcomes.report(other, [report]))
    assert sorted(label.by for label in app.labels()) == ["key_2", "local"]


def test_the_scope_is_asked_of_every_caller(gateway: Make) -> None:
    app = gateway()
    with pytest.raises(NotAllowed, match="--scope outcomes"):
        app.runner.run(app.app.outcomes.report(Caller(key_id="k", tenant="local"), [said(app.ask().request_id)]))


def test_a_reason_in_free_words_is_content_and_never_stands_in_the_label(gateway: Make) -> None:
    app = gateway()
    report = said(app.ask().request_id, reason="Mrs Ann Smith says it is wrong")
    (told,) = app.report(report)
    assert told.remarked and told.label.reason == ""
    assert b"Smith" not in msgspec.json.encode(app.labels())
    assert app.runner.run(app.store.labels.remark(told.label.id)) == report.reason
    (again,) = app.report(report)
    assert again.remarked and not again.new


def test_a_cache_hit_is_of_the_group_of_its_original(gateway: Make) -> None:
    app = gateway(CACHED)
    first, hit, other = app.ask(0), app.ask(0), app.ask(1)
    assert app.entry(hit).rung == "cache"
    told = app.report(*(said(reply.request_id, "accepted") for reply in (first, hit, other)))
    groups = [each.label.group for each in told]
    assert groups[0] == groups[1] != groups[2] and [each.label.rung for each in told] == ["small", "cache", "small"]


@pytest.mark.parametrize("reported", [0, 1, 2])
def test_a_wrong_answer_leaves_the_cache_whichever_of_its_requests_is_named(gateway: Make, reported: int) -> None:
    app = gateway(CACHED)
    replies = [app.ask(0) for _ in range(3)]
    assert [app.entry(reply).rung for reply in replies] == ["small", "cache", "cache"]
    (told,) = app.report(said(replies[reported].request_id))
    assert told.retracted == 1 and app.entry(app.ask(0)).rung == "small"


@pytest.mark.parametrize("outcome", ["accepted", "edited"])
def test_an_answer_that_is_not_wrong_stays_in_the_cache(gateway: Make, outcome: str) -> None:
    app = gateway(CACHED)
    (told,) = app.report(said(app.ask(0).request_id, outcome))
    assert told.retracted == 0 and app.entry(app.ask(0)).rung == "cache"


def test_a_late_repetition_does_not_retract_the_next_answer(gateway: Make) -> None:
    app = gateway(CACHED)
    first = said(app.ask(0).request_id)
    app.report(first)
    app.ask(0)
    (again,) = app.report(first)
    assert again.retracted == 0 and app.entry(app.ask(0)).rung == "cache"


def test_the_draft_of_a_rung_below_can_be_named(gateway: Make) -> None:
    app = gateway(CLIMBING.replace('["small", "big"]', '["cache", "small", "big"]'))
    reply = app.ask(0)
    assert app.entry(reply).rung == "big"
    (told,) = app.report(said(reply.request_id, rung="small"))
    assert told.label.rung == "small" and told.retracted == 0 and app.entry(app.ask(0)).rung == "cache"


def test_a_rung_without_a_draft_is_refused(gateway: Make) -> None:
    app = gateway(CLIMBING)
    error = app.refused(said(app.ask().request_id, rung="cache", place="outcomes[3]."))
    assert isinstance(error, BadRequest) and error.param == "outcomes[3].rung" and "small, big" in error.message


def test_an_escalated_request_has_no_answer_until_its_draft_is_named(gateway: Make) -> None:
    app = gateway(SENT_ON)
    request_id = app.ask().request_id
    assert app.refused(said(request_id)).param == "rung"
    (told,) = app.report(said(request_id, rung="small"))
    assert told.label.rung == "small"


def test_unknown_and_malformed_reports_hurt_no_other(gateway: Make) -> None:
    app = gateway()
    malformed = BadRequest("outcome must be one of", param="outcomes[1].outcome")
    told = app.report(said("req_none"), malformed, said(app.ask().request_id))
    assert isinstance(told[0], NotFound) and told[1] is malformed and told[2].new
    assert len(app.labels()) == 1


def test_clients_alone_never_certify(gateway: Make) -> None:
    app = gateway(PROMISED)
    reply = app.ask(0)
    for key in range(200):
        caller = Caller(key_id=f"k{key}", tenant="local", scopes=("outcomes",))
        app.runner.run(app.app.outcomes.report(caller, [said(reply.request_id, "accepted", rung="small")]))
    certified = standing(app.labels(), Promise(accuracy=0.85), edition=app.entry(reply).edition)
    assert len(app.labels()) == 200 and certified.n == 0 and certified.state != "certified"


def test_a_label_id_is_one_to_one_with_its_parts() -> None:
    assert label_id("a", "b") == label_id("a", "b") != label_id("ab", "") != label_id("a", "b", "")


@pytest.mark.parametrize(
    ("features", "source", "propensity"),
    [
        (PLAIN.replace("0.3", "1.0"), "audit", 1.0),
        (PROMISED, "round", 1.0),
        (SENT_ON, "case", None),
    ],
)
def test_a_judged_case_is_a_label_of_its_own_source(
    gateway: Make, features: str, source: str, propensity: float | None
) -> None:
    app = gateway(features)
    reply = app.ask()
    case, entry = app.case(reply), app.entry(reply)
    assert case is not None
    label = label_of_case(case, entry, "wrong", by="ann", at_ns=7)
    assert app.runner.run(app.store.cases.judge(case.id, label=label, at_ns=7))
    assert app.labels() == [label] and (label.source, label.propensity) == (source, propensity)
    assert (label.rung, label.edition, label.group) == ("small", entry.edition, group_of(entry))


def test_what_is_reported_by_many_at_once_loses_nothing(gateway: Make) -> None:
    app = gateway(right=(True,) * 20)
    ids = [app.ask(number).request_id for number in range(20)]
    caller = app.app.caller(None)

    async def run() -> None:
        await asyncio.gather(*(app.app.outcomes.report(caller, [said(name)]) for name in ids))

    app.runner.run(run())
    assert {label.request_id for label in app.labels()} == set(ids)
