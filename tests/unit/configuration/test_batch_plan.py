"""Whether one function scores a batch, or many do in shards: what ConfigureRun decides, says, and refuses."""

from __future__ import annotations

import gzip

import pytest

from sageline.batch import largest
from sageline.configuration.configure import configure
from sageline.errors import InvalidDataset
from sageline.json_objects import Json
from tests.unit.batch.batches import begun, trained
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

ROWS = b"size,colour\n" + b"5.25,red\n" * 40_000
"""360 kB, which count for 64 bytes a row."""


@pytest.fixture
def small_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function scores a megabyte."""
    monkeypatch.setitem(largest.LARGEST_BYTES, "columns", 1_000_000)


def plan_of(world: World) -> Json:
    plan: Json = world.record().details["batch"]["plan"]
    return plan


def test_a_small_batch_is_scored_by_one_function(world: World) -> None:
    trained(world)
    configured = begun(world)

    assert "batch_sharded" not in configured
    assert (plan_of(world)["workers"], plan_of(world)["shards"]) == (1, None)
    assert plan_of(world)["reason"].startswith("one function is enough for ")


@pytest.mark.usefixtures("small_functions")
def test_a_large_one_is_scored_in_shards_and_its_cost_says_so(world: World) -> None:
    trained(world)
    configured = begun(world, ROWS)

    plan, parts = plan_of(world), world.record().details["cost"]["parts"]
    assert configured["batch_sharded"] is True
    assert plan["shards"] * plan["shard_bytes"] >= len(ROWS)
    assert plan["workers"] == min(5, plan["shards"]), "half of what a new account may run"
    assert [part["what"] for part in parts] == ["scoring", "batch"]
    assert f"in about {plan['shards']} shards" in parts[0]["text"]


@pytest.mark.parametrize(("workers", "shards"), [(3, 3), (1, None)])
def test_how_many_work_can_be_asked_for(world: World, workers: int, shards: int | None) -> None:
    trained(world)
    configured = begun(world, ROWS, workers=workers)

    assert (plan_of(world)["workers"], plan_of(world)["shards"]) == (workers, shards)
    assert configured.get("batch_sharded", False) == (shards is not None)


@pytest.mark.usefixtures("small_functions")
@pytest.mark.parametrize(
    ("rows", "key", "asked", "message"),
    [
        (
            gzip.compress(ROWS),
            "batch/flowers/rows.csv.gz",
            {},
            "A .gz file can be read from its beginning only: upload it as plain",
        ),
        (ROWS, "batch/flowers/rows.csv", {"workers": 1}, "Leave `workers` out"),
    ],
)
def test_what_one_function_must_do_and_cannot_is_refused_at_once(
    world: World, rows: bytes, key: str, asked: Json, message: str
) -> None:
    trained(world)

    with pytest.raises(InvalidDataset, match=r"and one function scores 0\.001 GB at most in its 15 minutes") as refused:
        begun(world, rows, key, **asked)

    assert message in str(refused.value)


def test_a_run_that_trains_and_scores_says_in_its_spec_how(world: World) -> None:
    world.put("batch/flowers/rows.csv", ROWS)
    world.put("datasets/flowers/data.csv", b"size,colour,kind\n" + b"1.5,red,rose\n2.5,blue,iris\n" * 40)
    event = golden_event("configure_run/request")
    batch = {"input": f"s3://{BUCKET}/batch/flowers/rows.csv", "workers": 3}
    dataset = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv"}
    event["trigger"]["spec"] = with_one_algorithm({"dataset": dataset, "deployment": None, "batch": batch})

    configured = configure(EXECUTION, event["trigger"], run=world.run)

    assert (configured["batch_sharded"], "sharded" in configured) == (True, False)
    assert "shards, 3 at once" in world.run.files.read_spec(RUN_ID).reasons["batch.workers"]
    assert "scoring" in [part["what"] for part in world.record().details["cost"]["parts"]]
