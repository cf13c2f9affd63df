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
from surefoot.wire.fields import body_of


def request_of(app: App, feature: Feature, row: Row) -> Request:
    """The request that a row stands for: its own, else the query over the passages in the OpenAI dialect.

    Raises: BadRequest for a request of its own that is none.
    """
    dialect = DIALECTS.get(row.dialect, DIALECTS["openai"])
    body = body_of(row.request) if row.request else dialect.ask(row.query, row.context, model="surefoot")
    parsed = dialect.parse(body, surface="chat")
    return Request(
        id="req_" + secrets.token_hex(12),
        at_ns=time.time_ns(),
        draw=secrets.token_hex(16),
        dialect=dialect.name,
        surface="chat",
        caller=app.caller(None),
        feature=feature.name,
        model=parsed.model,
        stream=False,
        body=body,
        top=parsed.top,
        max_output_tokens=parsed.max_output_tokens,
        choices=parsed.choices,
        has_tools=parsed.has_tools,
        context=row.context if row.request else (),
        attribution=Attribution(),
        row=row.id,
    )
