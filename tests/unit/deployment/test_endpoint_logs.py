"""An endpoint's log group gets a retention and goes with the endpoint."""

from __future__ import annotations

import pytest

from sageline.deployment.delete import delete_endpoint
from sageline.deployment.endpoint_logs import EndpointLogs
from tests.unit.deployment.test_deploy import serve_first_run
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import LIFETIMES, World, logged_warnings, logs_client

GROUP = "/aws/sagemaker/Endpoints/flowers"


def groups() -> dict[str, int | None]:
    """The days that each group keeps its lines; None: for ever."""
    found = logs_client().describe_log_groups()["logGroups"]
    return {group["logGroupName"]: group.get("retentionInDays") for group in found}


@pytest.mark.parametrize("there", [True, False])
def test_a_group_keeps_its_lines_for_some_days_whether_anything_was_logged_or_not(world: World, there: bool) -> None:
    if there:
        logs_client().create_log_group(logGroupName=GROUP)
    with logged_warnings() as told:
        EndpointLogs(world.run).keep("flowers", 14)
    assert told == []
    assert groups() == {GROUP: 14}


def test_a_deployment_goes_on_where_logs_may_not_be_changed(world: World) -> None:
    world.aws.refuse["CreateLogGroup"] = Refused("AccessDeniedException", "not authorized")
    with logged_warnings() as told:
        EndpointLogs(world.run).keep("flowers", 14)
    assert len(told) == 1
    assert told[0].startswith(f"The log group {GROUP} keeps its lines for ever: ")


def test_the_group_goes_with_its_endpoint_and_no_other_does(world: World) -> None:
    serve_first_run(world)
    for name in (GROUP, f"{GROUP}-2", "/aws/sagemaker/Endpoints/wines"):
        logs_client().create_log_group(logGroupName=name)
    deleted = delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"]
    assert f"log-group{GROUP}" in deleted
    assert groups().keys() == {f"{GROUP}-2", "/aws/sagemaker/Endpoints/wines"}


def test_the_group_of_an_endpoint_that_was_never_ours_stays(world: World) -> None:
    logs_client().create_log_group(logGroupName=GROUP)
    assert delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"] == []
    assert GROUP in groups()
