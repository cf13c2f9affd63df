"""What leads read of their prompts: costs and findings, and nothing of what users said."""

import re
import time
from collections.abc import Iterator

import pytest
from console_support import Office
from lint_support import SECOND, prompted

from benchmarks.prompts import SYSTEM, context, openai
from surefoot.records.person import ACTS, ROLES
from surefoot.store import Store

PATH = "/prompts"
DAY = 86_400 * SECOND
SECRET = "My name is Zebulon Quirk, call 020 7946 0958"


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.close()


async def worked(store: Store, n: int = 24) -> None:
    """Four days of requests; a line of the system text names whoever asks, passages and questions are theirs."""
    begin = time.time_ns() - 4 * DAY + 3600 * SECOND
    for each in range(n):
        name = ("Anna Abel", "Bela Bond", "Carl Cohn")[each % 3]
        system = f"The patient's name is {name}.\n\n{SYSTEM}\n\nComplaints go to <office@alder.example>."
        body = openai(system, f"{context(f'{SECRET} number {each}')}{SECRET}?")
        at_ns = begin + each // 6 * DAY + each % 6 * 20 * SECOND
        await prompted(store, f"r{each}", body, at_ns=at_ns, user=name)


def text(page: str) -> str:
    """What is read, without marks and in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("role", ROLES)
def test_it_opens_for_those_who_read_reports_and_is_offered_to_them_alone(office: Office, role: str) -> None:
    browser = office.login(role)
    assert browser.send("GET", PATH).status_code == (200 if role in ACTS["report"] else 403)
    assert (f'href="{PATH}"' in browser.send("GET", "/desk").text) == (role in ACTS["report"])


def test_nobody_reads_it_without_logging_in(office: Office) -> None:
    answer = office.browser().send("GET", PATH)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/login")


def test_without_requests_nothing_is_claimed(office: Office) -> None:
    said = text(office.login("lead").send("GET", PATH).text)
    assert "Prompts of this time: not enough data" in said and "Input cost USD unknown" in said


def test_findings_are_told_with_place_and_money(office: Office) -> None:
    office.run(worked(office.store))
    page = office.login("lead").send("GET", f"{PATH}?feature=clinic&since=4w").text
    said = text(page)
    assert "error volatile 23 of 24 requests" in said and "system 1, line 1, byte" in said
    assert re.search(r"Saves [\d,]+ tokens a request, \d+\.\d{4} USD a month \(", said)
    assert "The patient&#39;s name is ‹varies›" in page


def test_nothing_of_users_and_no_personal_datum_is_shown(office: Office) -> None:
    office.run(worked(office.store))
    page = office.login("auditor").send("GET", f"{PATH}?feature=clinic").text
    for hidden in ("Zebulon", "7946", "Anna", "Bela", "Carl", "office@alder.example"):
        assert hidden not in page, hidden
    assert "[EMAIL_1]" in page and "passages" in page


def test_what_is_asked_wrongly_is_refused(office: Office) -> None:
    browser = office.login("manager")
    assert browser.send("GET", f"{PATH}?feature=none").status_code == 400
    assert browser.send("GET", f"{PATH}?since=9y").status_code == 400
