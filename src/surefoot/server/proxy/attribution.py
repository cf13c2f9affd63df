"""Who and what a request is booked on: many names, one normal form. Tenant, budget and cache scope never come from here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from surefoot.records import Attribution

_END_USER = ("x-litellm-end-user-id", "x-litellm-customer-id", "helicone-user-id")
_SESSION = ("x-litellm-session-id", "helicone-session-id", "x-claude-code-session-id", "x-session-id")
_TRACE = ("traceparent", "x-litellm-trace-id", "x-portkey-trace-id", "helicone-request-id")
_PAIRS = {
    "x-litellm-agent-id": "agent",
    "helicone-session-path": "session-path",
    "helicone-session-name": "session-name",
    "helicone-prompt-id": "prompt",
}
_JSON = ("x-litellm-spend-logs-metadata", "x-portkey-metadata")
_PROPERTY = "helicone-property-"
_NAMES = frozenset((*_END_USER, *_SESSION, *_TRACE, *_PAIRS, *_JSON, "x-litellm-tags"))
_LONGEST = 256  # characters of any one value


def normal(body: Attribution, headers: Mapping[str, str]) -> Attribution:
    """The attribution of a request: what the body says counts before what the headers say."""
    if not any(name in _NAMES or name.startswith(_PROPERTY) for name in headers):
        return body
    properties = {**_properties(headers), **dict(body.properties)}
    tags = (*body.tags, *(tag.strip() for tag in headers.get("x-litellm-tags", "").split(",") if tag.strip()))
    return Attribution(
        end_user=body.end_user or _first(headers, _END_USER) or properties.pop("_user", ""),
        session=body.session or _first(headers, _SESSION),
        trace=body.trace or _first(headers, _TRACE),
        tags=tuple(dict.fromkeys(tag[:_LONGEST] for tag in tags)),
        properties=tuple(sorted(properties.items())),
    )


def _properties(headers: Mapping[str, str]) -> dict[str, str]:
    found = {ours: headers[name][:_LONGEST] for name, ours in _PAIRS.items() if name in headers}
    for name in _JSON:
        found.update(_object(headers.get(name, "")))
    for name, value in headers.items():
        if name.startswith(_PROPERTY):
            found[name.removeprefix(_PROPERTY)] = value[:_LONGEST]
    return found


def _object(text: str) -> dict[str, str]:
    """A JSON object's plain values as text; {} for anything else, since attribution never refuses a request."""
    if not text:
        return {}
    try:
        given = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return {}
    return {name: str(value)[:_LONGEST] for name, value in given.items() if isinstance(value, str | int | float)}


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name][:_LONGEST] for name in names if headers.get(name)), "")
