"""Every path that is served, as data."""

from __future__ import annotations

from msgspec import Struct


class Route(Struct, frozen=True):
    """What lies behind a path."""

    method: str
    # "ask" | "outcomes" | "models" | "model" | "case" | "case_events" | "withdraw" | "health" | "metrics"
    handler: str
    dialect: str = ""  # "" where the headers decide
    surface: str = ""


_ASKED = {
    "/chat/completions": Route("POST", "ask", "openai", "chat"),
    "/embeddings": Route("POST", "ask", "openai", "embeddings"),
    "/messages": Route("POST", "ask", "anthropic", "chat"),
    "/messages/count_tokens": Route("POST", "ask", "anthropic", "count_tokens"),
    "/outcomes": Route("POST", "outcomes", surface="outcomes"),
    "/models": Route("GET", "models"),
}
_MOUNTS = ("/v1", "", "/openai/v1", "/openai", "/anthropic/v1", "/anthropic")

EXACT: dict[str, Route] = {
    "/healthz": Route("GET", "health"),
    "/metrics": Route("GET", "metrics"),
    **{mount + path: route for mount in _MOUNTS for path, route in _ASKED.items()},
}
_BETWEEN = (  # what stands before and after a name, and what lies there; the longer form first
    ("/models/", "", Route("GET", "model")),
    ("/cases/", "/events", Route("GET", "case_events")),
    ("/cases/", "/withdraw", Route("POST", "withdraw")),
    ("/cases/", "", Route("GET", "case")),
)
PREFIXES: tuple[tuple[str, str, Route], ...] = tuple(
    (mount + before, after, route)
    for mount in sorted(_MOUNTS, key=len, reverse=True)
    for before, after, route in _BETWEEN
)


def find(path: str) -> tuple[Route, str] | None:
    """(route, the name in it) of a path; None when nothing lies there. A trailing slash does not matter."""
    route = EXACT.get(path) or EXACT.get(path.rstrip("/"))
    if route is not None:
        return route, ""
    for prefix, suffix, route in PREFIXES:
        if path.startswith(prefix) and path.endswith(suffix) and len(path) > len(prefix) + len(suffix):
            return route, path[len(prefix) : len(path) - len(suffix)]
    return None


def dialect_of(path: str, route: Route | None, anthropic_version: bool) -> str:
    """Whose errors and shapes a path speaks: its route's, its mount's, else what the headers say."""
    if route is not None and route.dialect:
        return route.dialect
    if path.startswith("/anthropic") or "/messages" in path:
        return "anthropic"
    if path.startswith("/openai"):
        return "openai"
    return "anthropic" if anthropic_version else "openai"
