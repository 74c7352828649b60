"""The state machine: that its text fits the template and the errors, and how runs go through it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sageline import errors
from tests.unit.template import documents
from tests.unit.template.documents import Document, tasks
from tests.unit.template.walk import EXECUTION_ARN, Failure, Walk, walk

RUN_ID = "wine-20261120101500-3fa9c1"
TRIGGER = {"run_id": RUN_ID, "spec": {"name": "wine"}, "requested_at": "2026-11-20T10:15:00Z"}
TRAINING = {"kind": "training-job", "name": RUN_ID, "arn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{RUN_ID}"}
ENDPOINT = {"kind": "endpoint", "name": "wine", "arn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/wine"}
PREPARED = {
    "channels": {"train": {"uri": "s3://b/runs/r/data/train/", "rows": 80}},
    "content_type": None,
    "request_content_type": "text/csv",
    "num_class": None,
    "feature_dim": 13,
    "test_rows": 10,
    "evaluation": {"model_name": RUN_ID, "input_uri": f"s3://b/runs/{RUN_ID}/data/evaluation/", "content_type": "text/csv"},
}
PROMOTED = {"endpoint_name": "wine", "variant": RUN_ID, "status": "Succeeded"}
SHIFTED = {**ENDPOINT, "variant": RUN_ID, "bake_seconds": 600, "is_last": False}
TRANSFORM = {"model_name": RUN_ID, "input_uri": f"s3://b/runs/{RUN_ID}/data/batch/", "content_type": "text/csv"}
OF_THE_CHAMPION = {**TRANSFORM, "model_name": "wine-20261101000000-aaaaaa"}
ACCEPTED = {"status": "Running", "decision": "accepted", "reason": "r", "metrics": {"accuracy": 0.9}, "rows": 10}
REJECTED = {**ACCEPTED, "status": "Rejected", "decision": "rejected"}
TO_COMPARE = {**ACCEPTED, "decision": "compare", "transform": OF_THE_CHAMPION}
WRITTEN = {"uri": f"s3://b/runs/{RUN_ID}/predictions.csv", "rows": 10, "status": "Succeeded"}
CONFIGURED = {"run_id": RUN_ID, "endpoint_name": "wine", "kind": "training", "then": "deploy"}
OF_A_CHANGE = {**CONFIGURED, "kind": "change"}
DEPLOYED = {**ENDPOINT, "variant": RUN_ID, "model_version": RUN_ID, "served_before": False}
PENDING = Failure("RolloutPending", "The steps of its rollout come first.")
OF_A_BATCH = {**CONFIGURED, "kind": "batch", "then": "nothing"}
WITHOUT_ENDPOINT = {**CONFIGURED, "endpoint_name": None, "then": "nothing"}
MODEL_AND_BATCH = {**CONFIGURED, "endpoint_name": None, "then": "batch"}
ANSWERS: dict[str, object] = {
    "ConfigureRun": CONFIGURED,
    "PrepareData": PREPARED,
    "StartTraining": TRAINING,
    "CheckTraining": {"status": "Completed", "model_artifact_uri": "s3://b/runs/r/training/model.tar.gz", "metrics": {}},
    "CreateModel": {"model_name": RUN_ID, "model_arn": f"arn:aws:sagemaker:us-east-1:123456789012:model/{RUN_ID}"},
    "RunEvaluationTransform": {"status": "Completed", "transform_job_name": f"{RUN_ID}-test", "transform_seconds": 3},
    "EvaluateModel": ACCEPTED,
    "RunChampionTransform": {"status": "Completed", "transform_job_name": f"{RUN_ID}-champion", "transform_seconds": 3},
    "CompareModels": ACCEPTED,
    "DiscardModel": {"discarded": [f"model/{RUN_ID}"]},
    "DeployEndpoint": DEPLOYED,
    "CheckEndpoint": {"status": "InService"},
    "SmokeTest": {"rows": 10, "variant": RUN_ID},
    "ShiftTraffic": {**SHIFTED, "share": 0.1},
    "Bake": Failure("States.Timeout"),
    "PromoteVariant": PROMOTED,
    "RestoreModels": {"restored": ["wine-20261101000000-aaaaaa"]},
    "EncodeBatch": {"rows": 10, "parts": 1, "transform": TRANSFORM},
    "RunTransform": {"status": "Completed", "transform_job_name": RUN_ID, "transform_seconds": 3},
    "WritePredictions": WRITTEN,
    "DiscardDeployment": {"discarded": ["endpoint", "model"]},
    "RecordFailure": {"run_id": RUN_ID, "message": "What happened, and what to do."},
}
SHARDED: dict[str, object] = {
    "PlanShards": {"shards": 3, "workers": 2, "scan": True, "begin": 0, "end": 3, "groups": 0},
    "SettleShards": {"shards": 3, "workers": 2, "scan": True, "begin": 0, "end": 3, "groups": 0},
    "MergeFit": {"again": False, "round": 0, "begin": 0, "end": 3, "groups": 0},
}
SHARDED_BATCH: dict[str, object] = {
    "PlanBatchShards": {"shards": 3, "workers": 2, "scan": True},
    "SettleBatchShards": {"shards": 3, "workers": 2, "scan": False},
    "MergeBatch": {"rows": 10, "parts": 3, "transform": TRANSFORM},
}
EVALUATED = ["RunEvaluationTransform", "EvaluateModel", "Gate"]
COMPARED = ["RunChampionTransform", "CompareModels", "Gate"]
TO_THE_MODEL = ["ConfigureRun", "KindOfRun", "PrepareData", "StartTraining", "CheckTraining", "CreateModel", *EVALUATED]
TESTED = ["DeployEndpoint", "CheckEndpoint", "SmokeTest", "PromoteVariant"]
SUCCESS = [*TO_THE_MODEL, *TESTED, "Succeeded"]
BATCH = ["EncodeBatch", "RunTransform", "IsBatchSharded", "WritePredictions"]
FAILED = ["RecordFailure", "WhoseFailure", "Failed"]
WITHOUT_DEPLOYMENT = ["ConfigureRun", "PrepareData", "StartTraining", "CheckTraining"]
WITH_DEPLOYMENT = ["CreateModel", *EVALUATED[:-1], "DeployEndpoint", "CheckEndpoint", "SmokeTest", "PromoteVariant"]


def run(machine: Document, **answers: object) -> Walk:
    return walk(machine, {**ANSWERS, **answers}, TRIGGER)


def seconds(function: Document) -> int:
    return int(function["Properties"]["Timeout"])


# ---- The text ----


def test_every_placeholder_is_substituted_and_every_substitution_is_used(source: Document) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", documents.definition_text()))
    assert placeholders == source["Resources"]["Pipeline"]["Properties"]["DefinitionSubstitutions"].keys()


def test_a_placeholder_names_what_it_stands_for(source: Document) -> None:
    for name, value in source["Resources"]["Pipeline"]["Properties"]["DefinitionSubstitutions"].items():
        expected: Document = {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]} if name.endswith("Arn") else {"Ref": name}
        assert value == expected


def test_every_error_name_exists(machine: Document) -> None:
    for state in tasks(machine).values():
        for handler in [*state["Retry"], *state["Catch"]]:
            for error in handler["ErrorEquals"]:
                assert error.startswith(("States.", "Lambda.", "Sandbox.")) or issubclass(
                    getattr(errors, error), errors.SagelineError
                )


def test_every_state_can_be_reached(machine: Document) -> None:
    targets = {machine["StartAt"]}
    for state in machine["States"].values():
        targets |= {state[key] for key in ("Next", "Default") if key in state}
        targets |= {rule["Next"] for rule in state.get("Choices", [])}
        targets |= {catch["Next"] for catch in state.get("Catch", [])}
    assert targets == machine["States"].keys()


def test_a_task_outlives_its_function(stack: Document, machine: Document) -> None:
    for name, state in tasks(machine).items():
        function = stack["Resources"][state["Arguments"]["FunctionName"]]
        if not state["Resource"].endswith(".waitForTaskToken"):
            assert state["TimeoutSeconds"] > seconds(function), name


# ---- A run that succeeds ----


def test_a_run_succeeds_with_at_most_14_transitions(machine: Document) -> None:
    done = run(machine)
    assert done.states == SUCCESS
    assert len(done.states) <= 14
    assert done.output == PROMOTED


def test_each_function_is_asked_what_it_takes(machine: Document) -> None:
    done = run(machine)
    token = {"run_id": RUN_ID, "task_token": "token-CheckTraining"}
    assert done.payloads == {
        "ConfigureRun": {"execution_arn": EXECUTION_ARN, "trigger": TRIGGER},
        "PrepareData": {"run_id": RUN_ID, "sharded": False},
        "StartTraining": {"run_id": RUN_ID, "prepared": PREPARED},
        "CheckTraining": {**token, "resource": TRAINING},
        "CreateModel": {"run_id": RUN_ID, "model_artifact_uri": "s3://b/runs/r/training/model.tar.gz"},
        "RunEvaluationTransform": {
            "run_id": RUN_ID,
            "purpose": "evaluation",
            "transform": PREPARED["evaluation"],
            "task_token": "token-RunEvaluationTransform",
        },
        "EvaluateModel": {"action": "evaluate", "run_id": RUN_ID, "done": ""},
        "DeployEndpoint": {"action": "deploy", "run_id": RUN_ID, "content_type": "text/csv"},
        "CheckEndpoint": {**token, "task_token": "token-CheckEndpoint", "resource": ANSWERS["DeployEndpoint"]},
        "SmokeTest": {
            "action": "smoke-test",
            "run_id": RUN_ID,
            "endpoint_name": "wine",
            "variant": RUN_ID,
            "served_before": False,
        },
        "PromoteVariant": {"action": "promote", "run_id": RUN_ID},
    }


def test_a_run_without_an_endpoint_is_done_when_its_model_is_judged(machine: Document) -> None:
    done = run(machine, ConfigureRun=WITHOUT_ENDPOINT)
    assert done.states == [*TO_THE_MODEL, "Succeeded"]
    assert done.error is None


def test_a_run_without_an_endpoint_scores_its_batch_with_the_model_it_made(machine: Document) -> None:
    done = run(machine, ConfigureRun=MODEL_AND_BATCH)
    assert done.states == [*TO_THE_MODEL, *BATCH, "Succeeded"]
    assert done.output == WRITTEN


def test_a_batch_trains_nothing(machine: Document) -> None:
    done = run(machine, ConfigureRun=OF_A_BATCH)
    assert done.states == ["ConfigureRun", "KindOfRun", *BATCH, "Succeeded"]
    assert done.output == WRITTEN


def test_the_states_of_a_batch_hand_on_what_the_next_needs(machine: Document) -> None:
    done = run(machine, ConfigureRun=OF_A_BATCH)
    assert {name: done.payloads[name] for name in BATCH if name in done.payloads} == {
        "EncodeBatch": {"run_id": RUN_ID},
        "RunTransform": {"run_id": RUN_ID, "transform": TRANSFORM, "task_token": "token-RunTransform"},
        "WritePredictions": {"run_id": RUN_ID, "sharded": False},
    }


@pytest.mark.parametrize("state", ["EncodeBatch", "RunTransform", "WritePredictions"])
@pytest.mark.parametrize("configured", [OF_A_BATCH, MODEL_AND_BATCH])
def test_a_failed_batch_leaves_nothing_and_is_recorded(machine: Document, state: str, configured: Document) -> None:
    done = run(machine, ConfigureRun=configured, **{state: Failure("InvalidDataset", "row 7, column 'size': 'big' is no number")})
    assert done.states[-5:] == [state, "DiscardDeployment", *FAILED]
    assert done.payloads["RecordFailure"]["state"] == state
    assert done.error == "InvalidDataset"


def test_each_state_asks_its_function(machine: Document) -> None:
    functions = run(machine).functions | run(machine, CreateModel=Failure("ResourceConflict", "{}")).functions
    functions |= run(machine, ConfigureRun=OF_A_BATCH).functions | run(machine, ConfigureRun=OF_A_CHANGE).functions
    functions |= run(machine, EvaluateModel=TO_COMPARE, CompareModels=REJECTED).functions
    functions |= run(machine, **steps(1)).functions
    functions |= run(machine, ConfigureRun={**CONFIGURED, "sharded": True}, **SHARDED).functions
    functions |= run(machine, ConfigureRun={**OF_A_BATCH, "batch_sharded": True}, **SHARDED_BATCH).functions
    functions |= {name: tasks(machine)[name]["Arguments"]["FunctionName"] for name in ("ChooseCandidate", "CreateChosenModel")}
    others = {
        "CheckTraining": "CheckStatusFunction",
        "CreateChosenModel": "CreateModelFunction",
        "SettleShards": "PlanShardsFunction",
        "PlanBatchShards": "EncodeBatchFunction",
        "SettleBatchShards": "EncodeBatchFunction",
        "MergeBatch": "EncodeBatchFunction",
        "RunEvaluationTransform": "StartTransformFunction",
        "RunChampionTransform": "StartTransformFunction",
        "CompareModels": "EvaluateModelFunction",
        "DiscardModel": "DeleteEndpointFunction",
        "RunTransform": "StartTransformFunction",
        "CheckEndpoint": "CheckStatusFunction",
        "Bake": "CheckStatusFunction",
        "ShiftTraffic": "DeployEndpointFunction",
        "RestoreModels": "CreateModelFunction",
        "SmokeTest": "InvokePreprocessFunction",
        "PromoteVariant": "DeployEndpointFunction",
        "DiscardDeployment": "DeleteEndpointFunction",
    }
    assert functions == {name: others.get(name, f"{name}Function") for name in tasks(machine)}


def test_a_second_execution_for_the_same_trigger_ends_without_a_trace(machine: Document) -> None:
    done = run(machine, ConfigureRun=Failure("AlreadyStarted", "{}"))
    assert done.states == ["ConfigureRun", "AlreadyStarted"]
    assert done.error is None


# ---- A model that is judged ----


@pytest.mark.parametrize("configured", [CONFIGURED, WITHOUT_ENDPOINT, MODEL_AND_BATCH])
def test_a_model_that_is_not_good_enough_goes_and_nothing_is_done_with_it(machine: Document, configured: Document) -> None:
    done = run(machine, ConfigureRun=configured, EvaluateModel=REJECTED)
    assert done.states == [*TO_THE_MODEL, "DiscardModel", "Discarded"]
    assert done.payloads["DiscardModel"] == {"action": "discard", "run_id": RUN_ID}
    assert done.error is None, "that a model is refused is an outcome and not a failure"


def test_a_model_that_must_be_better_is_deployed_after_the_one_in_service_has_answered(machine: Document) -> None:
    done = run(machine, EvaluateModel=TO_COMPARE)
    assert done.states == [*TO_THE_MODEL, *COMPARED, *TESTED, "Succeeded"]
    assert {name: done.payloads[name] for name in COMPARED[:-1]} == {
        "RunChampionTransform": {
            "run_id": RUN_ID,
            "purpose": "champion",
            "transform": OF_THE_CHAMPION,
            "task_token": "token-RunChampionTransform",
        },
        "CompareModels": {"action": "compare", "run_id": RUN_ID, "done": "", "champion_failure": {}},
    }


def test_a_model_that_is_not_better_goes(machine: Document) -> None:
    done = run(machine, EvaluateModel=TO_COMPARE, CompareModels=REJECTED)
    assert done.states == [*TO_THE_MODEL, *COMPARED, "DiscardModel", "Discarded"]
    assert done.error is None


@pytest.mark.parametrize("error", ["EndpointNotFound", "TransformJobFailed"])
def test_a_model_in_service_that_cannot_answer_is_a_reason_to_refuse_and_no_failure(machine: Document, error: str) -> None:
    done = run(machine, EvaluateModel=TO_COMPARE, RunChampionTransform=Failure(error, "gone"), CompareModels=REJECTED)
    assert done.states == [*TO_THE_MODEL, *COMPARED, "DiscardModel", "Discarded"]
    assert done.payloads["CompareModels"]["champion_failure"] == {"Error": error, "Cause": "gone"}


@pytest.mark.parametrize("state", COMPARED[:-1])
def test_a_comparison_that_fails_discards_the_model_and_is_recorded(machine: Document, state: str) -> None:
    done = run(machine, **{"EvaluateModel": TO_COMPARE, state: Failure("TransformFailed", "no capacity")})
    assert done.states[-5:] == [state, "DiscardDeployment", *FAILED]
    assert (done.payloads["RecordFailure"]["state"], done.error) == (state, "TransformFailed")


def test_a_refused_model_that_cannot_be_removed_is_a_failure_that_is_recorded(machine: Document) -> None:
    done = run(machine, EvaluateModel=REJECTED, DiscardModel=Failure("States.Timeout"))
    assert done.states[-4:] == ["DiscardModel", *FAILED]


# ---- A rollout ----


def of_traffic(states: list[str]) -> list[str]:
    """The states that decide who gets the traffic of an endpoint that is ready."""
    return [state for state in states if state in ("ShiftTraffic", "Bake", "PromoteVariant")]


def steps(count: int) -> Document:
    """What the states of the traffic answer in a rollout of so many steps: each bakes until its time is over, and after the last
    the endpoint lets go of the old variants."""
    shifted = [{**SHIFTED, "share": 0.2 * number, "is_last": number == count + 1} for number in range(1, count + 2)]
    baked: list[object] = [Failure("States.Timeout")] * count
    return {
        "PromoteVariant": iter([PENDING, PROMOTED]),
        "ShiftTraffic": iter(shifted),
        "Bake": iter([*baked, {"status": "InService"}]),
    }


@pytest.mark.parametrize("count", [1, 4])
def test_a_rollout_bakes_after_each_step_and_takes_at_most_12_transitions(machine: Document, count: int) -> None:
    done = run(machine, **steps(count))
    assert done.states == [*TO_THE_MODEL, *TESTED, *(["ShiftTraffic", "Bake"] * (count + 1)), "PromoteVariant", "Succeeded"]
    assert len(of_traffic(done.states)) <= 12


def test_each_step_has_its_number_so_that_a_retry_skips_none(machine: Document) -> None:
    done = run(machine, **steps(4))
    asked = [payload for state, payload in done.asked if state == "ShiftTraffic"]
    assert asked == [{"action": "shift", "run_id": RUN_ID, "step": number} for number in range(5)]


def test_baking_is_told_what_to_watch(machine: Document) -> None:
    done = run(machine, **steps(1))
    assert done.payloads["Bake"] == {
        "run_id": RUN_ID,
        "shifted": {**SHIFTED, "share": 0.4, "is_last": True},
        "task_token": "token-Bake",
    }


@pytest.mark.parametrize("state", ["ShiftTraffic", "Bake"])
def test_an_alarm_discards_the_deployment_and_is_recorded(machine: Document, state: str) -> None:
    done = run(machine, **{**steps(1), state: Failure("RolloutAlarm", "5xx")})
    assert done.states[-5:] == [state, "DiscardDeployment", *FAILED]
    assert (done.payloads["RecordFailure"]["state"], done.error) == (state, "RolloutAlarm")


# ---- A change of what serves ----


def test_a_change_trains_nothing_and_goes_on_like_any_deployment(machine: Document) -> None:
    restored = {**DEPLOYED, "variant": "old", "model_version": "old", "served_before": True}
    done = run(machine, ConfigureRun=OF_A_CHANGE, DeployEndpoint=restored)
    assert done.states == ["ConfigureRun", "KindOfRun", "RestoreModels", *TESTED, "Succeeded"]
    assert done.payloads["RestoreModels"] == {"action": "restore", "run_id": RUN_ID}
    assert done.payloads["DeployEndpoint"] == {"action": "deploy", "run_id": RUN_ID, "content_type": ""}
    assert (done.payloads["SmokeTest"]["run_id"], done.payloads["SmokeTest"]["served_before"]) == ("old", True)


def test_a_failed_change_is_undone_and_recorded(machine: Document) -> None:
    done = run(machine, ConfigureRun=OF_A_CHANGE, RestoreModels=Failure("ModelMissing", "gone"))
    assert done.states[-5:] == ["RestoreModels", "DiscardDeployment", *FAILED]


# ---- A run that fails ----


@pytest.mark.parametrize("state", WITHOUT_DEPLOYMENT)
def test_a_failure_before_anything_is_deployed_is_recorded(machine: Document, state: str) -> None:
    done = run(machine, **{state: Failure("InvalidDataset", "row 7 is ragged")})
    assert done.states[-4:] == [state, *FAILED]


@pytest.mark.parametrize("state", WITH_DEPLOYMENT)
def test_a_failure_later_discards_what_was_made_first(machine: Document, state: str) -> None:
    done = run(machine, **{state: Failure("SmokeTestFailed", "probabilities sum to 3")})
    assert done.states[-5:] == [state, "DiscardDeployment", *FAILED]
    assert done.payloads["DiscardDeployment"] == {"action": "discard", "run_id": RUN_ID}


@pytest.mark.parametrize("state", [*WITHOUT_DEPLOYMENT, *WITH_DEPLOYMENT])
def test_the_record_names_the_state_that_failed_with_its_error_and_cause(machine: Document, state: str) -> None:
    cause = json.dumps({"errorMessage": "row 7 is ragged", "errorType": "InvalidDataset"})
    done = run(machine, **{state: Failure("InvalidDataset", cause)})
    assert done.payloads["RecordFailure"] == {
        "execution_arn": EXECUTION_ARN,
        "trigger": TRIGGER,
        "state": state,
        "error": "InvalidDataset",
        "cause": cause,
        "discard_error": "",
    }


def test_a_failed_run_ends_with_the_named_error_and_the_recorded_message(machine: Document) -> None:
    done = run(machine, PrepareData=Failure("InvalidDataset", "row 7 is ragged"))
    assert (done.error, done.cause) == ("InvalidDataset", "What happened, and what to do.")


def test_an_error_without_a_cause_is_recorded_all_the_same(machine: Document) -> None:
    done = run(machine, PrepareData=Failure("States.Timeout"))
    assert done.payloads["RecordFailure"]["cause"] == ""
    assert done.error == "States.Timeout"


def test_a_failed_discard_is_told_beside_the_failure_that_led_to_it(machine: Document) -> None:
    failures = {"SmokeTest": Failure("SmokeTestFailed", "no label"), "DiscardDeployment": Failure("EndpointNotReady", "busy")}
    done = run(machine, **failures)
    recorded: dict[str, Any] = done.payloads["RecordFailure"]
    assert recorded["state"] == "SmokeTest"
    assert recorded["error"] == "SmokeTestFailed"
    assert recorded["discard_error"] == "EndpointNotReady: busy"
    assert done.states[-3:] == FAILED


def test_a_failure_that_cannot_be_recorded_still_says_what_failed(machine: Document) -> None:
    failures = {"PrepareData": Failure("InvalidDataset", "row 7 is ragged"), "RecordFailure": Failure("States.Timeout")}
    done = run(machine, **failures)
    assert done.states[-2:] == ["RecordFailure", "Failed"]
    assert (done.error, done.cause) == ("InvalidDataset", "PrepareData failed with InvalidDataset: row 7 is ragged")
