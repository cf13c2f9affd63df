"""The people's page: a manager makes, changes and disables accounts."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.errors import BadRequest, NotFound
from surefoot.records.person import ACTS, ROLES, SAID
from surefoot.server.console.pages import current, form, page, people_of, redirect, require


@require("accounts")
async def people_page(request: Request) -> Response:
    """Every account, and what each role may."""
    return await _people(request)


@require("accounts")
async def create(request: Request) -> Response:
    """A new account and its link."""
    sent, by = form(request), current(request).name
    try:
        made = await people_of(request).staff.create(
            sent.get("name", ""), sent.get("role", ""), shown=sent.get("shown", ""), by=by
        )
    except BadRequest as error:
        return await _people(request, said=error.message)
    return await _people(request, link_for=made.name)


@require("accounts")
async def role(request: Request) -> Response:
    """Give somebody another role."""
    sent = form(request)
    try:
        await people_of(request).staff.grant(sent.get("name", ""), sent.get("role", ""), by=current(request).name)
    except (BadRequest, NotFound) as error:
        return await _people(request, said=error.message)
    return redirect("/console/accounts")


@require("accounts")
async def change(request: Request) -> Response:
    """Disable, enable, or a new link."""
    sent, people, by = form(request), people_of(request), current(request).name
    name = sent.get("name", "")
    try:
        match sent.get("do", ""):
            case "disable":
                await people.staff.disable(name, by=by)
            case "enable":
                await people.staff.enable(name, by=by)
            case "link":
                return await _people(request, link_for=name)
            case strange:
                raise BadRequest(f"there is no way to {strange!r} an account")
    except (BadRequest, NotFound) as error:
        return await _people(request, said=error.message)
    return redirect("/console/accounts")


async def _people(request: Request, *, said: str = "", link_for: str = "") -> Response:
    """The page, with what went wrong, or with a link for somebody."""
    people, link = people_of(request), ""
    if link_for:
        token = await people.staff.link(link_for, by=current(request).name)
        scheme = "https" if request.scope["state"]["secure"] else request.url.scheme
        link = f"{scheme}://{request.url.netloc}/welcome/{token}"
    return page(
        request, "accounts.html", status=400 if said else 200, accounts=await people.staff.all(),
        roles=ROLES, acts=ACTS, words=SAID, said=said, bad=True, link=link, link_for=link_for,
        link_minutes=int(people.rules.link_seconds // 60),
    )  # fmt: skip


routes: Sequence[BaseRoute] = (
    Route("/console", people_page, methods=["GET"]),
    Route("/console/accounts", people_page, methods=["GET"]),
    Route("/console/accounts", create, methods=["POST"]),
    Route("/console/accounts/role", role, methods=["POST"]),
    Route("/console/accounts/change", change, methods=["POST"]),
)
