"""Who works here: accounts, their sessions and links, what they signed. What they did is in the audit trail."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

ROLES = ("operator", "lead", "manager", "auditor")

# Who may do what: the one table. The console asks it, and so does whatever else acts for a person.
ACTS: dict[str, frozenset[str]] = {
    "see": frozenset({"operator", "lead", "manager", "auditor"}),
    "answer": frozenset({"operator", "lead", "manager"}),
    "approve": frozenset({"operator", "lead", "manager"}),
    "judge": frozenset({"operator", "lead", "manager"}),
    "reveal": frozenset({"operator", "lead", "manager", "auditor"}),
    "assign": frozenset({"lead", "manager"}),
    "report": frozenset({"lead", "manager", "auditor"}),
    "switch": frozenset({"lead", "manager"}),
    "trail": frozenset({"manager", "auditor"}),
    "accounts": frozenset({"manager"}),
}
SAID = {
    "see": "see the queue and its cases",
    "answer": "claim, answer, ask back, snooze and hand over cases",
    "approve": "be the second of two persons",
    "judge": "judge audits and second reviews",
    "reveal": "see a masked identifier, with a reason",
    "assign": "take a case from somebody and give it to somebody",
    "report": "read handle times, agreement, staffing, leverage and money",
    "switch": "stop a feature and let it go on",
    "trail": "read, verify and export the audit trail",
    "accounts": "make, change and disable accounts",
}  # what each act is, in words


def may(role: str, act: str) -> bool:
    """Whether a role may do an act. Raises KeyError for an act that the table does not know: never a silent yes or no."""
    return role in ACTS[act]


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who acts: what every action bears."""

    name: str  # the account's; unique for ever
    shown: str  # as colleagues read it
    role: str  # one of ROLES

    def may(self, act: str) -> bool:
        """Whether this person may do an act of ACTS."""
        return may(self.role, act)


class Account(Struct, frozen=True, kw_only=True):
    """A person's account. It is disabled, never deleted: what it did goes on bearing its name."""

    name: str
    shown: str
    role: str
    password: str = ""  # "scrypt$n$r$p$salt$hash"; "" until its link was used
    created_at_ns: int = 0
    disabled_at_ns: int | None = None

    @property
    def person(self) -> Person:
        """Who it stands for."""
        return Person(name=self.name, shown=self.shown, role=self.role)


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changes of an account; the rest stays as it is, whatever else changes at the same moment."""

    role: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    disabled_at_ns: int | UnsetType | None = UNSET

    def values(self) -> dict[str, str | int | None]:
        """The fields that change."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in given.items() if value is not UNSET}


class Session(Struct, frozen=True, kw_only=True):
    """Somebody logged in. Only a hash of the token is kept; the token itself is in one browser."""

    id: str  # SHA-256 of the token, hex
    account: str
    opened_at_ns: int
    seen_at_ns: int  # when the person last did something


class Link(Struct, frozen=True, kw_only=True):
    """A one-time link. Only a hash of its token is kept."""

    id: str  # SHA-256 of the token, hex
    purpose: str  # "first": make the first manager | "password": choose a password
    account: str  # whose password; "" for the first
    expires_at_ns: int
