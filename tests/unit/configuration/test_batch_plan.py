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
    assert "scoring_usd" not in world.record().details["cost"]


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
    assert world.record().details["cost"]["scoring_usd"] == plan["usd"]


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

    with pytest.raises(InvalidDataset, match=r"and one function scores 1 MB at most in its 15 minutes") as refused:
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
    cost = world.record().details["cost"]
    assert "scoring" in [part["what"] for part in cost["parts"]]
    assert cost["scoring_usd"] == world.record().details["batch"]["plan"]["usd"]


@pytest.mark.parametrize(
    ("rows", "key", "counted"),
    [
        (ROWS, "rows.csv", True),
        (b'size,colour\n1,"' + b"\n" * 400 + b'"\n' + b'2,"red\n' + b"a line of sixteen\n" * 10 + b'"\n', "rows.csv", False),
        (b"\n" * 4_000 + b"size,colour\n" + b"5.25,red\n" * 40_000, "rows.csv", True),
        (ROWS.replace(b"\n", b"\r"), "rows.csv", True),
        (ROWS.decode().encode("utf-16"), "rows.csv", True),
        (b'{"size": 5.25, "colour": "red", "remark": "sixty-four bytes and no fewer"}\n' * 6_000, "rows.jsonl", False),
    ],
    ids=["lines", "quoted line ends", "blank lines", "carriage returns", "UTF-16", "JSON Lines"],
)
def test_short_rows_count_for_64_bytes_and_it_is_rows_that_are_counted(
    world: World, rows: bytes, key: str, *, counted: bool
) -> None:
    trained(world)
    begun(world, rows, f"batch/flowers/{key}")

    bytes_counted = plan_of(world)["growth"] * len(rows)
    expected = 64 * 40_000 if counted else len(rows)
    assert bytes_counted == pytest.approx(expected, rel=0.12)
    assert plan_of(world)["reason"].split(" of text")[0].endswith((f"{len(rows):,} bytes", f"{len(rows) / 1e6:.3g} MB"))


@pytest.mark.usefixtures("small_functions")
@pytest.mark.parametrize(
    ("count", "said"),
    [
        (20_000, "180,012 bytes of text, counted as 1.28 MB (a row counts as 64 bytes at least), in about 2 shards, 2 at once"),
        (40_000, "360,012 bytes of text in about 5 shards, 5 at once"),
    ],
)
def test_that_short_rows_count_for_more_is_said_where_it_decides(world: World, count: int, said: str) -> None:
    trained(world)
    begun(world, b"size,colour\n" + b"5.25,red\n" * count)

    assert plan_of(world)["reason"] == said


def test_rows_for_one_shard_are_scored_by_one_function_whatever_is_asked_for(world: World) -> None:
    trained(world)
    configured = begun(world, workers=3)

    assert "batch_sharded" not in configured
    assert plan_of(world)["reason"].endswith(" in one shard, of the 3 asked for: each shard has at least 64 KB")
