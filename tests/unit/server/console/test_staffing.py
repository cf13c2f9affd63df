"""What leads read of their people: plans by the hour, leverage, agreement; nothing is claimed where too little is known."""

import re
import time
from collections.abc import Iterator

import pytest
from console_support import Office
from staffing_support import HOUR, SECOND, answered, asked

from surefoot.records import Label
from surefoot.records.person import ACTS, ROLES
from surefoot.store import Store

PATH = "/console/staffing"


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.close()


async def worked(store: Store, n: int = 60, *, role: str = "person") -> None:
    """Two days of the desk; every third case is answered along with the one before."""
    start = time.time_ns() - 49 * HOUR
    for each in range(n):
        at_ns, along = start + each * 48 * HOUR // n, each % 3 == 2
        await asked(store, f"r{each}", at_ns=at_ns, p=(0.3, 0.7), role=role)
        await answered(
            store, f"r{each}", at_ns=at_ns + 600 * SECOND, seconds=5 if along else 120, by="<amy>" if each % 2 else "ben",
            meaning=f"answered, as for case-r{each - 1}" if along else "answered", verb="replace" if along else "accept",
        )  # fmt: skip


async def judged(store: Store, *, by: str, verdict: str) -> None:
    """Thirty blind verdicts of somebody on drafts of the desk."""
    for each in range(30):
        label = Label(
            id=f"{by}-{each}", request_id=f"r{each}", at_ns=time.time_ns() - HOUR, tenant="t", feature="clinic",
            rung="flagship", edition="e", verdict=verdict, source="audit", group=f"r{each}", by=by,
        )  # fmt: skip
        assert await store.labels.add(label)


def text(page: str) -> str:
    """What is read, without marks and in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def row(page: str, name: str) -> list[str]:
    """The cells of the row that begins so."""
    (found,) = re.findall(rf'<th scope="row">{re.escape(name)}.*?</tr>', page, re.DOTALL)
    return [text(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", found, re.DOTALL)]


@pytest.mark.parametrize("role", ROLES)
def test_it_opens_for_those_who_read_reports_and_is_offered_to_them_alone(office: Office, role: str) -> None:
    browser = office.login(role)
    assert browser.get(PATH).status_code == (200 if role in ACTS["report"] else 403)
    assert (f'href="{PATH}"' in browser.get("/account").text) == (role in ACTS["report"])


def test_without_cases_it_says_that_nothing_is_known(office: Office) -> None:
    said = office.login("lead").get(PATH).text
    assert "Nothing happened in this time" in said and "not enough data: 0 cases of 20" in said
    assert row(said, "Deflected by earlier answers") == ["not enough data", "–", "0"]
    assert row(said, "Cases resolved per human minute") == ["not enough data", "–", "0"]
    assert "<svg" not in said and "0 drafts, 0 verdicts" in said


def test_a_role_that_was_watched_has_people_for_each_hour(office: Office) -> None:
    office.run(worked(office.store))
    said = office.login("manager").get(PATH).text
    (part,) = re.findall(r"People: person.*?</section>", said, re.DOTALL)
    watched, not_watched = part.count('class="hour"'), part.count('class="unwatched"')
    assert watched in (98, 100) and watched + not_watched == 2 * 168  # two drawings of a week
    assert 2 * part.count("not watched</span>") == not_watched
    assert "Cases that came 60" in text(part) and "80% answered within 15 min, handling included" in text(part)
    assert row(part, "1.00")[0] == "1"


def test_leverage_bears_its_n_and_interval(office: Office) -> None:
    office.run(worked(office.store))
    said = office.login("lead").get(PATH).text
    value, interval, n = row(said, "Cases resolved per answer")
    low, high = map(float, interval.split(" to "))
    assert (value, n) == ("1.50", "40") and 1.2 < low < 1.5 < high < 1.8
    assert f"1.50 measured, {interval}, n = 40" in text(said)
    minutes = 40 * 2 + 20 * 5 / 60
    assert row(said, "Cases resolved per human minute")[0] == f"{60 / minutes:.2f}"
    assert row(said, "Deflected by earlier answers") == ["0.0%", "0.0% to 6.0%", "60"]
    assert row(said, "Minutes of people")[0] == f"{minutes:.1f}"


def test_a_bar_is_a_range_where_a_rung_was_not_tried(office: Office) -> None:
    office.run(worked(office.store, role="nurse"))  # of entries that know nothing of the feature's cache
    said = office.login("lead").get(PATH).text
    found = [row(said, f'<span class="only-narrow">Bar</span> {bar}') for bar in ("0.80", "0.85", "0.90", "0.95")]
    assert [each[:3] for each in found] == [["0.0% to 100.0%", "0.0% to 100.0%", "60"]] * 4
    assert found[0][3].startswith("0.0 to ") and found[0][4] == "0 to 1"


def test_whoever_accepts_what_is_shown_and_not_what_is_blind_is_marked(office: Office) -> None:
    office.run(worked(office.store))
    office.run(judged(office.store, by="ben", verdict="wrong"))
    office.run(judged(office.store, by="<amy>", verdict="accepted"))
    said = office.login("lead").get(PATH).text
    assert row(said, "ben <span")[3].startswith("0.0%") and "n = 30" in row(said, "ben <span")[3]
    assert said.count("follows the drafts") == 1 and "30 drafts, 60 verdicts" in said
    assert "<amy>" not in said and "&lt;amy&gt;" in said


def test_a_shorter_time_and_one_feature_can_be_asked_for(office: Office) -> None:
    office.run(worked(office.store))
    lead = office.login("lead")
    assert row(lead.get(f"{PATH}?feature=clinic").text, "Cases resolved</th>")[0] == "60"
    other = lead.get(f"{PATH}?feature=other&since=1w&share=95").text
    assert row(other, "Cases resolved</th>")[0] == "0" and "95% answered within" in other
    assert '<option value="1w" selected>' in other and '<option value="other" selected>' in other


@pytest.mark.parametrize("asked", ["since=4y", "share=100", "feature=%3Cb%3E"])
def test_what_is_not_offered_is_refused_and_not_echoed_as_markup(office: Office, asked: str) -> None:
    answer = office.login("lead").get(f"{PATH}?{asked}")
    assert answer.status_code == 400 and "There is no" in answer.text and "<b>" not in answer.text


def test_a_promise_that_handling_breaks_is_out_of_reach_in_words(office: Office) -> None:
    office.run(worked(office.store, 30))
    office.run(slow(office.store))
    said = office.login("lead").get(PATH).text
    assert "no number of people answers that many in time" in said and "<svg" not in said


async def slow(store: Store) -> None:
    """Thirty cases that took two hours each, and a half."""
    start = time.time_ns() - 47 * HOUR
    for each in range(30):
        at_ns = start + each * HOUR
        await asked(store, f"s{each}", at_ns=at_ns, p=(0.3, 0.7))
        await answered(store, f"s{each}", at_ns=at_ns + 3 * HOUR, seconds=9000)


def test_nothing_on_it_needs_what_the_policy_forbids(office: Office) -> None:
    office.run(worked(office.store))
    answer = office.login("lead").get(PATH)
    assert not re.search(r'style="|<style|<script(?! type="module" src="/static/)| on\w+="', answer.text)
    assert answer.text.count("<table") == answer.text.count("<caption>")


def test_edits_and_what_the_cache_spared_have_rows_of_their_own(office: Office) -> None:
    office.run(worked(office.store))
    page = office.login("lead").get(PATH).text
    assert row(page, "Of both, edited")[0] == "0.0%" and row(page, "Of both, edited")[2] == "20"
    assert row(page, "Answered by the cache")[0] == "0"
    assert row(page, "Deflected by earlier answers")[2] == "60"
