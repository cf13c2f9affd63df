"""What is wrong with how people are told that the queue is late."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefoot.config.problem import Problem, near
from surefoot.config.schema import NotifySettings

TLS = ("starttls", "implicit", "none")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_SHORTEST_SECONDS = 60.0


def notify_problems(given: NotifySettings) -> Iterator[Problem]:
    """Everything that is wrong with it."""
    yield from _webhook(given)
    yield from _mail(given)
    if given.every_seconds < _SHORTEST_SECONDS:
        yield _problem("every_seconds", "every_seconds is at least 60: who is told too often stops listening")
    if given.near_seconds < 0:
        yield _problem("near_seconds", "near_seconds may not be below 0")
    if given.digest and not _TIME.fullmatch(given.digest):
        yield _problem("digest", f'{given.digest!r} is no time of day: write "07:00", or "" for no digest')
    try:
        ZoneInfo(given.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield _problem("timezone", f"there is no time zone {given.timezone!r}; write one like Europe/Vienna")


def _webhook(given: NotifySettings) -> Iterator[Problem]:
    if given.webhook and not given.webhook.startswith(("https://", "http://")):
        yield _problem("webhook", "webhook must begin with https://")
    if given.webhook and not given.webhook_secret:
        yield _problem("webhook_secret", "a webhook needs webhook_secret: calls are signed")
    for text in given.webhook_allow:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield _problem("webhook_allow", f"{text!r} is no address and no network")


def _mail(given: NotifySettings) -> Iterator[Problem]:
    if given.to and not given.smtp_host:
        yield _problem("smtp_host", "mail needs smtp_host")
    if given.to and not given.sender:
        yield _problem("sender", "mail needs a sender")
    for option, texts in (("to", given.to), ("sender", (given.sender,) if given.sender else ())):
        for text in texts:
            if not _ADDRESS.fullmatch(text):
                yield _problem(option, f"{text!r} is no address for mail")
    if given.smtp_tls not in TLS:
        yield _problem("smtp_tls", f"unknown way {given.smtp_tls!r}{near(given.smtp_tls, TLS)}")
    if given.smtp_tls == "none" and given.smtp_password:
        yield _problem("smtp_tls", "a password is not sent in clear: use starttls or implicit")
    if not 0 < given.smtp_port < 65_536:
        yield _problem("smtp_port", "smtp_port is from 1 to 65535")


def _problem(option: str, message: str) -> Problem:
    return Problem(("notify", option), message)
