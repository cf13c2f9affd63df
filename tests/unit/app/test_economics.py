"""What a request earns, what its outcome is worth, and what the baseline would have cost it."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from app_support import PLAIN, Gateway

from surefoot.app.economics import baseline_name, revenue_id
from surefoot.app.outcomes import Report
from surefoot.config.load import load_text, problems
from surefoot.errors import BadRequest, NotFound
from surefoot.records import Caller

Make = Callable[..., Gateway]
REVENUE = "revenue = { request_usd = 0.02, outcomes = { resolved = 0.99, refunded = -0.99, accepted = 0.5 } }\n"
EARNING = PLAIN.replace("audit = 0.3\n", REVENUE)


def said(request_id: str, outcome: str, usd: str | None = None, **more: str) -> Report:
    return Report(
        request_id=request_id, outcome=outcome, nanodollars=None if usd is None else int(Decimal(usd) * 10**9), **more
    )  # fmt: skip


def earned(app: Gateway) -> list[tuple[str, int, str]]:
    lines = app.runner.run(app.store.ledger.revenue())
    return [(line.outcome, line.nanodollars, line.price_version) for line in lines]


def test_a_delivered_request_earns_its_price_once(gateway: Make) -> None:
    app = gateway(EARNING)
    reply = app.ask()
    [line] = app.runner.run(app.store.ledger.revenue(request_id=reply.request_id))
    assert (line.id, line.outcome, line.nanodollars) == (revenue_id(reply.request_id), "", 20_000_000)


def test_what_is_passed_to_a_person_earns_nothing_by_being_asked(gateway: Make) -> None:
    app = gateway(EARNING.replace("p = 0.9", "p = 0.5"))
    app.ask()
    assert earned(app) == []


def test_an_outcome_earns_what_is_configured_or_what_is_said(gateway: Make) -> None:
    app = gateway(EARNING)
    one, other = app.ask(0).request_id, app.ask(1).request_id
    first, second = app.report(said(one, "resolved"), said(other, "resolved", "1.234567891"))
    assert (first.label, first.new, first.revenue.nanodollars) == (None, True, 990_000_000)
    assert second.revenue.nanodollars == 1_234_567_891
    assert [line for line in earned(app) if line[0]] == [
        ("resolved", 990_000_000, "config"),
        ("resolved", 1_234_567_891, "reported"),
    ]


def test_the_same_report_is_counted_once_whoever_repeats_it(gateway: Make) -> None:
    app = gateway(EARNING)
    report = said(app.ask().request_id, "resolved")
    app.report(report, report)
    other = Caller(key_id="key_2", tenant="local", scopes=("outcomes",))
    (told,) = app.runner.run(app.app.outcomes.report(other, [report]))
    assert not told.new and told.revenue.by == "local"
    assert [line[0] for line in earned(app)].count("resolved") == 1


def test_another_value_for_the_same_outcome_is_refused_and_the_first_stays(gateway: Make) -> None:
    app = gateway(EARNING)
    name = app.ask().request_id
    app.report(said(name, "resolved", "1"))
    refused = app.refused(said(name, "resolved", "2"))
    assert isinstance(refused, BadRequest) and "1.000000000" in refused.message and refused.param == "value_usd"
    assert ("resolved", 1_000_000_000, "reported") in earned(app)


def test_a_verdict_that_is_declared_is_a_label_and_earns(gateway: Make) -> None:
    app = gateway(EARNING)
    (told,) = app.report(said(app.ask().request_id, "accepted"))
    assert told.label.verdict == "accepted" and told.revenue.nanodollars == 500_000_000
    assert len(app.labels()) == 1


def test_a_later_outcome_is_the_outcome(gateway: Make) -> None:
    app = gateway(EARNING)
    name = app.ask().request_id
    app.report(said(name, "resolved"))
    app.report(said(name, "refunded"))
    [found] = app.runner.run(app.store.ledger.traffic(("outcome",)))
    assert (found.group, found.requests, found.revenue_nanodollars) == (("refunded",), 1, 20_000_000)


@pytest.mark.parametrize(
    ("outcome", "usd", "more", "param"),
    [
        ("solved", None, {}, "outcome"),
        ("wrong", "1", {}, "value_usd"),
        ("resolved", None, {"reason": "x"}, "reason"),
        ("resolved", None, {"rung": "small"}, "rung"),
    ],
)
def test_what_has_no_price_or_no_meaning_is_refused(
    gateway: Make, outcome: str, usd: str | None, more: dict[str, str], param: str
) -> None:
    app = gateway(EARNING)
    refused = app.refused(said(app.ask().request_id, outcome, usd, **more))
    assert isinstance(refused, BadRequest) and refused.param == param
    assert [line for line in earned(app) if line[0]] == []


def test_another_tenants_request_earns_nothing_here(gateway: Make) -> None:
    app = gateway(EARNING)
    stranger = Caller(key_id="k", tenant="other", scopes=("outcomes",))
    (told,) = app.runner.run(app.app.outcomes.report(stranger, [said(app.ask().request_id, "resolved")]))
    assert isinstance(told, NotFound) and [line for line in earned(app) if line[0]] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("revenue = {}", "says nothing"),
        ("revenue = { request_usd = -1.0 }", "from 0"),
        ("revenue = { outcomes = { delivered = 1.0 } }", "ours"),
        ("revenue = { outcomes = { Resolved = 1.0 } }", "a-z"),
        ("revenue = { outcomes = { sold = inf } }", "earns from"),
    ],
)
def test_revenue_that_makes_no_sense_is_refused_at_the_start(given: str, said: str, tmp_path) -> None:
    text = f'[providers.d]\nkind = "extractive"\nfolder = "{tmp_path}"\n[models.q]\nprovider = "d"\n'
    [problem] = problems(text + f'[features.f]\nladder = ["q"]\n{given}\n')
    assert said in problem.message and problem.key.startswith("features.f.revenue")


def test_what_a_feature_earns_changes_no_edition(gateway: Make) -> None:
    plain, earning = gateway().app.policy, gateway(EARNING).app.policy
    assert plain.editions == earning.editions


def test_the_baseline_is_what_is_named_else_the_top_of_the_ladder(tmp_path) -> None:
    text = f'[providers.d]\nkind = "extractive"\nfolder = "{tmp_path}"\n[models.q]\nprovider = "d"\n[models.r]\nprovider = "d"\n'
    features = '[features.f]\nladder = ["q", "r"]\n[features.g]\nladder = ["q", "r"]\nbaseline = "q"\n[features.h]\nladder = ["requested"]\n'
    policy = load_text(text + features).policy
    assert [baseline_name(policy.features[name]) for name in "fgh"] == ["r", "q", ""]
