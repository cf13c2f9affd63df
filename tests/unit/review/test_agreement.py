"""Who agrees with whom, who follows the machine, and how long it takes."""

from surefoot.records import Label
from surefoot.review.agreement import Work, between, reviewers, times


def label(n: int, by: str, verdict: str = "accepted", *, source: str = "audit", at_ns: int = 1) -> Label:
    return Label(
        id=f"{n}-{by}-{source}-{at_ns}", request_id=f"r{n}", at_ns=at_ns, tenant="t", feature="f", rung="small",
        edition="e", verdict=verdict, source=source, group=f"g{n}", by=by,
    )  # fmt: skip


def work(
    n: int,
    verb: str = "accept",
    *,
    by: str = "amy",
    had_draft: bool = True,
    seconds: float | None = 60.0,
    along: str = "",
) -> Work:
    return Work(
        case_id=f"c{n}", feature="f", role="nurse", by=by, at_ns=n, verb=verb, had_draft=had_draft, seconds=seconds,
        along_with=along,
    )  # fmt: skip


def test_two_who_judge_alike_agree_fully() -> None:
    labels = [label(n, by, "wrong" if n % 3 else "accepted") for n in range(12) for by in ("amy", "ben")]
    assert between(labels).alpha == 1.0


def test_the_latest_verdict_of_a_person_counts_and_clients_do_not() -> None:
    labels = [label(n, by, "wrong" if n % 2 else "accepted") for n in range(8) for by in ("amy", "ben")]
    first = [label(0, "ben", "wrong", at_ns=0)]
    clients = [label(n, "key-1", "edited", source="client") for n in range(8)]
    nobody = [label(n, "", "edited", source="round") for n in range(8)]
    assert between([*labels, *first, *clients, *nobody]).alpha == 1.0


def test_one_reviewer_alone_is_not_enough_data() -> None:
    found = between([label(n, "amy") for n in range(30)])
    assert found.alpha is None and found.units == 0


def test_accepting_what_is_shown_and_not_what_is_blind_is_bias() -> None:
    blind = [label(n, "amy", "accepted" if n % 2 else "wrong") for n in range(60)]
    (found,) = reviewers([work(n) for n in range(60)], blind)
    assert found.accepts.estimate == 1.0 and found.accepts_blind.estimate == 0.5 and found.follows is True


def test_few_judgements_accuse_nobody() -> None:
    (found,) = reviewers([work(n) for n in range(5)], [label(1, "amy", "wrong")])
    assert found.follows is None
    (unwatched,) = reviewers([work(n) for n in range(50)], [])
    assert unwatched.follows is None and unwatched.accepts_blind.estimate is None


def test_only_drafts_that_were_shown_count_as_accepted_or_not() -> None:
    given = [work(1), work(2, "replace"), work(3, had_draft=False), work(4, "ask"), work(5, along="c1")]
    (found,) = reviewers(given, [])
    assert (found.accepts.estimate, found.accepts.n, found.answers) == (0.5, 2, 5)


def test_everybody_is_listed_by_name() -> None:
    assert [each.by for each in reviewers([work(1, by="zoe"), work(2, by="amy")], [label(1, "max")])] == [
        "amy",
        "max",
        "zoe",
    ]


def test_times_are_of_what_is_known() -> None:
    found = times([10.0, None, 30.0, 20.0])
    assert (found.median, found.mean, found.n) == (20.0, 20.0, 3)
    assert times([None]).median is None and times([]).p90 is None
