"""A dataset is prepared by one function while that takes some minutes, and by many at once where it would take longer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sageline.configuration.dataset_size import LARGEST_BYTES
from sageline.configuration.preparation_plan import ALONE_SHARE, MOST_SHARDS, Concurrency, cost_parts, plan_preparation, told
from sageline.runs.payloads import PlannedPreparation
from sageline.spec.model import validate_spec
from sageline.storage.dataset_object import DatasetObject
from sageline.storage.dataset_parts import Dataset

COLUMNS = {"a": "text", "b": "number"}
MANY = Concurrency(account=1000, stack=200)
GB = 1_000_000_000


def planned(
    size: int, name: str = "data.csv", concurrency: Concurrency = MANY, workers: int | None = None, **spec: Any
) -> PlannedPreparation:
    """The plan of a dataset of one object."""
    part = DatasetObject(f"s3://bucket/datasets/d/{name}", "v", "etag", size)
    document = {"dataset": {"features": COLUMNS}, "encoder": {"kind": "columns"}, "algorithm": {"name": "xgboost"}, **spec}
    document["preparation"] = {"workers": workers}
    return plan_preparation(Dataset(part.uri, (part,)), validate_spec(document, "test"), size, concurrency)


def test_up_to_a_share_of_what_one_function_can_do_it_does_it_alone() -> None:
    largest = int(ALONE_SHARE * LARGEST_BYTES["columns"])

    alone, in_shards = planned(largest), planned(largest + 1)

    assert (alone["workers"], alone["shards"], alone["shard_bytes"]) == (1, None, None)
    assert in_shards["shards"] is not None
    assert in_shards["workers"] == in_shards["shards"] > 1
    assert alone["most_workers"] == in_shards["most_workers"] == MANY.workers, "its test rows may be many all the same"


def test_shards_cover_the_dataset_and_take_half_a_minute_each() -> None:
    plan = planned(100 * GB)

    assert plan["shards"]
    assert plan["shard_bytes"]
    assert plan["shards"] * plan["shard_bytes"] >= 100 * GB > (plan["shards"] - 1) * plan["shard_bytes"]
    assert plan["workers"] == 200


def test_there_are_never_more_shards_than_a_map_may_have_children() -> None:
    assert planned(5_000 * GB)["shards"] == MOST_SHARDS


@pytest.mark.parametrize(
    ("concurrency", "workers"),
    [(Concurrency(account=10, stack=200), 5), (Concurrency(account=1000, stack=1000), 900), (Concurrency(account=1, stack=9), 1)],
)
def test_predictions_keep_half_of_the_functions_or_a_hundred(concurrency: Concurrency, workers: int) -> None:
    assert planned(1_000 * GB, concurrency=concurrency)["workers"] == workers


def test_candidates_that_prepare_it_at_once_share_the_workers() -> None:
    assert planned(1_000 * GB, concurrency=Concurrency(account=1000, stack=200, runs=2))["workers"] == 100


def test_workers_that_are_asked_for_decide_whatever_the_size() -> None:
    assert planned(100 * GB, workers=1)["shards"] is None
    small = planned(1_000_000, workers=3)
    assert (small["workers"], small["shards"]) == (3, 3)


def test_that_there_cannot_be_as_many_workers_as_asked_for_is_said() -> None:
    plan = planned(100 * GB, workers=900, concurrency=Concurrency(account=100, stack=200))

    assert plan["workers"] == 50
    assert "50 at once, of the 900 asked for" in told(plan)


@pytest.mark.parametrize(
    ("name", "spec", "reason"),
    [
        ("data.csv.gz", {}, r"A \.gz file can be read from its beginning only: upload it in parts"),
        ("data.xlsx", {}, r"A \.xlsx file is one shard"),
        ("data.csv", {"algorithm": {"name": "blazingtext"}, "encoder": {"kind": "tokens"}}, "blazingtext reads one file"),
    ],
)
def test_what_cannot_be_cut_is_prepared_by_one_function_and_the_reason_says_so(
    name: str, spec: dict[str, Any], reason: str
) -> None:
    plan = planned(10 * GB, name, **spec)

    assert plan["shards"] is None
    assert re.search(reason, plan["reason"])


def test_what_shards_may_cost_is_a_part_of_the_bound() -> None:
    plan = planned(100 * GB)
    [part] = cost_parts(plan)

    assert part.usd == pytest.approx(3 * plan["usd"])
    assert cost_parts(planned(1000)) == ()
    assert "takes about" in told(plan)
    assert "less than a minute" in told(planned(1000))
