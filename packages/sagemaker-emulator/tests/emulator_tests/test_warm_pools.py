"""Warm pools: what a training job that keeps its instances tells of them, and who takes them over."""

from __future__ import annotations

from typing import Any

import pytest

from emulator_tests.support import Api, Json, wait_until
from sagemaker_emulator.training.warm_pools import warm_pool_status

RESOURCES = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}


def job(status: str = "Completed", **more: Any) -> Json:
    """A job that ended at 100 and keeps its instances for a minute."""
    return {"TrainingJobStatus": status, "TrainingEndTime": 100.0, "ResourceConfig": {"KeepAlivePeriodInSeconds": 60}, **more}


@pytest.mark.parametrize(
    ("document", "at", "expected"),
    [
        (job(ResourceConfig={}), 110, None),
        (job(ResourceConfig={"KeepAlivePeriodInSeconds": 0}), 110, None),
        (job("InProgress"), 110, {"Status": "InUse"}),
        (job(), 110.5, {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 11}),
        (job("Stopped"), 110, {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 10}),
        (
            job("Failed", FailureReason="AlgorithmError: no"),
            110,
            {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 10},
        ),
        (
            job("Failed", FailureReason="InternalServerError: x"),
            110,
            {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 0},
        ),
        (job(), 160, {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 60}),
        (job(), 1000, {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 60}),
        (
            job(_warm_pool_reused={"by": "next", "at": 120.0}),
            1000,
            {"Status": "Reused", "ResourceRetainedBillableTimeInSeconds": 20, "ReusedByJob": "next"},
        ),
    ],
)
def test_the_pool_of_a_job_over_time(document: Json, at: float, expected: Json | None) -> None:
    assert warm_pool_status(document, at) == expected


def trained(api: Api, name: str, do: str = "train", **resources: object) -> Json:
    api.ok("CreateTrainingJob", **api.fast_job(name, do, ResourceConfig={**RESOURCES, **resources}))
    return wait_until(lambda: api.ended_job(name))


def pools(api: Api, status: str) -> list[str]:
    found = api.ok("ListTrainingJobs", WarmPoolStatusEquals=status, NameContains="pool", SortBy="Name")["TrainingJobSummaries"]
    assert {summary["WarmPoolStatus"]["Status"] for summary in found} <= {status}
    return [summary["TrainingJobName"] for summary in found]


def test_a_job_that_matches_takes_the_pool_of_another_over(api: Api) -> None:
    first = trained(api, "pool-1", KeepAlivePeriodInSeconds=600)
    trained(api, "pool-larger", KeepAlivePeriodInSeconds=600, InstanceCount=2)
    trained(api, "pool-none")

    assert first["WarmPoolStatus"]["Status"] == "Available"
    assert pools(api, "Available") == ["pool-larger"]
    assert pools(api, "Reused") == ["pool-1"]
    assert api.ok("DescribeTrainingJob", TrainingJobName="pool-1")["WarmPoolStatus"]["ReusedByJob"] == "pool-none"
    assert "WarmPoolStatus" not in api.ok("DescribeTrainingJob", TrainingJobName="pool-none")

    api.ok(
        "CreateTrainingJob",
        **api.fast_job("pool-running", "wait", ResourceConfig={**RESOURCES, "KeepAlivePeriodInSeconds": 600}),
    )
    assert pools(api, "InUse") == ["pool-running"]
    api.ok("StopTrainingJob", TrainingJobName="pool-running")


def test_spot_instances_are_not_kept(api: Api) -> None:
    spot = api.fast_job(
        "pool-spot",
        EnableManagedSpotTraining=True,
        ResourceConfig={**RESOURCES, "KeepAlivePeriodInSeconds": 600},
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    )

    assert "KeepAlivePeriodInSeconds can not be given" in api.refused("CreateTrainingJob", **spot).message
