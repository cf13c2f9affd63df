"""Labels become a candidate, a candidate serves, and serving is taken back."""

import asyncio
import json
import shutil
from pathlib import Path

import msgspec
import pytest
from learning_support import CONFIG, configured, fits, judge_all, opened, surefoot, traffic

from surefoot.demo.places import CLINIC_MESSAGES
from surefoot.policy.learned import decode_learned


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with labelled traffic, made once and copied for every test."""
    made = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        configured(made)
        traffic(70)
        assert judge_all() > 35
    return made


@pytest.fixture
def labelled(folder: Path, judged: Path) -> Path:
    return shutil.copytree(judged, folder, dirs_exist_ok=True)


def rungs_of(number: int) -> set[str]:
    async def run() -> set[str]:
        store = await opened()
        found = await store.revisions.get(number)
        await store.close()
        assert found is not None
        return set(decode_learned(found.data).features["clinic"].rungs)

    return asyncio.run(run())


def test_without_labels_it_says_what_is_lacking_and_saves_nothing(folder: Path) -> None:
    said = surefoot("learn")
    assert said.exit_code == 1 and fits(said.output)
    assert "rung quotes: 0 labels, 30 more are needed" in said.output
    assert json.loads(surefoot("revisions", "--json").output)["revisions"] == []


def test_labels_of_traffic_become_a_revision_with_its_measures(labelled: Path) -> None:
    said = json.loads(surefoot("learn", "--since", "52w", "--json").output)
    (learnt,) = said["learnt"]
    quotes = learnt["report"]["rungs"][0]
    assert (said["revision"], learnt["found"]["rungs"], quotes["map"]) == (1, ["quotes"], "platt")
    assert quotes["labels"] == quotes["after"]["n"] >= 30 and quotes["before"]["n"] == 0
    assert quotes["after"]["brier"] < 0.25 and quotes["after"]["bins"]
    assert learnt["sources"] == {"audit": learnt["report"]["labels"]}


def test_the_report_fits_eighty_columns_and_says_how_to_serve(labelled: Path) -> None:
    said = surefoot("learn").output
    assert fits(said) and "to serve it: surefoot promote 1" in said
    assert all(word in said for word in ("AURC", "ECE", "Brier", "over 0.85", "uncalibrated", "claimed"))


def test_a_labelled_file_teaches_every_rung(folder: Path) -> None:
    said = json.loads(surefoot("learn", "--from", str(CLINIC_MESSAGES), "--json").output)
    assert set(said["learnt"][0]["found"]["rungs"]) == {"quotes", "flagship"}
    assert said["learnt"][0]["sources"] == {"file": 182}


def test_a_rung_that_is_not_learned_keeps_the_map_that_serves(labelled: Path) -> None:
    surefoot("learn", "--from", str(CLINIC_MESSAGES))
    surefoot("promote", "1")
    assert json.loads(surefoot("learn", "--json").output)["learnt"][0]["found"]["rungs"] == ["quotes"]
    assert rungs_of(2) == {"quotes", "flagship"}


def test_a_vendor_is_never_asked_for_what_a_file_does_not_hold(folder: Path) -> None:
    vendor = '[providers.up]\nkind = "openai"\napi_key = "x"\n[models.gpt-4o-mini]\nprovider = "up"\n'
    configured(folder, CONFIG.replace('["quotes", "flagship"]', '["gpt-4o-mini"]') + vendor)
    said = surefoot("learn", "--from", str(CLINIC_MESSAGES))
    assert said.exit_code == 2 and "no answers of model 'gpt-4o-mini'" in said.output


def test_a_vendors_recorded_answers_teach_its_rung(folder: Path) -> None:
    vendor = '[providers.up]\nkind = "openai"\napi_key = "x"\n[models.gpt-4o-mini]\nprovider = "up"\n'
    configured(folder, CONFIG.replace('["quotes", "flagship"]', '["gpt-4o-mini"]') + vendor)
    answer = {"gpt-4o-mini-2024-07-18": {"text": "It is 5.", "correct": True}}
    lines = [{"id": f"r{at}", "group": f"g{at}", "query": f"{at}?", "answers": answer} for at in range(40)]
    (folder / "told.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    said = json.loads(surefoot("learn", "--from", "told.jsonl", "--json").output)
    assert said["learnt"][0]["report"]["rungs"][0]["labels"] == 40 and said["revision"] == 1


def test_promotion_and_rollback_move_what_serves_back_to_the_configuration(labelled: Path) -> None:
    alone = json.loads(surefoot("confidence", "--json").output)
    surefoot("learn")
    surefoot("learn")
    assert "as policy" in surefoot("promote", "1").output
    assert surefoot("promote", "2").exit_code == 0
    assert json.loads(surefoot("confidence", "--json").output)["revision"] == 2
    assert "revision 1 serves" in surefoot("rollback").output
    assert "the configuration alone (0) serves" in surefoot("rollback").output
    assert json.loads(surefoot("confidence", "--json").output)["policy"] == alone["policy"]
    assert surefoot("rollback").exit_code == 1


def test_the_list_says_which_serves_and_which_did(labelled: Path) -> None:
    for command in (["learn"], ["learn"], ["promote", "1"], ["promote", "2"]):
        surefoot(*command)
    first, second = json.loads(surefoot("revisions", "--json").output)["revisions"]
    assert (first["serving"], second["serving"]) == (False, True) and first["promoted_at_ns"]
    said = surefoot("revisions").output
    assert fits(said) and "serves since" in said and "served from" in said


def test_the_policy_shown_is_the_one_that_serves(labelled: Path) -> None:
    alone = surefoot("policy").output
    surefoot("learn")
    version = surefoot("promote", "1").output.split("policy ")[1].split()[0]
    said = surefoot("policy").output
    assert "none:" in alone and fits(said)
    assert f"policy {version}, revision 1" in said and "platt" in said


def test_with_a_promise_a_candidate_is_seen_in_shadow(labelled: Path) -> None:
    configured(labelled, CONFIG + "promise = { accuracy = 0.6, assurance = 0.9 }\n")
    traffic(70)
    judge_all(since_ns=0)
    said = json.loads(surefoot("learn", "--json").output)
    found, cut = said["shadows"]["clinic"], said["learnt"][0]["report"]["cut"]
    assert found["requests"] == 140 and 0 < found["standing"]["n"] <= found["delivers"]
    assert cut["n"] > 0 and cut["wrong"] <= cut["n"]


@pytest.mark.parametrize(
    "command",
    [
        ["promote", "9"],
        ["promote", "0"],
        ["rollback"],
        ["learn", "--since", "3x"],
        ["learn", "--since", "7d", "--from", "x.jsonl"],
        ["learn", "--from", "none.jsonl"],
        ["learn", "--feature", "moon"],
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(folder: Path, command: list[str]) -> None:
    said = surefoot(*command)
    assert said.exit_code in (1, 2) and said.output.startswith("surefoot: ") and said.output.count("\n") == 1
