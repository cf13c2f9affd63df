"""The door: keys, tenants, attribution. The application runs in this process, over the memory store."""

from collections.abc import Iterator

import pytest
from door_support import KNOWN, UNKNOWN, Door

from surefoot.records import Attribution
from surefoot.server.proxy.attribution import normal
from surefoot.server.routes import find
from surefoot.server.serve import is_loopback


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-litellm-api-key", "x-bf-vk"])
def test_a_key_is_taken_from_every_header(door: Door, header: str) -> None:
    assert door.ask(KNOWN, None, **{header: "a"}).status_code == 200


@pytest.mark.parametrize("key", [None, "", "unknown", "r"])
def test_without_a_living_key_nothing_is_served(door: Door, key: str | None) -> None:
    refused = door.ask(KNOWN, key)
    assert refused.status_code == 401 and refused.json()["error"]["code"] == "invalid_api_key"
    assert door.send("GET", "/v1/models", key).status_code == 401
    assert door.send("GET", "/metrics", key).status_code == 401


def test_a_revoked_last_key_does_not_open_the_door() -> None:
    door = Door()
    for name in "abostp":
        door.runner.run(door.app.store.keys.revoke(f"key_{name}", at_ns=9))
    door.runner.run(door.app.keys.refresh())
    assert door.ask(KNOWN, None).status_code == 401
    door.close()


def test_a_case_belongs_to_its_tenant(door: Door) -> None:
    case = door.ask(UNKNOWN).headers["x-surefoot-case"]
    assert door.send("GET", f"/v1/cases/{case}", "a").status_code == 200
    assert door.send("GET", f"/v1/cases/{case}", "b").status_code == 404


def test_the_cache_never_crosses_tenants_whatever_a_header_says(door: Door) -> None:
    assert [door.ask(KNOWN, key).headers["x-surefoot-cache"] for key in "aab"] == ["miss", "hit", "miss"]
    assert door.ask(KNOWN + "?", "b", **{"x-surefoot-tenant": "acme"}).headers["x-surefoot-cache"] == "miss"


def test_a_feature_must_be_open_to_the_key(door: Door) -> None:
    assert door.ask(KNOWN, "o", model="clinic").status_code == 403
    assert door.ask(KNOWN, "o", model="surefoot").json()["surefoot"]["feature"] == "other"
    assert [card["id"] for card in door.send("GET", "/v1/models", "o").json()["data"]] == ["other", "quotes"]


def test_the_feature_may_be_named_by_a_header(door: Door) -> None:
    named = door.ask(KNOWN, "a", model="surefoot", **{"x-surefoot-feature": "other"})
    assert named.json()["surefoot"]["feature"] == "other"
    assert door.ask(KNOWN, "a", model="surefoot", **{"x-surefoot-feature": "none"}).status_code == 404


def test_without_any_key_only_loopback_names_and_origins_are_served() -> None:
    door = Door(keyed=False)
    assert door.ask(KNOWN, None).status_code == 200
    assert door.ask(KNOWN, None, host="gateway.example").status_code == 403
    assert door.ask(KNOWN, None, origin="http://localhost:3000").status_code == 200
    assert door.ask(KNOWN, None, origin="http://rebound.example").status_code == 403
    door.close()


def test_every_alias_of_attribution_becomes_one_normal_form() -> None:
    headers = {
        "x-litellm-end-user-id": "u1", "helicone-user-id": "u2", "x-session-id": "s", "x-litellm-tags": "b, a,,b",
        "helicone-property-plan": "pro", "x-portkey-metadata": '{"_user":"u3","team":"x","deep":{"no":1}}', "traceparent": "t",
    }  # fmt: skip
    found = normal(Attribution(tags=("a",)), headers)
    assert (found.end_user, found.session, found.trace, found.tags) == ("u1", "s", "t", ("a", "b"))
    assert dict(found.properties) == {"plan": "pro", "team": "x", "_user": "u3"}


def test_what_the_body_says_of_the_user_counts_before_the_headers() -> None:
    assert normal(Attribution(end_user="body"), {"helicone-user-id": "header"}).end_user == "body"


def test_attribution_never_refuses_a_request() -> None:
    assert normal(Attribution(), {"x-portkey-metadata": "{not json"}) == Attribution()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/outcomes",
        "/v1/messages",
        "/anthropic/v1/messages/",
        "/openai/embeddings",
        "/models",
        "/v1/cases/c",
        "/openai/v1/models/m",
    ],
)
def test_every_path_is_found_under_every_mount(path: str) -> None:
    assert find(path) is not None


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("gw", False)]
)
def test_loopback_is_told_from_the_rest(host: str, local: bool) -> None:
    assert is_loopback(host) == local
