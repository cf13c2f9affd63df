"""What every page needs: the template, who looks, what was sent, and who may.

A page is `async def name(request) -> Response` under `@require("answer")`, and ends with `page(request, "x.html", ...)`.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import FormData, ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from surefoot.app import App
from surefoot.app.people import LoggedIn, People
from surefoot.records.person import ACTS, Person

Page = Callable[[Request], Awaitable[Response]]

LOGGED_OFF = "You are logged off, and this was not done. Log in and do it again."

# What the navigation offers: the act that it needs, its path, its words.
NAVIGATION = (
    ("report", "/today", "Today"),
    ("see", "/desk", "Desk"),
    ("report", "/console/staffing", "Staffing"),
    ("report", "/objectives", "Objectives"),
    ("report", "/money", "Money"),
    ("report", "/prompts", "Prompts"),
    ("report", "/whatif", "What if"),
    ("report", "/confidence", "Confidence"),
    ("report", "/incidents", "Incidents"),
    ("report", "/policies", "Policies"),
    ("switch", "/console/stops", "Stops"),
    ("trail", "/console/audit", "Audit"),
    ("trail", "/evidence", "Evidence"),
    ("accounts", "/console/accounts", "People"),
)

_templates = Environment(
    loader=PackageLoader("surefoot.server.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A rendered template.

    It knows the context and `request`, `path`, `person` (None before login), `csrf` (the hidden field of every form),
    `csrf_token` (what is in it), `navigation`, `idle_seconds`.
    """
    who, token = found(request), csrf(request)
    links = [(path, words) for act, path, words in NAVIGATION if who is not None and who.person.may(act)]
    known = {
        "request": request,
        "path": request.url.path,
        "person": who.person if who else None,
        "csrf": Markup('<input type="hidden" name="csrf" value="{}">').format(token),
        "csrf_token": token,
        "navigation": links,
        "idle_seconds": int(people_of(request).rules.idle_seconds),
    }
    return HTMLResponse(_templates.get_template(template).render(known | context), status)


def filters(**given: Callable[..., object]) -> None:
    """Give templates further filters; a name is given once. Raises ValueError for one that is taken."""
    for name, made in given.items():
        if name in _templates.filters:
            raise ValueError(f"there is a filter {name} already")
        _templates.filters[name] = made


def require(act: str) -> Callable[[Page], Page]:
    """Let only those in whose role may do an act of ACTS.

    Who is not logged in goes to the log-in page and comes back (a script that asks gets 401); who may not gets 403.
    Raises KeyError at once for an act that the table does not know.
    """
    roles = ACTS[act]

    def made(handler: Page) -> Page:
        @functools.wraps(handler)
        async def guarded(request: Request) -> Response:
            who = found(request)
            if who is None:
                return _to_login(request)
            if who.person.role not in roles:
                return refusal(request, 403, "Your role may not do this.")
            return await handler(request)

        return guarded

    return made


def current(request: Request) -> Person:
    """Who looks at the page. Only under `require`: it raises LookupError when nobody is logged in."""
    who = found(request)
    if who is None:
        raise LookupError("nobody is logged in; the page lacks `require`")
    return who.person


def found(request: Request) -> LoggedIn | None:
    """Who is logged in; None before."""
    return cast("LoggedIn | None", request.scope["state"].get("who"))


def csrf(request: Request) -> str:
    """The token that a form of this browser must bear, in a field "csrf" or a header x-csrf-token."""
    return str(request.scope["state"].get("csrf", ""))


def form(request: Request) -> ImmutableMultiDict[str, str]:
    """The fields of the form that was sent; empty for other bodies. `form(request).get("text", "")`, `.getlist("case")`."""
    sent = request.scope["state"].get("form")
    return cast("ImmutableMultiDict[str, str]", sent if sent is not None else FormData())


def app_of(request: Request) -> App:
    """The application."""
    return cast("App", request.app.state.app)


def people_of(request: Request) -> People:
    """The people."""
    return cast("People", request.app.state.people)


def by_script(request: Request) -> bool:
    """Whether a script asks, which wants JSON rather than a page."""
    return "text/html" not in request.headers.get("accept", "text/html")


def refusal(request: Request, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error: a page for a person, JSON for a script."""
    response: Response
    if by_script(request):
        response = JSONResponse({"error": {"message": message, "status": status}}, status)
    else:
        response = page(request, "error.html", status=status, code=status, message=message)
    response.headers.update(headers or {})
    return response


def redirect(path: str) -> RedirectResponse:
    """Go to another page of ours after a form was sent."""
    return RedirectResponse(path, 303)


def local_path(path: str, otherwise: str = "/desk") -> str:
    """A path that somebody named, when it leads nowhere but to us."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if plain and len(path) < 1000 else otherwise


def _to_login(request: Request) -> Response:
    if by_script(request) or request.method not in ("GET", "HEAD"):
        return refusal(request, 401, LOGGED_OFF)
    here: Any = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return redirect(f"/login?next={quote(here, safe='/')}")
