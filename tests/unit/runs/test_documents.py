from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from sageline.errors import ConcurrentModification, InvalidSpec
from sageline.runs.deployment_record import routed_variant
from sageline.runs.routing import Routing
from sageline.runs.routing_store import StoredRouting
from sageline.spec.model import Spec
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import RUN_ID, World

ROUTING = Routing("flowers", (routed_variant(RUN_ID, "s3://b/e/", "text/csv"),), "2026-11-20T10:00:00Z")
KEY = "endpoints/flowers/routing.json"


def test_a_spec_is_read_as_it_was_written(world: World) -> None:
    spec = world.begin()
    assert world.run.files.read_spec(RUN_ID) == spec


def test_a_dataset_without_a_spec_has_an_empty_one(world: World) -> None:
    assert world.run.files.read_dataset_spec("flowers") == Spec()


def test_a_datasets_spec_is_checked_and_named(world: World) -> None:
    world.put("datasets/flowers/spec.json", b'{"tsak": "regression"}')
    with pytest.raises(InvalidSpec, match=r"s3://sageline-data/datasets/flowers/spec\.json: unknown key `tsak`; did you mean"):
        world.run.files.read_dataset_spec("flowers")


def test_a_routing_is_written_where_there_was_none_then_replaced(world: World) -> None:
    routings = world.run.routings
    assert routings.find("flowers") is None
    routings.write(ROUTING, None)
    stored = routings.find("flowers")
    assert stored is not None
    assert stored.routing == ROUTING
    routings.write(replace(ROUTING, updated_at="later"), stored)
    assert world.routing().updated_at == "later"


def test_of_two_who_change_a_routing_at_once_one_is_told_to_try_again(world: World) -> None:
    routings = world.run.routings
    routings.write(ROUTING, None)
    with pytest.raises(ConcurrentModification, match="flowers was changed by somebody else"):
        routings.write(ROUTING, None)
    seen_before = StoredRouting(ROUTING, '"0123456789abcdef0123456789abcdef"')
    with pytest.raises(ConcurrentModification, match="try again"):
        routings.write(ROUTING, seen_before)


def test_a_damaged_routing_can_be_replaced(world: World) -> None:
    world.put(KEY, b"{")
    stored = world.run.routings.find("flowers")
    assert stored is not None
    assert stored.routing is None
    world.run.routings.write(ROUTING, stored)
    assert world.routing() == ROUTING


def test_other_errors_of_s3_stay_what_they_are(world: World) -> None:
    world.aws.refuse["GetObject"] = Refused("SlowDown", "")
    world.aws.refuse["PutObject"] = Refused("SlowDown", "")
    with pytest.raises(ClientError, match="SlowDown"):
        world.run.routings.find("flowers")
    with pytest.raises(ClientError, match="SlowDown"):
        world.run.routings.write(ROUTING, None)
