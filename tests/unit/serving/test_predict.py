"""Raw rows in, labels out: which variant is asked, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sageline.encoder.decision import Decision
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import (
    EndpointNotReady,
    InvalidRequest,
    PredictionFailed,
)
from sageline.formats import npy, recordio
from sageline.serving.predict import Predictor
from tests.unit.encoder.encoders import Number, table
from tests.unit.serving.fakes import (
    BUCKET,
    CLASSES,
    ENCODED,
    NEW,
    OLD,
    ROW,
    SageMaker,
    asked,
    encoder,
    put_encoder,
    put_routing,
    variant,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.mark.parametrize(
    ("answers", "content_type", "accept", "body", "answer"),
    [
        (
            "linear-learner",
            "application/x-recordio-protobuf",
            "application/json",
            recordio.write_dense(np.array([[13.5, 1, 0]], dtype=np.float32)),
            b'{"predictions": [{"score": [0.7, 0.2, 0.1], "predicted_label": 0}]}',
        ),
        (
            "knn",
            "application/x-recordio-protobuf",
            "application/json; verbose=true",
            recordio.write_dense(np.array([[13.5, 1, 0]], dtype=np.float32)),
            b'{"predictions": [{"predicted_label": 0.0, "labels": [0, 0, 1], "distances": [1, 2, 3]}]}',
        ),
        (
            "tensorflow",
            "application/json",
            "application/json",
            b'{"instances":[[13.5,1,0]]}',
            b'{"predictions": [[0.7, 0.2, 0.1]]}',
        ),
        (
            "scikit-learn",
            "application/x-npy",
            "application/json",
            npy.write_array(np.array([[13.5, 1, 0]], dtype=np.float32)),
            b"[0]",
        ),
    ],
)
def test_each_model_is_asked_in_its_own_formats(
    s3: S3Client,
    predictor: Predictor,
    sagemaker: SageMaker,
    *,
    answers: str,
    content_type: str,
    accept: str,
    body: bytes,
    answer: bytes,
) -> None:
    put_routing(s3, variant(NEW, 1))
    features = table({"alcohol": None, "colour": ["red", "white"]}, {"alcohol": Number(13.5)})
    columns = {"alcohol": "number", "colour": "category"}
    put_encoder(s3, NEW, FittedEncoder("classification", columns, "grape", CLASSES, features, answers))
    arguments = {"EndpointName": "wines", "ContentType": content_type, "Accept": accept, "Body": body}
    sagemaker.will_answer(arguments, answer, content_type="application/json")

    [prediction] = predictor.predict("wines", asked({"alcohol": None, "colour": "red"})).predictions

    assert prediction["label"] == "merlot"
    assert prediction["probability"] == {"knn": 0.6666667, "scikit-learn": None}.get(answers, 0.7)


def test_a_row_is_refused_by_the_columns_of_a_model_that_serves_and_not_of_the_one_before(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker
) -> None:
    put_routing(s3, variant(OLD, 1))
    put_encoder(s3, OLD, FittedEncoder("regression", {"sugar": "number"}, "price", None, table({"sugar": None})))
    with pytest.raises(InvalidRequest, match="none of the model's columns is there; they are 'sugar'"):
        predictor.predict("wines", asked(ROW))

    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder())
    sagemaker.answers(NEW, b"13.5,1,0\n", b"0.7,0.2,0.1\n")
    assert predictor.predict("wines", asked(ROW)).variant == NEW


@pytest.mark.usefixtures("one_variant")
def test_an_answer_names_labels_probabilities_and_who_answered(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, b"13.5,1,0\n,0,1\n", b"0.7,0.2,0.1\n0.1,0.3,0.6\n")
    prediction = predictor.predict("wines", asked(ROW, {"alcohol": None, "colour": "white"}, top_k=2))
    assert prediction.to_json() == {
        "predictions": [
            {
                "label": "merlot",
                "probability": 0.7,
                "top": [{"label": "merlot", "probability": 0.7}, {"label": "pinot", "probability": 0.2}],
            },
            {
                "label": "riesling",
                "probability": 0.6,
                "top": [{"label": "riesling", "probability": 0.6}, {"label": "pinot", "probability": 0.3}],
            },
        ],
        "endpoint": "wines",
        "variant": NEW,
        "model_version": NEW,
    }


def test_a_regression_answers_values(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder(classes=None))
    sagemaker.answers(NEW, ENCODED, b"41.5\n")
    assert predictor.predict("wines", asked()).predictions == [{"value": 41.5}]


@pytest.mark.usefixtures("two_variants")
def test_each_variant_is_asked_with_its_own_encoder(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(OLD, b"13.5,0,1\n", b"1,0,0\n", named=True)
    assert predictor.predict("wines", asked()).variant == OLD
    put_routing(s3, variant(OLD, 0), variant(NEW, 1))
    predictor.routing("wines")
    sagemaker.answers(NEW, b"13.5,1,0\n", b"1,0,0\n", named=True)
    assert predictor.predict("wines", asked()).variant == NEW


@pytest.mark.usefixtures("two_variants")
def test_each_variant_answers_by_its_own_decision(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    decision = Decision(CLASSES, offsets=(0.0, 0.0, 1.0))
    s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/decision.json", Body=decision.save())
    labels = []
    for name, request in ((OLD, b"13.5,0,1\n"), (NEW, b"13.5,1,0\n")):
        put_routing(s3, variant(OLD, float(name == OLD)), variant(NEW, float(name == NEW)))
        predictor.routing("wines")
        sagemaker.answers(name, request, b"0.5,0.2,0.3\n", named=True)
        [prediction] = predictor.predict("wines", asked()).predictions
        labels.append(prediction["label"])
    assert labels == ["merlot", "riesling"]


def test_traffic_without_a_session_is_shared(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    put_routing(s3, variant(OLD, 1), variant(NEW, 1))
    for name in (OLD, NEW):
        put_encoder(s3, name, encoder())
    routing = predictor.routing("wines")
    expected = [routing.pick(f"random-{number}").name for number in range(12)]
    for name in expected:
        sagemaker.answers(name, ENCODED, b"1,0,0\n", named=True)
    assert [predictor.predict("wines", asked()).variant for _ in expected] == expected
    assert set(expected) == {OLD, NEW}


def test_a_session_is_answered_by_one_variant(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    put_routing(s3, variant(OLD, 1), variant(NEW, 1))
    for name in (OLD, NEW):
        put_encoder(s3, name, encoder())
    of_session = predictor.routing("wines").pick("customer-42").name
    for _ in range(3):
        sagemaker.answers(of_session, ENCODED, b"1,0,0\n", named=True)
        assert predictor.predict("wines", asked(session="customer-42")).variant == of_session


@pytest.mark.usefixtures("two_variants")
@pytest.mark.parametrize("code", ["ValidationError", "AccessDeniedException"])
def test_when_the_old_variant_is_gone_the_new_one_answers(predictor: Predictor, sagemaker: SageMaker, code: str) -> None:
    sagemaker.refuses(OLD, b"13.5,0,1\n", code, named=True)
    sagemaker.answers(NEW, b"13.5,1,0\n", b"1,0,0\n", named=True)
    assert predictor.predict("wines", asked()).variant == NEW


def test_when_a_variant_is_gone_the_routing_is_read_again(s3: S3Client, predictor: Predictor, sagemaker: SageMaker) -> None:
    put_routing(s3, variant(OLD, 1))
    put_encoder(s3, OLD, encoder())
    put_encoder(s3, NEW, encoder())
    predictor.routing("wines")
    put_routing(s3, variant(NEW, 1))
    sagemaker.refuses(OLD, ENCODED, "ValidationError")
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n")
    assert predictor.predict("wines", asked()).variant == NEW


def test_a_routing_that_is_two_updates_old_leads_to_the_newest_variant(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker
) -> None:
    put_routing(s3, variant("oldest", 1))
    for name in ("oldest", OLD, NEW):
        put_encoder(s3, name, encoder())
    predictor.routing("wines")
    put_routing(s3, variant(OLD, 1), variant(NEW, 0))
    sagemaker.refuses("oldest", ENCODED, "ValidationError")
    sagemaker.refuses(OLD, ENCODED, "ValidationError", named=True)
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n", named=True)
    assert predictor.predict("wines", asked()).variant == NEW


@pytest.mark.usefixtures("one_variant")
def test_who_answered_need_not_be_said(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.will_answer(unnamed(ENCODED), b"1,0,0\n", answered_by=None)
    assert predictor.predict("wines", asked()).variant == NEW


@pytest.mark.parametrize("answered", [True, False])
def test_when_the_only_variant_is_another_by_now_the_routing_is_read_again(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker, answered: bool
) -> None:
    """It may answer, or fail, what was encoded for the one before."""
    put_routing(s3, variant(OLD, 1))
    put_encoder(s3, OLD, encoder(colours=("white", "red")))
    put_encoder(s3, NEW, encoder())
    predictor.routing("wines")
    put_routing(s3, variant(NEW, 1))
    if answered:
        sagemaker.answers(OLD, b"13.5,0,1\n", b"0,0,1\n", answered_by=NEW)
    else:
        sagemaker.refuses(OLD, b"13.5,0,1\n", "ModelError")
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n")

    assert predictor.predict("wines", asked()).predictions[0]["label"] == "merlot"


def test_a_variant_in_whose_place_a_short_lived_one_answered_is_asked_by_its_name(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker
) -> None:
    """An alarm ended a rollout within the seconds for which its beginning went unnoticed; the old variant served all along."""
    put_routing(s3, variant(OLD, 1))
    put_encoder(s3, OLD, encoder())
    put_encoder(s3, NEW, encoder())
    predictor.routing("wines")
    put_routing(s3, variant(OLD, 1), variant(NEW, 0))
    sagemaker.answers(OLD, ENCODED, b"0,0,1\n", answered_by=NEW)
    sagemaker.answers(OLD, ENCODED, b"1,0,0\n", named=True)

    prediction = predictor.predict("wines", asked())

    assert (prediction.variant, prediction.predictions[0]["label"]) == (OLD, "merlot")


def test_a_serverless_endpoint_is_asked_without_a_name_while_it_changes(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker
) -> None:
    put_routing(s3, variant(OLD, 1, serverless=True), variant(NEW, 0, serverless=True))
    put_encoder(s3, OLD, encoder(colours=("white", "red")))
    put_encoder(s3, NEW, encoder())
    sagemaker.answers(OLD, b"13.5,0,1\n", b"0,0,1\n", answered_by=NEW)
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n")

    prediction = predictor.predict("wines", asked())

    assert (prediction.variant, prediction.predictions[0]["label"]) == (NEW, "merlot")


def unnamed(body: bytes) -> dict[str, object]:
    return {"EndpointName": "wines", "ContentType": "text/csv", "Accept": "text/csv", "Body": body}


@pytest.mark.parametrize("serverless", [True, False])
def test_where_nobody_says_who_answered_only_the_variant_that_serves_by_now_is_believed(
    s3: S3Client, predictor: Predictor, sagemaker: SageMaker, serverless: bool
) -> None:
    """Of two serverless variants side by side, and of one whose routing is out of date."""
    put_encoder(s3, OLD, encoder(colours=("white", "red")))
    put_encoder(s3, NEW, encoder())
    if serverless:
        put_routing(s3, variant(OLD, 1, serverless=True), variant(NEW, 0, serverless=True))
    else:
        put_routing(s3, variant(OLD, 1))
        predictor.routing("wines")
        put_routing(s3, variant(NEW, 1))
    for body, answer in ((b"13.5,0,1\n", b"0,0,1\n"), (ENCODED, b"1,0,0\n")):
        sagemaker.will_answer(unnamed(body), answer, answered_by=None)
        if serverless:
            sagemaker.describes("InService", serverless=True)  # NEW

    prediction = predictor.predict("wines", asked())

    assert (prediction.variant, prediction.predictions[0]["label"]) == (NEW, "merlot")


@pytest.mark.usefixtures("two_variants")
def test_the_failure_of_a_variant_that_was_named_is_its_own(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(OLD, b"13.5,0,1\n", "ModelError", named=True)
    with pytest.raises(PredictionFailed, match=f"behind variant {OLD}"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("two_variants")
def test_each_variant_is_asked_once(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(OLD, b"13.5,0,1\n", "ValidationError", named=True)
    sagemaker.refuses(NEW, b"13.5,1,0\n", "ValidationError", named=True)
    sagemaker.describes("Updating")
    with pytest.raises(EndpointNotReady, match="Updating"):
        predictor.predict("wines", asked())
