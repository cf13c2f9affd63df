"""The guard: whose request it is, where it comes from, and what every answer says to the browser."""

from collections.abc import Iterator

import pytest
import structlog
from console_support import PASSWORD, Office
from hypothesis import given
from hypothesis import strategies as st

from surefoot.config.schema import Server
from surefoot.errors import BadRequest, StoreError
from surefoot.server.console.csrf import cookies_of, fields, listens
from surefoot.server.console.pages import local_path


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    office = Office(Server(allowed_hosts=("desk.example",), max_body_bytes=100_000))
    yield office
    office.close()


def test_every_answer_forbids_frames_inline_scripts_and_guesses_about_types(office: Office) -> None:
    for path in ("/login", "/account", "/console/nothing", "/static/app.css", "/desk"):
        headers = office.browser().get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy  # styles by their hash: the two of plotly
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"


def test_pages_are_not_kept_by_the_browser_and_files_are_asked_for_again(office: Office) -> None:
    assert office.browser().get("/login").headers["cache-control"] == "no-store"
    assert office.browser().get("/static/app.js").headers["cache-control"] == "no-cache"


def test_a_form_without_its_token_is_not_done(office: Office) -> None:
    browser = office.login("operator")
    for token in ("", "0" * 64, "é"):
        assert browser.send("POST", "/logout", {"csrf": token}).status_code == 403
    assert browser.get("/account").status_code == 200


def test_a_script_sends_the_token_in_a_header(office: Office) -> None:
    browser = office.login("operator")
    told = browser.send("POST", "/account/here", accept="application/json", x_csrf_token=browser.token)
    assert told.json() == {"person": "operator"}
    assert browser.send("POST", "/account/here", accept="application/json").status_code == 403


def test_the_token_of_another_browser_is_worth_nothing(office: Office) -> None:
    mine, theirs = office.login("operator"), office.login("lead")
    assert mine.token != theirs.token
    assert theirs.send("POST", "/logout", {"csrf": mine.token}).status_code == 403


def test_the_token_before_the_login_is_worth_nothing_after_it(office: Office) -> None:
    browser = office.browser()
    browser.get("/login")
    before = browser.token
    browser.post("/login", name="lead", password=PASSWORD)
    assert browser.send("POST", "/logout", {"csrf": before}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_what_comes_from_another_site_is_not_done(office: Office, headers: dict[str, str]) -> None:
    browser = office.login("operator")
    assert browser.send("POST", "/logout", {"csrf": browser.token}, **headers).status_code == 403
    kept = {"origin": "http://localhost:8080", "sec_fetch_site": "same-origin"}
    assert browser.send("POST", "/logout", {"csrf": browser.token}, **kept).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "desk.example.evil.example"])
def test_a_rebound_name_does_not_get_in(office: Office, host: str) -> None:
    assert office.browser(host).get("/login").status_code == 403


def test_beyond_this_machine_cookies_need_https(office: Office) -> None:
    far, near = office.browser("desk.example"), office.browser("127.0.0.1:8080")
    said = far.get("/login").headers["set-cookie"]
    assert said.startswith("__Host-") and all(word in said for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "max-age" in far.get("/login").headers["strict-transport-security"]
    assert "Secure" not in near.get("/login").headers["set-cookie"]


def test_somebody_logs_in_over_https_and_stays(office: Office) -> None:
    browser = office.login("lead", "desk.example")
    assert list(browser.jar) == ["__Host-surefoot"] and browser.get("/account").status_code == 200


def test_a_session_cannot_be_foisted_on_somebody(office: Office) -> None:
    browser = office.browser()
    browser.jar = {"surefoot": "A" * 43, "surefoot-visitor": "B" * 43}
    browser.login("operator")
    assert browser.jar["surefoot"] not in ("A" * 43, "B" * 43) and "surefoot-visitor" not in browser.jar


def test_logging_in_again_ends_the_session_before(office: Office) -> None:
    browser = office.login("operator")
    before = dict(browser.jar)
    browser.get("/account")
    browser.post("/login", name="lead", password=PASSWORD)
    browser.jar = before
    assert browser.get("/account").status_code == 303


def test_a_body_that_is_too_long_is_refused(office: Office) -> None:
    browser = office.browser()
    browser.get("/login")
    assert browser.post("/login", name="x" * 200_000).status_code == 413


def test_what_fails_is_said_without_what_failed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = office.login("operator")

    async def broken(*given: object, **named: object) -> None:
        raise StoreError("disk full at /secret/place")

    monkeypatch.setattr(office.store.sessions, "get", broken)
    with structlog.testing.capture_logs() as written:
        told = browser.get("/account")
    assert told.status_code == 500 and "/secret" not in told.text and "/secret" not in str(written)


def test_a_page_that_breaks_tells_the_log_where_and_nothing_secret(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(login: str, password: str, **named: object) -> None:
        raise RuntimeError(f"cannot look at {password}")

    browser = office.browser()
    browser.get("/login")
    monkeypatch.setattr(office.people, "login", broken)
    told = browser.post("/login", name="lead", password="a secret of mine")
    written = "".join(capsys.readouterr())
    assert told.status_code == 500 and "secret of mine" not in told.text + written
    assert "a page failed" in written and "RuntimeError" in written and "test_guard.py" in written


def test_a_form_after_the_log_off_says_that_it_was_not_done(office: Office) -> None:
    browser = office.login("operator")
    office.run(office.people.logout(browser.jar["surefoot"]))
    told = browser.post("/account/password", old="x")
    assert told.status_code == 401 and "was not done" in told.text


def test_a_link_is_for_where_the_manager_is(office: Office) -> None:
    manager = office.login("manager", "desk.example")
    assert "https://desk.example/welcome/" in manager.post("/console/accounts/change", name="lead", do="link").text


def test_no_cookie_and_no_password_is_ever_logged(office: Office) -> None:
    with structlog.testing.capture_logs() as written:
        browser = office.login("operator")
        browser.post("/login", name="operator", password="wrong one")
    assert not any(secret in str(written) for secret in (browser.jar["surefoot"], "wrong one", PASSWORD))


def test_the_proxy_is_still_where_it_was(office: Office) -> None:
    assert office.browser().get("/healthz").json()["status"] == "ok"
    assert office.browser().get("/deskless").status_code == 404


def test_only_known_methods_reach_a_page(office: Office) -> None:
    browser = office.login("operator")
    assert browser.send("DELETE", "/account", {"csrf": browser.token}).status_code in (403, 405)
    assert browser.send("GET", "/logout").status_code == 405
    assert browser.send("GET", "/static/../app.py").status_code == 404


def test_listening_is_told_from_acting() -> None:
    assert listens({"accept": "text/event-stream"}) and listens({"x-surefoot-background": "1"})
    assert not listens({"accept": "text/html"})


@given(st.binary(max_size=60))
def test_any_form_is_read_or_refused(body: bytes) -> None:
    try:
        read = fields({"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, body)
    except BadRequest:
        return
    assert all(isinstance(value, str) for value in read.values())


@given(st.text(max_size=60))
def test_any_cookie_header_is_read_or_ignored(text: str) -> None:
    assert all(isinstance(value, str) for value in cookies_of({"cookie": text}).values())


@given(st.text(max_size=40))
def test_the_way_onward_never_leaves_the_house(path: str) -> None:
    onward = local_path(path)
    assert onward.startswith("/") and not onward.startswith(("//", "/\\")) and onward.isprintable()


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\nb", "/a\\..\\b"]
)
def test_a_way_that_leads_elsewhere_leads_to_the_desk(path: str) -> None:
    assert local_path(path) == "/desk" and local_path("/desk/cases/1?a=b") == "/desk/cases/1?a=b"
