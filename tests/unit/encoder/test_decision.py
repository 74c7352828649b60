"""How a model's probabilities become its answer, by the decision that was chosen for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.matrix import FloatArray
from sageline.encoder.decision import Decision, Isotonic, Temperature
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidEncoder, PredictionFailed
from sageline.evaluation.answer_arrays import read_classes
from tests.unit.encoder.encoders import table

TWO, FOUR = ["no", "yes"], ["a", "b", "c", "d"]
RISING = Isotonic((0.0, 0.25, 1.0), (0.01, 0.5, 0.9))


def encoder(answers: str, classes: list[str], decision: Decision | None) -> FittedEncoder:
    return FittedEncoder("classification", {"x": "number"}, "label", classes, table({"x": None}), answers, decision=decision)


def scores_of_two(*probabilities: float) -> FloatArray:
    second = np.array(probabilities, dtype=np.float32)[:, None]
    return np.column_stack([1 - second, second])


def test_from_its_threshold_on_the_positive_label_is_answered_and_comes_first() -> None:
    fitted = encoder("xgboost", TWO, Decision(TWO, positive="yes", threshold=0.3))

    low, at, high = fitted.decode(b"0.25\n0.3\n0.9\n", "text/csv", 2)

    assert (low["label"], low["probability"]) == ("no", 0.75)
    assert (at["label"], at["probability"]) == ("yes", 0.3)
    assert at["top"] == [{"label": "yes", "probability": 0.3}, {"label": "no", "probability": 0.7}]
    assert high["label"] == "yes"


def test_the_positive_class_may_be_the_first_one() -> None:
    fitted = encoder("xgboost", TWO, Decision(TWO, positive="no", threshold=0.2))
    assert [row["label"] for row in fitted.decode(b"0.9\n0.75\n", "text/csv")] == ["yes", "no"]


def test_probabilities_are_the_calibrated_ones_everywhere() -> None:
    fitted = encoder("xgboost", TWO, Decision(TWO, positive="yes", calibration=RISING, threshold=0.45))

    [prediction] = fitted.decode(b"0.25\n", "text/csv", 2, probabilities=True)

    assert (prediction["label"], prediction["probability"]) == ("yes", 0.5)
    assert prediction["probabilities"] == {"no": 0.5, "yes": 0.5}


def test_a_temperature_makes_a_model_less_sure_and_keeps_its_labels() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0, 0.0], [0.2, 0.5, 0.2, 0.1]], dtype=np.float32)
    decided, chosen = Decision(FOUR, calibration=Temperature(2.0)).decide(probabilities, None)
    assert chosen.tolist() == [0, 1]
    assert decided[0].tolist() == pytest.approx([0.75, 0.25, 0, 0])
    assert decided.sum(axis=1) == pytest.approx(1)


def test_a_probability_that_rounding_has_brought_above_one_is_calibrated_too() -> None:
    for calibration in (Temperature(2.0), RISING):
        fitted = encoder("xgboost", TWO, Decision(TWO, positive="yes", calibration=calibration, threshold=0.4))
        [prediction] = fitted.decode(b"1.0000005\n", "text/csv", 2)
        assert prediction["label"] == "yes"
        assert 0.89 < prediction["probability"] <= 1


def test_offsets_lift_a_rare_class() -> None:
    decision = Decision(FOUR, offsets=(0.0, 0.0, 0.0, 2.0))
    probabilities = np.array([[0.5, 0.2, 0.2, 0.1], [0.7, 0.2, 0.05, 0.05]], dtype=np.float32)
    table_of, chosen = decision.decide(probabilities, None)
    assert chosen.tolist() == [3, 0]
    assert table_of is probabilities


def test_the_algorithms_own_label_stays_where_there_is_no_threshold() -> None:
    fitted = encoder("linear-learner", TWO, Decision(TWO, positive="yes", calibration=Temperature(3.0)))
    [prediction] = fitted.decode(b'{"predictions": [{"score": 0.4, "predicted_label": 1}]}', "application/json", 2)
    assert prediction["label"] == "yes"
    assert 0.4 < prediction["probability"] < 0.5


def test_blazingtexts_labels_are_decided_too() -> None:
    fitted = FittedEncoder(
        "classification",
        {"x": "number"},
        "label",
        TWO,
        table({"x": None}),
        "blazingtext",
        decision=Decision(TWO, positive="yes", threshold=0.2),
    )
    body = b'[{"label": ["__label__no", "__label__yes"], "prob": [0.75, 0.25]}]'
    assert fitted.decode(body, "application/json", 2)[0]["top"] == [
        {"label": "yes", "probability": 0.25},
        {"label": "no", "probability": 0.75},
    ]


def test_scores_that_are_no_probabilities_are_refused() -> None:
    fitted = encoder("linear-learner", TWO, Decision(TWO, positive="yes", threshold=0.3))
    with pytest.raises(PredictionFailed, match="no probabilities"):
        fitted.decode(b'{"predictions": [{"score": 2.5, "predicted_label": 1}]}', "application/json")


DECISIONS = [
    Decision(TWO, positive="yes", calibration=Temperature(1.7), threshold=0.31),
    Decision(TWO, positive="no", calibration=RISING, threshold=0.6),
    Decision(FOUR, calibration=Temperature(0.6), offsets=(0.1, -0.2, 1.3, 0.0)),
]


@pytest.mark.parametrize("decision", DECISIONS)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 70))
def test_rows_asked_one_by_one_get_the_numbers_of_a_transform_job_bit_by_bit(decision: Decision, seed: int, rows: int) -> None:
    classes = list(decision.classes)
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(len(classes), 0.3), rows).astype(np.float32)
    lines = [",".join(map(str, row[1:] if len(classes) == 2 else row)) for row in probabilities.tolist()]
    fitted = encoder("xgboost", classes, decision)

    one_by_one = [fitted.decode(line.encode(), "text/csv", len(classes), probabilities=True)[0] for line in lines]
    body = "\n".join(lines).encode()
    arrays = read_classes(fitted, body, rows).after

    assert fitted.decode(body, "text/csv", len(classes), batch=True, probabilities=True) == one_by_one
    assert [classes[number] for number in arrays.chosen.tolist()] == [row["label"] for row in one_by_one]
    assert arrays.scores is not None
    exact = [[float(str(number)) for number in row] for row in arrays.scores]
    assert exact == [list(row["probabilities"].values()) for row in one_by_one]


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_saved_decision_decides_as_before(decision: Decision) -> None:
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(decision.classes)), 50).astype(np.float32)
    loaded = Decision.load(replace(decision, metric="macro_f1", rows=50).save(), decision.classes)
    (table_before, before), (table_after, after) = decision.decide(probabilities, None), loaded.decide(probabilities, None)
    assert np.array_equal(table_before, table_after)
    assert before.tolist() == after.tolist()
    assert (loaded.metric, loaded.rows) == ("macro_f1", 50)


def changed(**values: object) -> Callable[[dict[str, object]], bytes]:
    def change(document: dict[str, object]) -> bytes:
        return json.dumps(document | values).encode()

    return change


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda _: b"{", "decision.json is damaged"),
        (lambda _: b"[]", "decision.json is damaged"),
        (changed(version=0), "its version is 0"),
        (changed(version=2), "has version 2, this code reads up to 1"),
        (changed(threshold={"label": "yes", "at": 0.1}), "its checksum differs"),
        (changed(sha256=None), "its checksum differs"),
    ],
)
def test_a_damaged_decision_is_an_error(damage: Callable[[dict[str, object]], bytes], expected: str) -> None:
    document = json.loads(Decision(TWO, positive="yes", threshold=0.3).save())
    with pytest.raises(InvalidEncoder, match=expected):
        Decision.load(damage(document), TWO)


def test_a_decision_of_other_classes_is_an_error() -> None:
    saved = Decision(TWO, positive="yes", threshold=0.3).save()
    for classes in (["yes", "no"], None):
        with pytest.raises(InvalidEncoder, match="other classes than the encoder"):
            Decision.load(saved, classes)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(FOUR, threshold=0.3),
        Decision(TWO, positive="maybe", threshold=0.3),
        Decision(TWO, calibration=RISING),
        Decision(TWO, calibration=Temperature(0.0)),
    ],
)
def test_a_decision_that_makes_no_sense_is_an_error(decision: Decision) -> None:
    with pytest.raises(InvalidEncoder, match="holds a wrong value"):
        Decision.load(decision.save(), decision.classes)
