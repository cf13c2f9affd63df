"""What looks as if it changed from request to request, and what only looks like it at first sight."""

import pytest

from surefoot.ledger.lint.volatile import find_volatile, hidden


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It is 2026-11-24T10:00:07Z.", "time stamp"), ("Tue, 24 Nov 2026 10:00:07 GMT", "time stamp"), ("now=1764064800", "time stamp"),
        ("at 1764064800123", "time stamp"), ("Today is Tuesday, 24 November 2026.", "date"), ("Current date: 2026-11-24", "date"),
        ("The current time is 10:07.", "time"), ("id 3f2b8c1e-9d44-4b7a-8c55-0e1f2a3b4c5d", "UUID"), ("Request ID: r7f83ab2", "id"),
        ('{"session_id": "ab12cd34"}', "id"), ("msg_01AbCdEf23", "id"), ("nonce 9f86d081884c7d65", "random token"),
    ],
)  # fmt: skip
def test_what_changes_is_found(text: str, kind: str) -> None:
    assert [each.kind for each in find_volatile(text)] == [kind] and f"‹{kind}›" in hidden(text)


@pytest.mark.parametrize(
    "text",
    ["Open from 8:00 to 18:00.", "Prices as of 1 January 2026.", "Write times in the format 2024-01-31T09:00:00Z.", "Call 555-0110.",
     "Give ids such as req_8fk2j3h4.", "Article 1700000000 of the list", "The session begins at 9.", "Use sha256 or deadbeef."],
)  # fmt: skip
def test_what_stays_is_left_alone(text: str) -> None:
    assert find_volatile(text) == () and hidden(text) == text
