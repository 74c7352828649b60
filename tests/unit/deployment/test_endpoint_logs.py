"""An endpoint's log group gets a retention and goes with the endpoint."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from sageline.deployment.delete import delete_endpoint
from sageline.deployment.endpoint_logs import EndpointLogs
from sageline.runs.context import RunContext
from tests.unit.deployment.test_deploy import serve_first_run
from tests.unit.sessions import session
from tests.unit.world.world import LIFETIMES, SETTINGS, World, clients_with, logged_warnings

GROUP = "/aws/sagemaker/Endpoints/flowers"


def groups() -> dict[str, int | None]:
    """The days that each group keeps its lines; None: for ever."""
    found = session().client("logs").describe_log_groups()["logGroups"]
    return {group["logGroupName"]: group.get("retentionInDays") for group in found}


@pytest.mark.parametrize("there", [True, False])
def test_a_group_keeps_its_lines_for_some_days_whether_anything_was_logged_or_not(world: World, there: bool) -> None:
    if there:
        session().client("logs").create_log_group(logGroupName=GROUP)
    with logged_warnings() as told:
        EndpointLogs(world.run).keep("flowers", 14)
    assert told == []
    assert groups() == {GROUP: 14}


def test_a_deployment_goes_on_where_logs_may_not_be_changed() -> None:
    client = session().client("logs")
    with Stubber(client) as stub, logged_warnings() as told:
        stub.add_client_error("create_log_group", "AccessDeniedException", "not authorized")
        EndpointLogs(RunContext(SETTINGS, clients_with(logs=client))).keep("flowers", 14)
    assert len(told) == 1
    assert told[0].startswith(f"The log group {GROUP} keeps its lines for ever: ")


def test_the_group_goes_with_its_endpoint_and_no_other_does(world: World) -> None:
    serve_first_run(world)
    for name in (GROUP, f"{GROUP}-2", "/aws/sagemaker/Endpoints/wines"):
        session().client("logs").create_log_group(logGroupName=name)
    deleted = delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"]
    assert f"log-group{GROUP}" in deleted
    assert groups().keys() == {f"{GROUP}-2", "/aws/sagemaker/Endpoints/wines"}


def test_the_group_of_an_endpoint_that_was_never_ours_stays(world: World) -> None:
    session().client("logs").create_log_group(logGroupName=GROUP)
    assert delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"] == []
    assert GROUP in groups()
