"""A run's second model, for serverless endpoints: where it comes from, where it serves, with whom it goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sageline.deployment.deploy import deploy
from sageline.deployment.endpoints import remove_config
from sageline.models.restore import restore_models
from sageline.names import NAME_MAX_LENGTH, model_names, models_like, open_model_name, run_id
from sageline.runs.endpoint_change import EndpointChange
from tests.unit.deployment.test_deploy import INSTANCES, deploy_run, promote_run, serve_first_run
from tests.unit.world.world import NEXT_RUN_ID, ROLES, RUN_ID, World

CHANGE_ID = "flowers-20261122100000-abcdef"


def test_its_name_has_room_for_the_longest_run() -> None:
    longest = run_id("n" * NAME_MAX_LENGTH, datetime(2026, 11, 20, tzinfo=UTC), "x")
    assert len(open_model_name(longest)) <= 63


@pytest.mark.parametrize("name", model_names(RUN_ID))
def test_either_name_leads_to_both(name: str) -> None:
    assert models_like(name) == (RUN_ID, f"{RUN_ID}-open")


@pytest.mark.parametrize(("deployment", "model"), [({"endpoint": "flowers"}, f"{RUN_ID}-open"), (INSTANCES, RUN_ID)])
def test_a_serverless_variant_has_the_model_that_is_not_isolated(world: World, deployment: dict[str, object], model: str) -> None:
    deploy_run(world, deployment=deployment)
    (variant,) = world.fake.configs[RUN_ID]["ProductionVariants"]
    assert variant["ModelName"] == model
    assert [routed.model_name for routed in world.routing().variants] == [model]


def test_both_go_with_the_config_of_either(world: World) -> None:
    deploy_run(world)
    world.fake.settle("flowers")
    remove_config(world.sagemaker, RUN_ID)
    assert (world.fake.configs, world.fake.models) == ({}, {})


def going_back(world: World) -> None:
    """A run goes back to the first run, which served with the one model that runs had at the time."""
    serve_first_run(world)
    before = world.routing()
    old = replace(before, variants=tuple(replace(variant, model_name=RUN_ID) for variant in before.variants))
    deploy_run(world, NEXT_RUN_ID)
    world.fake.settle("flowers")
    promote_run(world, NEXT_RUN_ID)
    capacities = world.record(NEXT_RUN_ID).details["deployment"]["capacities"]
    artifact = world.put_artifact(f"runs/{RUN_ID}/training/{RUN_ID}/output/model.tar.gz")
    world.run.store.note(RUN_ID, training={"model_artifact_uri": artifact})
    world.begin(CHANGE_ID)
    world.run.store.note(CHANGE_ID, change=EndpointChange("rollback", old, capacities, {NEXT_RUN_ID: 1.0}).to_json())


def test_what_served_on_demand_before_there_were_two_comes_back_with_both(world: World) -> None:
    going_back(world)

    assert restore_models(CHANGE_ID, roles=ROLES, run=world.run) == {"restored": [RUN_ID, f"{RUN_ID}-open"]}
    deploy(CHANGE_ID, "", run=world.run)
    world.fake.settle("flowers")
    promote_run(world, CHANGE_ID)

    (variant,) = world.fake.configs[CHANGE_ID]["ProductionVariants"]
    assert variant["ModelName"] == f"{RUN_ID}-open"
    assert [routed.model_name for routed in world.routing().variants] == [f"{RUN_ID}-open"]
    assert set(world.fake.models) == {RUN_ID, f"{RUN_ID}-open"}


def test_a_model_of_that_time_that_is_there_still_is_left_as_it_is(world: World) -> None:
    going_back(world)
    world.fake.create_model({"ModelName": RUN_ID, "EnableNetworkIsolation": False})

    assert restore_models(CHANGE_ID, roles=ROLES, run=world.run) == {"restored": [f"{RUN_ID}-open"]}
