"""Rows that count for more or less: how each kind of channel says it, and which weights are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from sageline.errors import InvalidDataset, InvalidSpec
from sageline.preparation.prepare import prepare_data
from sageline.preparation.weight_column import WeightColumn
from sageline.spec.model import Spec
from sagemaker_emulator.engines.xgboost.channels import data_format
from sagemaker_emulator.engines.xgboost.data import read_matrix
from tests.unit.configuration.test_configure import KEY
from tests.unit.dataset.reading import block_of
from tests.unit.preparation.test_fit_and_encode import Parts, as_csv, error_of, prepare_csv, spec_of
from tests.unit.preparation.test_prepare import DATA, configured, hyperparameters
from tests.unit.world.world import BUCKET, RUN_ID, World

URI = f"s3://{BUCKET}/{KEY}"
ROWS = [(index, f"number {index} of {index % 3}", index % 2, index / 8) for index in range(80)]
TABLE = as_csv("x,post,y,w", ROWS)


def weighted(features: dict[str, str], algorithm: dict[str, Any] | None = None) -> Spec:
    given = {"features": features, "label": "y", "weight": "w"}
    return spec_of(features, "y", "classification", dataset=given, algorithm=algorithm or {"name": "xgboost"})


def read_by_xgboost(parts: Parts, channel: str, content_type: str | None, folder: Path) -> xgboost.DMatrix:
    (folder / "part").write_bytes(parts.channels[channel])
    matrix = read_matrix(folder, data_format(content_type), weights=True)
    assert matrix is not None
    return matrix


@pytest.mark.parametrize(
    ("features", "content_type"),
    [
        ({"x": "number", "post": "category"}, "text/csv"),
        ({"x": "number", "post": "text"}, "text/libsvm"),
        ({"x": "number"}, "text/libsvm"),
    ],
)
@pytest.mark.parametrize("channel", ["train", "validation"])
def test_xgboost_reads_of_every_row_what_it_counts(
    features: dict[str, str], content_type: str, channel: str, tmp_path: Path
) -> None:
    prepared, parts = prepare_csv(TABLE, weighted(features))

    matrix = read_by_xgboost(parts, channel, prepared.encoder.exchange.channel_content_type, tmp_path)

    assert prepared.encoder.exchange.channel_content_type == content_type
    assert matrix.num_col() == prepared.feature_dim or channel == "validation"  # which a model of all columns watches
    of_x = {row[0]: row for row in ROWS}
    rows = prepared.rows[channel]
    numbers = matrix.get_data().toarray()[:rows, 0]
    assert matrix.get_weight()[:rows].tolist() == [of_x[int(number)][3] for number in numbers]
    assert matrix.get_label()[:rows].tolist() == [of_x[int(number)][2] for number in numbers]
    assert not matrix.get_weight()[rows:].any()  # a line that is there for the width


def test_a_zero_is_no_missing_number_for_a_model_of_weighted_rows(tmp_path: Path) -> None:
    data = as_csv("x,y,w", [("" if index % 3 == 0 else index % 3 - 1, index % 2, index) for index in range(90)])

    prepared, parts = prepare_csv(data, weighted({"x": "number"}))

    matrix = read_by_xgboost(parts, "train", prepared.encoder.exchange.channel_content_type, tmp_path)
    assert 0 < matrix.num_nonmissing() < matrix.num_row()
    assert (matrix.get_data().data == 0).any()


def test_the_rows_of_a_weighted_model_are_asked_about_as_before() -> None:
    prepared, parts = prepare_csv(TABLE, weighted({"x": "number", "post": "text"}))
    without, others = prepare_csv(TABLE, spec_of({"x": "number", "post": "text"}, "y", "classification"))

    assert prepared.encoder.exchange.request_content_type == without.encoder.exchange.request_content_type
    assert [piece.body for piece in parts.asked] == [piece.body for piece in others.asked]
    assert [row["weight"] for row in parts.raw] == [row["features"]["x"] / 8 for row in parts.raw]
    assert not any("weight" in row for row in others.raw)


def test_a_script_gets_a_third_array_or_a_second_column() -> None:
    script = {"framework": "scikit-learn", "source_dir": "s3://b/datasets/s.tar.gz"}
    _, arrays = prepare_csv(TABLE, weighted({"x": "number"}, {"name": "script", "script": script}))
    _, lines = prepare_csv(TABLE, weighted({"x": "number"}, {"name": "script", "script": {**script, "channel_format": "csv"}}))

    for pair in arrays.pairs["train"]:
        assert pair.w is not None
        assert pair.w.dtype == np.float32
        assert pair.w.tolist() == (pair.x[:, 0] / 8).tolist()
    for line in lines.channels["train"].decode().splitlines():
        label, weight, number = map(float, line.split(","))
        assert (label, weight) == (number % 2, number / 8)


@pytest.mark.parametrize(
    ("weight", "problem"),
    [
        ("-1", "row 81, weight column 'w': '-1' is negative."),
        ("", "row 81, weight column 'w': the weight is missing."),
        ("n/a", "row 81, weight column 'w': the weight is missing."),
        ("much", "row 81, weight column 'w': 'much' is not a number."),
        ("1e39", "row 81, weight column 'w': '1e39' is beyond what single precision holds."),
    ],
)
def test_a_weight_that_is_none_is_named_with_its_row(weight: str, problem: str) -> None:
    data = as_csv("x,post,y,w", [*ROWS, (1, "a", 1, weight)])

    assert problem in error_of(data, weighted({"x": "number"}))


def test_a_row_without_a_label_needs_no_weight() -> None:
    prepared, _ = prepare_csv(as_csv("x,post,y,w", [*ROWS, (1, "a", "", "")]), weighted({"x": "number"}))

    assert sum(prepared.rows.values()) == len(ROWS)
    assert sum(prepared.profile["weight"]["sums"].values()) == sum(row[3] for row in ROWS)


def test_rows_of_which_none_counts_are_refused() -> None:
    data = as_csv("x,post,y,w", [(*row[:3], 0) for row in ROWS])

    assert "train rows are 0, so that none of them counts." in error_of(data, weighted({"x": "number"}))


@given(st.lists(st.lists(st.tuples(st.floats(0, 1e38), st.integers(0, 2)), max_size=6), max_size=5))
def test_sums_of_pieces_make_those_of_the_whole_when_merged(pieces: list[list[tuple[float, int]]]) -> None:
    def summed(rows: list[tuple[float, int]]) -> WeightColumn:
        weights, channels = WeightColumn("w"), np.array([channel for _, channel in rows], dtype=np.int64)
        weights.add(block_of({"w": [repr(weight) for weight, _ in rows]}), channels)
        return weights

    merged = summed([])
    for piece in pieces:
        merged.merge(summed(piece))

    assert merged.profile() == summed([row for piece in pieces for row in piece]).profile()


def test_a_run_tells_xgboost_of_the_weights(world: World) -> None:
    configured(world, TABLE, dataset={"label": "y", "weight": "w", "uri": URI})

    prepared = prepare_data(RUN_ID, run=world.run)

    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    assert "w" not in spec["dataset"]["features"]
    assert spec["reasons"]["dataset.features.w"] == "left out: dataset.weight names it: it says how much a row counts"
    assert (prepared["content_type"], hyperparameters(world)["csv_weights"]) == ("text/libsvm", 1)
    assert world.keys(f"{DATA}/train/") == [f"{DATA}/train/part-00000.libsvm"]


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ({"dataset": {"weight": "v"}}, InvalidSpec, "`dataset.weight` names 'v', and .* has no such column"),
        ({"dataset": {"weight": "post"}}, InvalidDataset, "`dataset.weight` names 'post', which holds no numbers but 'number 0"),
        ({"dataset": {"weight": "y"}}, InvalidSpec, "names 'y', which is the label"),
        ({"dataset": {"weight": "w", "features": {"w": "number"}}}, InvalidSpec, "which is the weight of the rows"),
        ({"dataset": {"weight": "w"}, "algorithm": {"name": "knn"}}, InvalidSpec, "knn cannot be told; take xgboost or a script"),
    ],
)
def test_a_weight_that_cannot_be_is_refused(
    world: World, spec: dict[str, dict[str, Any]], error: type[Exception], message: str
) -> None:
    spec["dataset"] = {"label": "y", "uri": URI, **spec["dataset"]}
    with pytest.raises(error, match=message):
        configured(world, TABLE, **spec)
