"""The profile of a dataset, from the rows that PrepareData has read."""

from __future__ import annotations

import json
from collections import Counter

from tests.unit.preparation.test_fit_and_encode import (
    NUMBERS,
    POSTS,
    TABLE_SPEC,
    TEXT_SPEC,
    as_csv,
    labels_of,
    prepare_csv,
)


def test_the_profile_counts_rows_classes_and_values() -> None:
    prepared, parts = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)

    assert prepared.profile["rows"] == {**prepared.rows, "left_out": 0, "unlabelled": 0, "total": 120}
    counted = Counter((prepared.encoder.classes or [])[int(label)] for label in labels_of(parts, "train", prepared))
    assert prepared.profile["label"]["classes"]["train"] == counted
    assert prepared.profile["features"]["post"]["words"] == 4 * prepared.rows["train"]
    json.dumps(prepared.profile, allow_nan=False)


def test_the_profile_has_statistics_of_every_column_over_all_rows() -> None:
    prepared, _ = prepare_csv(as_csv("post,label", POSTS), TEXT_SPEC)

    columns = prepared.profile["columns"]
    assert (columns["post"]["kind"], columns["post"]["distinct"], columns["post"]["missing"]) == ("text", 120, 0)
    assert (columns["label"]["kind"], columns["label"]["distinct"]) == ("label", 2)


def test_the_profile_of_a_table_tells_what_its_columns_hold() -> None:
    prepared, _ = prepare_csv(as_csv("x,c,y", [*NUMBERS, *[("", "", index) for index in range(30)]]), TABLE_SPEC)

    features = prepared.profile["features"]
    assert features["x"]["missing"] == features["c"]["missing"] > 0
    assert 0 <= features["x"]["minimum"] < features["x"]["mean"] < features["x"]["maximum"] <= 99 / 7 + 1e-5
    assert set(features["c"]["most_frequent"]) == {"colour 0", "colour 1", "colour 2"}
    assert prepared.profile["label"]["maximum"] <= 247.5


def test_a_column_of_missing_numbers_has_no_statistics() -> None:
    prepared, _ = prepare_csv(as_csv("x,c,y", [("", "a", y) for _, _, y in NUMBERS]), TABLE_SPEC)

    assert prepared.profile["features"]["x"] == {
        "kind": "number", "missing": prepared.rows["train"], "minimum": None, "maximum": None, "mean": None,
    }  # fmt: skip
