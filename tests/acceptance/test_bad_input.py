"""Whatever arrives, the answer is the dialect's own error with the right status."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from acceptance_support import Running

GOOD = {"model": "plain", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"model":"plain"}', b'{"messages":[]}',
        b'{"model":7,"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
        b'{"model":"plain","messages":"x","max_tokens":5}', b'{"model":"plain","messages":[],"max_tokens":5}',
        b'{"model":"plain","messages":[{"role":"user","content":"x"}],"max_tokens":"many"}',
        b'{"model":"plain","messages":[{"role":"user","content":"x"}],"max_tokens":0}',
        b'{"model":"plain","messages":[{"role":"user","content":"x"}],"max_tokens":5,"stream":"yes"}',
        b'{"model":"plain","messages":[{"role":"user","content":"\xff"}],"max_tokens":5}',
        b'{"model":"plain","messages":[{"role":"user","content":"x"}],"max_tokens":5,"surefoot":{"contxt":[]}}',
        b"[" * 50_000, b'{"a":' * 20_000,
    ],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_a_bad_request(http: httpx.Client, path: str, body: bytes) -> None:
    response = http.post(path, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error" and error["message"]
    assert response.headers["x-request-id"] == response.headers["request-id"]
    assert response.json()["surefoot"]["decision"] == "refuse"


def test_the_field_at_fault_is_named(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", json={**GOOD, "temperature": 1, "max_tokens": "x"})
    assert response.json()["error"]["param"] == "max_tokens"


@pytest.mark.parametrize(
    ("path", "kind"), [("/v1/chat/completions", "invalid_request_error"), ("/v1/messages", "request_too_large")]
)
def test_an_oversized_body_is_too_large(http: httpx.Client, path: str, kind: str) -> None:
    response = http.post(path, content=b"x" * 300_000)
    assert response.status_code == 413 and response.json()["error"]["type"] == kind


def test_an_oversized_body_without_a_length_is_too_large(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", content=(b"x" * 50_000 for _ in range(10)))
    assert response.status_code == 413


def raw(gateway: Running, data: bytes) -> bytes:
    parts = urlsplit(gateway.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(data)
        answer = b""
        while b"\r\n\r\n" not in answer or b"}" not in answer:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
    return answer


def test_a_slow_body_is_given_up(gateway: Running) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    assert raw(gateway, head).startswith(b"HTTP/1.1 408")


def test_a_foreign_host_is_refused_without_a_key(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", json=GOOD, headers={"host": "evil.example"})
    assert response.status_code == 403


def test_a_foreign_origin_is_refused_without_a_key(http: httpx.Client) -> None:
    response = http.post("/v1/chat/completions", json=GOOD, headers={"origin": "https://evil.example"})
    assert response.status_code == 403


def test_a_header_cannot_be_injected_upstream(gateway: Running) -> None:
    body = b'{"model":"plain","messages":[{"role":"user","content":"x"}]}'
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nanthropic-beta: a\x00b\r\nContent-Length: %d\r\n\r\n"
    )
    assert raw(gateway, head % len(body) + body).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/anthropic/v1/nothing"])
def test_an_unknown_path_is_not_found_in_its_dialect(http: httpx.Client, path: str) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert ("type" in response.json()) == path.startswith("/anthropic")


def test_a_wrong_method_is_told_the_right_one(http: httpx.Client) -> None:
    response = http.get("/v1/chat/completions")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("mount", ["", "/v1", "/openai", "/openai/v1"])
def test_every_mount_serves(http: httpx.Client, mount: str) -> None:
    assert http.post(f"{mount}/chat/completions", json=GOOD).status_code == 200


def test_health_names_the_product_and_metrics_are_prometheus(http: httpx.Client) -> None:
    assert http.get("/healthz").json()["name"] == "surefoot"
    http.post("/v1/chat/completions", json=GOOD)
    assert "surefoot_decisions_total{" in http.get("/metrics").text
