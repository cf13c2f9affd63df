"""The pass that destroys old content, as it is configured now."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from app_support import PLAIN, Gateway

from surefoot.app.retention import Retention
from surefoot.config.load import problems

Make = Callable[..., Gateway]
DAY = 86_400 * 1_000_000_000
NONE = PLAIN.replace("audit = 0.3", "audit = 0.0")


def later(app: Gateway, days: float) -> int:
    """How many contents a pass destroys after so many days."""
    retention = Retention(
        app.app.store, app.app.serving, app.app.metrics, clock=lambda: time.time_ns() + round(days * DAY)
    )
    return app.runner.run(retention.look()).contents


def test_content_lives_as_long_as_is_configured_and_is_counted(gateway: Make) -> None:
    app = gateway("[store]\nretention_days = 30\n" + NONE)
    reply = app.ask()
    assert later(app, 29) == 0 and app.runner.run(app.store.journal.content(reply.request_id)) is not None
    assert later(app, 31) == 1 and app.runner.run(app.store.journal.content(reply.request_id)) is None
    assert b"surefoot_contents_expired_total 1.0" in app.app.metrics.text()
    assert app.entry(reply).action == "deliver"


def test_without_a_retention_everything_is_kept_and_a_reload_changes_that(gateway: Make) -> None:
    app = gateway(NONE)
    app.ask()
    assert later(app, 10_000) == 0
    app.reload("[store]\nretention_days = 1\n" + NONE)
    assert later(app, 3) == 1


@pytest.mark.parametrize("days", ["-1", "40000"])
def test_a_retention_that_makes_no_sense_is_named(days: str) -> None:
    found = problems(f"[store]\nretention_days = {days}\n")
    assert "store.retention_days" in [each.key for each in found]
