from __future__ import annotations

import pytest

from sageline.deployment.delete import delete_endpoint
from sageline.deployment.deploy import deploy
from sageline.deployment.discard import discard
from sageline.deployment.promote import promote
from sageline.errors import ConcurrentModification, ResourceConflict
from tests.unit.world.world import LIFETIMES, NEXT_RUN_ID, RUN_ID, World

INSTANCES = {"instance_type": "ml.m5.large", "count": 1}
THIRD_RUN_ID = "flowers-20260103000000-cccccc"


def serve(world: World, run_id: str, **deployment: object) -> None:
    """Deploy a run whose model is there, and promote it."""
    put_behind(world, run_id, **deployment)
    world.fake.settle("flowers")
    promote(run_id, lifetime=LIFETIMES, run=world.run)


def put_behind(world: World, run_id: str, **deployment: object) -> None:
    world.begin(run_id, deployment={"endpoint": "flowers", "instances": INSTANCES, **deployment})
    world.make_models(run_id)
    deploy(run_id, "text/csv", run=world.run)


def sagemaker_weights(world: World) -> dict[str, float]:
    return {variant["VariantName"]: variant["CurrentWeight"] for variant in world.fake.serving("flowers")}


def test_the_second_model_serves_beside_the_first_and_gets_its_share(world: World) -> None:
    serve(world, RUN_ID)
    serve(world, NEXT_RUN_ID, strategy="ab", share=0.25)

    assert world.weights() == {RUN_ID: 0.75, NEXT_RUN_ID: 0.25}
    assert sagemaker_weights(world) == {RUN_ID: 0.75, NEXT_RUN_ID: 0.25}
    assert {variant.endpoint_config for variant in world.routing().variants} == {NEXT_RUN_ID}
    assert list(world.fake.configs) == [NEXT_RUN_ID]
    assert list(world.fake.models) == [RUN_ID, NEXT_RUN_ID]


def test_until_it_is_promoted_the_second_model_gets_nothing(world: World) -> None:
    serve(world, RUN_ID)
    put_behind(world, NEXT_RUN_ID, strategy="ab")
    world.fake.settle("flowers")

    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}
    assert sagemaker_weights(world) == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}


def test_those_that_serve_already_share_the_rest_as_they_did_the_whole(world: World) -> None:
    serve(world, RUN_ID)
    serve(world, NEXT_RUN_ID, strategy="ab", share=0.25)
    serve(world, THIRD_RUN_ID, strategy="ab", share=0.2)

    assert world.weights() == pytest.approx({RUN_ID: 0.6, NEXT_RUN_ID: 0.2, THIRD_RUN_ID: 0.2})
    assert len(world.fake.models) == 3


def test_a_model_that_takes_the_place_of_two_leaves_nothing_of_them(world: World) -> None:
    serve(world, RUN_ID)
    serve(world, NEXT_RUN_ID, strategy="ab")
    serve(world, THIRD_RUN_ID)

    assert world.weights() == {THIRD_RUN_ID: 1.0}
    assert (list(world.fake.configs), list(world.fake.models)) == ([THIRD_RUN_ID], [THIRD_RUN_ID])


def test_the_first_model_of_an_endpoint_has_nobody_to_share_with(world: World) -> None:
    serve(world, RUN_ID, strategy="ab", share=0.1)

    assert world.weights() == {RUN_ID: 1.0}


def test_a_second_model_that_fails_leaves_the_first_as_it_was(world: World) -> None:
    serve(world, RUN_ID)
    put_behind(world, NEXT_RUN_ID, strategy="ab")
    world.fake.settle("flowers")
    world.fake.updates_at_once = True

    discard(NEXT_RUN_ID, run=world.run)

    assert world.weights() == {RUN_ID: 1.0}
    assert world.fake.endpoints["flowers"]["EndpointConfigName"] == RUN_ID
    assert (list(world.fake.configs), list(world.fake.models)) == ([RUN_ID], [RUN_ID])


def test_deleting_the_endpoint_deletes_both_models(world: World) -> None:
    serve(world, RUN_ID)
    serve(world, NEXT_RUN_ID, strategy="ab")

    delete_endpoint("flowers", schedule_group=LIFETIMES.schedule_group_name, run=world.run)

    assert (world.fake.endpoints, world.fake.configs, world.fake.models) == ({}, {}, {})


def test_nothing_can_serve_beside_a_serverless_model(world: World) -> None:
    serve(world, RUN_ID, instances=None)

    with pytest.raises(ResourceConflict, match=r"flowers is serverless.*`deployment\.instances`"):
        put_behind(world, NEXT_RUN_ID, strategy="ab")
    assert world.weights() == {RUN_ID: 1.0}


def test_weights_that_cannot_be_set_at_the_moment_are_set_later(world: World) -> None:
    serve(world, RUN_ID)
    put_behind(world, NEXT_RUN_ID, strategy="ab")
    world.fake.settle("flowers")
    world.fake.before["UpdateEndpointWeightsAndCapacities"] = lambda: world.fake.endpoints["flowers"].update(
        EndpointStatus="Updating"
    )
    with pytest.raises(ConcurrentModification, match="changed by somebody else"):
        promote(NEXT_RUN_ID, lifetime=LIFETIMES, run=world.run)
    assert world.weights() == {RUN_ID: 1.0, NEXT_RUN_ID: 0.0}

    world.fake.settle("flowers")
    promote(NEXT_RUN_ID, lifetime=LIFETIMES, run=world.run)

    assert world.weights() == {RUN_ID: 0.5, NEXT_RUN_ID: 0.5}
