from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sageline.deployment.delete import delete_endpoint
from sageline.deployment.discard import discard
from sageline.deployment.rollout import shift
from sageline.errors import ConcurrentModification, EndpointFailed, EndpointNotReady, ResourceConflict
from sageline.names import model_names
from tests.unit.deployment.test_deploy import INSTANCES, deploy_run, promote_run, serve_first_run
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.world import LIFETIMES, NEXT_RUN_ID, RUN_ID, TOPIC, World

ROUTING = "endpoints/flowers/routing.json"
MODELS = [f"model/{name}" for name in model_names(RUN_ID)]
NEXT_MODELS = [f"model/{name}" for name in model_names(NEXT_RUN_ID)]


def delete(world: World, name: str = "flowers") -> list[str]:
    return delete_endpoint(name, schedule_group=LIFETIMES.schedule_group_name, run=world.run)["deleted"]


def undo(world: World, run_id: str = RUN_ID) -> list[str]:
    return discard(run_id, run=world.run)["discarded"]


def left(world: World) -> dict[str, list[str]]:
    fake = world.fake
    found = {"endpoints": fake.endpoints, "configs": fake.configs, "models": fake.models}
    return {kind: list(names) for kind, names in found.items() if names} | (
        {"routing": list(world.weights())} if world.keys(ROUTING) else {}
    )


# ---- undoing a run whose model was refused ----


def test_a_refused_model_goes_and_neither_its_run_nor_the_endpoint_changes(world: World) -> None:
    serve_first_run(world)
    world.begin(NEXT_RUN_ID)
    world.make_models(NEXT_RUN_ID)
    world.run.store.finish(NEXT_RUN_ID, "Rejected", evaluation={"decision": "rejected"})
    before = left(world) | {"models": list(model_names(RUN_ID))}, world.record(NEXT_RUN_ID)

    assert undo(world, NEXT_RUN_ID) == NEXT_MODELS

    assert (left(world), world.record(NEXT_RUN_ID)) == before
    assert undo(world, NEXT_RUN_ID) == []


# ---- deleting an endpoint ----


def test_an_endpoint_is_deleted_with_all_that_belongs_to_it(world: World) -> None:
    serve_first_run(world)
    assert delete(world) == ["schedule/flowers", "endpoint/flowers", f"endpoint-config/{RUN_ID}", *MODELS, ROUTING]
    assert left(world) == {}


def test_scalable_targets_and_alarms_of_every_variant_go_with_the_endpoint(world: World) -> None:
    autoscaling = {"min": 1, "max": 3}
    serve_first_run(world, deployment=INSTANCES | {"autoscaling": autoscaling})
    deploy_run(world, NEXT_RUN_ID, deployment=INSTANCES | {"strategy": "canary", "autoscaling": autoscaling})
    world.fake.settle("flowers")
    shift(NEXT_RUN_ID, 0, topic_arn=TOPIC, run=world.run)

    deleted = delete(world)

    kinds = [name.partition("/")[0] for name in deleted]
    assert kinds == [
        *("scalable-target", "scalable-target", "alarm", "schedule", "endpoint"),
        *("endpoint-config", "model", "endpoint-config", "model", "endpoints"),
    ]
    assert left(world) == {}
    assert world.scheduled() == {}
    assert world.run.clients.cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert world.run.clients.autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert delete(world) == []


def test_an_endpoint_that_settles_meanwhile_is_deleted(world: World) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Updating"

    def settle(_: float) -> None:
        world.fake.endpoints["flowers"]["EndpointStatus"] = "InService"

    delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=replace(world.run, sleep=settle))

    assert left(world) == {}


def test_an_endpoint_that_somebody_else_deletes_at_the_same_moment_is_no_error(world: World) -> None:
    serve_first_run(world)
    world.fake.before["DeleteEndpoint"] = world.fake.endpoints.clear

    assert "endpoint/flowers" not in delete(world)

    assert left(world) == {}


@pytest.mark.parametrize(("operation", "kept"), [("DeleteModel", "models"), ("DeleteEndpointConfig", "configs")])
def test_what_somebody_else_deletes_at_the_same_moment_is_no_error(world: World, operation: str, kept: str) -> None:
    """What is gone has no tags, so a permission that depends on them denies deleting it."""
    serve_first_run(world)
    world.fake.before[operation] = getattr(world.fake, kept).clear
    world.fake.refuse[operation] = Refused("AccessDeniedException", "not authorized")

    delete(world)

    assert left(world) == {}


def test_deleted_again_there_is_nothing_to_do(world: World) -> None:
    serve_first_run(world)
    delete(world)
    assert delete(world) == []
    assert delete(world, "never-there") == []


def test_a_deletion_cut_short_is_finished_the_next_time(world: World) -> None:
    serve_first_run(world)
    world.fake.refuse["DeleteEndpointConfig"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Throttling"):
        delete(world)
    assert delete(world) == [f"endpoint-config/{RUN_ID}", ROUTING]
    assert left(world) == {}


def test_a_model_whose_config_is_gone_is_deleted_too(world: World) -> None:
    serve_first_run(world)
    world.fake.configs.clear()
    assert delete(world) == ["schedule/flowers", "endpoint/flowers", *MODELS, ROUTING]


def test_an_endpoint_with_a_damaged_routing_can_be_deleted(world: World) -> None:
    serve_first_run(world)
    world.put(ROUTING, b"{")
    delete(world)
    assert left(world) == {}


def test_an_endpoint_of_somebody_else_is_not_deleted(world: World) -> None:
    serve_first_run(world)
    world.fake.tags[f"{ARN}:endpoint/flowers"] = []
    with pytest.raises(ResourceConflict, match="was not made by stack"):
        delete(world)
    assert "flowers" in world.fake.endpoints


@pytest.mark.parametrize("status", ["Creating", "Updating"])
def test_an_endpoint_that_is_changing_says_how_it_can_be_deleted(world: World, status: str) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = status
    with pytest.raises(EndpointNotReady, match=rf"flowers is {status}.*sageline stop"):
        delete(world)
    assert world.weights() == {RUN_ID: 1.0}


def test_what_belongs_to_an_endpoint_on_its_way_out_is_deleted(world: World) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Deleting"
    assert delete(world) == ["schedule/flowers", f"endpoint-config/{RUN_ID}", *MODELS, ROUTING]


def test_a_denied_deletion_is_an_error(world: World) -> None:
    serve_first_run(world)
    world.fake.refuse["DeleteEndpoint"] = Refused("AccessDeniedException", "not authorized")
    with pytest.raises(ClientError, match="AccessDenied"):
        delete(world)


@pytest.mark.parametrize("operation", ["DescribeEndpointConfig", "DescribeModel"])
def test_a_denied_look_is_not_taken_for_nothing_there(world: World, operation: str) -> None:
    serve_first_run(world)
    world.fake.refuse[operation] = Refused("AccessDeniedException", "not authorized")
    with pytest.raises(ClientError, match="AccessDenied"):
        delete(world)


def test_the_variants_of_an_update_under_way_are_deleted_with_the_endpoint(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    delete(world)
    assert left(world) == {}


# ---- undoing a first deployment ----


@pytest.mark.parametrize("status", ["InService", "Failed"])
def test_a_first_deployment_leaves_nothing_behind(world: World, status: str) -> None:
    deploy_run(world)
    world.fake.settle("flowers", status=status)
    assert undo(world) == ["endpoint/flowers", ROUTING, f"endpoint-config/{RUN_ID}", *MODELS]
    assert left(world) == {}


def test_undone_twice_nothing_changes(world: World) -> None:
    deploy_run(world)
    world.fake.settle("flowers")
    undo(world)
    assert undo(world) == []


def test_an_endpoint_that_is_still_being_made_is_waited_for_a_little(world: World) -> None:
    deploy_run(world)
    with pytest.raises(EndpointNotReady, match="flowers is Creating"):
        undo(world)
    assert 10 < sum(world.slept) < 30
    world.fake.settle("flowers")
    undo(world)
    assert left(world) == {}


def test_a_run_that_has_only_made_its_model_loses_it(world: World) -> None:
    world.begin()
    assert undo(world) == []
    world.make_models(RUN_ID)
    assert undo(world) == MODELS


def test_an_endpoint_that_was_never_made_leaves_no_routing(world: World) -> None:
    world.fake.refuse["CreateEndpoint"] = Refused("ResourceLimitExceeded", "The account-level service limit")
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        deploy_run(world)
    undo(world)
    assert left(world) == {}


def test_an_endpoint_made_anew_in_place_of_a_failed_one_goes_with_what_that_had(world: World) -> None:
    serve_first_run(world)
    world.fake.endpoints.clear()
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers", status="Failed")
    undo(world, NEXT_RUN_ID)
    assert left(world) == {}


# ---- undoing an update ----


def test_an_updated_endpoint_goes_back_to_what_it_served(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    world.fake.updates_at_once = True
    assert undo(world, NEXT_RUN_ID) == [f"endpoint-config/{NEXT_RUN_ID}", *NEXT_MODELS]
    assert left(world) == {
        "endpoints": ["flowers"],
        "configs": [RUN_ID],
        "models": list(model_names(RUN_ID)),
        "routing": [RUN_ID],
    }
    assert world.weights() == {RUN_ID: 1.0}
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID


def test_until_the_endpoint_is_back_predictions_find_either_variant(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    with pytest.raises(EndpointNotReady, match="flowers is Updating"):
        undo(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    world.fake.settle("flowers")
    undo(world, NEXT_RUN_ID)
    assert left(world)["routing"] == [RUN_ID]
    assert world.fake.changes().count("UpdateEndpoint") == 2


def test_an_update_that_sagemaker_has_rolled_back_leaves_the_endpoint_as_it_is(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers", reason="the container does not start")
    undo(world, NEXT_RUN_ID)
    assert left(world) == {
        "endpoints": ["flowers"],
        "configs": [RUN_ID],
        "models": list(model_names(RUN_ID)),
        "routing": [RUN_ID],
    }
    assert world.fake.changes().count("UpdateEndpoint") == 1


def test_an_endpoint_that_failed_for_good_keeps_its_old_routing(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Failed"
    undo(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0}


def test_an_endpoint_deleted_meanwhile_stays_deleted(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    delete(world)
    assert undo(world, NEXT_RUN_ID) == []
    assert left(world) == {}


def test_an_endpoint_whose_old_config_is_gone_goes_on_serving_and_says_so(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    del world.fake.configs[RUN_ID]
    with pytest.raises(ResourceConflict, match=f"cannot go back to {RUN_ID}.*sageline delete flowers"):
        undo(world, NEXT_RUN_ID)
    assert NEXT_RUN_ID in world.fake.configs


def test_an_endpoint_that_cannot_go_back_says_why(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    fake: Any = world.fake
    arn = f"{ARN}:endpoint/flowers"
    fake.update_endpoint = lambda _: fake.endpoints["flowers"].update(FailureReason="no capacity") or {"EndpointArn": arn}
    with pytest.raises(EndpointFailed, match=rf"could not go back to {RUN_ID}.*no capacity"):
        undo(world, NEXT_RUN_ID)


def test_an_endpoint_that_somebody_else_changes_at_this_moment_is_tried_again(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    world.fake.before["UpdateEndpoint"] = lambda: world.fake.endpoints["flowers"].update(EndpointStatus="Updating")
    with pytest.raises(ConcurrentModification, match="somebody else"):
        undo(world, NEXT_RUN_ID)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "InService"
    world.fake.refuse["UpdateEndpoint"] = Refused("AccessDeniedException", "not authorized")
    with pytest.raises(ClientError, match="AccessDenied"):
        undo(world, NEXT_RUN_ID)


# ---- what serves stays ----


def test_a_run_that_has_succeeded_is_left_alone(world: World) -> None:
    serve_first_run(world)
    assert undo(world) == []
    assert world.weights() == {RUN_ID: 1.0}


@pytest.mark.parametrize("first", [True, False])
def test_an_endpoint_that_serves_another_run_by_now_is_left_alone(world: World, first: bool) -> None:
    if not first:
        serve_first_run(world)
    run_id = RUN_ID if first else NEXT_RUN_ID
    deploy_run(world, run_id)
    world.fake.settle("flowers")
    world.run.store.finish(run_id, "Failed")
    third = "flowers-20261122100000-abcdef"
    deploy_run(world, third)
    world.fake.settle("flowers")
    promote_run(world, third)
    undo(world, run_id)
    assert left(world) == {"endpoints": ["flowers"], "configs": [third], "models": list(model_names(third)), "routing": [third]}
