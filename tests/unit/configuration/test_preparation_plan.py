"""A dataset is prepared by one function while that takes some minutes, and by many at once where it would take longer."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sageline.configuration.dataset_size import LARGEST_BYTES
from sageline.configuration.preparation_plan import plan_preparation, preparation_usd, with_plans
from sageline.configuration.shared_work import ALONE_SHARE, MOST_SHARDS, SHARD_SHARE, Concurrency, cost_parts, told
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


@pytest.mark.parametrize(
    ("workers", "turns"),
    [
        (3, 7),  # 20 shards of the usual size
        (19, 1),  # rather 19 somewhat larger ones than a turn for the twentieth
        (12, 2),
    ],
)
def test_each_worker_gets_as_many_shards_as_the_others(workers: int, turns: int) -> None:
    plan = planned(round(20 * SHARD_SHARE * LARGEST_BYTES["columns"]), workers=workers)

    assert plan["shards"] == workers * turns


def test_there_are_never_more_shards_than_a_map_may_have_children() -> None:
    assert planned(5_000 * GB)["shards"] == MOST_SHARDS
    assert planned(5_000 * GB, concurrency=Concurrency(account=1000, stack=900))["shards"] == 9_900


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


@pytest.mark.parametrize(
    ("size", "concurrency", "workers", "cause"),
    [
        (100 * GB, Concurrency(account=100, stack=200), 50, "the account runs 100 functions at once, of which 50 are kept for"),
        (100 * GB, MANY, 200, "MaxWorkers is 200"),
        (100 * GB, Concurrency(account=1000, stack=200, runs=2), 100, "MaxWorkers is 200, and 2 candidates share what there is"),
        (1_000_000, MANY, 15, "each shard has at least 64 KB"),
    ],
)
def test_that_there_cannot_be_as_many_workers_as_asked_for_is_said_with_its_cause(
    size: int, concurrency: Concurrency, workers: int, cause: str
) -> None:
    plan = planned(size, workers=900, concurrency=concurrency)

    assert plan["workers"] == workers
    assert f"{workers} at once, of the 900 asked for: {cause}" in told(plan)


def test_what_is_one_shard_is_prepared_by_one_function_with_the_reason() -> None:
    plan = planned(100_000, workers=3)

    assert (plan["workers"], plan["shards"]) == (1, None)
    assert plan["reason"] == "100,000 bytes of text in one shard, of the 3 asked for: each shard has at least 64 KB"


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
    [part] = cost_parts([plan])

    assert part.usd == plan["most_usd"]
    assert plan["most_usd"] > 3 * plan["usd"]
    assert preparation_usd([plan, plan, planned(1000)]) == {"preparation_usd": pytest.approx(2 * plan["usd"])}
    assert preparation_usd([planned(1000)]) == {}
    assert cost_parts([planned(1000)]) == ()
    assert "takes about" in told(plan)
    assert "less than a minute" in told(planned(1000))


def test_what_the_shards_of_candidates_may_cost_is_said_once_where_it_is_the_same() -> None:
    plan, other = planned(100 * GB), planned(50 * GB)

    alike, differing = cost_parts([plan, other, plan, planned(1000)])

    assert alike.text.startswith(f"preparation: 2 candidates x {plan['reason']}, for about ")
    assert alike.text.count(" each;") == 1
    assert alike.usd == pytest.approx(2 * plan["most_usd"])
    assert alike.jobs == 2
    assert differing == cost_parts([other])[0]


def test_a_split_that_is_made_of_all_rows_takes_another_reading() -> None:
    by_hash, by_time = planned(100 * GB), planned(100 * GB, split={"by": "time", "column": "a"})

    assert by_time["usd"] > 1.2 * by_hash["usd"]
    assert by_time["minutes"] > by_hash["minutes"]
    assert by_time["most_usd"] > by_hash["most_usd"]


def of_files(count: int, size: int, **spec: Any) -> PlannedPreparation:
    """The plan of a folder of so many files of that many bytes each."""
    parts = tuple(DatasetObject(f"s3://bucket/datasets/d/data-{number:05}.csv", "v", "etag", size) for number in range(count))
    document = {"dataset": {"features": COLUMNS}, "encoder": {"kind": "columns"}, "algorithm": {"name": "xgboost"}, **spec}
    return plan_preparation(Dataset("s3://bucket/datasets/d/", parts), validate_spec(document, "test"), count * size, MANY)


def test_many_small_files_count_by_the_seconds_that_they_take_besides_their_bytes() -> None:
    few, many = of_files(1, 10_000_000), of_files(10_000, 1000)

    assert many["minutes"] > few["minutes"] + 1
    assert many["usd"] > few["usd"] + 2 * 10_000 * 0.0004 / 1000
    assert "in 10,000 files" in many["reason"]


def test_files_decide_whether_there_are_shards_and_how_large_they_are() -> None:
    assert of_files(1, 200_000_000)["shards"] is None

    plan = of_files(10_000, 20_000)

    assert plan["shards"]
    assert plan["shard_bytes"]
    assert plan["shards"] * plan["shard_bytes"] >= 10_000 * (20_000 + plan["file_bytes"])
    assert 10_000 < plan["file_bytes"] < 100_000


def test_the_reason_of_several_algorithms_is_that_of_each_where_they_differ() -> None:
    spec = validate_spec({"preparation": {"workers": 30}}, "test")
    alike = {"xgboost": planned(100 * GB), "linear-learner": planned(100 * GB)}
    different = {"xgboost": planned(10 * GB, workers=30), "blazingtext": planned(10 * GB, "data.csv.gz", workers=30)}

    said, both = with_plans(spec, alike), with_plans(spec, different)

    assert said.reasons["preparation.workers"] == told(alike["xgboost"])
    assert both.reasons["preparation.workers"] == (
        f"for xgboost: {told(different['xgboost'])}; for blazingtext: {told(different['blazingtext'])}"
    )
    assert both.preparation.workers == 30
