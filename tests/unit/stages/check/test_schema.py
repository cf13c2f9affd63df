"""Whether an answer is the JSON that was asked for."""

import pytest
from check_support import scores, seen

from surefoot.errors import ConfigError
from surefoot.stages.check import Schema

DAYS = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


@pytest.mark.parametrize(
    ("text", "schema", "repair"),
    [
        ('{"days": 2}', 1.0, 1.0),
        ('```json\n{"days": 2}\n```', 0.0, 1.0),
        ('{"days": 2', 0.0, 1.0),
        ("{'days': 2}", 0.0, 1.0),
        ('{"days": "two"}', 0.0, 0.0),
        ("It takes two days.", 0.0, 0.0),
        ('{"days": 2}' + " " * 100_001 + "x", 0.0, 0.0),
        ("", None, None),
    ],
)
def test_the_text_meets_the_schema_or_could_be_mended_to_meet_it(
    text: str, schema: float | None, repair: float | None
) -> None:
    assert scores(Schema(DAYS)(seen(text))) == {"schema": schema, "schema.repair": repair}


def test_a_schema_may_refer_to_itself() -> None:
    schema = Schema({"$ref": "#/$defs/days", "$defs": {"days": DAYS}})
    assert scores(schema(seen('{"days": 2}')))["schema"] == 1.0


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.json", "file:///etc/hostname", "other.json"])
def test_nothing_is_ever_fetched(address: str) -> None:
    with pytest.raises(ConfigError, match="not a usable JSON Schema"):
        Schema({"$ref": address})


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a usable"):
        Schema({"type": "nope"})
