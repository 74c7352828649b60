"""Whatever an acceptance has made is deleted, also when a part of that fails."""

from __future__ import annotations

import pytest
from rich.console import Console

from sageline_cli.accept import clean_up as module
from sageline_cli.accept.clean_up import clean_up
from sageline_cli.accept.plan import Pace, Plan
from sageline_cli.connection import Connection
from tests.unit.cli.fakes import BUCKET, FakeApi, run_record
from tests.unit.cli.stubs import aws
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import Refused

PLAN = Plan("acc123abc", Pace(bake_minutes=1, most_minutes=1))
RUN = "acc123abc-text-20261120100000-abc123"
AT = "2026-11-20T10:00:00Z"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0)


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


def test_what_runs_is_stopped_endpoints_and_objects_go_and_others_stay(api: FakeApi, there: Connection) -> None:
    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert deletes(api) == [f"/pipelines/{RUN}", *(f"/endpoints/{name}" for name in PLAN.names)]
    assert keys(there) == ["datasets/wine/data.csv"]
    assert (found["problems"], found["left"]) == ([], [])
    assert f"endpoint/{PLAN.text}" in found["deleted"]


def test_one_that_cannot_be_deleted_is_told_and_the_rest_goes(api: FakeApi, there: Connection) -> None:
    api.fail("DELETE", f"/endpoints/{PLAN.text}", 500, "Internal", "The endpoint is stuck.")

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert found["problems"] == ["The endpoint is stuck."]
    assert f"endpoint/{PLAN.table}" in found["deleted"]
    assert keys(there) == ["datasets/wine/data.csv"]


def test_sagemaker_is_asked_until_it_has_nothing_left(there: Connection, account: FakeAws) -> None:
    sagemaker = account.sagemaker
    sagemaker.create_model({"ModelName": RUN})
    # It goes when SageMaker is asked for the second time.
    sagemaker.before["ListModels"] = lambda: sagemaker.before.update(ListModels=sagemaker.models.clear)

    assert clean_up(there, aws(), PLAN, Console(quiet=True))["left"] == []


def test_what_is_left_is_a_problem(there: Connection, account: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GONE_SECONDS", 0)
    for name in (*(f"wine-20261120100000-{number}" for number in range(12)), RUN):
        account.sagemaker.create_model({"ModelName": name})

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert found["left"] == [f"model {RUN}"]
    assert found["problems"] == [f"model {RUN} is still there."]


def test_who_may_not_list_is_not_told_that_nothing_is_left(there: Connection, account: FakeAws) -> None:
    account.sagemaker.refuse["ListEndpoints"] = Refused("AccessDeniedException", "")

    found = clean_up(there, aws(), PLAN, Console(quiet=True))

    assert (found["left"], found["problems"]) == ("not seen", [])
