from __future__ import annotations

import pytest

from sageline.formats.exchange import exchange_for
from sageline.spec.model import Spec, validate_spec
from sageline.spec.training import AlgorithmSpec
from sageline.training.machines import STREAMED_BYTES, part_bytes, settle_machines

MEGABYTE = 1 << 20
RECORDS = exchange_for("linear-learner", "columns", None, avoids_csv=True)


def spec_of(**algorithm: object) -> Spec:
    return validate_spec({"name": "flowers", "dataset": {"uri": "s3://b/datasets/flowers.csv"}, "algorithm": algorithm}, "a test")


@pytest.mark.parametrize(
    ("algorithm", "dataset_bytes", "expected"),
    [
        ({"name": "xgboost"}, 64 * MEGABYTE, 16 * MEGABYTE),
        ({"name": "tensorflow", "instance_count": 4}, 64 * MEGABYTE, 16 * MEGABYTE),
        ({"name": "xgboost", "instance_count": 4}, 64 * MEGABYTE, 2 * MEGABYTE),
        ({"name": "knn", "instance_count": 4}, 1000, 256 << 10),
        ({"name": "linear-learner", "instance_count": 2}, 1 << 40, 16 * MEGABYTE),
    ],
)
def test_parts_are_small_where_instances_share_few_rows(algorithm: dict[str, object], dataset_bytes: int, expected: int) -> None:
    assert part_bytes(AlgorithmSpec.model_validate(algorithm), dataset_bytes, 16 * MEGABYTE) == expected


@pytest.mark.parametrize(
    ("algorithm", "train_bytes", "mode"),
    [
        ({"name": "linear-learner"}, STREAMED_BYTES, "FastFile"),
        ({"name": "knn"}, STREAMED_BYTES, "FastFile"),
        ({"name": "linear-learner"}, STREAMED_BYTES - 1, None),
        ({"name": "linear-learner", "input_mode": "File"}, STREAMED_BYTES, "File"),
        ({"name": "xgboost"}, STREAMED_BYTES, None),
        ({"name": "tensorflow"}, STREAMED_BYTES, None),
    ],
)
def test_many_train_rows_are_streamed_to_who_reads_them_from_one_end_to_the_other(
    algorithm: dict[str, object], train_bytes: int, mode: str | None
) -> None:
    settled = settle_machines(spec_of(**algorithm), RECORDS, train_parts=9, train_bytes=train_bytes)

    assert settled.algorithm.input_mode == mode
    reason = settled.reasons.get("algorithm.input_mode", "")
    assert reason.startswith("FastFile: ") == ("50 GB of train rows" in reason) == (mode == "FastFile")


@pytest.mark.parametrize("name", ["auto", "xgboost", "blazingtext"])
def test_what_cannot_be_streamed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="xgboost and blazingtext take their channels as files only: leave it out"):
        AlgorithmSpec.model_validate({"name": name, "input_mode": "FastFile"})
