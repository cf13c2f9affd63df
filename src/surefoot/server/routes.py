"""Every path that is served, as data."""

from __future__ import annotations

from msgspec import Struct


class Route(Struct, frozen=True):
    """What lies behind a path."""

    method: str
    handler: str  # "ask" | "outcomes" | "models" | "model" | "case" | "health" | "metrics"
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
PREFIXES: tuple[tuple[str, Route], ...] = tuple(
    (mount + path, route)
    for mount in sorted(_MOUNTS, key=len, reverse=True)
    for path, route in (("/models/", Route("GET", "model")), ("/cases/", Route("GET", "case")))
)


def find(path: str) -> tuple[Route, str] | None:
    """(route, what follows its prefix) of a path; None when nothing lies there. A trailing slash does not matter."""
    route = EXACT.get(path) or EXACT.get(path.rstrip("/"))
    if route is not None:
        return route, ""
    for prefix, route in PREFIXES:
        if path.startswith(prefix) and len(path) > len(prefix):
            return route, path[len(prefix) :]
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
