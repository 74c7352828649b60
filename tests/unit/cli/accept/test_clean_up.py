"""Whatever an acceptance has made is deleted, also when a part of that fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber
from rich.console import Console

from sageline.json_objects import Json
from sageline_cli.accept import clean_up as module
from sageline_cli.accept.clean_up import clean_up
from sageline_cli.accept.plan import Pace, Plan
from sageline_cli.connection import Connection
from tests.unit.cli.fakes import BUCKET, FakeApi, run_record
from tests.unit.cli.stubs import aws, stubbed

PLAN = Plan("acc123abc", Pace(bake_minutes=1, most_minutes=1))
RUN = "acc123abc-text-20261120100000-abc123"
AT = "2026-11-20T10:00:00Z"
LISTINGS: dict[str, dict[str, Any]] = {
    "list_endpoints": {"Endpoints": []},
    "list_endpoint_configs": {"EndpointConfigs": []},
    "list_models": {"Models": []},
    "list_training_jobs": {"TrainingJobSummaries": []},
    "list_hyper_parameter_tuning_jobs": {"HyperParameterTuningJobSummaries": []},
    "list_transform_jobs": {"TransformJobSummaries": []},
}
MODEL = {"ModelName": RUN, "ModelArn": "arn:aws:sagemaker:eu-west-1:111122223333:model/x", "CreationTime": AT}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0)
    with stubbed(aws().sagemaker) as stubber:
        yield stubber


def list_all(sagemaker: Stubber, **found: list[Json]) -> None:
    """One look at what SageMaker has under the token: what was found, by operation, and nothing else."""
    for operation, answer in LISTINGS.items():
        [key] = answer
        sagemaker.add_response(operation, {key: found.get(operation, [])}, {"NameContains": PLAN.token})


@pytest.fixture
def there(api: FakeApi, connection: Connection) -> Connection:
    """A stack with a run of the main job that goes on, an endpoint, and objects; and somebody else's."""
    api.routes["GET", "/pipelines"] = lambda request: (
        200,
        {"runs": [run_record(run_id=RUN, status="Running")] if request.url.params["name"] == PLAN.text else []},
    )
    api.answer("DELETE", f"/pipelines/{RUN}", run_record(run_id=RUN, status="Stopped"))
    for name in PLAN.names:
        api.answer("DELETE", f"/endpoints/{name}", {"endpoint": name, "deleted": [f"endpoint/{name}"]})
    for key in (
        f"datasets/{PLAN.text}/data.csv",
        f"batch/{PLAN.table}/1/rows.csv",
        f"runs/{RUN}/spec.json",
        "datasets/wine/data.csv",
    ):
        connection.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return connection


def keys(connection: Connection) -> list[str]:
    return [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def deletes(api: FakeApi) -> list[str]:
    return [request.url.path for request in api.requests if request.method == "DELETE"]


def test_what_runs_is_stopped_endpoints_and_objects_go_and_others_stay(
    api: FakeApi, there: Connection, sagemaker: Stubber
) -> None:
    list_all(sagemaker)

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert deletes(api) == [f"/pipelines/{RUN}", *(f"/endpoints/{name}" for name in PLAN.names)]
    assert keys(there) == ["datasets/wine/data.csv"]
    assert (found["problems"], found["left"]) == ([], [])
    assert f"endpoint/{PLAN.text}" in found["deleted"]


def test_one_that_cannot_be_deleted_is_told_and_the_rest_goes(api: FakeApi, there: Connection, sagemaker: Stubber) -> None:
    list_all(sagemaker)
    api.fail("DELETE", f"/endpoints/{PLAN.text}", 500, "Internal", "The endpoint is stuck.")

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert found["problems"] == ["The endpoint is stuck."]
    assert f"endpoint/{PLAN.table}" in found["deleted"]
    assert keys(there) == ["datasets/wine/data.csv"]


def test_sagemaker_is_asked_until_it_has_nothing_left(there: Connection, sagemaker: Stubber) -> None:
    list_all(sagemaker, list_models=[MODEL])
    list_all(sagemaker)

    assert clean_up(there, aws(), PLAN, Console(quiet=True))["left"] == []


def test_what_is_left_is_a_problem(there: Connection, sagemaker: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GONE_SECONDS", 0)
    list_all(sagemaker, list_models=[MODEL])

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert found["left"] == [f"model {RUN}"]
    assert found["problems"] == [f"model {RUN} is still there."]


def test_who_may_not_list_is_not_told_that_nothing_is_left(there: Connection, sagemaker: Stubber) -> None:
    sagemaker.add_client_error("list_endpoints", "AccessDeniedException")

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert (found["left"], found["problems"]) == ("not seen", [])
