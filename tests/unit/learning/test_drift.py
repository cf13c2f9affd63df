"""Drift: a detector for each rung, model, prompt and edition; its alarm says once what changed."""

import json

import numpy as np

from surefoot.learning.drift import Watch, Watched, last_alarm, watched
from surefoot.records import (
    Checked,
    Draft,
    Evidence,
    Incident,
    JournalEntry,
    Label,
    Question,
    Read,
    Signal,
    Step,
)


def seen(at: int, wrong: bool, *, model: str = "m-1", prompt: str = "p", **given: object) -> Watched:
    fields: dict[str, object] = dict(
        id=f"l{at:05}", request_id=f"r{at}", at_ns=at, tenant="t", feature="f", rung="small", edition="e1",
        verdict="wrong" if wrong else "accepted", source="audit", group=f"g{at}", propensity=0.05,
    )  # fmt: skip
    return Watched(
        label=Label(**(fields | given)),
        model=model,
        prompt=prompt,
        tenant="t",
        signals={"grounding": 0.2 if wrong else 0.9},
    )  # type: ignore[arg-type]


def wave(n: int, rate: float, start: int = 0, seed: int = 5, **given: object) -> list[Watched]:
    wrong = np.random.default_rng(seed).random(n) < rate
    return [seen(start + at, bool(each), **given) for at, each in enumerate(wrong)]  # type: ignore[arg-type]


def alarms_of(found: list[Watched], watch: Watch | None = None) -> list[Incident]:
    watch = watch or Watch(edition="e1", limit=0.15)
    return [incident for each in found if (incident := watch.add(each)) is not None]


def test_a_change_is_found_and_a_steady_rate_is_not() -> None:
    assert alarms_of(wave(1500, 0.10)) == []
    alarms = alarms_of([*wave(500, 0.10), *wave(300, 0.40, 500)])
    assert alarms and 500 < alarms[0].at_ns < 600


def test_the_incident_says_since_when_and_how_bad() -> None:
    alarm = alarms_of([*wave(500, 0.10), *wave(300, 0.40, 500)])[0]
    detail = json.loads(alarm.detail)
    assert (alarm.feature, alarm.rung, alarm.kind, detail["limit"]) == ("f", "small", "drift", 0.15)
    assert detail["before"]["wrong"] < 0.15 < detail["after"]["low"]
    assert abs(detail["before"]["n"] - 500) < 30
    assert any(each["what"] == "signal" and each["value"] == "grounding" for each in detail["changed"])


def test_the_incident_names_the_model_and_the_prompt_that_changed() -> None:
    alarm = alarms_of([*wave(500, 0.10), *wave(300, 0.40, 500, model="m-2", prompt="q")])[0]
    changed = {(each["what"], each["value"]): each for each in json.loads(alarm.detail)["changed"]}
    assert changed["model", "m-2"]["share_before"] < 0.05 < 0.95 < changed["model", "m-2"]["share_after"]
    assert {("model", "m-1"), ("prompt", "p"), ("prompt", "q")} <= set(changed)


def test_labels_of_earlier_editions_are_what_was_before() -> None:
    alarm = alarms_of([*wave(300, 0.10, edition="e0"), *wave(200, 0.45, 300)])[0]
    detail = json.loads(alarm.detail)
    assert detail["before"]["n"] >= 250
    assert {("edition", "e0"), ("edition", "e1")} <= {(each["what"], each["value"]) for each in detail["changed"]}


def test_a_detector_is_fresh_for_every_rung_model_prompt_and_edition() -> None:
    for fresh in ({"model": "m-2"}, {"prompt": "q"}, {"rung": "large"}):
        halves = [*(seen(at, True) for at in range(6)), *(seen(at, True, **fresh) for at in range(6, 12))]  # type: ignore[arg-type]
        assert alarms_of(halves) == []
    assert alarms_of([seen(at, True) for at in range(12)]) != []
    assert alarms_of([seen(at, True, edition="e2") for at in range(12)]) == []


def test_a_wrong_answer_counts_once_however_often_it_is_met() -> None:
    assert alarms_of([seen(at, True, group="the same") for at in range(100)]) == []


def test_known_questions_that_go_wrong_are_found() -> None:
    known = [seen(at, False, group=f"g{at % 50}") for at in range(200)]
    turned = [seen(200 + at, True, group=f"g{at}") for at in range(50)]
    assert len(alarms_of([*known, *turned])) >= 1


def test_labels_that_are_not_blind_say_nothing() -> None:
    for given in ({"source": "client"}, {"propensity": None}):
        assert alarms_of([seen(at, True, **given) for at in range(100)]) == []  # type: ignore[arg-type]


def test_an_alarm_begins_a_new_detector_and_has_a_new_name() -> None:
    alarms = alarms_of(wave(400, 0.6))
    assert len(alarms) > 2 and len({alarm.id for alarm in alarms}) == len(alarms)


def test_after_a_restart_no_alarm_is_told_again_and_the_next_comes_when_it_would_have() -> None:
    found = wave(400, 0.6)
    alarms = alarms_of(found)
    for told in range(len(alarms) + 1):
        assert alarms_of(found, Watch(edition="e1", limit=0.15, raised=alarms[:told])) == alarms[told:]


def test_replicas_that_read_in_another_order_name_the_alarm_alike() -> None:
    found = wave(60, 0.7)
    swapped = [found[at ^ 1] for at in range(60)]
    assert alarms_of(found)[0].id == alarms_of(swapped)[0].id


def test_the_last_alarm_of_an_edition_is_known() -> None:
    alarms = alarms_of(wave(400, 0.6))
    assert last_alarm(alarms, edition="e1") == alarms[-1].at_ns
    assert last_alarm(alarms, edition="e0") is None


QUESTION = Question(
    fingerprint="x", model="surefoot", dialect="openai", surface="chat", stream=False, input_tokens=12, max_output_tokens=None,
    prompt="p7",
)  # fmt: skip


def step(stage: str, rung: str | None, value: Read | Draft | Checked) -> Step:
    return Step(stage=stage, rung=rung, value=value)


def test_a_label_stands_beside_what_its_request_looked_like() -> None:
    signals = (Signal(name="a", score=0.3), Signal(name="b", score=None))
    steps = (
        step("read", None, Read(question=QUESTION)),
        step("call", "small", Draft(rung="small", model="m-9", provider="acme", digest="")),
        step("call", "large", Draft(rung="large", model="other", provider="acme", digest="")),
        step("check", "small", Checked(evidence=Evidence(signals=signals))),
    )
    entry = JournalEntry(
        request_id="r1", at_ns=1, draw="0", tenant="t", key_id="k", feature="f", dialect="openai", surface="chat", subject="",
        policy="v", mode="enforce", steps=steps, action="deliver", rung="small",
    )  # fmt: skip
    found = watched(seen(1, False).label, entry)
    assert (found.model, found.prompt, found.input_tokens, found.signals) == ("m-9", "p7", 12, {"a": 0.3})
    assert watched(seen(1, False).label, None).model == ""
