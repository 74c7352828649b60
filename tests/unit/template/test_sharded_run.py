"""How a run of a large dataset goes through the state machine: in shards, as many at once as ConfigureRun has planned."""

from __future__ import annotations

import pytest

from tests.unit.template.documents import Document
from tests.unit.template.test_state_machine import (
    ACCEPTED,
    CONFIGURED,
    FAILED,
    RUN_ID,
    SHARDED,
    TESTED,
    TO_COMPARE,
    TO_THE_MODEL,
    run,
)
from tests.unit.template.walk import Failure, Walk

IN_SHARDS = {**CONFIGURED, "sharded": True}
MAPS = ("ScanShards", "FitShards", "MergeGroups", "EncodeShards", "EvaluateShards")
IN_SHARDS_OF = {**ACCEPTED, "decision": "shards", "shards": 2, "workers": 2}
SCAN = ["NeedsScan", "ScanShards", "SettleShards"]
FIT = ["FitShards", "AreMany", "MergeFit", "IsFitted"]


def sharded(machine: Document, **answers: object) -> Walk:
    return run(machine, ConfigureRun=IN_SHARDS, **{**SHARDED, **answers})


def before_training(walk: Walk) -> list[str]:
    return walk.states[2 : walk.states.index("StartTraining")]


def children(walk: Walk, state: str) -> list[list[Document]]:
    """What the children of a Map were given, each time that it was entered."""
    return [inputs for name, inputs, _ in walk.children if name == state]


def test_text_that_is_cut_is_scanned_counted_and_encoded(machine: Document) -> None:
    walk = sharded(machine)

    assert before_training(walk) == ["PlanShards", *SCAN, *FIT, "EncodeShards", "PrepareData"]
    assert walk.payloads["PlanShards"] == {"run_id": RUN_ID, "action": "plan"}
    assert walk.payloads["SettleShards"] == {"run_id": RUN_ID, "action": "settle"}
    assert walk.payloads["MergeFit"] == {"run_id": RUN_ID, "round": 0}
    assert walk.payloads["PrepareData"] == {"run_id": RUN_ID, "sharded": True}


def test_what_begins_where_it_is_known_is_not_scanned(machine: Document) -> None:
    planned = {"shards": 3, "workers": 2, "scan": False, "begin": 0, "end": 3, "groups": 0}

    assert before_training(sharded(machine, PlanShards=planned)) == [
        "PlanShards",
        "NeedsScan",
        *FIT,
        "EncodeShards",
        "PrepareData",
    ]


def test_each_shard_is_a_child_and_so_many_work_at_once(machine: Document) -> None:
    walk = sharded(machine)

    assert children(walk, "ScanShards") == [[{"run_id": RUN_ID, "shard": shard} for shard in range(3)]]
    assert children(walk, "FitShards") == [[{"run_id": RUN_ID, "round": 0, "shard": shard} for shard in range(3)]]
    assert children(walk, "EncodeShards") == [[{"run_id": RUN_ID, "shard": shard} for shard in range(3)]]
    assert {workers for _, _, workers in walk.children} == {2}


def test_one_shard_is_one_child(machine: Document) -> None:
    planned = {"shards": 1, "workers": 1, "scan": False, "begin": 0, "end": 1, "groups": 0}

    assert children(sharded(machine, PlanShards=planned), "EncodeShards") == [[{"run_id": RUN_ID, "shard": 0}]]


def test_many_shards_are_merged_in_groups_first(machine: Document) -> None:
    planned = {"shards": 120, "workers": 9, "scan": False, "begin": 0, "end": 120, "groups": 3}

    walk = sharded(machine, PlanShards=planned)

    assert walk.states[walk.states.index("AreMany") :][:3] == ["AreMany", "MergeGroups", "MergeFit"]
    assert children(walk, "MergeGroups") == [[{"run_id": RUN_ID, "round": 0, "group": group} for group in range(3)]]


def test_shards_read_again_as_often_as_the_merged_rows_ask_for_it(machine: Document) -> None:
    merged = iter(
        [
            {"again": True, "round": 1, "begin": 1, "end": 3, "groups": 0},
            {"again": True, "round": 2, "begin": 0, "end": 3, "groups": 0},
            {"again": False, "round": 2, "begin": 0, "end": 3, "groups": 0},
        ]
    )

    walk = sharded(machine, MergeFit=merged)

    assert before_training(walk) == ["PlanShards", *SCAN, *FIT, *FIT, *FIT, "EncodeShards", "PrepareData"]
    assert [[(child["round"], child["shard"]) for child in inputs] for inputs in children(walk, "FitShards")] == [
        [(0, 0), (0, 1), (0, 2)],
        [(1, 1), (1, 2)],
        [(2, 0), (2, 1), (2, 2)],
    ]


def test_many_answers_are_read_by_shards_and_the_state_that_has_asked_goes_on(machine: Document) -> None:
    answers = iter([{**IN_SHARDS_OF, "work": "decision"}, {**IN_SHARDS_OF, "work": "evaluation", "shards": 3}, ACCEPTED])

    walk = run(machine, EvaluateModel=answers)

    again = ["EvaluateShards", "WhoHasAsked", "EvaluateModel", "Gate"]
    assert walk.states == [*TO_THE_MODEL, *again, *again, *TESTED, "Succeeded"]
    assert [payload["done"] for name, payload in walk.asked if name == "EvaluateModel"] == ["", "decision", "evaluation"]
    assert walk.children == [
        ("EvaluateShards", [{"run_id": RUN_ID, "work": "decision", "shard": shard} for shard in range(2)], 2),
        ("EvaluateShards", [{"run_id": RUN_ID, "work": "evaluation", "shard": shard} for shard in range(3)], 2),
    ]


def test_many_rows_are_encoded_and_many_answers_read_for_the_model_in_service_too(machine: Document) -> None:
    answers = iter([{**IN_SHARDS_OF, "work": "encoding"}, TO_COMPARE])
    compared = iter([{**IN_SHARDS_OF, "work": "champion"}, ACCEPTED])

    walk = run(machine, EvaluateModel=answers, CompareModels=compared)

    in_shards = ["EvaluateShards", "WhoHasAsked"]
    to_champion = [*in_shards, "EvaluateModel", "Gate", "RunChampionTransform", "CompareModels", "Gate"]
    assert walk.states == [*TO_THE_MODEL, *to_champion, *in_shards, "CompareModels", "Gate", *TESTED, "Succeeded"]
    assert [payload["done"] for name, payload in walk.asked if name == "CompareModels"] == ["encoding", "champion"]
    assert [inputs[0]["work"] for _, inputs, _ in walk.children] == ["encoding", "champion"]


@pytest.mark.parametrize("state", ["PlanShards", "SettleShards", "MergeFit"])
def test_what_fails_between_the_shards_is_recorded(machine: Document, state: str) -> None:
    walk = sharded(machine, **{state: Failure("InvalidDataset", "row 7: no number")})

    assert walk.states[-4:] == [state, *FAILED]


@pytest.mark.parametrize("state", MAPS)
def test_a_map_tolerates_no_failure_and_tells_of_it(machine: Document, state: str) -> None:
    definition = machine["States"][state]

    assert definition["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert not {"ToleratedFailureCount", "ToleratedFailurePercentage"} & definition.keys()
    [catch] = definition["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (
        ["States.ALL"],
        "DiscardDeployment" if state == "EvaluateShards" else "RecordFailure",
    )


@pytest.mark.parametrize("state", MAPS)
def test_a_child_sees_its_input_alone_and_is_tried_three_times(machine: Document, state: str) -> None:
    """A child of a distributed Map knows no variables of its parent."""
    [(name, child)] = machine["States"][state]["ItemProcessor"]["States"].items()

    assert name == state.removesuffix("s")
    assert child["Arguments"]["Payload"] == "{% $states.input %}"
    assert child["Arguments"]["FunctionName"] == ("MergeFitFunction" if name == "MergeGroup" else f"{name}Function")
    [others] = [retrier for retrier in child["Retry"] if retrier["ErrorEquals"] == ["States.ALL"]]
    assert others["MaxAttempts"] == 2
