"""`surefoot objectives`: what an empty store, a few labels and a feature that is not there say, in 80 columns."""

import asyncio
import json
import time
from pathlib import Path

from cli_support import CONFIG, surefoot

from surefoot.records import Label
from surefoot.store.open import open_store

WRITTEN = """audit = 0.05
[[features.f.objectives]]
measure = "delivered_error"
at_most = 0.05
by = ["customer"]
[[features.f.objectives]]
measure = "p95_latency"
at_most = 2.0
"""


async def _label(folder: Path) -> None:
    store = open_store(str(folder / "s.db"), key_file=str(folder / "s.key"))
    await store.start()
    for number in range(120):
        label = Label(
            id=f"l{number}", request_id=f"r{number}", at_ns=time.time_ns() - number * 10**12, tenant=f"customer-{number % 7}",
            feature="f", rung="quotes", edition="e", verdict="wrong" if number % 4 == 0 else "accepted", source="audit",
            group=f"g{number}", propensity=0.05,
        )  # fmt: skip
        await store.labels.add(label)
    await store.close()


def test_without_data_it_says_what_is_missing_and_no_number(config: Path):
    config.write_text(CONFIG + WRITTEN)
    said = surefoot("objectives")
    assert said.exit_code == 0, said.output
    assert "unknown (about" in said.output and "more labels)" in said.output and "more days)" in said.output
    assert "not enough data (n = 0 labels)" in said.output and "P(met)" not in said.output


def test_labels_tell_within_80_columns_and_by_customer(config: Path):
    config.write_text(CONFIG + WRITTEN)
    asyncio.run(_label(config.parent))
    said = surefoot("objectives", "--feature", "f").output
    assert "missed" in said and "25.0% [" in said and "n = 120 labels" in said and "by customer" in said
    assert max(map(len, said.splitlines())) <= 80
    found = json.loads(surefoot("objectives", "--json").output)
    assert found[0]["whole"]["state"] == "missed" and len(found[0]["groups"]) == 7


def test_a_feature_that_is_not_there_and_a_configuration_without_objectives_are_said_so(config: Path):
    assert "no objective is configured" in surefoot("objectives").output
    missing = surefoot("objectives", "--feature", "g")
    assert missing.exit_code == 1 and "there is no feature 'g'" in missing.output
