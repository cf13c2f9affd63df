"""Telling that the queue is late: to the right people, not too often, and nothing of what was said."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from app_support import Gateway
from mail_support import MailServer, certificate

from surefoot.app.notify import Notice, Notify, of_role, on_shift
from surefoot.app.webhooks import is_signed
from surefoot.config.load import load_text
from surefoot.config.schema import PersonSettings
from surefoot.errors import ConfigError
from surefoot.records import Case
from surefoot.records.audit import AuditEvent

NS = 1_000_000_000
FEATURE = """
[features.f]
mode = "enforce"
ladder = ["small"]
[features.f.maps.small]
p = 0.1
[people.person]
sla_seconds = 0.001
[notify]
{notify}
"""
MAIL = """
to = ["lead@example.org"]
sender = "desk@example.org"
smtp_host = "127.0.0.1"
smtp_port = {port}
smtp_tls = "none"
"""
QUIET = 'digest = ""\n'


class Telling:
    """A queue with one late case, and who tells of it; `hours` is how much later it is."""

    def __init__(self, gateway: Callable[..., Gateway]) -> None:
        self.gateway, self.hours, self.lost = gateway(FEATURE.format(notify="")), 0.0, []
        self.gateway.ask()
        time.sleep(0.01)
        self.notify = self.another()
        self.server = MailServer()

    def another(self) -> Notify:
        return Notify(self.gateway.store, self.gateway.app.serving, self.lost.append, clock=self.now)

    def now(self) -> int:
        return time.time_ns() + round(self.hours * 3600 * NS)

    def configure(self, notify: str) -> None:
        self.gateway.reload(FEATURE.format(notify=notify))

    def by_mail(self, more: str = "", **server: object) -> MailServer:
        self.server = MailServer(**server)
        self.gateway.runner.run(self.server.__aenter__())
        self.configure(MAIL.format(port=self.server.port) + (more or QUIET))
        return self.server

    def told(self, notify: Notify | None = None) -> list[str]:
        return [notice.kind for notice in self.gateway.runner.run((notify or self.notify).look())]

    def noted(self) -> list[AuditEvent]:
        return [row.event for row in self.gateway.runner.run(self.gateway.store.audit.events(kind="notice."))]


@pytest.fixture
def telling(gateway: Callable[..., Gateway]) -> Iterator[Telling]:
    made = Telling(gateway)
    yield made
    if made.server.port:
        made.gateway.runner.run(made.server.__aexit__())


def test_a_late_queue_is_told_by_mail_with_roles_and_numbers_alone(telling: Telling) -> None:
    server = telling.by_mail()
    assert telling.told() == ["late"]
    (mail,) = server.mails
    assert (mail["To"], mail["From"]) == ("lead@example.org", "desk@example.org")
    assert "1 case for person are late" in mail["Subject"]
    assert "Question 0" not in mail.as_string() and "Answer 0" not in mail.as_string()


def test_the_same_is_not_told_again_before_its_time_by_any_replica(telling: Telling) -> None:
    server = telling.by_mail()
    assert [telling.told(), telling.told(), telling.told(telling.another())] == [["late"], [], []]
    telling.hours = 0.26
    assert telling.told() == ["late"] and len(server.mails) == 2


def test_what_was_told_is_an_event_of_the_trail(telling: Telling) -> None:
    telling.by_mail()
    telling.told()
    (event,) = telling.noted()
    assert (event.kind, event.on, event.detail) == ("notice.late", "person", "by mail")


def test_nobody_is_told_when_nobody_is_configured_or_nothing_waits(telling: Telling) -> None:
    assert telling.told() == []
    server = telling.by_mail()
    case = telling.gateway.runner.run(telling.gateway.store.cases.open_cases())[0]
    telling.gateway.runner.run(telling.gateway.store.cases.withdraw(case.id, tenant="local", at_ns=telling.now()))
    assert telling.told() == [] and server.mails == []


def test_a_server_that_refuses_is_counted_and_asked_again_a_minute_later(telling: Telling) -> None:
    telling.by_mail(refuse=True)
    assert telling.told() == [] and telling.told() == []
    assert telling.lost == ["notice by mail"] and telling.noted() == []
    telling.hours = 61 / 3600
    assert telling.told() == [] and len(telling.lost) == 2


def test_a_password_goes_through_an_encrypted_connection(telling: Telling, tmp_path: Path) -> None:
    file = certificate(tmp_path)
    more = f'smtp_user = "desk"\nsmtp_password = "secret"\nsmtp_ca_file = "{file}"\n'
    server = telling.by_mail(certificate=file, password="secret")
    telling.configure(MAIL.format(port=server.port).replace('"none"', '"starttls"') + more + QUIET)
    assert telling.told() == ["late"]
    assert server.encrypted and server.users == ["desk"] and len(server.mails) == 1


def test_a_server_without_starttls_gets_neither_password_nor_mail(telling: Telling) -> None:
    server = telling.by_mail(password="secret")
    more = 'smtp_user = "desk"\nsmtp_password = "secret"\n'
    telling.configure(MAIL.format(port=server.port).replace('"none"', '"starttls"') + more + QUIET)
    assert telling.told() == [] and server.users == [] and server.mails == []


def test_a_webhook_is_signed_and_one_way_that_fails_does_not_hinder_the_other(telling: Telling) -> None:
    telling.by_mail(refuse=True)
    seen: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((request.headers["x-surefoot-signature"], await request.read()))
        return web.Response()

    async def run() -> list[str]:
        app = web.Application()
        app.router.add_post("/hook", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        hook = f'webhook = "{url}"\nwebhook_secret = "s"\nwebhook_allow = ["127.0.0.1"]\n'
        given = FEATURE.format(notify=MAIL.format(port=telling.server.port) + hook + QUIET)
        await telling.gateway.app.reload(telling.gateway.config(given))
        told = [notice.kind for notice in await telling.notify.look()]
        await runner.cleanup()
        return told

    assert telling.gateway.runner.run(run()) == ["late"]
    ((signature, body),) = seen
    assert is_signed("s", signature, body, now_seconds=time.time())
    assert b'"numbers":{"late":1' in body and b"Question" not in body
    assert telling.lost == ["notice by mail"] and telling.noted()[0].detail == "by webhook"


def test_the_digest_is_sent_once_a_day_with_its_numbers(telling: Telling) -> None:
    now = datetime.now(UTC) - timedelta(minutes=5)
    server = telling.by_mail(f'digest = "{now:%H:%M}"\nnear_seconds = 0\n')
    assert sorted(telling.told()) == ["digest", "late"]
    assert telling.told() == []
    mail = next(mail for mail in server.mails if "the day" in mail["Subject"])
    assert "1 waiting" in mail.get_content() and "1 opened" in mail.get_content()


def case(**fields: object) -> Case:
    plain = {
        "id": "c",
        "request_id": "r",
        "tenant": "t",
        "feature": "f",
        "role": "nurse",
        "state": "open",
        "reason": "",
    }
    return Case(**plain, opened_at_ns=1, subject="", fingerprint="", **fields)  # type: ignore[arg-type]


def kinds(*cases: Case, hours: str = "", now: int = 600 * NS) -> list[str]:
    return [found.kind for found in of_role("nurse", PersonSettings(hours=hours), cases, now, 300.0)]


def test_what_is_told_of_a_role_is_the_worst_first() -> None:
    assert kinds() == []
    assert kinds(case(due_at_ns=601 * NS)) == []
    assert kinds(case(due_at_ns=599 * NS)) == ["late"]
    assert kinds(case(deadline_ns=899 * NS), case(due_at_ns=599 * NS)) == ["near", "late"]
    assert kinds(case(), hours="Fri 08:00-17:00") == ["nobody"]  # the epoch began on a Thursday


@pytest.mark.parametrize(("hour", "there"), [(7, True), (6, False), (15, True), (16, False)])
def test_a_shift_is_by_the_roles_own_clock(hour: int, there: bool) -> None:
    summer = int(datetime(2026, 7, 6, hour, 30, tzinfo=UTC).timestamp()) * NS
    given = PersonSettings(hours="Mon-Fri 09:00-17:45", timezone="Europe/Vienna")
    assert on_shift(given, summer) is there
    assert on_shift(PersonSettings(), summer)


def test_the_head_of_a_mail_is_the_first_line() -> None:
    assert Notice(kind="digest", role="", text="the day\n\n3 waiting").subject == "Surefoot: the day"


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ('to = ["lead@example.org"]', "mail needs smtp_host"), ('sender = "nobody"', "no address for mail"),
        ('webhook = "https://x.org"', "calls are signed"), ('digest = "7 am"', "no time of day"),
        ('smtp_tls = "none"\nsmtp_password = "x"', "not sent in clear"), ("every_seconds = 1", "at least 60"),
        ('timezone = "Vienna"', "no time zone"), ('smtp_tls = "tls"', "unknown way"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_at_the_start(notify: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_text(FEATURE.format(notify=notify) + PROVIDER)


PROVIDER = """
[providers.vendor]
kind = "openai"
api_key = "x"
[models.small]
provider = "vendor"
price = { input_usd_per_million = 1.0, output_usd_per_million = 2.0 }
"""
