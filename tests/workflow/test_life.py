"""Nothing is left behind: time to live, deletes, executions that are aborted, the sweep. On the real state machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from cli.errors import CommandFailed, Json
from local import deploy
from local.aws import Clients
from local.stack import LocalStack
from tests.workflow.test_runs import QUICK, SLOW
from tests.workflow.workbench import Workbench, flowers, until

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

pytestmark = pytest.mark.stack

ON_INSTANCES = {"instances": {"instance_type": "ml.m5.large", "count": 1}, "autoscaling": {"min": 1, "max": 2}}


class Inventory:
    """Everything of an endpoint that costs money or could be in the way."""

    def __init__(self, stack: LocalStack, workbench: Workbench) -> None:
        variables = stack.environment()
        session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
        url = variables["AWS_ENDPOINT_URL"]
        self._workbench = workbench
        self._scheduler: EventBridgeSchedulerClient = session.client("scheduler", endpoint_url=url)
        self._cloudwatch: CloudWatchClient = session.client("cloudwatch", endpoint_url=url)
        self._scaling: ApplicationAutoScalingClient = session.client(
            "application-autoscaling", endpoint_url=variables["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"]
        )

    def of(self, name: str) -> list[str]:
        """What has the name of a dataset, and so of its endpoint and runs, in its own name."""
        sagemaker = self._workbench.sagemaker
        targets = self._scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        found = [
            *(item["EndpointName"] for item in sagemaker.list_endpoints(NameContains=name)["Endpoints"]),
            *(item["EndpointConfigName"] for item in sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]),
            *(item["ModelName"] for item in sagemaker.list_models(NameContains=name)["Models"]),
            *(item["Name"] for item in self._scheduler.list_schedules(NamePrefix=name)["Schedules"]),
            *(alarm["AlarmName"] for alarm in self._cloudwatch.describe_alarms()["MetricAlarms"]),
            *(target["ResourceId"] for target in targets),
        ]
        jobs = sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        running = [job["TrainingJobName"] for job in jobs if job["TrainingJobStatus"] in ("InProgress", "Stopping")]
        routing = self._workbench.connection.s3.list_objects_v2(
            Bucket=self._workbench.connection.bucket, Prefix=f"endpoints/{name}/"
        )
        objects = [item["Key"] for item in routing.get("Contents", [])]
        return [item for item in (*found, *running, *objects) if name in item]


@pytest.fixture(scope="module")
def inventory(stack: LocalStack, workbench: Workbench) -> Inventory:
    return Inventory(stack, workbench)


def change(workbench: Workbench, name: str, body: Json) -> Json:
    return workbench.connection.api.change_endpoint(name, body)


def endpoint(workbench: Workbench, name: str) -> Json:
    [found] = [item for item in workbench.connection.api.endpoints() if item["name"] == name]
    return found


def predicts(workbench: Workbench, name: str) -> str:
    answer = workbench.connection.api.predict(name, [{"length": 5, "width": 1.5, "ground": "wet"}], top_k=1)
    return str(answer["variant"])


def test_an_endpoint_is_deleted_when_its_time_is_over_and_nothing_of_it_is_left(
    workbench: Workbench, inventory: Inventory
) -> None:
    run = workbench.wait(workbench.submit("fleeting", flowers(), {**QUICK, "deployment": ON_INSTANCES}).run_id)
    assert run["status"] == "Succeeded", run["error"]
    until_when = datetime.fromisoformat(endpoint(workbench, "fleeting")["expires_at"])
    assert 7.9 < (until_when - datetime.now(UTC)).total_seconds() / 3600 < 8.1
    assert f"endpoint/fleeting/variant/{run['run_id']}" in inventory.of("fleeting"), "it scales"
    assert "fleeting" in inventory.of("fleeting")

    shown = change(workbench, "fleeting", {"ttl_hours": 0.001})

    assert shown["expires_at"] < until_when.isoformat()
    until(lambda: inventory.of("fleeting") == [] or None)
    with pytest.raises(CommandFailed) as failure:
        predicts(workbench, "fleeting")
    assert failure.value.code == "EndpointNotFound"


def test_an_endpoint_may_be_kept_and_deleting_it_leaves_nothing_and_can_be_repeated(
    workbench: Workbench, inventory: Inventory
) -> None:
    run = workbench.wait(workbench.submit("kept", flowers(), {**QUICK, "deployment": {"ttl_hours": 0.5}}).run_id)
    assert run["status"] == "Succeeded", run["error"]

    assert change(workbench, "kept", {"ttl_hours": None})["expires_at"] is None
    assert change(workbench, "kept", {"ttl_hours": 4})["expires_at"] is not None
    assert change(workbench, "kept", {"ttl_hours": None})["expires_at"] is None

    assert "endpoint/kept" in workbench.connection.api.delete_endpoint("kept")["deleted"]
    until(lambda: inventory.of("kept") == [] or None)
    assert workbench.connection.api.delete_endpoint("kept")["deleted"] == []


def test_a_run_whose_execution_is_aborted_stops_its_job_and_ends_as_stopped(workbench: Workbench, inventory: Inventory) -> None:
    run_id = workbench.submit("aborted", flowers(seed=3), SLOW).run_id
    run = workbench.wait(run_id, state="CheckTraining")
    until(lambda: workbench.sagemaker.describe_training_job(TrainingJobName=run_id)["SecondaryStatus"] == "Training" or None)

    workbench.connection.stepfunctions.stop_execution(executionArn=run["execution_arn"], cause="Somebody pressed a button.")

    run = until(lambda: found if (found := workbench.run(run_id)) and found["error"] and found["status"] != "Running" else None)
    assert run["status"] == "Stopped"
    assert run["error"]["state"] == "CheckTraining"
    until(lambda: inventory.of("aborted") == [] or None)


def test_an_update_that_is_aborted_is_undone_and_the_old_model_serves_all_along(
    workbench: Workbench, inventory: Inventory
) -> None:
    first = workbench.wait(workbench.submit("halted", flowers(), QUICK).run_id)
    assert first["status"] == "Succeeded", first["error"]
    second_id = workbench.submit("halted", flowers(seed=8), QUICK).run_id

    def deploys() -> Json | None:
        assert predicts(workbench, "halted") in (first["run_id"], second_id)
        run = workbench.run(second_id)
        return run if run and run["state"] in ("DeployEndpoint", "CheckEndpoint", "SmokeTest") else None

    run = until(deploys)
    workbench.connection.stepfunctions.stop_execution(executionArn=run["execution_arn"])

    run = until(lambda: found if (found := workbench.run(second_id)) and found["status"] != "Running" else None)
    assert run["status"] == "Stopped"
    until(lambda: not any(second_id in item for item in inventory.of("halted")) or None)
    until(lambda: predicts(workbench, "halted") == first["run_id"] or None)
    workbench.connection.api.delete_endpoint("halted")
    until(lambda: inventory.of("halted") == [] or None)


def test_the_sweep_works_as_its_own_role_and_leaves_what_serves_alone(
    workbench: Workbench, clients: Clients, inventory: Inventory
) -> None:
    run = workbench.wait(workbench.submit("swept", flowers(), QUICK).run_id)
    assert run["status"] == "Succeeded", run["error"]

    answer = clients.lambda_.invoke(FunctionName=deploy.function_names(clients)["SweepFunction"], Payload=b"{}")

    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    assert report["endpoints"] >= 1
    assert not [finding for finding in report["findings"] if "swept" in finding["name"]]
    assert predicts(workbench, "swept") == run["run_id"]
    workbench.connection.api.delete_endpoint("swept")
    until(lambda: inventory.of("swept") == [] or None)
