"""The watch over spend in a running gateway: an incident and a notice, once, by any replica and after any restart."""

import json
import time
from collections.abc import Callable, Sequence

import pytest
from app_support import Gateway
from mail_support import MailServer
from test_notify import MAIL, QUIET

from surefoot.app.notify import Notify
from surefoot.app.spending import Spending, told
from surefoot.ledger.bill import HOUR_NS
from surefoot.records import Commit, Entry, Incident, JournalEntry, Settlement

CONFIG = """
[features.f]
ladder = ["small"]
[notify]
{notify}
"""
USD = 10**9


class Month:
    """A store with a month of even spend, and watches over it; `now` may be moved."""

    def __init__(self, gateway: Callable[..., Gateway], features: Sequence[str] = ("f",)) -> None:
        self.gateway, self.lost, self.now = gateway(CONFIG.format(notify="")), [], time.time_ns() // HOUR_NS * HOUR_NS
        for name in features:
            self.spend(
                *((self.now - hour * HOUR_NS, USD + hour % 7 * USD // 20) for hour in range(1, 40 * 24)), feature=name
            )

    def spend(self, *at: tuple[int, int], feature: str = "f", kind: str = "input") -> None:
        entries = tuple(
            Entry(
                request_id=f"{feature}{at_ns}{money}", at_ns=at_ns, tenant="t", key_id="k", feature=feature, rung="small",
                provider="p", model="m", kind=kind, quantity=1000, price_per_million=1, nanodollars=money, price_version="v",
            )
            for at_ns, money in at
        )  # fmt: skip
        name = f"{feature}{kind}{at[0]}"
        entry = JournalEntry(
            request_id=name, at_ns=self.now, draw="0", tenant="t", key_id="k", feature=feature, dialect="openai", surface="chat",
            subject="", policy="p", mode="observe", steps=(), action="deliver", rung=None,
        )  # fmt: skip
        commit = Commit(entry=entry, settlements=(Settlement(reservation_id="", entries=entries),))

        async def write() -> None:
            await self.gateway.store.commit(commit)

        self.gateway.runner.run(write())

    def watch(self) -> Spending:
        return Spending(self.gateway.store, self.lost.append, clock=lambda: self.now)

    def look(self, watch: Spending | None = None) -> Sequence[Incident]:
        return self.gateway.runner.run((watch or self.watch()).look())


@pytest.fixture
def month(gateway: Callable[..., Gateway]) -> Month:
    return Month(gateway)


def test_even_spend_raises_nothing(month: Month) -> None:
    month.spend((month.now, USD))
    assert month.look() == []


def test_a_surge_is_an_incident_with_what_changed(month: Month) -> None:
    month.spend((month.now, 9 * USD))
    (incident,) = month.look()
    assert (incident.feature, incident.kind, incident.rung) == ("f", "spend", "")
    detail = json.loads(incident.detail)
    assert detail["spent_nanodollars"] == 9 * USD > detail["limit_nanodollars"] > detail["expected_nanodollars"]
    change = detail["since_a_week_ago"]
    assert sum(change[cause] for cause in ("volume", "mix", "tokens", "price")) == change["after"] - change["before"]
    assert "f spent 9.00 USD within this hour, where 1." in told(incident)[0]


def test_a_watch_that_runs_on_sees_what_is_spent_between_its_looks(month: Month) -> None:
    watch = month.watch()
    assert month.look(watch) == []
    month.spend((month.now + 60 * USD, 9 * USD))
    month.now += 120 * USD
    assert len(month.look(watch)) == 1


def test_neither_a_restart_nor_a_replica_tells_it_again(month: Month) -> None:
    month.spend((month.now, 9 * USD))
    watch = month.watch()
    assert len(month.look(watch)) == 1
    assert [month.look(watch), month.look(month.watch())] == [[], []]
    month.now += HOUR_NS
    month.spend((month.now, 9 * USD))
    assert month.look(month.watch()) == []


def test_what_settles_late_is_not_missed(month: Month) -> None:
    watch = month.watch()
    month.look(watch)
    month.now += HOUR_NS
    month.look(watch)
    month.spend((month.now - HOUR_NS, 30 * USD))
    assert len(month.look(watch)) == 1


def test_people_are_no_surge(month: Month) -> None:
    month.spend((month.now, 90 * USD), kind="human")
    assert month.look() == []


def test_a_surge_of_everything_together_is_one_of_its_own(gateway: Callable[..., Gateway]) -> None:
    month = Month(gateway, ("f", "g"))
    for name in ("f", "g"):
        month.spend((month.now, 9 * USD), feature=name)
    assert sorted(incident.feature for incident in month.look()) == ["*", "f", "g"]


def test_a_surge_is_told_once_by_mail_with_numbers(month: Month) -> None:
    runner, server = month.gateway.runner, MailServer()
    runner.run(server.__aenter__())
    month.gateway.reload(CONFIG.format(notify=MAIL.format(port=server.port) + QUIET))
    month.spend((month.now, 9 * USD))
    month.look()
    replicas = [
        Notify(month.gateway.store, month.gateway.app.serving, month.lost.append, clock=lambda: month.now) for _ in "ab"
    ]
    assert [[notice.kind for notice in runner.run(each.look())] for each in replicas] == [["spend"], []]
    month.now += 3 * HOUR_NS
    assert list(runner.run(replicas[0].look())) == []
    runner.run(server.__aexit__())
    (mail,) = server.mails
    assert "Surefoot: f spent 9.00 USD within this hour" in mail["Subject"]


def test_a_notice_that_found_no_way_is_told_later(month: Month) -> None:
    runner, server = month.gateway.runner, MailServer()
    month.gateway.reload(CONFIG.format(notify=MAIL.format(port=1) + QUIET))
    month.spend((month.now, 9 * USD))
    month.look()
    notify = Notify(month.gateway.store, month.gateway.app.serving, month.lost.append, clock=lambda: month.now)
    assert list(runner.run(notify.look())) == [] and month.lost == ["notice by mail"]
    runner.run(server.__aenter__())
    month.gateway.reload(CONFIG.format(notify=MAIL.format(port=server.port) + QUIET))
    month.now += HOUR_NS
    assert [notice.feature for notice in runner.run(notify.look())] == ["f"]
    runner.run(server.__aexit__())


def test_who_does_not_want_to_be_told_of_spend_is_not(month: Month) -> None:
    runner, server = month.gateway.runner, MailServer()
    runner.run(server.__aenter__())
    month.gateway.reload(CONFIG.format(notify=MAIL.format(port=server.port) + QUIET + "spend = false\n"))
    month.spend((month.now, 9 * USD))
    assert len(month.look()) == 1
    notify = Notify(month.gateway.store, month.gateway.app.serving, month.lost.append, clock=lambda: month.now)
    assert list(runner.run(notify.look())) == []
    runner.run(server.__aexit__())
