"""The request that a labelled row stands for."""

from __future__ import annotations

import secrets
import time

from surefoot.app import App
from surefoot.policy import Feature
from surefoot.providers.rows import Row
from surefoot.records import Request
from surefoot.records.request import Attribution
from surefoot.wire.dialects import DIALECTS


def request_of(app: App, feature: Feature, row: Row) -> Request:
    """The request that a row stands for, in the OpenAI dialect."""
    dialect = DIALECTS["openai"]
    body = dialect.ask(row.query, row.context, model="surefoot")
    parsed = dialect.parse(body, surface="chat")
    return Request(
        id="req_" + secrets.token_hex(12),
        at_ns=time.time_ns(),
        draw=secrets.token_hex(16),
        dialect="openai",
        surface="chat",
        caller=app.caller(None),
        feature=feature.name,
        model="surefoot",
        stream=False,
        body=body,
        top=parsed.top,
        attribution=Attribution(),
        row=row.id,
    )
