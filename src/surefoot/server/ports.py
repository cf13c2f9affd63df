"""What the server asks of the application: exactly these verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from surefoot.app.outcomes import Report, Told
from surefoot.app.reply import Reply, StreamReply
from surefoot.errors import RequestRefused
from surefoot.records import Caller, Case, Request
from surefoot.records.rate import RateState


class Counts(Protocol):
    """The part of the metrics that the server knows."""

    def seen(self, surface: str, status: int) -> None:
        """Count an answer sent."""

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""


class Reporting(Protocol):
    """Where clients say what became of answers."""

    def admit(self, caller: Caller) -> None:
        """Let a caller report. Raises NotAllowed."""

    async def report(
        self, caller: Caller, reports: Sequence[Report | RequestRefused]
    ) -> Sequence[Told | RequestRefused]:
        """What became of each report, in their order; durable when this returns. Raises NotAllowed, StoreError."""


class Reading(Protocol):
    """What is done for readers of a case's events."""

    async def has_more(self, case: Case, after: int) -> bool:
        """Whether anything happened, or can still happen, after the event of this id. Raises StoreError."""

    def admit(self, case: Case) -> None:
        """See that there is room for one more reader of events. Raises TooManyWaiting."""

    def events(self, case: Case, after: int) -> AsyncIterator[bytes]:
        """What happens to a case after the event of this id, as server-sent events; ends when the case has ended."""


class Holding(Protocol):
    """What is done for callers while a person answers."""

    @property
    def readers(self) -> Reading:
        """Readers of events."""

    async def told(self, case: Case) -> bytes:
        """What a caller is told of its case, as JSON. Raises StoreError."""

    def retry_after(self, case: Case) -> int:
        """Seconds after which to ask for a case again."""

    async def withdraw(self, case: Case) -> Case:
        """The case, withdrawn if nobody has answered it. Raises StoreError."""


class Limiting(Protocol):
    """What counts requests and tokens."""

    async def admit(self, request: Request) -> None:
        """Count a request. Raises RateLimited, StoreError."""

    def state(self, request: Request) -> RateState | None:
        """What is left to its caller in this minute; None where nothing limits it."""


class Gateway(Protocol):
    """The application, as the wire sees it."""

    @property
    def metrics(self) -> Counts:
        """What is counted."""

    @property
    def outcomes(self) -> Reporting:
        """What takes reports."""

    @property
    def rates(self) -> Limiting:
        """What limits how much is asked in a minute."""

    @property
    def held(self) -> Holding:
        """What serves callers whose cases wait."""

    def keyed(self) -> bool:
        """Whether a key is needed."""

    def caller(self, key: str | None) -> Caller:
        """Whom a key stands for. Raises NotAuthenticated."""

    def feature_for(self, caller: Caller, model: str, asked: str) -> str:
        """The feature a request belongs to. Raises NotFound, NotAllowed."""

    def cards(self, caller: Caller) -> list[dict[str, object]]:
        """The models that a caller may name."""

    async def answer(self, request: Request) -> Reply:
        """A complete answer. Raises RequestRefused."""

    async def stream(self, request: Request, *, include_usage: bool) -> StreamReply:
        """An answer in events. Raises RequestRefused before the first byte."""

    async def case(self, caller: Caller, case_id: str) -> Case:
        """A case of the caller's tenant. Raises NotFound."""
