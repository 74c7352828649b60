"""When the values of a regression are learnt as logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidSpec
from sageline.resolve.candidates import ResolvedRun
from sageline.resolve.inspection import inspect
from sageline.resolve.resolution import Resolution, changes_of
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import Spec, validate_spec
from tests.unit.dataset.reading import block_of

LONG_TAIL = np.round(np.exp(np.random.default_rng(0).normal(3, 1, 300)), 2)
BELL = np.round(np.random.default_rng(0).normal(50, 9, 300), 2)


def resolved(values: Any, **document: Any) -> Resolution:
    columns = {"size": [f"{index}.5" for index in range(len(values))], "price": [str(value) for value in values]}
    given = {"dataset": {"label": "price", "features": {"size": "number"}}, "evaluation": {"metric": "mae"}, **document}
    spec = validate_spec(given, "test")
    return resolve_spec(spec, DatasetProfile.of([block_of(columns)]), name="x", uri="s3://bucket/datasets/x/data.csv")


def transform(values: Any, **document: Any) -> tuple[str | None, str]:
    spec = resolved(values, **document).spec
    return spec.target.transform, spec.reasons.get("target.transform", "")


def test_a_long_tail_is_learnt_as_logarithms_and_that_is_said() -> None:
    resolution = resolved(LONG_TAIL)

    assert resolution.spec.target.transform == "log"
    assert resolution.spec.reasons["target.transform"].startswith("the values have a long tail (skewness ")
    assert [note for note in resolution.notes if "The logarithms of 'price' are learnt" in note]


@pytest.mark.parametrize(
    ("values", "document", "why"),
    [
        (BELL, {}, "the values have no long tail"),
        (-LONG_TAIL, {}, "some values are below 0"),
        (np.append(LONG_TAIL, -0.5), {}, "some values are below 0"),
        (LONG_TAIL**3 + 1e9, {}, "the values have no long tail that logarithms would even out"),
        (np.array([1, 2, 3, 900] * 9), {"task": "regression"}, "there are too few different values"),
        (
            LONG_TAIL,
            {"algorithm": {"name": "xgboost", "hyperparameters": {"objective": "reg:gamma"}}},
            "the objective reg:gamma expects",
        ),
        (LONG_TAIL, {"algorithm": {"name": "knn"}}, "logarithms are chosen for xgboost only"),
        (LONG_TAIL, {"evaluation": {"metric": "r2"}}, "the values have a long tail"),
        (LONG_TAIL, {"evaluation": {}}, "the values have a long tail"),
    ],
)
def test_other_values_are_learnt_as_they_are(values: Any, document: dict[str, Any], why: str) -> None:
    found, reason = transform(values, **document)

    assert found == "none"
    assert reason.startswith(why)


def test_what_the_spec_says_is_done() -> None:
    assert transform(LONG_TAIL, target={"transform": "none"}) == ("none", "")
    assert transform(BELL, target={"transform": "log"}, algorithm={"name": "knn"}) == ("log", "")
    again = resolved(BELL, **resolved(BELL, target={"transform": "log"}).spec.model_dump(exclude={"dataset"})).spec
    assert again.target.transform == "log"


def test_numbers_that_are_spelled_otherwise_have_a_long_tail_too() -> None:
    assert transform([f"{value:.2f}".replace(".", ",") + " €" for value in LONG_TAIL])[0] == "log"


def test_classes_have_no_logarithms() -> None:
    assert transform(["a", "b"] * 30, evaluation={}) == (None, "")
    with pytest.raises(InvalidSpec, match=r"`target.transform` is log, which is for a regression"):
        transform(["a", "b"] * 30, target={"transform": "log"}, evaluation={})


def test_a_scale_that_the_whole_data_changes_is_a_change_of_the_run() -> None:
    provisional, final = resolved(BELL).spec, resolved(LONG_TAIL).spec

    assert not Resolution(provisional).reads_like(Resolution(final))
    assert [change for change in changes_of(provisional, final, 300) if change.startswith("`target.transform`")]
    of_before = provisional.model_copy(update={"target": Spec().target})
    assert Resolution(provisional).reads_like(Resolution(of_before))
    assert not changes_of(of_before, final, 300)


def test_an_inspection_proposes_the_logarithm() -> None:
    columns = {"size": [f"{index}.5" for index in range(300)], "price": [str(value) for value in LONG_TAIL]}
    profile = DatasetProfile.of([block_of(columns)])
    given = validate_spec({"dataset": {"label": "price"}, "evaluation": {"metric": "mape"}}, "test")
    resolution = resolve_spec(given, profile, name="x", uri="data.csv")

    found = inspect("data.csv", profile, ResolvedRun(resolution), given)

    assert found["spec"]["target"] == {"transform": "log"}
    assert "long tail" in found["reasons"]["target.transform"]
