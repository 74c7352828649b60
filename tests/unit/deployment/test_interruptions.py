"""Every deployment, cut short at every call and mixed with others at every call: it ends as if nothing had been, or as it was."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeAlias

import pytest

from sageline.aws.tags import tags
from sageline.errors import ResourceConflict
from sageline.json_objects import Json
from sageline.names import model_names, models_like, routing_key
from sageline.runs.routing import parse_routing
from tests.unit.deployment.interruptions import (
    ENDED,
    Blow,
    Cut,
    Execution,
    before,
    blow,
    changing,
    cut_after,
    delete,
    served,
    split,
    swept,
    trained,
)
from tests.unit.world.memory_aws import MemoryWorld, memory_world, sent, unwatched
from tests.unit.world.world import NEXT_RUN_ID, ROLE, RUN_ID, STACK

pytestmark = pytest.mark.slow

THIRD = "flowers-20261122100000-abcdef"
FOURTH = "flowers-20261123100000-fedcba"
INSTANCES: Json = {"instances": {"instance_type": "ml.m5.large", "count": 2}}
SCALED: Json = {**INSTANCES, "autoscaling": {"min": 1, "max": 3}}
ALARMS: Json = {"alarms": {"errors_percent": 5, "latency_ms": 250}}
CANARY: Json = {**SCALED, **ALARMS, "strategy": "canary", "canary": {"first_percent": 10, "bake_minutes": 10}}
LINEAR: Json = {**SCALED, **ALARMS, "strategy": "linear", "linear": {"step_percent": 50, "interval_minutes": 10}}
AB: Json = {**SCALED, "strategy": "ab", "share": 0.25}


def serve(world: MemoryWorld, *deployments: Json) -> None:
    for run_id, deployment in zip((RUN_ID, NEXT_RUN_ID), deployments, strict=False):
        assert trained(world, run_id, deployment).finish() == "Succeeded"


def first(world: MemoryWorld) -> Execution:
    return trained(world, THIRD, {})


def first_scaled(world: MemoryWorld) -> Execution:
    return trained(world, THIRD, SCALED)


def serverless(world: MemoryWorld) -> Execution:
    serve(world, {})
    return trained(world, THIRD, {"ttl_hours": None})


def instances(world: MemoryWorld) -> Execution:
    serve(world, SCALED)
    return trained(world, THIRD, SCALED)


def to_instances(world: MemoryWorld) -> Execution:
    serve(world, {})
    return trained(world, THIRD, SCALED)


def canary(world: MemoryWorld) -> Execution:
    serve(world, SCALED)
    return trained(world, THIRD, CANARY)


def canary_beside_two(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    split(world, {RUN_ID: 1, NEXT_RUN_ID: 4})
    return trained(world, THIRD, CANARY)


def linear(world: MemoryWorld) -> Execution:
    serve(world, SCALED)
    return trained(world, THIRD, LINEAR)


def ab(world: MemoryWorld) -> Execution:
    serve(world, SCALED)
    return trained(world, THIRD, AB)


def ab_beside_two(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    split(world, {RUN_ID: 1, NEXT_RUN_ID: 4})
    return trained(world, THIRD, AB)


def instead_of_two(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    split(world, {RUN_ID: 1, NEXT_RUN_ID: 4})
    return trained(world, THIRD, INSTANCES)


def promotion(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    return changing(world, THIRD, "promote", NEXT_RUN_ID)


def promotion_of_the_older(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    return changing(world, THIRD, "promote", RUN_ID)


def roll_back(world: MemoryWorld) -> Execution:
    serve(world, {}, {})
    return changing(world, THIRD, "rollback", NEXT_RUN_ID)


def roll_back_scaled(world: MemoryWorld) -> Execution:
    serve(world, SCALED, CANARY)
    return changing(world, THIRD, "rollback", NEXT_RUN_ID)


def roll_back_of_ab(world: MemoryWorld) -> Execution:
    serve(world, SCALED, AB)
    return changing(world, THIRD, "rollback", NEXT_RUN_ID)


def instead_of_a_failed_one(world: MemoryWorld) -> Execution:
    serve(world, SCALED)
    world.fake.endpoints["flowers"]["EndpointStatus"] = "Failed"
    return trained(world, THIRD, SCALED)


Case: TypeAlias = Callable[[MemoryWorld], Execution]
BESIDE: list[Case] = [canary, canary_beside_two, linear, ab, ab_beside_two, promotion, promotion_of_the_older, roll_back_of_ab]
"""What serves and what is to serve are there at the same time."""
IN_PLACE: list[Case] = [first, first_scaled, serverless, instances, instead_of_two, roll_back, roll_back_scaled]
ONE_WAY: list[Case] = [to_instances, instead_of_a_failed_one]
"""There is no way back: from instances to serverless, and to an endpoint that had failed."""


def begin(case: Case) -> tuple[MemoryWorld, Execution]:
    """A world in which a run is about to begin, and whatever serves has to be asked from now on."""
    world, execution = pickle.loads(beginning(case))  # noqa: S301  # our own
    world.wire.changes.clear()
    world.wire.changed = lambda: answers(world)
    return world, execution


@cache
def beginning(case: Case) -> bytes:
    """The world of a case, made once: what went before takes longer than most histories."""
    world = memory_world()
    return pickle.dumps((world, case(world)))


def answers(world: MemoryWorld) -> None:
    """Whatever serves at a moment, the routing leads to it.

    A prediction that comes to a variant that is gone goes on to the others. So weight may be where nothing serves, while an
    endpoint changes from one variant to another.
    """
    there = served(world)
    assert not there or there & weights(world).keys(), f"{there} serve, {weights(world)} are asked"


def weights(world: MemoryWorld) -> dict[str, float]:
    document, _ = world.objects.kept.get(routing_key("flowers"), (None, ""))
    return weights_in(document) if document else {}


@cache
def weights_in(document: bytes) -> dict[str, float]:
    return {variant.name: variant.weight for variant in parse_routing(document, "test").variants}


@cache
def undisturbed(case: Case) -> tuple[Json, list[str]]:
    """How it ends, and the calls until then."""
    world, execution = begin(case)
    assert (execution.finish(), execution.failures) == ("Succeeded", [])
    assert swept(world) == []
    return world.standing(), list(world.wire.changes)


def calls_of(case: Case) -> Iterator[tuple[int, str, MemoryWorld, Execution]]:
    """For each of its calls: the number, the name, and a world in which the run is about to begin."""
    for at, call in enumerate(undisturbed(case)[1], start=1):
        world, execution = begin(case)
        yield at, call, world, execution
        world.wire.fate = sent


def belongs_together(world: MemoryWorld) -> bool:
    """Nothing is there that does not belong to what serves: one config, its models, its variants' targets, and a schedule."""
    there = world.standing()
    if not there:
        return True
    endpoint = there["endpoint"]["flowers"]
    variants = endpoint["weights"].keys()
    return (
        set(there["endpoint-config"]) == {endpoint["config"]}
        and models_of(world) == variants == weights(world).keys()
        and variants <= there["model"].keys()
        and {name.rpartition("/")[2] for name in there.get("scalable-target", {})} <= variants
        and "alarm" not in there
        and ("schedule" in there) == ("sageline:expires-at" in endpoint["tags"])
    )


def models_of(world: MemoryWorld) -> set[str]:
    """The runs of which there are models."""
    return {models_like(name)[0] for name in world.fake.models}


def without_time_to_live(standing: Json) -> Json:
    """An endpoint that was there before a run keeps the time to live that the run has given it."""
    standing.pop("schedule", None)
    for endpoint in standing.get("endpoint", {}).values():
        endpoint["tags"].pop("sageline:expires-at", None)
    return standing


# ---- cut short ----


@pytest.mark.parametrize("case", [*BESIDE, *IN_PLACE, *ONE_WAY])
@pytest.mark.parametrize("kind", ["dies before", "dies after", "sent twice"])
def test_cut_short_at_any_call_and_called_again_it_ends_as_ever(case: Case, kind: Blow) -> None:
    end, _ = undisturbed(case)
    for at, call, world, execution in calls_of(case):
        world.wire.fate = blow(kind, at)
        assert (call, execution.finish(), execution.failures) == (call, "Succeeded", [])
        assert (call, world.standing(), swept(world)) == (call, end, [])


@pytest.mark.parametrize("case", BESIDE)
def test_where_variants_stand_beside_each_other_weight_is_only_where_one_serves(case: Case) -> None:
    world, execution = begin(case)
    seen: list[set[str]] = []
    world.wire.changed = lambda: seen.append({name for name, weight in weights(world).items() if weight} - served(world))

    assert execution.finish() == "Succeeded"

    assert seen
    assert not any(seen)


# ---- stopped ----


@pytest.mark.parametrize("case", [*BESIDE, *IN_PLACE])
@pytest.mark.parametrize("way", ["is stopped", "fails"])
def test_a_run_that_ends_after_any_call_leaves_what_was_there(case: Case, way: str) -> None:
    for at, call, world, execution in calls_of(case):
        before_it = what_was_there(case)
        world.wire.fate = cut_after(at)
        with pytest.raises(Cut):
            execution.finish()
        world.wire.fate = sent
        if way == "fails":
            execution.state = "DiscardDeployment"
            execution.finish()
        else:
            execution.stop()
        if world.record(THIRD).status == "Succeeded":
            found = swept(world, deletes=True)
            assert (call, belongs_together(world)) == (call, True), found
            assert set(world.fake.models) == undisturbed(case)[0]["model"].keys()
            continue
        found = swept(world)
        assert (call, without_time_to_live(world.standing()), found) == (call, before_it, [])


@pytest.mark.parametrize("case", [*BESIDE, *IN_PLACE])
def test_a_run_that_is_stopped_while_a_function_is_at_work_leaves_what_was_there(case: Case) -> None:
    for at, call, world, execution in calls_of(case):
        before_it = what_was_there(case)
        state: list[str] = []
        world.wire.fate = before(world, at, lambda run=execution, at=state: (at.append(run.state), run.stop()))  # type: ignore[misc]
        execution.finish()
        if world.record(THIRD).status == "Succeeded":
            continue  # it was too late
        found = swept(world)
        if state == ["RestoreModels"]:
            # It may not delete what it has made; a model costs nothing, and is found.
            assert set(found) <= {f"model {name}" for name in model_names(RUN_ID)}
            swept(world, deletes=True)
            found = []
        assert (call, without_time_to_live(world.standing()), found) == (call, before_it, [])


@pytest.mark.parametrize("case", ONE_WAY)
def test_where_there_is_no_way_back_nothing_of_the_run_is_hidden(case: Case) -> None:
    for at, call, world, execution in calls_of(case):
        world.wire.fate = cut_after(at)
        with pytest.raises(Cut):
            execution.finish()
        world.wire.fate = sent
        has_succeeded = world.record(THIRD).status == "Succeeded"
        world.pass_time()
        if case is to_instances and served(world) == {THIRD} and not has_succeeded:
            with pytest.raises(ResourceConflict, match="does not let it change back to serverless"):
                execution.stop()
            assert (call, served(world)) == (call, {THIRD})
            continue
        execution.stop()
        swept(world, deletes=True)
        assert (call, THIRD in str(world.standing())) == (call, has_succeeded)


@cache
def what_was_there(case: Case) -> Json:
    """Before the run and its models."""
    world, _ = begin(case)
    for model in model_names(THIRD):
        world.fake.models.pop(model, None)
    return without_time_to_live(world.standing())


# ---- with others ----


@pytest.mark.parametrize("case", [*BESIDE, *IN_PLACE, *ONE_WAY])
def test_an_endpoint_deleted_at_any_call_is_gone_or_made_anew(case: Case) -> None:
    for at, call, world, execution in calls_of(case):
        world.wire.fate = before(world, at, lambda world=world: delete(world))  # type: ignore[misc]
        ended = execution.finish()
        assert (call, belongs_together(world), swept(world)) == (call, True, [])
        assert ended == "Succeeded" or (call, world.standing()) == (call, {})
        if world.standing():
            assert (call, execution.state, models_of(world)) == (call, "Succeeded", {THIRD})


@pytest.mark.parametrize("case", [first, serverless, canary, promotion])
def test_a_function_at_work_at_any_call_of_a_deletion_leaves_nothing(case: Case) -> None:
    states = ["DeployEndpoint", "ShiftTraffic", "PromoteVariant"]
    for state in states:
        for at in range(1, 25):
            world, execution = begin(case)
            while execution.state not in (state, "Succeeded"):
                execution.go_on()
            if execution.state == "Succeeded":
                break
            world.wire.changes.clear()
            world.wire.changed = unwatched
            world.wire.fate = before(world, at, execution.go_on)
            delete(world)
            world.wire.fate = sent
            execution.finish()
            assert (state, at, belongs_together(world), swept(world)) == (state, at, True, [])


@pytest.mark.parametrize("case", [*BESIDE, *IN_PLACE, *ONE_WAY])
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="serverless"),
        pytest.param(SCALED, id="instances", marks=pytest.mark.full),
        pytest.param(AB, id="ab", marks=pytest.mark.full),
        pytest.param(CANARY, id="canary"),
    ],
)
def test_two_runs_at_one_endpoint_end_one_after_the_other(case: Case, other: Json) -> None:
    for at, call, world, execution in calls_of(case):
        second = trained(world, FOURTH, other)
        world.wire.changes.clear()
        under_way = [execution]

        def begin_second(second: Execution = second, under_way: list[Execution] = under_way) -> None:
            second.go_on()
            under_way.append(second)

        world.wire.fate = before(world, at, begin_second)
        for _ in range(100):
            for run in under_way:
                if run.state not in ENDED:
                    run.go_on()
        assert (call, len(under_way), {run.state for run in under_way} <= set(ENDED)) == (call, 2, True)
        # A run that cannot go where the other one has led the endpoint says so, and is undone.
        failures = [error for run in under_way for _, error in run.failures]
        assert (call, [error for error in failures if not error.startswith("ResourceConflict")]) == (call, [])
        assert sum(run.state == "Failed" for run in under_way) == len(failures) < 2
        assert (call, belongs_together(world), swept(world)) == (call, True, [])


# ---- the sweep ----


def test_the_sweep_finds_what_was_orphaned_and_nothing_else() -> None:
    world, execution = begin(canary)
    execution.finish()
    ours = tags(STACK, RUN_ID)
    world.sagemaker.create_model(ModelName="lost-model", ExecutionRoleArn=ROLE, Tags=ours)
    lost: Any = {"VariantName": "lost", "ModelName": "lost-model", "InitialVariantWeight": 1.0}
    world.sagemaker.create_endpoint_config(EndpointConfigName="lost-config", ProductionVariants=[lost], Tags=ours)
    world.sagemaker.create_endpoint(EndpointName="lost-endpoint", EndpointConfigName="lost-config", Tags=ours)

    assert swept(world) == ["endpoint lost-endpoint"]
    world.sagemaker.delete_endpoint(EndpointName="lost-endpoint")
    assert swept(world) == ["endpoint-config lost-config", "model lost-model"]
    assert swept(world, deletes=True) == ["endpoint-config lost-config", "model lost-model"]
    assert (swept(world), belongs_together(world)) == ([], True)
