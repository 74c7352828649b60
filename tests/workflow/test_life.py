"""Nothing is left behind: time to live, deletes, executions that are aborted, the sweep. On the real state machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed
from sageline_local import deploy
from sageline_local.aws import LocalClients
from sageline_local.fixture.data import TRAIN
from tests.workflow.test_algorithms import put_source, script_spec
from tests.workflow.test_runs import QUICK, SLOW
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

SLOW_TO_LOAD = "def model_fn(model_dir):\n    import time\n    time.sleep(6)"
ON_INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 1}, "autoscaling": {"min": 1, "max": 2}}


def change(workbench: Workbench, name: str, body: Json) -> Json:
    return workbench.connection.api.change_endpoint(name, body)


def endpoint(workbench: Workbench, name: str) -> Json:
    [found] = [item for item in workbench.connection.api.endpoints() if item["name"] == name]
    return found


def predicts(workbench: Workbench, name: str) -> str:
    answer = workbench.connection.api.predict(name, [{"length": 5, "width": 1.5, "ground": "wet"}], top_k=1)
    return str(answer["variant"])


def test_an_endpoint_is_deleted_when_its_time_is_over_and_nothing_of_it_is_left(workbench: Workbench) -> None:
    run = workbench.wait(workbench.submit("fleeting", flowers(), {**QUICK, "deployment": ON_INSTANCES}).run_id)
    assert run["status"] == "Succeeded", run["error"]
    until_when = datetime.fromisoformat(endpoint(workbench, "fleeting")["expires_at"])
    assert 7.9 < (until_when - datetime.now(UTC)).total_seconds() / 3600 < 8.1
    assert f"endpoint/fleeting/variant/{run['run_id']}" in workbench.inventory.of("fleeting"), "it scales"
    assert "fleeting" in workbench.inventory.of("fleeting")

    shown = change(workbench, "fleeting", {"ttl_hours": 0.001})

    assert shown["expires_at"] < until_when.isoformat()
    until(lambda: workbench.inventory.of("fleeting") == [] or None)
    with pytest.raises(CommandFailed) as failure:
        predicts(workbench, "fleeting")
    assert failure.value.code == "EndpointNotFound"


def test_an_endpoint_may_be_kept_and_deleting_it_leaves_nothing_and_can_be_repeated(workbench: Workbench) -> None:
    run = workbench.wait(workbench.submit("kept", flowers(), {**QUICK, "deployment": {"ttl_hours": 0.5}}).run_id)
    assert run["status"] == "Succeeded", run["error"]

    assert change(workbench, "kept", {"ttl_hours": None})["expires_at"] is None
    assert change(workbench, "kept", {"ttl_hours": 4})["expires_at"] is not None
    assert change(workbench, "kept", {"ttl_hours": None})["expires_at"] is None

    assert "endpoint/kept" in workbench.connection.api.delete_endpoint("kept")["deleted"]
    until(lambda: workbench.inventory.of("kept") == [] or None)
    assert workbench.connection.api.delete_endpoint("kept")["deleted"] == []


def test_a_run_whose_execution_is_aborted_stops_its_job_and_ends_as_stopped(workbench: Workbench) -> None:
    run_id = workbench.submit("aborted", flowers(seed=3), SLOW).run_id
    run = workbench.wait(run_id, state="CheckTraining")
    until(lambda: workbench.sagemaker.describe_training_job(TrainingJobName=run_id)["SecondaryStatus"] == "Training" or None)

    workbench.connection.stepfunctions.stop_execution(executionArn=run["execution_arn"], cause="Somebody pressed a button.")

    run = until(lambda: found if (found := workbench.run(run_id)) and found["error"] and found["status"] != "Running" else None)
    assert run["status"] == "Stopped"
    assert run["error"]["state"] == "CheckTraining"
    assert "was stopped in Step Functions, not by Sageline" in run["error"]["message"]
    until(lambda: workbench.inventory.of("aborted") == [] or None)


def test_an_update_that_is_aborted_is_undone_and_the_old_model_serves_all_along(workbench: Workbench) -> None:
    first = workbench.wait(workbench.submit("halted", flowers(), QUICK).run_id)
    assert first["status"] == "Succeeded", first["error"]
    # A model that takes its time to load: the endpoint is being updated for long enough.
    slow = script_spec(put_source(workbench, "halted", TRAIN.replace("def model_fn(model_dir):", SLOW_TO_LOAD)))
    second_id = workbench.submit("halted", flowers(seed=8), slow).run_id

    def deploys() -> Json | None:
        assert predicts(workbench, "halted") in (first["run_id"], second_id)
        run = workbench.run(second_id)
        assert run is None or run["status"] == "Running", run["error"]
        return run if run and run["state"] == "CheckEndpoint" else None

    run = until(deploys)
    workbench.connection.stepfunctions.stop_execution(executionArn=run["execution_arn"])

    assert workbench.wait(second_id)["status"] == "Stopped"
    assert predicts(workbench, "halted") == first["run_id"]
    workbench.delete("halted")


def test_the_sweep_works_as_its_own_role_and_leaves_what_serves_alone(workbench: Workbench, clients: LocalClients) -> None:
    run = workbench.wait(workbench.submit("swept", flowers(), QUICK).run_id)
    assert run["status"] == "Succeeded", run["error"]

    answer = clients.lambda_.invoke(FunctionName=deploy.function_names(clients)["SweepFunction"], Payload=b"{}")

    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    assert report["endpoints"] >= 1
    assert not [finding for finding in report["findings"] if "swept" in finding["name"]]
    assert predicts(workbench, "swept") == run["run_id"]
    workbench.delete("swept")
