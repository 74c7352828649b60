"""What the state machine does about errors: states of one kind retry and catch alike, and each kind says why it is one."""

from __future__ import annotations

import pytest

from tests.unit.template import documents
from tests.unit.template.documents import Document, tasks

CALLS = {
    *("ConfigureRun", "PrepareData", "StartTraining", "CreateModel", "RestoreModels", "ChooseCandidate", "CreateChosenModel"),
    *("EvaluateModel", "CompareModels", "EncodeBatch", "WritePredictions", "RecordFailure"),
    *("PlanShards", "SettleShards", "MergeFit", "PlanBatchShards", "SettleBatchShards", "MergeBatch"),
}
"""They call a function once: only that Lambda could not start it is tried again."""
WAITS = {"CheckTraining", "RunEvaluationTransform", "RunChampionTransform", "CheckEndpoint", "RunTransform"}
"""They wait for a token, and look again without end: an event may get lost, and a look may fail for a moment."""
ENDPOINT_CHANGES = {"ShiftTraffic", "PromoteVariant", "DiscardModel", "DiscardDeployment"}
"""They change an endpoint, which may be busy for minutes."""
RETRY_KINDS = {
    "call": CALLS,
    "wait": WAITS,
    "bake": {"Bake"},  # a wait whose timeout is its good end
    "change of an endpoint": ENDPOINT_CHANGES,
    "deployment": {"DeployEndpoint"},  # a change that waits for another run's rollout, for hours
    "smoke test": {"SmokeTest"},  # a call of a model that may take longer to start than a function may run
}
CATCH_KINDS = {
    # Nothing is made yet that costs money; what a refused model left cannot be removed, and is not tried a second time.
    "recorded": {
        *("ConfigureRun", "PrepareData", "StartTraining", "CheckTraining", "ChooseCandidate", "DiscardModel"),
        *("PlanShards", "SettleShards", "MergeFit"),
    },
    "discarded, then recorded": {
        *("CreateModel", "CreateChosenModel", "RestoreModels", "RunEvaluationTransform", "EvaluateModel"),
        *("RunChampionTransform", "CompareModels"),
        *("DeployEndpoint", "CheckEndpoint", "SmokeTest", "PromoteVariant", "ShiftTraffic", "Bake"),
        *("EncodeBatch", "RunTransform", "WritePredictions", "PlanBatchShards", "SettleBatchShards", "MergeBatch"),
    },
    "recorded beside the failure that led to it": {"DiscardDeployment"},
    "told without a record": {"RecordFailure"},
}
"""The kinds by what becomes of an error that nothing else catches."""
NO_FAILURES = {
    "ConfigureRun": ["AlreadyStarted"],
    "RunChampionTransform": ["EndpointNotFound", "TransformJobFailed"],
    "PromoteVariant": ["RolloutPending"],
    "Bake": ["States.Timeout"],
}
"""The errors by which a run goes on, or ends well."""


def retriers(state: Document, error: str) -> list[Document]:
    return [retrier for retrier in state["Retry"] if error in retrier["ErrorEquals"]]


@pytest.mark.parametrize("kinds", [RETRY_KINDS, CATCH_KINDS], ids=["retry", "catch"])
def test_every_task_is_of_one_kind(machine: Document, kinds: dict[str, set[str]]) -> None:
    assert sorted(name for names in kinds.values() for name in names) == sorted(tasks(machine))


@pytest.mark.parametrize("kind", RETRY_KINDS)
def test_states_of_a_kind_retry_alike(machine: Document, kind: str) -> None:
    first, *others = sorted(RETRY_KINDS[kind])
    for name in others:
        assert machine["States"][name]["Retry"] == machine["States"][first]["Retry"], f"{name} is not like {first}"


@pytest.mark.parametrize("kind", CATCH_KINDS)
def test_states_of_a_kind_catch_alike(machine: Document, kind: str) -> None:
    first, *others = sorted(CATCH_KINDS[kind])
    for name in others:
        assert machine["States"][name]["Catch"][-1] == machine["States"][first]["Catch"][-1], f"{name} is not like {first}"


def test_no_kind_is_like_another(machine: Document) -> None:
    states = machine["States"]
    retries = [states[min(names)]["Retry"] for names in RETRY_KINDS.values()]
    catches = [states[min(names)]["Catch"][-1] for names in CATCH_KINDS.values()]
    assert all(blocks.count(block) == 1 for blocks in (retries, catches) for block in blocks)


def test_only_errors_that_are_no_failures_are_caught_apart(machine: Document) -> None:
    apart = {
        name: [error for catch in state["Catch"][:-1] for error in catch["ErrorEquals"]] for name, state in tasks(machine).items()
    }
    assert {name: found for name, found in apart.items() if found} == NO_FAILURES


def test_every_task_has_a_timeout_and_catches_everything(machine: Document) -> None:
    for name, state in tasks(machine).items():
        assert state["TimeoutSeconds"] == "{% $shifted.bake_seconds %}" if name == "Bake" else state["TimeoutSeconds"] > 0, name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
    assert machine["TimeoutSeconds"] > 28 * 86400, "a training job may run for 28 days"


def test_lambdas_transient_errors_are_retried_with_jitter_and_in_waits_of_weeks_more_often(machine: Document) -> None:
    """Step Functions counts a retrier's attempts over all looks of a state, not for each look."""
    transient = [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.TooManyRequestsException",
    ]
    for name, state in tasks(machine).items():
        [retrier] = retriers(state, "Lambda.ServiceException")
        assert retrier["ErrorEquals"] == transient, name
        assert retrier["JitterStrategy"] == "FULL", name
        assert retrier["BackoffRate"] > 1, name
        assert (retrier["MaxAttempts"] >= 100) == (name in WAITS | {"Bake"}), name


def test_a_smoke_test_and_a_look_that_lambda_ended_are_made_again(machine: Document) -> None:
    """A model may take longer to start than a function may run, and AWS longer to answer a look; no other state is made again."""
    by_lambda = ["Sandbox.Timedout", "Lambda.Unknown"]
    for name, state in tasks(machine).items():
        again = [retrier["ErrorEquals"] for retrier in retriers(state, "Sandbox.Timedout")]
        expected = [by_lambda] if name in WAITS | {"Bake"} else [[*by_lambda, "States.Timeout"]] if name == "SmokeTest" else []
        assert again == expected, name


@pytest.mark.parametrize("error", ["EndpointNotReady", "ConcurrentModification"])
def test_a_busy_endpoint_is_waited_for_whenever_it_is_to_be_changed(machine: Document, error: str) -> None:
    waiting = {name for name, state in tasks(machine).items() if retriers(state, error)}
    assert waiting == ENDPOINT_CHANGES | {"DeployEndpoint"}
    for name in waiting:
        [retrier] = retriers(machine["States"][name], error)
        assert retrier["JitterStrategy"] == "FULL"
        patience = retrier["MaxDelaySeconds"] * retrier["MaxAttempts"] / 2  # on average, with full jitter
        assert patience >= (12 * 3600 if name == "DeployEndpoint" else 1500), "another run's rollout may bake for hours"


def test_waiting_is_by_token_and_a_lost_event_is_made_up_for_without_end(machine: Document) -> None:
    by_token = {name for name, state in tasks(machine).items() if state["Resource"].endswith(".waitForTaskToken")}
    assert by_token == WAITS | {"Bake"}
    assert not retriers(machine["States"]["Bake"], "States.Timeout"), "its timeout is the time to bake"
    assert documents.definition_text().count('"TimeoutSeconds": ${CheckIntervalSeconds},') == len(WAITS)
    for name in WAITS:
        assert machine["States"][name]["TimeoutSeconds"] == 300
        [retrier] = retriers(machine["States"][name], "States.Timeout")
        assert retrier["MaxAttempts"] == 99999999, "the most that Step Functions takes"
        assert retrier["BackoffRate"] == 1
