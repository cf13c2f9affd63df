"""What the probabilities that serve are worth, with n and interval everywhere, and in words where nobody knows."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from learning_support import CONFIG, configured, fits, judge_all, opened, surefoot, traffic

from surefoot.records import Incident

BY_HAND = CONFIG + '[features.clinic.maps.quotes]\nsignal = "quote"\nsteps = [[0.0, 0.5], [0.4, 0.93]]\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)
    return tmp_path


def rungs() -> dict[str, dict[str, object]]:
    (feature,) = json.loads(surefoot("confidence", "--json").output)["features"]
    return {rung["rung"]: rung for rung in feature["rungs"]}


def test_without_labels_nothing_is_claimed(folder: Path) -> None:
    said = surefoot("confidence")
    assert said.exit_code == 0 and fits(said.output)
    assert "rung quotes: uncalibrated" in said.output and "not enough data" in said.output
    assert "30 more for a map" in said.output and "%" not in said.output.replace("95 %", "")


def test_a_map_set_by_hand_is_configured_and_no_map_is_uncalibrated(folder: Path) -> None:
    configured(folder, BY_HAND)
    assert "rung quotes: configured by hand, not fitted" in surefoot("confidence").output
    found = rungs()
    assert (found["quotes"]["map"], found["flagship"]["map"]) == ("configured", "uncalibrated")


def test_a_hand_set_map_is_held_against_labels(folder: Path) -> None:
    configured(folder, BY_HAND)
    traffic(60)
    written = judge_all()
    found = rungs()["quotes"]
    measures = found["measures"]
    assert found["older"] == 0 and 0 < measures["n"] <= found["labels"] <= written
    assert sum(each["right"]["n"] for each in measures["bins"]) == measures["n"]
    assert 0 < measures["right"]["low"] < measures["right"]["estimate"] <= measures["right"]["high"]


def test_coverage_is_of_the_drafts_that_reached_the_rung(folder: Path) -> None:
    traffic(20)
    configured(folder, BY_HAND.replace("0.93", "0.6"))
    found = rungs()
    assert found["quotes"]["coverage"]["estimate"] == 0.0 and found["quotes"]["coverage"]["n"] > 5
    assert found["flagship"]["coverage"]["estimate"] == 1.0  # uncalibrated, in observe


def test_labels_from_before_the_map_are_told_apart(folder: Path) -> None:
    traffic(70)
    judge_all(at_ns=1)
    surefoot("learn")
    surefoot("promote", "1")
    judge_all(since_ns=0)
    said = surefoot("confidence", "--since", "9999w")
    found = json.loads(surefoot("confidence", "--since", "9999w", "--json").output)["features"][0]["rungs"][0]
    assert found["map"] == "platt" and 0 < found["older"] <= found["labels"]
    assert "may have been fitted on them" in said.output and fits(said.output) and "|" in said.output


def test_the_delivered_error_has_its_interval_and_method(folder: Path) -> None:
    traffic(60)
    judge_all()
    (feature,) = json.loads(surefoot("confidence", "--json").output)["features"]
    error = feature["error"]
    assert error["method"] == "inverse propensity" and error["wrong"]["n"] > 20
    assert 0 <= error["wrong"]["low"] <= error["wrong"]["estimate"] <= error["wrong"]["high"] < 1


def test_a_promise_says_how_many_labels_it_needs(folder: Path) -> None:
    configured(folder, CONFIG + "promise = { accuracy = 0.85 }\n")
    said = surefoot("confidence").output
    assert "at least 85% right of what is delivered, at 95%" in said and "not certified yet: 24 more labels" in said


def test_an_open_incident_is_listed_with_what_changed(folder: Path) -> None:
    detail = {
        "before": {"wrong": 0.1, "n": 300}, "after": {"wrong": 0.3, "n": 40}, "edition": "e",
        "changed": [{"what": "model", "value": "m-2", "share_before": 0.0, "share_after": 1.0}],
    }  # fmt: skip
    incident = Incident(
        id="inc_1", at_ns=1_800_000_000_000_000_000, feature="clinic", rung="quotes", kind="drift",
        detail=msgspec.json.encode(detail).decode(),
    )  # fmt: skip

    async def run() -> None:
        store = await opened()
        await store.incidents.add(incident)
        await store.close()

    asyncio.run(run())
    said = surefoot("confidence").output
    assert "INCIDENT" in said and "10% wrong before" in said and "changed: model m-2" in said and fits(said)
    assert "nobody has acknowledged it: surefoot acknowledge" in said
    done = surefoot("acknowledge", incident.id, "--by", "amy", "--note", "model m-2 rolled back")
    assert done.exit_code == 0 and "is acknowledged by amy" in done.output
    said = surefoot("confidence").output
    assert "by amy: model m-2 rolled back" in " ".join(said.split()) and "nobody has" not in said and fits(said)
    (feature,) = json.loads(surefoot("confidence", "--json").output)["features"]
    (seen,) = feature["acknowledged"][incident.id]
    assert (seen["by"], seen["note"]) == ("amy", "model m-2 rolled back") and seen["at_ns"] > 0
    assert "incident.acknowledged" in surefoot("audit", "export", "--kind", "incident.").output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("drift_0", "--by", "amy", "--note", "x"), "there is no incident"),
        (("drift_0", "--by", " ", "--note", "x"), "a person"),
    ],
)
def test_only_an_incident_that_was_raised_is_acknowledged_and_by_somebody(
    folder: Path, given: tuple[str, ...], said: str
) -> None:
    done = surefoot("acknowledge", *given)
    assert done.exit_code != 0 and said in " ".join(done.output.split())


def test_an_unknown_feature_is_said_on_one_line(folder: Path) -> None:
    said = surefoot("confidence", "--feature", "moon")
    assert said.exit_code == 1 and said.output.startswith("surefoot: there is no feature 'moon'")
