"""How the algorithm, the encoder, the task and the tuning of a spec are brought together."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidHyperparameter, InvalidSpec
from sageline.resolve.resolve import resolve_spec
from sageline.spec.encoder import ColumnsSpec, NumberSpec
from sageline.spec.model import Spec, validate_spec
from tests.unit.dataset.reading import block_of

TEXTS = {"post": [f"a post about topic {index % 7} in many words {index}" for index in range(40)], "service": ["s3", "ec2"] * 20}
NUMBERS = {
    "age": [str(index * 0.5) for index in range(40)],
    "price": [str(index * 3.25) for index in range(40)],
}
PIXELS = {**{f"pixel{index}": [str(index)] * 40 for index in range(64)}, "label": ["a", "b"] * 20}
ONE = {"algorithm": {"name": "xgboost"}}
BOOSTER = {"type": "categorical", "values": ["gbtree", "dart"]}


def resolve(columns: dict[str, list[str]], **document: Any) -> Spec:
    return resolve_spec(
        validate_spec(document, "test"),
        DatasetProfile.of([block_of(columns)]),
        name="posts",
        uri="s3://b/datasets/posts/data.csv",
    ).spec


def numbers_of(spec: Spec) -> NumberSpec:
    assert isinstance(spec.encoder, ColumnsSpec)
    return spec.encoder.number


def test_blazingtext_reads_tokens_by_default() -> None:
    spec = resolve(TEXTS, algorithm={"name": "blazingtext"})

    assert spec.encoder is not None
    assert spec.encoder.kind == "tokens"
    assert spec.reasons["encoder"] == "tokens, which is what blazingtext reads"


@pytest.mark.parametrize(
    ("columns", "document", "expected"),
    [
        (
            TEXTS,
            {"algorithm": {"name": "blazingtext"}, "encoder": {"kind": "columns"}},
            "reads the encoder tokens only, not col",
        ),
        (
            NUMBERS,
            {"algorithm": {"name": "blazingtext"}},
            "blazingtext learns from text, and s3://b/datasets/posts/data.csv has no col",
        ),
        (PIXELS, {"algorithm": {"name": "blazingtext"}}, "blazingtext learns from text"),
        (
            TEXTS,
            {"algorithm": {"name": "blazingtext"}, "task": "regression"},
            "does classification only, and the task is regression",
        ),
        (
            TEXTS,
            {"algorithm": {"name": "blazingtext", "instance_count": 2}},
            "`algorithm.instance_count` is 2; blazingtext classifi",
        ),
        (
            TEXTS,
            {"algorithm": {"name": "knn"}, "encoder": {"kind": "tokens"}},
            "for the algorithm knn choose the encoder columns",
        ),
        (
            NUMBERS,
            {"algorithm": {"name": "knn"}, "encoder": {"kind": "columns", "number": {"missing": "keep"}}},
            '`encoder.number.missing` is "keep", and',
        ),
        (
            NUMBERS,
            {**ONE, "tuning": {"ranges": {"eta": {"type": "continuous", "min": 1, "max": 2}}}},
            "`tuning.ranges.eta.max` is 2.0",
        ),
        (NUMBERS, {**ONE, "tuning": {"strategy": "Grid"}}, "`tuning.ranges` is empty"),
        (
            NUMBERS,
            {"algorithm": {"name": "xgboost"}, "tuning": {}, "split": {"train": 0.8, "validation": 0.0, "test": 0.2}},
            "compares trials by the validation rows",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(columns: dict[str, list[str]], document: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        resolve(columns, **document)
    assert expected in caught.value.message


def test_a_hyperparameter_that_the_algorithm_refuses_is_refused_before_the_data_is_read() -> None:
    with pytest.raises(InvalidHyperparameter, match="k is '0'; it takes a whole number from 1"):
        resolve(NUMBERS, algorithm={"name": "knn", "hyperparameters": {"k": 0}})


@pytest.mark.parametrize(
    ("algorithm", "missing", "scale"),
    [
        ({"name": "xgboost"}, "keep", "none"),
        ({"name": "linear-learner"}, "mean", "none"),
        ({"name": "knn"}, "mean", "standard"),
        ({"name": "tensorflow"}, "mean", "none"),
        ({"name": "script", "script": {"framework": "pytorch", "source_dir": "s3://b/s.tar.gz"}}, "mean", "none"),
    ],
)
@pytest.mark.parametrize("encoder", [None, {"kind": "columns"}])
def test_a_table_is_encoded_as_the_algorithm_can_learn_from_it(
    algorithm: dict[str, Any], missing: str, scale: str, encoder: dict[str, Any] | None
) -> None:
    spec = resolve(NUMBERS, algorithm=algorithm, encoder=encoder)

    assert (numbers_of(spec).missing, numbers_of(spec).scale) == (missing, scale)
    assert ("encoder.number.missing" in spec.reasons) is (missing != "keep")
    assert ("encoder.number.scale" in spec.reasons) is (scale != "none")
    again = resolve_spec(spec, DatasetProfile.of([block_of(NUMBERS)]), name="x", uri="s3://x/y.csv").spec
    assert again.model_dump(exclude={"reasons"}) == spec.model_dump(exclude={"reasons"})


def test_what_the_spec_says_of_a_table_stays() -> None:
    spec = resolve(
        NUMBERS, algorithm={"name": "knn"}, encoder={"kind": "columns", "number": {"missing": "median", "scale": "none"}}
    )

    assert (numbers_of(spec).missing, numbers_of(spec).scale) == ("median", "none")


def test_a_script_of_ones_own_may_ask_for_missing_numbers() -> None:
    script = {"framework": "scikit-learn", "source_dir": "s3://b/s.tar.gz"}
    spec = resolve(
        NUMBERS, algorithm={"name": "script", "script": script}, encoder={"kind": "columns", "number": {"missing": "keep"}}
    )

    assert numbers_of(spec).missing == "keep"


def test_a_script_for_the_algorithm_tensorflow_is_one_for_tensorflow() -> None:
    script = resolve(NUMBERS, algorithm={"name": "tensorflow", "script": {"source_dir": "s3://b/s.tar.gz"}}).algorithm.script

    assert script is not None
    assert script.framework == "tensorflow"


def test_a_spec_without_an_endpoint_is_resolved_to_one_without() -> None:
    spec = resolve(NUMBERS, deployment=None, batch={"input": "s3://b/rows.csv"})

    assert spec.deployment is None
    assert not [key for key in spec.reasons if key.startswith("deployment")]


def test_a_tuning_without_ranges_tries_the_usual_ones_but_what_is_fixed() -> None:
    spec = resolve(NUMBERS, algorithm={"name": "xgboost", "hyperparameters": {"max_depth": 4}}, tuning={})

    assert spec.tuning is not None
    assert list(spec.tuning.ranges) == ["eta", "min_child_weight", "subsample", "colsample_bytree"]
    assert spec.reasons["tuning.ranges"] == "the usual ones of xgboost"
    again = resolve_spec(spec, DatasetProfile.of([block_of(NUMBERS)]), name="x", uri="s3://x/y.csv").spec
    assert again.tuning == spec.tuning


@pytest.mark.parametrize("name", ["linear-learner", "knn", "tensorflow"])
def test_the_usual_ranges_of_every_algorithm_pass_its_check(name: str) -> None:
    tuning = resolve(NUMBERS, algorithm={"name": name}, tuning={}).tuning

    assert tuning is not None
    assert tuning.ranges


def test_the_usual_ranges_of_blazingtext_and_of_images_pass_their_check() -> None:
    assert resolve(TEXTS, algorithm={"name": "blazingtext"}, tuning={}).tuning is not None
    assert resolve(PIXELS, algorithm={"name": "tensorflow"}, tuning={}).tuning is not None


def test_a_grid_has_as_many_jobs_as_combinations_and_no_more_at_once() -> None:
    tuning = resolve(NUMBERS, **ONE, tuning={"strategy": "Grid", "ranges": {"booster": BOOSTER}}).tuning

    assert tuning is not None
    assert (tuning.max_jobs, tuning.max_parallel_jobs) == (2, 2)


def test_fewer_jobs_than_usual_run_at_once_where_there_are_fewer() -> None:
    tuning = resolve(NUMBERS, **ONE, tuning={"max_jobs": 1}).tuning

    assert tuning is not None
    assert tuning.max_parallel_jobs == 1
