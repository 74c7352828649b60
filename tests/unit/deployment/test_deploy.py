from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sageline.deployment.deploy import deploy
from sageline.deployment.promote import promote
from sageline.errors import ConcurrentModification, EndpointNotReady, InvalidSpec, ResourceConflict, RunFinished
from sageline.names import model_names
from sageline.runs.payloads import DeployedEndpoint
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.world import BUCKET, LIFETIMES, NEXT_RUN_ID, RUN_ID, World, logged_warnings

INSTANCES = {"endpoint": "flowers", "instances": {"instance_type": "ml.m5.large", "count": 1}}


def deploy_run(world: World, run_id: str = RUN_ID, **spec: object) -> DeployedEndpoint:
    """Deploy a run whose model is there."""
    world.begin(run_id, **spec)
    world.make_models(run_id)
    return deploy(run_id, "text/csv", run=world.run)


def promote_run(world: World, run_id: str = RUN_ID) -> list[str]:
    """Promote a run; the warnings."""
    with logged_warnings() as warnings:
        promote(run_id, lifetime=LIFETIMES, run=world.run)
    return warnings


def serve_first_run(world: World, **spec: object) -> None:
    """The first run serves, alone."""
    deploy_run(world, RUN_ID, **spec)
    world.fake.settle("flowers")
    promote_run(world)


def again(world: World, run_id: str = NEXT_RUN_ID) -> DeployedEndpoint:
    return deploy(run_id, "text/csv", run=world.run)


# ---- the first deployment ----


def test_the_first_run_creates_its_endpoint_with_all_traffic_on_its_variant(world: World) -> None:
    deployed = deploy_run(world)
    assert deployed == {
        "kind": "endpoint",
        "name": "flowers",
        "arn": f"{ARN}:endpoint/flowers",
        "variant": RUN_ID,
        "model_version": RUN_ID,
        "served_before": False,
    }
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID
    assert {"Key": "sageline:stack", "Value": "sageline"} in world.fake.endpoints["flowers"]["Tags"]
    (variant,) = world.routing().variants
    assert (variant.name, variant.weight, variant.content_type) == (RUN_ID, 1.0, "text/csv")
    assert variant.encoder_uri == f"s3://{BUCKET}/runs/{RUN_ID}/encoder/"
    deployment = world.record().details["deployment"]
    assert (deployment["endpoint"], deployment["previous_config"], deployment["previous_routing"]) == ("flowers", None, None)


def test_a_run_that_deploys_nothing_is_not_deployed(world: World) -> None:
    with pytest.raises(InvalidSpec, match='says `"deployment": null`'):
        deploy_run(world, deployment=None)
    assert world.fake.endpoints == {}


def test_an_endpoint_is_serverless_unless_the_spec_says_otherwise(world: World) -> None:
    deploy_run(world)
    (variant,) = world.fake.configs[RUN_ID]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert [routed.serverless for routed in world.routing().variants] == [True]


def test_an_endpoint_runs_on_the_instances_of_the_spec(world: World) -> None:
    deploy_run(world, deployment=INSTANCES)
    (variant,) = world.fake.configs[RUN_ID]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    assert [routed.serverless for routed in world.routing().variants] == [False]


def test_deployed_twice_nothing_changes(world: World) -> None:
    first = deploy_run(world)
    before = world.fake.changes()
    assert again(world, RUN_ID) == first
    assert world.fake.changes() == before


def test_a_deployment_cut_short_before_the_endpoint_was_made_goes_on(world: World) -> None:
    world.fake.refuse["CreateEndpoint"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Throttling"):
        deploy_run(world)
    again(world, RUN_ID)
    assert world.fake.endpoints["flowers"]["EndpointStatus"] == "Creating"
    assert world.weights() == {RUN_ID: 1.0}


def test_a_config_of_that_name_that_asks_for_something_else_is_a_conflict(world: World) -> None:
    world.begin()
    world.make_models(RUN_ID)
    other = {"VariantName": "other", "ModelName": RUN_ID}
    world.fake.create_endpoint_config({"EndpointConfigName": RUN_ID, "ProductionVariants": [other]})
    with pytest.raises(ResourceConflict, match=r"ProductionVariants\[0\]\.VariantName is 'other'"):
        again(world, RUN_ID)


def test_a_run_that_another_one_overtook_plans_anew(world: World) -> None:
    """The config of its first try holds what served then."""
    overtaking = "flowers-20261121100001-9f8e7d"
    serve_first_run(world, deployment=INSTANCES)
    world.fake.before["CreateEndpointConfig"] = lambda: deploy_run(world, overtaking, deployment=INSTANCES)
    with pytest.raises(ConcurrentModification, match="somebody else"):
        deploy_run(world, NEXT_RUN_ID, deployment={**INSTANCES, "strategy": "canary"})
    world.fake.settle("flowers")
    promote_run(world, overtaking)

    again(world)

    served = world.fake.configs[f"{NEXT_RUN_ID}-rollout"]["ProductionVariants"]
    assert [variant["VariantName"] for variant in served] == [overtaking, NEXT_RUN_ID]
    assert world.fake.endpoints["flowers"]["next"] == f"{NEXT_RUN_ID}-rollout"
    assert world.weights() == {overtaking: 1.0, NEXT_RUN_ID: 0.0}


def test_an_endpoint_that_somebody_makes_at_the_same_moment_is_looked_at_again(world: World) -> None:
    world.fake.before["CreateEndpoint"] = lambda: world.fake.endpoints.update(flowers={"EndpointArn": "x"})
    with pytest.raises(ConcurrentModification, match="changed by somebody else at this moment"):
        deploy_run(world)


def test_an_endpoint_of_somebody_else_is_left_alone(world: World) -> None:
    serve_first_run(world)
    world.fake.tags[f"{ARN}:endpoint/flowers"] = [{"Key": "sageline:stack", "Value": "other"}]
    with pytest.raises(ResourceConflict, match=r"'flowers' exists and was not made by stack 'sageline'.*another name"):
        deploy_run(world, NEXT_RUN_ID)


def test_an_endpoint_that_may_not_even_be_looked_at_is_somebody_elses(world: World) -> None:
    world.begin()
    world.fake.refuse["DescribeEndpoint"] = Refused("AccessDeniedException", "not authorized to perform DescribeEndpoint")
    with pytest.raises(ResourceConflict, match="was not made by stack"):
        again(world, RUN_ID)


def test_other_errors_are_not_taken_for_a_missing_endpoint(world: World) -> None:
    world.begin()
    world.fake.refuse["DescribeEndpoint"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        again(world, RUN_ID)


# ---- updating what is there ----


def test_the_next_run_updates_the_endpoint_and_waits_with_weight_zero(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    deployment = world.record(NEXT_RUN_ID).details["deployment"]
    assert deployment["previous_config"] == RUN_ID
    assert [variant["name"] for variant in deployment["previous_routing"]["variants"]] == [RUN_ID]


def test_the_routing_knows_the_new_variant_before_the_endpoint_changes(world: World) -> None:
    serve_first_run(world)
    seen: list[dict[str, float]] = []
    world.fake.before["UpdateEndpoint"] = lambda: seen.append(world.weights())
    deploy_run(world, NEXT_RUN_ID)
    assert seen == [{RUN_ID: 1.0, NEXT_RUN_ID: 0.0}]


def test_an_update_cut_short_goes_on_and_still_knows_what_was_there_before(world: World) -> None:
    serve_first_run(world)
    world.fake.refuse["UpdateEndpoint"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Throttling"):
        deploy_run(world, NEXT_RUN_ID)
    again(world)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    assert world.record(NEXT_RUN_ID).details["deployment"]["previous_config"] == RUN_ID


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_an_endpoint_that_is_changing_is_waited_for(world: World, status: str) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = status
    with pytest.raises(EndpointNotReady, match=f"flowers is {status}; it can be updated when that is done"):
        deploy_run(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0}


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_out_of_service_is_updated_to_the_good_config(world: World, status: str) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = status
    deploy_run(world, NEXT_RUN_ID)
    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID


def test_a_failed_endpoint_is_deleted_and_made_anew(world: World) -> None:
    serve_first_run(world)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Failed"
    with pytest.raises(EndpointNotReady, match="had failed and is being deleted; it is made anew"):
        deploy_run(world, NEXT_RUN_ID)
    again(world)
    world.fake.settle("flowers")
    assert world.weights() == {NEXT_RUN_ID: 1.0}
    promote_run(world, NEXT_RUN_ID)
    assert (list(world.fake.configs), list(world.fake.models)) == ([NEXT_RUN_ID], list(model_names(NEXT_RUN_ID)))


def test_while_another_run_deploys_to_the_endpoint_this_one_waits(world: World) -> None:
    deploy_run(world)
    world.fake.settle("flowers")
    with pytest.raises(EndpointNotReady, match=f"Run {RUN_ID} is deploying to endpoint flowers.*sageline stop {RUN_ID}"):
        deploy_run(world, NEXT_RUN_ID)
    promote_run(world)
    assert again(world)["variant"] == NEXT_RUN_ID


def test_a_variant_whose_run_is_no_longer_known_keeps_nobody_waiting(world: World) -> None:
    serve_first_run(world)
    world.run.store._table.delete_item(Key={"pk": f"RUN#{RUN_ID}", "sk": "RUN"})
    deploy_run(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}


def test_an_update_that_loses_against_another_is_tried_again(world: World) -> None:
    serve_first_run(world)
    world.fake.before["UpdateEndpoint"] = lambda: world.fake.endpoints["flowers"].update(EndpointStatus="Updating")
    with pytest.raises(ConcurrentModification, match="somebody else"):
        deploy_run(world, NEXT_RUN_ID)


def test_an_endpoint_whose_routing_is_lost_gets_a_new_one(world: World) -> None:
    serve_first_run(world)
    world.run.routings.delete("flowers")
    deploy_run(world, NEXT_RUN_ID)
    assert world.weights() == {NEXT_RUN_ID: 1.0}
    assert world.record(NEXT_RUN_ID).details["deployment"]["previous_config"] == RUN_ID


def test_copies_of_a_serverless_model_are_kept_warm_if_the_spec_says_so(world: World) -> None:
    serve_first_run(world, deployment={"serverless": {"provisioned_concurrency": 2}})
    [variant] = world.fake.configs[RUN_ID]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5, "ProvisionedConcurrency": 2}


def test_a_serverless_endpoint_may_move_to_instances(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID, deployment=INSTANCES)
    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID


def test_from_instances_to_serverless_is_refused_with_what_to_do(world: World) -> None:
    serve_first_run(world, deployment=INSTANCES)
    with pytest.raises(ResourceConflict, match=r"Set `deployment\.instances`.*sageline delete flowers"):
        deploy_run(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0}


def test_an_endpoint_whose_config_was_deleted_can_still_be_updated(world: World) -> None:
    serve_first_run(world)
    world.fake.configs.clear()
    deploy_run(world, NEXT_RUN_ID)
    assert world.fake.endpoints["flowers"]["next"] == NEXT_RUN_ID


def test_a_run_stopped_while_it_deploys_undoes_what_it_made(world: World) -> None:
    serve_first_run(world)
    world.fake.updates_at_once = True
    world.fake.before["UpdateEndpoint"] = lambda: world.run.store.finish(NEXT_RUN_ID, "Stopped")
    with pytest.raises(RunFinished, match="was stopped while it was changing its endpoint"):
        deploy_run(world, NEXT_RUN_ID)
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID
    assert world.weights() == {RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([RUN_ID], list(model_names(RUN_ID)))


# ---- promoting ----


def test_the_promoted_variant_serves_alone_and_the_run_has_succeeded(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    promoted = promote(NEXT_RUN_ID, lifetime=LIFETIMES, run=world.run)
    assert promoted == {"endpoint_name": "flowers", "variant": NEXT_RUN_ID, "status": "Succeeded"}
    assert world.weights() == {NEXT_RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([NEXT_RUN_ID], list(model_names(NEXT_RUN_ID)))
    assert (world.record(NEXT_RUN_ID).status, world.record(NEXT_RUN_ID).state) == ("Succeeded", "PromoteVariant")


def test_promoted_twice_nothing_changes(world: World) -> None:
    serve_first_run(world)
    before = world.fake.changes()
    assert promote_run(world) == []
    assert (world.fake.changes(), world.weights()) == (before, {RUN_ID: 1.0})


def test_an_old_config_that_cannot_be_deleted_does_not_fail_the_run(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    world.fake.refuse["DeleteEndpointConfig"] = Refused("AccessDeniedException", "not authorized")
    (warning,) = promote_run(world, NEXT_RUN_ID)
    assert RUN_ID in warning
    assert world.record(NEXT_RUN_ID).status == "Succeeded"


def test_nothing_is_promoted_that_the_endpoint_does_not_serve(world: World) -> None:
    serve_first_run(world)
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers", reason="rolled back")
    with pytest.raises(ResourceConflict, match="no longer serves what run"):
        promote_run(world, NEXT_RUN_ID)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    world.fake.endpoints.clear()
    with pytest.raises(ResourceConflict, match="somebody deleted or changed it"):
        promote_run(world, NEXT_RUN_ID)


def test_a_run_that_has_deployed_nothing_cannot_be_promoted(world: World) -> None:
    world.begin()
    with pytest.raises(ResourceConflict, match="has deployed nothing"):
        promote_run(world)


def test_a_stopped_run_does_not_succeed(world: World) -> None:
    deploy_run(world)
    world.fake.settle("flowers")
    world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished, match="was stopped"):
        promote_run(world)
    assert world.record().status == "Stopped"
