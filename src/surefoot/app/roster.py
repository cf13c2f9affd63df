"""Who may have which case, from the configuration that serves."""

from __future__ import annotations

from surefoot.app.serving import Serving
from surefoot.errors import NotAllowed
from surefoot.policy import Feature
from surefoot.policy import Person as Role
from surefoot.records import Case
from surefoot.records.case import WITH_PASSWORD, Signed
from surefoot.records.person import Person

_SECOND_NS = 1_000_000_000
_UNDO_SECONDS = 10.0  # of a feature that is configured no more


class Roster:
    """Roles as they are configured now."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    def roles(self) -> tuple[str, ...]:
        """Every role that a case may come to."""
        runtime = self._serving.runtime
        known = (role for feature in runtime.policy.features.values() for role in feature.people)
        return tuple(dict.fromkeys((*known, *runtime.config.settings.people)))

    def roles_of(self, name: str) -> tuple[str, ...]:
        """The roles whose cases an account may have: those that name it, and those that name nobody."""
        return tuple(role for role in self.roles() if self.is_open(role, name))

    def is_open(self, role: str, name: str) -> bool:
        """Whether an account may have a role's cases."""
        given = self._serving.runtime.config.settings.people.get(role)
        return given is None or not given.who or name in given.who

    def admit(self, case: Case, by: Person) -> None:
        """Raises NotAllowed unless a person may answer a case."""
        if not by.may("answer"):
            raise NotAllowed(f"{by.role}s do not answer cases")
        if not self.is_open(case.role, by.name):
            raise NotAllowed(f"cases of {case.role} are not {by.name}'s")

    def capacity(self, role: str) -> int:
        """How many cases somebody of a role has at once."""
        given = self._serving.runtime.config.settings.people.get(role)
        return Role(role=role).capacity if given is None else given.capacity

    def asks_password(self, role: str) -> bool:
        """Whether whoever answers a role's cases signs each time with the password."""
        given = self._serving.runtime.config.settings.people.get(role)
        return given is not None and given.sign == "password"

    def see_signed(self, case: Case, signed: Signed) -> None:
        """Raises NotAllowed unless a signature is what the case's role asks for."""
        if signed.how != WITH_PASSWORD and self.asks_password(case.role):
            raise NotAllowed(f"cases of {case.role} are signed with the password")

    def role_of(self, case: Case) -> Role:
        """Who answers a case; with the defaults when its feature is configured no more."""
        feature = self._feature(case)
        return Role(role=case.role) if feature is None else feature.person_of(case.role)

    def delivered_at(self, case: Case, now_ns: int) -> int:
        """When an answer that is given now is delivered."""
        feature = self._feature(case)
        return now_ns + round((_UNDO_SECONDS if feature is None else feature.undo_seconds) * _SECOND_NS)

    def bulk(self, case: Case) -> bool:
        """Whether one press may give an answer to all like cases that differ in nothing; never where there are red flags."""
        feature = self._feature(case)
        return feature is not None and feature.bulk and not feature.has_red_flags and not case.red_flag

    def _feature(self, case: Case) -> Feature | None:
        return self._serving.runtime.policy.features.get(case.feature)
