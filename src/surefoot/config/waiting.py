"""What a schema cannot say of how callers wait: whether manners, times and addresses make sense."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from surefoot.config.problem import Problem, near
from surefoot.config.schema import FeatureSettings

MANNERS = ("poll", "held", "sse", "webhook")
LONGEST_HELD_SECONDS = 590.0  # the SDKs give up after 600


def waiting_problems(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    """Everything that is wrong with how a feature's callers wait."""
    if given.wait not in MANNERS:
        yield Problem((*path, "wait"), f"unknown manner {given.wait!r}{near(given.wait, MANNERS)}")
    if not 0 < given.held_seconds <= LONGEST_HELD_SECONDS:
        yield Problem(
            (*path, "held_seconds"),
            f"held_seconds is above 0 and at most {LONGEST_HELD_SECONDS:.0f}: the SDKs give up after 600",
        )
    if given.wait == "webhook" and not given.webhook_secret:
        yield Problem((*path, "webhook_secret"), 'wait = "webhook" needs webhook_secret = "env:NAME"')
    if given.webhook and not given.webhook_secret:
        yield Problem((*path, "webhook_secret"), "a webhook needs webhook_secret: calls are signed")
    if given.webhook and not given.webhook.startswith(("https://", "http://")):
        yield Problem((*path, "webhook"), "webhook must begin with https://")
    if given.wait == "webhook" and not given.webhook and not given.webhook_secret:
        yield Problem((*path, "webhook"), 'wait = "webhook" needs an address, here or with each request')
    for text in given.webhook_allow:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            yield Problem((*path, "webhook_allow"), f"{text!r} is no address and no network")
