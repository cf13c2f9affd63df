"""What the tests of checks share: a draft as a check sees it."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from surefoot.records import (
    Answer,
    Ask,
    Attempt,
    Caller,
    Draft,
    Question,
    Request,
    Rung,
    Tried,
)
from surefoot.stages.check import Findings, Seen


def request(messages: list[dict[str, object]], *, dialect: str = "openai", **more: object) -> Request:
    top = {"messages": Raw(msgspec.json.encode(messages))}
    if system := more.pop("system", None):
        top["system"] = Raw(msgspec.json.encode(system))
    return Request(
        id="req_1", at_ns=1, draw="0" * 32, dialect=dialect, surface="chat", caller=Caller(key_id="k", tenant="t"),
        feature="f", model="m", stream=False, body=b"{}", top=top, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def seen(
    text: str, *, question: str = "How long?", others: tuple[str, ...] = (), before: tuple[str, ...] = (),
    body: bytes = b"{}", of: Request | None = None, passages: tuple[str, ...] = (), **draft: object,
) -> Seen:  # fmt: skip
    asked = of or request([{"role": "user", "content": question}])
    known = Question(
        fingerprint="fp", model="m", dialect=asked.dialect, surface="chat", stream=False, input_tokens=3,
        max_output_tokens=None, scores=draft.pop("scores", ()),  # type: ignore[arg-type]
    )  # fmt: skip
    ask = Ask(
        request=asked, question=known, rung=Rung(name="small", kind="model", models=("small",)), passages=passages
    )
    made = Draft(rung="small", provider="p", model="m-1", digest="d", **draft)  # type: ignore[arg-type]
    attempt = Attempt(
        draft=made, answer=Answer(body=body, text=text), others=tuple(Answer(body=b"", text=other) for other in others)
    )
    earlier = tuple(Attempt(draft=made, answer=Answer(body=b"", text=each)) for each in before)
    return Seen(Tried(ask=ask, attempt=attempt, before=earlier), made)


def scores(findings: Findings) -> dict[str, float | None]:
    return {signal.name: signal.score for signal in findings.signals}
