"""One plain row is encoded the quick way, and anything else the way that has warnings and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.strings import StringArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.errors import InvalidRequest, SagelineError
from sageline.spec.model import validate_spec

KINDS = {"t": "text", "n": "number", "c": "category", "m": "category", "d": "date", "e": "date"}
ROW = {"t": "Red ROSES", "n": 1.5, "c": "red", "m": "v3", "d": "2021-05-30", "e": "30.05.2021 12:30"}
ALGORITHMS = ["xgboost", "linear-learner", "knn", "tensorflow"]


def encoder_of(algorithm: str, encoder: dict[str, Any]) -> FittedEncoder:
    """Fitted to 40 rows, some cells of each column missing."""
    rows = range(40)
    texts = {
        "t": [f"red rose number{row}" if row % 7 else "" for row in rows],
        "n": [str(row / 3) if row % 5 else "" for row in rows],
        "c": [["red", "blue", ""][row % 3] for row in rows],
        "m": [f"v{row % 9}" if row % 11 else "" for row in rows],
        "d": [f"2020-{row % 12 + 1:02}-11" if row % 6 else "n/a" for row in rows],
        "e": [f"{row % 28 + 1:02}.03.2019 {row % 24:02}:10" if row % 8 else "" for row in rows],
    }
    columns = {name: StringArray.from_list(values) for name, values in texts.items()}
    labels = StringArray.from_list([str(row % 2) for row in rows])
    options = {"kind": "columns", "category": {"max_categories": 4}, **encoder}
    document = {"task": "classification", "dataset": {"label": "y", "features": KINDS}, "encoder": options}
    spec = validate_spec({**document, "algorithm": {"name": algorithm}}, "test")
    fit = start_fit(spec, {}, {"d": DateFormat("ymd"), "e": DateFormat("dmy", True)})
    fit.update(Block.of(columns), np.ones(40, dtype=np.bool_), labels)
    return FittedEncoder.load(finish_fit(fit, spec, ["0", "1"], "data.csv").save())


ENCODERS = {
    (algorithm, layout, missing): encoder_of(algorithm, {"layout": layout, "number": {"missing": missing, "scale": scale}})
    for algorithm, layout, missing, scale in [
        ("xgboost", "sparse", "keep", "none"),
        ("xgboost", "dense", "keep", "standard"),
        ("xgboost", "sparse", "mean", "standard"),
        ("linear-learner", "sparse", "mean", "none"),
        ("linear-learner", "dense", "median", "min-max"),
        ("knn", "dense", "mean", "standard"),
        ("tensorflow", "dense", "value", "none"),
    ]
}
VALUES = {
    "t": st.one_of(st.none(), st.text(max_size=20), st.just("RED rose ROSE"), st.integers(0, 3)),
    "n": st.one_of(st.none(), st.floats(allow_nan=False), st.floats(width=32), st.integers(), st.booleans(), st.just("2.5")),
    "c": st.sampled_from(["red", " red", "blue", "", None, "green", 3, True]),
    "m": st.sampled_from(["v1", "v8 ", "", None, "new", 1.5]),
    "d": st.one_of(
        st.none(), st.dates().map(str), st.sampled_from(["", "NA", "2021-02-30", "2021-05-30T23:10:00-05:00", 20210530])
    ),
    "e": st.sampled_from(["01.02.2021", "31.12.99 5:10", "2021-01-02 03:04", "13/13/2020", None, "é"]),
}


def outcome(answer: Callable[[list[str]], bytes]) -> object:
    """The body and the warnings, or the error."""
    warnings: list[str] = []
    try:
        return answer(warnings), warnings
    except SagelineError as error:
        return type(error), error.message


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=["-".join(key) for key in ENCODERS])
@settings(max_examples=60)
@given(row=st.fixed_dictionaries(VALUES))
def test_a_row_is_encoded_the_same_both_ways(encoder: FittedEncoder, row: dict[str, object]) -> None:
    quick = outcome(lambda warnings: encoder.body_of([row], warnings))

    assert quick == outcome(lambda warnings: encoder.request_body(encoder.encode_instances([row], warnings)))


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=["-".join(key) for key in ENCODERS])
def test_a_plain_row_goes_the_quick_way(encoder: FittedEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FittedEncoder, "encode_instances", lambda *_: pytest.fail("the other way"))

    assert encoder.body_of([ROW, {**ROW, "n": None, "c": None, "d": None}], [])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({**ROW, "c": "green"}, "instances[0], column 'c': 'green' is a value that training did not have, or only once."),
        (
            {**ROW, "d": "soon"},
            "instances[0], column 'd': 'soon' is no date as the column's are, year first as in 2021-05-30, and taken for "
            "missing.",
        ),
        ({**ROW, "x": 1}, "instances[0]: unknown column 'x' is ignored."),
        (
            {name: value for name, value in ROW.items() if name != "n"},
            "instances[0]: column 'n' is absent and taken for missing.",
        ),
    ],
)
def test_what_is_odd_is_said(row: dict[str, object], expected: str) -> None:
    warnings: list[str] = []

    ENCODERS["xgboost", "sparse", "keep"].body_of([row], warnings)

    assert warnings[0].partition("; did you")[0].rstrip(".") == expected.rstrip(".")


def test_in_strict_mode_all_that_is_odd_is_an_error_of_every_kind() -> None:
    row = {**{name: value for name, value in ROW.items() if name != "n"}, "x": 1, "c": "green", "d": "soon"}

    with pytest.raises(InvalidRequest) as refused:
        ENCODERS["xgboost", "sparse", "keep"].body_of([row])

    said = refused.value.details["warnings"]
    assert isinstance(said, list)
    assert [next(word for word in ("ignored", "absent", "training", "no date") if word in text) for text in said] == [
        "ignored",
        "absent",
        "training",
        "no date",
    ]
    assert refused.value.message == f"In strict mode warnings are errors: {' '.join(said)}"
