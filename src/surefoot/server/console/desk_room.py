"""What the pages of the desk share: the feed, the like cases, and what the configuration says of a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from starlette.requests import Request

from surefoot.app.desk import Desk
from surefoot.app.neighbours import Neighbours
from surefoot.app.times import urgency
from surefoot.config.hours import open_hours
from surefoot.config.schema import PersonSettings
from surefoot.records import Case
from surefoot.review.priority import Priority
from surefoot.server.console.desk_feed import Feed
from surefoot.server.console.pages import app_of, current
from surefoot.stages.handbook import Handbook
from surefoot.store import Store


class Room:
    """One for a console."""

    def __init__(self, store: Store) -> None:
        self.feed, self.neighbours = Feed(store), Neighbours(store)

    def close(self) -> None:
        """Let go of whoever listens, and read no more."""
        self.feed.end()
        self.neighbours.memory.close()


def room_of(request: Request) -> Room:
    """The room of this console, made when it is first entered."""
    state = request.app.state
    if not hasattr(state, "room"):
        state.room = Room(app_of(request).store)
    return cast("Room", state.room)


def desk_of(request: Request) -> Desk:
    """The verbs."""
    return app_of(request).desk


def people_roles(request: Request) -> Sequence[str]:
    """The roles that cases may wait for."""
    return sorted(app_of(request).config.settings.people)


def roles_seen(request: Request) -> Sequence[str] | None:
    """The roles whose cases whoever looks may see; None: all. Leads, managers and auditors see every role's."""
    person = current(request)
    return None if person.may("report") else desk_of(request).roles_of(person.name)


def asks_password(request: Request, case: Case) -> bool:
    """Whether a case's forms ask for the password."""
    return desk_of(request).roster.asks_password(case.role)


def role_of(request: Request, case: Case) -> PersonSettings:
    """The settings of a case's role, the defaults when it is configured no more."""
    return app_of(request).config.settings.people.get(case.role, PersonSettings())


def handbook_of(request: Request, case: Case) -> Handbook | None:
    """What the drafts of a case's feature rest on."""
    return app_of(request).serving.runtime.handbooks.get(case.feature)


def bar_of(request: Request, case: Case) -> float | None:
    """What the lower end of p is compared with."""
    feature = app_of(request).policy.features.get(case.feature)
    return feature.confidence if feature is not None else None


def urgency_of(request: Request, case: Case, now_ns: int) -> Priority:
    """How urgent a case is in its role's open time, and why."""
    given = role_of(request, case)
    return urgency(case, open_hours(given.hours, given.timezone), now_ns=now_ns)
