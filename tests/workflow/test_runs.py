"""Runs of the real state machine on the local stack, with real training: what succeeds, what fails, what is left."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import dataclass

import pytest

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed
from tests.workflow.conftest import CHECK_INTERVAL_SECONDS
from tests.workflow.workbench import Workbench, csv_text, flowers, houses, until

pytestmark = pytest.mark.stack


def hyperparameters(**values: object) -> Json:
    """A spec that sets these and leaves the rest to Sageline."""
    return {"algorithm": {"name": "xgboost", "hyperparameters": values}}


QUICK = hyperparameters(num_round=5)
# Long enough that a test can act while the job trains; the tests that use it end the job.
SLOW = hyperparameters(num_round=200_000, max_depth=8)

SUCCESS = [
    *("ConfigureRun", "KindOfRun", "PrepareData", "StartTraining", "CheckTraining", "CreateModel"),
    *("RunEvaluationTransform", "EvaluateModel", "Gate"),
    *("DeployEndpoint", "CheckEndpoint", "SmokeTest", "PromoteVariant", "Succeeded"),
]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture(scope="module")
def run(workbench: Workbench) -> Json:
    """A run that has succeeded; its endpoint serves until the last test of the class deletes it."""
    return workbench.wait(workbench.submit("flowers", flowers(), QUICK).run_id)


class TestASuccessfulRun:
    def test_it_passes_every_state_once(self, workbench: Workbench, run: Json) -> None:
        assert run["status"] == "Succeeded", run["error"]
        assert workbench.states(run["execution_arn"]) == SUCCESS
        assert len(SUCCESS) <= 14

    # While three workers start their first runs on one stack at once, an event may take longer than the safety net.
    @pytest.mark.full
    def test_the_end_of_the_job_wakes_it_and_not_the_timeout(self, workbench: Workbench, run: Json) -> None:
        job = workbench.sagemaker.describe_training_job(TrainingJobName=run["run_id"])
        entered = {
            event["stateEnteredEventDetails"]["name"]: event["timestamp"]
            for event in workbench.history(run["execution_arn"])
            if event["type"].endswith("StateEntered")
        }
        completed = job["SecondaryStatusTransitions"][-1]["StartTime"]
        assert (entered["CreateModel"] - completed).total_seconds() < 0.8 * CHECK_INTERVAL_SECONDS

    def test_its_endpoint_tells_the_kinds_apart(self, workbench: Workbench, run: Json) -> None:
        unseen = rows_of(flowers(60, seed=1))
        expected = [row.pop("kind") for row in unseen]
        answer = workbench.connection.api.predict("flowers", unseen, top_k=3)
        labels = [prediction["label"] for prediction in answer["predictions"]]
        right = sum(label == kind for label, kind in zip(labels, expected, strict=True))
        assert right / len(unseen) > 0.95
        assert answer["variant"] == answer["model_version"] == run["run_id"]
        for prediction in answer["predictions"]:
            assert sum(entry["probability"] for entry in prediction["top"]) == pytest.approx(1, abs=1e-4)

    def test_its_endpoint_shows_a_row_that_it_predicts_without_a_warning(self, workbench: Workbench, run: Json) -> None:
        endpoint = workbench.connection.api.endpoint("flowers")
        assert {column["name"] for column in endpoint["columns"]} == set(endpoint["example"])
        assert endpoint["label"]["name"] == "kind"
        answer = workbench.connection.api.predict("flowers", [endpoint["example"]], 1, strict=True)
        assert answer["variant"] == run["run_id"]
        assert "warnings" not in answer

    def test_the_resolved_spec_says_what_was_chosen_and_why(self, workbench: Workbench, run: Json) -> None:
        key = f"runs/{run['run_id']}/spec.json"
        body = workbench.connection.s3.get_object(Bucket=workbench.connection.bucket, Key=key)["Body"].read()
        spec = json.loads(body)
        assert spec["task"] == "classification"
        assert spec["dataset"]["label"] == "kind"
        assert spec["dataset"]["features"] == {"length": "number", "width": "number", "ground": "category"}
        assert "dataset.label" in spec["reasons"]

    def test_the_same_event_delivered_again_starts_nothing(self, workbench: Workbench, run: Json) -> None:
        stepfunctions = workbench.connection.stepfunctions
        first = stepfunctions.describe_execution(executionArn=run["execution_arn"])

        again = stepfunctions.start_execution(stateMachineArn=workbench.state_machine_arn, input=first["input"])["executionArn"]
        until(lambda: stepfunctions.describe_execution(executionArn=again)["status"] != "RUNNING" or None)

        assert workbench.states(again) == ["ConfigureRun", "AlreadyStarted"]
        assert stepfunctions.describe_execution(executionArn=again)["status"] == "SUCCEEDED"
        assert workbench.run(run["run_id"]) == run

    def test_a_second_upload_replaces_the_model_behind_the_endpoint(self, workbench: Workbench, run: Json) -> None:
        row = {"length": 5, "width": 1.5, "ground": "wet"}
        second_id = workbench.submit("flowers", flowers(seed=5), QUICK).run_id
        answers = []
        while True:
            answers.append(workbench.connection.api.predict("flowers", [row], top_k=1))  # raises when one is refused
            if (second := workbench.run(second_id)) is not None and second["status"] != "Running":
                break

        assert second["status"] == "Succeeded", second["error"]
        assert {answer["variant"] for answer in answers} <= {run["run_id"], second_id}
        assert {answer["predictions"][0]["label"] for answer in answers} == {"iris"}
        answer = workbench.connection.api.predict("flowers", [{"length": 5, "width": 1.5, "ground": "wet"}], top_k=1)

        assert answer["variant"] == second["run_id"]
        assert answer["predictions"][0]["label"] == "iris"
        workbench.wait(second_id)
        assert workbench.inventory.left_of(run) == []

    def test_the_log_of_its_endpoint_is_kept_for_some_days(self, workbench: Workbench, run: Json) -> None:
        assert workbench.log_retention("/aws/sagemaker/Endpoints/flowers") == 30

    def test_deleting_the_endpoint_leaves_nothing_and_can_be_repeated(self, workbench: Workbench, run: Json) -> None:
        assert workbench.connection.api.delete_endpoint("flowers")["deleted"] != []
        assert workbench.connection.api.delete_endpoint("flowers")["deleted"] == []
        until(lambda: workbench.inventory.of("flowers") == [] or None)  # SageMaker lists it a while as Deleting
        assert workbench.log_retention("/aws/sagemaker/Endpoints/flowers") is None
        with pytest.raises(CommandFailed) as failure:
            workbench.connection.api.predict("flowers", [{"length": 5, "width": 1.5, "ground": "wet"}], top_k=1)
        assert failure.value.code == "EndpointNotFound"


def test_a_regression_on_instances_predicts_numbers(workbench: Workbench) -> None:
    spec = {"algorithm": {"name": "xgboost"}, "deployment": {"instances": {"instance_type": "ml.m5.large", "count": 1}}}
    run = workbench.wait(workbench.submit("houses", houses(), spec).run_id)
    assert run["status"] == "Succeeded", run["error"]

    answer = workbench.connection.api.predict("houses", [{"area": 100, "rooms": 3}, {"area": 60, "rooms": None}], top_k=1)

    assert answer["predictions"][0]["value"] == pytest.approx(115_000, rel=0.1)
    assert answer["predictions"][1]["value"] == pytest.approx(77_000, rel=0.2)


def test_an_event_that_gets_lost_delays_a_run_and_no_more(workbench: Workbench) -> None:
    patterns = {rule["Name"]: rule.get("EventPattern", "") for rule in workbench.events.list_rules()["Rules"]}
    of_sagemaker = {name: pattern for name, pattern in patterns.items() if "aws.sagemaker" in pattern}
    assert of_sagemaker
    lost = {"resources": [{"anything-but": {"wildcard": "*/lost-event-*"}}]}  # other tests' runs go on meanwhile
    for name, pattern in of_sagemaker.items():
        workbench.events.put_rule(Name=name, EventPattern=json.dumps({**json.loads(pattern), **lost}))
    try:
        run = workbench.wait(workbench.submit("lost-event", flowers(seed=2), QUICK).run_id)
    finally:
        for name, pattern in of_sagemaker.items():
            workbench.events.put_rule(Name=name, EventPattern=pattern)

    assert run["status"] == "Succeeded", run["error"]
    failed = [event for event in workbench.history(run["execution_arn"]) if event["type"] == "TaskFailed"]
    assert failed, "nothing was waited for longer than it took to look"
    assert {event["taskFailedEventDetails"]["error"] for event in failed} == {"States.Timeout"}


def test_a_job_that_fails_ends_the_run_with_its_reason(workbench: Workbench) -> None:
    # Refreshing trees needs a model that is there already; nothing before the job itself knows that there is none.
    table = csv_text(["a", "b", "y"], [[n % 17, n % 5, n / 7 - 10] for n in range(200)])
    hyperparameters = {"process_type": "update", "updater": "refresh", "num_round": 3}
    spec = {"task": "regression", "algorithm": {"name": "xgboost", "hyperparameters": hyperparameters}}

    run = workbench.wait(workbench.submit("failing-job", table, spec).run_id)

    assert run["status"] == "Failed"
    assert run["error"]["state"] == "CheckTraining"
    assert run["error"]["error"] == "TrainingJobFailed"
    assert run["error"]["job"] == run["run_id"]
    assert "updating" in run["error"]["failure_reason"]
    assert run["error"]["log_lines"]
    assert run["error"]["advice"]
    execution = workbench.connection.stepfunctions.describe_execution(executionArn=run["execution_arn"])
    assert (execution["status"], execution["error"]) == ("FAILED", "TrainingJobFailed")
    assert run["error"]["failure_reason"].splitlines()[-1][:40] in execution["cause"]


@dataclass(frozen=True)
class BadInput:
    """A dataset or spec that cannot be used, and the error that says so."""

    name: str
    data: str | bytes
    spec: Json | None
    error: str
    words: list[str]


@pytest.mark.parametrize(
    "case",
    [
        BadInput("ragged", "text,label\na,b\nc,d,e\n", None, "InvalidDataset", ["row 2", "3 fields"]),
        BadInput("empty-file", "", None, "InvalidDataset", ["empty"]),
        BadInput("header-only", "text,label\n", None, "InvalidDataset", ["header"]),
        BadInput("not-utf8", b"text,label\ngood,a\nb\x81\x8d,b\n", None, "InvalidDataset", ["0x81", "offset"]),
        BadInput("open-quote", 'text,label\n"never closed,a\nb,c\n', None, "InvalidDataset", ["quote"]),
        BadInput("no-label", flowers(), {"dataset": {"label": "colour"}}, "InvalidSpec", ["colour", "kind"]),
        BadInput("one-class", csv_text(["x", "label"], [[n * 2, "same"] for n in range(90)]), None, "InvalidDataset", ["same"]),
        BadInput("few-rows", "x,label\n1,a\n2,b\n", None, "InvalidDataset", ["row"]),
        BadInput(
            "over-budget",
            flowers(),
            {"algorithm": {"name": "xgboost"}, "budget_usd": 0.2},
            "BudgetExceeded",
            ["$0.345", "max_runtime_seconds", "1330"],
        ),
        BadInput("typo", flowers(), {"algoritm": {}}, "InvalidSpec", ["algoritm", "algorithm"]),
        BadInput(
            "below-zero",
            csv_text(["a", "y"], [[n % 17, n / 7 - 10] for n in range(200)]),
            {"task": "regression", "algorithm": {"name": "xgboost", "hyperparameters": {"objective": "count:poisson"}}},
            "InvalidHyperparameter",
            ["count:poisson", "the smallest label is -10"],
        ),
        BadInput(
            "bad-eta",
            flowers(),
            {"algorithm": {"name": "xgboost", "hyperparameters": {"eta": 3}}},
            "InvalidHyperparameter",
            ["eta", "[0, 1]"],
        ),
    ],
    ids=lambda case: case.name,
)
def test_bad_input_ends_the_run_with_a_sentence_to_act_on(workbench: Workbench, case: BadInput) -> None:
    run = workbench.wait(workbench.submit(case.name, case.data, case.spec).run_id)

    assert run["status"] == "Failed"
    assert run["error"]["error"] == case.error, run["error"]
    for word in case.words:
        assert word in run["error"]["message"]


@pytest.mark.parametrize(
    ("uri", "error"),
    [("s3://{bucket}/datasets/nowhere/gone.csv", "DatasetNotFound"), ("s3://{bucket}/runs/x/data.csv", "DatasetAccessDenied")],
)
def test_a_run_on_data_that_cannot_be_read_says_which(workbench: Workbench, uri: str, error: str) -> None:
    uri = uri.format(bucket=workbench.connection.bucket)

    started = workbench.connection.api.start_run({"name": "nowhere", "dataset": {"uri": uri}}, uri)

    run = workbench.wait(started["run_id"])
    assert run["status"] == "Failed"
    assert run["error"]["error"] == error
    assert uri in run["error"]["message"]


def test_a_run_that_is_stopped_half_way_leaves_nothing(workbench: Workbench) -> None:
    run_id = workbench.submit("stopped", flowers(seed=3), SLOW).run_id
    workbench.wait(run_id, state="CheckTraining")
    until(lambda: workbench.sagemaker.describe_training_job(TrainingJobName=run_id)["SecondaryStatus"] == "Training" or None)

    stopped = workbench.connection.api.stop_run(run_id)

    assert stopped["status"] == "Stopped"
    assert "was stopped in the state CheckTraining: by `sageline stop`" in stopped["error"]["message"]
    job = until(
        lambda: (
            found
            if (found := workbench.sagemaker.describe_training_job(TrainingJobName=run_id))["TrainingJobStatus"] == "Stopped"
            else None
        )
    )
    assert job["SecondaryStatus"] == "Stopped"
    # What the job did cost until then comes with its last event.
    cost = until(lambda: found if "actual_usd" in (found := workbench.wait(run_id)["details"]["cost"]) else None)
    assert cost["jobs"][0]["job"] == run_id
    assert 0 < cost["actual_usd"] < cost["most_usd"] == 0.345
    time.sleep(1)  # a straggler would write over the record by now
    run = workbench.wait(run_id)
    assert (run["status"], run["error"]) == ("Stopped", stopped["error"])
    with pytest.raises(CommandFailed, match="ended"):
        workbench.connection.api.stop_run(workbench.wait(workbench.submit("ended", "", None).run_id)["run_id"])


def test_a_job_that_runs_out_of_time_ends_the_run(workbench: Workbench) -> None:
    spec = {"algorithm": {**SLOW["algorithm"], "max_runtime_seconds": 60}}
    run_id = workbench.submit("out-of-time", flowers(seed=4), spec).run_id
    workbench.wait(run_id, state="CheckTraining")

    workbench.sagemaker.stop_training_job(TrainingJobName=run_id)  # from outside, as the maximum runtime does

    run = workbench.wait(run_id)
    assert run["status"] == "Failed"
    assert run["error"]["error"] == "TrainingJobStopped"


def test_a_request_with_an_idempotency_key_starts_one_run(workbench: Workbench) -> None:
    uploaded = workbench.submit("by-request", flowers(seed=6), QUICK)
    first = workbench.wait(uploaded.run_id)
    assert first["status"] == "Succeeded", first["error"]
    spec = {"dataset": {"uri": f"s3://{uploaded.bucket}/{uploaded.key}"}, **QUICK}

    started = [workbench.connection.api.start_run(spec, "a-key") for _ in range(3)]

    assert len({answer["run_id"] for answer in started}) == 1
    run = workbench.wait(started[0]["run_id"])
    assert run["status"] == "Succeeded", run["error"]
    with pytest.raises(CommandFailed) as refused:
        workbench.connection.api.start_run({**spec, "split": {"seed": 1}}, "a-key")
    assert refused.value.code == "ResourceConflict"
