"""How a run of `auto` goes through the state machine, and the runs of its candidates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from sageline.names import candidate_run_id
from tests.unit.template import documents
from tests.unit.template.documents import Document, tasks
from tests.unit.template.nested_walk import EXECUTIONS, Account
from tests.unit.template.test_state_machine import (
    ANSWERS,
    BATCH,
    COMPARED,
    CONFIGURED,
    MODEL_AND_BATCH,
    PROMOTED,
    REJECTED,
    RUN_ID,
    TESTED,
    TO_COMPARE,
    TO_THE_MODEL,
    TRIGGER,
    WITHOUT_ENDPOINT,
    WRITTEN,
)
from tests.unit.template.walk import Failure, Walk

TREES, LINEAR = (candidate_run_id(RUN_ID, algorithm) for algorithm in ("xgboost", "linear-learner"))
OF_AUTO = {**CONFIGURED, "kind": "auto", "candidates": [TREES, LINEAR]}
VALIDATED = {"status": "Succeeded", "decision": "validated", "reason": "r", "metrics": {"accuracy": 0.9}, "rows": 20}
CHOSEN = {
    "candidate": LINEAR,
    "algorithm": "linear-learner",
    "model_artifact_uri": f"s3://b/runs/{LINEAR}/training/{LINEAR}/output/model.tar.gz",
    "request_content_type": "application/x-recordio-protobuf",
}
ITEMS = ["RunCandidate", "RunCandidate"]
TO_THE_CHOICE = ["ConfigureRun", "KindOfRun", "TrainCandidates", *ITEMS, "ChooseCandidate"]
TO_THE_GATE = [*TO_THE_CHOICE, "CreateChosenModel", "EvaluateModel", "Gate"]
OF_A_CANDIDATE = [*TO_THE_MODEL, "DiscardModel", "Discarded"]


def of_candidate(run_id: str) -> dict[str, object]:
    configured = {"run_id": run_id, "endpoint_name": None, "kind": "training", "then": "candidate"}
    return {"ConfigureRun": configured, "EvaluateModel": VALIDATED}


def start(machine: Document, of: Mapping[str, Mapping[str, object]] | None = None, **answers: object) -> Account:
    """The run's execution, and through it those of its candidates.

    Args:
        of: by candidate, what is answered in its own execution.
        answers: what is answered in the run's.
    """
    known = {
        "": ANSWERS,
        "one": {"ConfigureRun": OF_AUTO, "ChooseCandidate": CHOSEN, "CreateChosenModel": ANSWERS["CreateModel"], **answers},
    }
    known |= {run_id: {**of_candidate(run_id), **(of or {}).get(run_id, {})} for run_id in (TREES, LINEAR)}
    account = Account(machine, known)
    account.start("one", TRIGGER)
    return account


def the_run(machine: Document, of: Mapping[str, Mapping[str, object]] | None = None, **answers: object) -> Walk:
    return start(machine, of, **answers).walks["one"]


# ---- A run that succeeds ----


def test_a_run_of_two_algorithms_succeeds_with_the_chosen_model(machine: Document) -> None:
    account = start(machine)

    done = account.walks["one"]
    assert done.states == [*TO_THE_GATE, *TESTED, "Succeeded"]
    assert (done.output, done.error) == (PROMOTED, None)
    assert {name: walk.states for name, walk in account.walks.items() if name != "one"} == {
        TREES: OF_A_CANDIDATE,
        LINEAR: OF_A_CANDIDATE,
    }


def test_the_readme_shows_the_states_of_a_run_that_succeeds(machine: Document) -> None:
    shown = re.findall(r"^✓ (\w+) +\S.*\d s$", (documents.ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    passed = [name for name in the_run(machine).states if name in {*tasks(machine), "TrainCandidates"}]
    assert [name for name in shown if name in machine["States"]] == passed


def test_how_many_transitions_a_run_of_two_algorithms_takes(machine: Document) -> None:
    assert {name: len(walk.states) for name, walk in start(machine).walks.items()} == {"one": 14, TREES: 11, LINEAR: 11}


def test_each_candidate_is_an_execution_of_its_own_that_knows_whose_it_is(machine: Document) -> None:
    account = start(machine)

    for run_id in (TREES, LINEAR):
        trigger = {
            "run_id": run_id,
            "candidate_of": RUN_ID,
            "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": f"{EXECUTIONS}:one",
        }
        asked = account.walks[run_id].payloads
        assert asked["ConfigureRun"] == {"execution_arn": f"{EXECUTIONS}:{run_id}", "trigger": trigger}
        assert asked["EvaluateModel"] == {"action": "validate", "run_id": run_id, "done": ""}
        assert asked["DiscardModel"] == {"action": "discard", "run_id": run_id}
        assert {payload.get("run_id", run_id) for payload in asked.values()} == {run_id}


def test_the_run_itself_prepares_and_trains_nothing_and_is_judged_by_its_test_rows(machine: Document) -> None:
    done = the_run(machine)

    assert done.payloads["EvaluateModel"] == {"action": "evaluate", "run_id": RUN_ID, "done": ""}
    assert not {"PrepareData", "StartTraining", "CheckTraining", "CreateModel", "RunEvaluationTransform"} & set(done.states)


def test_what_was_chosen_is_what_is_registered_and_deployed(machine: Document) -> None:
    done = the_run(machine)

    assert done.payloads["ChooseCandidate"] == {"run_id": RUN_ID}
    assert done.payloads["CreateChosenModel"] == {"run_id": RUN_ID, "model_artifact_uri": CHOSEN["model_artifact_uri"]}
    assert done.payloads["DeployEndpoint"] == {
        "action": "deploy",
        "run_id": RUN_ID,
        "content_type": CHOSEN["request_content_type"],
    }
    assert done.functions["ChooseCandidate"] == "ChooseCandidateFunction"
    assert done.functions["CreateChosenModel"] == "CreateModelFunction"


def test_a_run_of_a_single_candidate_is_no_other(machine: Document) -> None:
    account = start(machine, ConfigureRun={**OF_AUTO, "candidates": [TREES]})

    assert list(account.walks) == ["one", TREES]
    assert [state for state in account.walks["one"].states if state != "RunCandidate"] == [
        *[state for state in TO_THE_GATE if state != "RunCandidate"],
        *TESTED,
        "Succeeded",
    ]


def test_the_run_goes_on_with_the_chosen_model_as_one_of_a_single_algorithm(machine: Document) -> None:
    kind = {"kind": "auto", "candidates": [TREES, LINEAR]}

    batch = the_run(machine, ConfigureRun={**MODEL_AND_BATCH, **kind})
    assert batch.states == [*TO_THE_GATE, *BATCH, "Succeeded"]
    assert batch.output == WRITTEN
    assert the_run(machine, ConfigureRun={**WITHOUT_ENDPOINT, **kind}).states == [*TO_THE_GATE, "Succeeded"]
    assert the_run(machine, EvaluateModel=REJECTED).states == [*TO_THE_GATE, "DiscardModel", "Discarded"]
    compared = the_run(machine, EvaluateModel=TO_COMPARE)
    assert compared.states == [*TO_THE_GATE, *COMPARED, *TESTED, "Succeeded"]


# ---- Candidates that fail ----

FAILED = Failure("TrainingJobFailed", '{"errorMessage": "It ran out of memory.", "errorType": "TrainingJobFailed"}')
BEFORE_A_MODEL = ["ConfigureRun", "PrepareData", "StartTraining", "CheckTraining"]
WITH_A_MODEL = ["CreateModel", "RunEvaluationTransform", "EvaluateModel"]


@pytest.mark.parametrize("state", [*BEFORE_A_MODEL, *WITH_A_MODEL, "DiscardModel"])
def test_a_candidate_that_fails_keeps_no_other_from_going_on(machine: Document, state: str) -> None:
    account = start(machine, {TREES: {state: FAILED}})

    assert account.walks[LINEAR].states == OF_A_CANDIDATE
    assert [name for name in account.walks["one"].states if name in tasks(machine)] == [
        *("ConfigureRun", "ChooseCandidate", "CreateChosenModel", "EvaluateModel"),
        *TESTED,
    ]
    failed = account.walks[TREES]
    discards = ["DiscardDeployment"] if state in WITH_A_MODEL else []
    assert failed.states[failed.states.index(state) + 1 :][: len(discards) + 1] == [*discards, "RecordFailure"]
    assert failed.payloads["RecordFailure"] == {
        "execution_arn": f"{EXECUTIONS}:{TREES}",
        "trigger": account.walks[TREES].payloads["ConfigureRun"]["trigger"],
        "state": state,
        "error": "TrainingJobFailed",
        "cause": FAILED.cause,
        "discard_error": "",
    }


def test_a_candidate_that_failed_is_no_failed_execution_which_would_raise_an_alarm(machine: Document) -> None:
    account = start(machine, {TREES: {"CheckTraining": FAILED}})

    assert account.walks[TREES].error is None
    assert account.walks[TREES].states[-2:] == ["WhoseFailure", "CandidateFailed"]


def test_a_run_that_failed_is_a_failed_execution(machine: Document) -> None:
    done = the_run(machine, ChooseCandidate=Failure("CandidatesFailed", '{"errorMessage": "None of them"}'))

    assert done.states == [*TO_THE_CHOICE, "RecordFailure", "WhoseFailure", "Failed"]
    assert done.error is not None
    assert (done.payloads["RecordFailure"]["state"], done.payloads["RecordFailure"]["error"]) == (
        "ChooseCandidate",
        "CandidatesFailed",
    )


def test_that_all_candidates_failed_is_told_by_the_choice_and_not_by_the_map(machine: Document) -> None:
    every = {run_id: {"CheckTraining": FAILED} for run_id in (TREES, LINEAR)}
    none = Failure("CandidatesFailed", '{"errorMessage": "None of them"}')

    done = the_run(machine, every, ChooseCandidate=none)

    assert done.states[: len(TO_THE_CHOICE)] == TO_THE_CHOICE
    assert done.payloads["RecordFailure"]["state"] == "ChooseCandidate"


def test_a_candidate_whose_failure_cannot_even_be_recorded_keeps_no_other_from_going_on(machine: Document) -> None:
    account = start(machine, {TREES: {"CheckTraining": FAILED, "RecordFailure": Failure("States.Timeout")}})

    assert account.walks["one"].states[-1] == "Succeeded"
    assert account.walks[TREES].error is not None
    assert "CandidateEnded" in account.walks["one"].states


@pytest.mark.parametrize(
    "refusal",
    [
        Failure("StepFunctions.ExecutionAlreadyExistsException", "Execution Already Exists"),
        Failure("StepFunctions.ExecutionLimitExceededException", "too many"),
        Failure("States.Timeout"),
    ],
)
def test_candidates_that_cannot_be_started_are_told_by_the_choice(machine: Document, refusal: Failure) -> None:
    account = start(machine, RunCandidate=refusal)

    assert list(account.walks) == ["one"]
    assert account.walks["one"].states[2:8] == [
        "TrainCandidates",
        *("RunCandidate", "CandidateEnded") * 2,
        "ChooseCandidate",
    ]


@pytest.mark.parametrize("state", ["CreateChosenModel", "EvaluateModel"])
def test_what_was_made_of_the_chosen_model_goes_with_a_failure(machine: Document, state: str) -> None:
    done = the_run(machine, None, **{state: Failure("ModelMissing", "gone")})

    assert done.states[-5:] == [state, "DiscardDeployment", "RecordFailure", "WhoseFailure", "Failed"]
    assert done.payloads["DiscardDeployment"] == {"action": "discard", "run_id": RUN_ID}


def test_a_candidate_that_was_begun_before_is_left_alone(machine: Document) -> None:
    account = start(machine, {TREES: {"ConfigureRun": Failure("AlreadyStarted", "by another")}})

    assert account.walks[TREES].states == ["ConfigureRun", "AlreadyStarted"]
    assert account.walks["one"].states[-1] == "Succeeded"


# ---- The text ----


def inner(machine: Document) -> dict[str, Any]:
    states: dict[str, Any] = machine["States"]["TrainCandidates"]["ItemProcessor"]["States"]
    return states


def test_every_state_of_the_map_can_be_reached(machine: Document) -> None:
    processor, targets = machine["States"]["TrainCandidates"]["ItemProcessor"], set[str]()
    for state in inner(machine).values():
        targets |= {state["Next"]} if "Next" in state else set()
        targets |= {catch["Next"] for catch in state.get("Catch", [])}
    assert targets | {processor["StartAt"]} == inner(machine).keys()


def test_no_state_has_the_name_of_another(machine: Document) -> None:
    assert not inner(machine).keys() & machine["States"].keys()


def test_a_candidate_is_awaited_and_starts_no_further_ones(machine: Document) -> None:
    [nested] = [state for state in inner(machine).values() if state["Type"] == "Task"]
    assert nested["Resource"].endswith(":startExecution.sync:2")
    assert "TimeoutSeconds" not in nested, "a tuning of days is none too long"
    for run_id in (TREES, LINEAR):
        assert "TrainCandidates" not in start(machine).walks[run_id].states


def test_starting_a_candidate_is_tried_again_only_where_it_was_not_started(machine: Document) -> None:
    """A candidate that has failed fails its state with States.TaskFailed: it is not to be started a second time."""
    [retry] = inner(machine)["RunCandidate"]["Retry"]

    assert "StepFunctions.ThrottlingException" in retry["ErrorEquals"]
    assert all(error.startswith("StepFunctions.") for error in retry["ErrorEquals"])
    assert "StepFunctions.ExecutionAlreadyExistsException" not in retry["ErrorEquals"]
    assert retry["MaxAttempts"] > 1
