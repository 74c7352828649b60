"""Raw rows in, labels out; and what happens when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sageline.encoder.decision import Decision
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import (
    EndpointFailed,
    EndpointNotFound,
    EndpointNotReady,
    EndpointWarming,
    InvalidRequest,
    PredictionFailed,
    RequestTooLarge,
    TooManyRequests,
)
from sageline.formats import npy, recordio
from sageline.serving import invoke, predict
from sageline.serving.predict import Predictor
from sageline.serving.request import PredictionRequest
from sageline.serving.rows import Instances
from tests.unit.encoder.encoders import Number, table
from tests.unit.serving.fakes import BUCKET, CLASSES, NEW, OLD, SageMaker, encoder, put_encoder, put_routing, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROW = {"alcohol": 13.5, "colour": "red"}
ENCODED = b"13.5,1,0\n"


def asked(*instances: object, top_k: int = 1, session: str | None = None, strict: bool = False) -> PredictionRequest:
    return PredictionRequest(Instances(list(instances) or [ROW]), top_k, session, strict)


@pytest.fixture
def one_variant(s3: S3Client) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder())


@pytest.fixture
def two_variants(s3: S3Client) -> None:
    """In the middle of an update: the old variant has all the traffic. Each has another order of columns."""
    put_routing(s3, variant(OLD, 1), variant(NEW, 0))
    put_encoder(s3, OLD, encoder(colours=("white", "red")))
    put_encoder(s3, NEW, encoder())


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


@pytest.mark.usefixtures("one_variant")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("Creating", EndpointNotReady),
        ("InService", EndpointNotReady),
        ("Failed", EndpointFailed),
        ("OutOfService", EndpointFailed),
        ("Deleting", EndpointFailed),
    ],
)
def test_when_nobody_is_left_the_status_says_why(
    predictor: Predictor, sagemaker: SageMaker, status: str, error: type[Exception]
) -> None:
    sagemaker.refuses(NEW, ENCODED, "ValidationError")
    sagemaker.describes(status)
    with pytest.raises(error, match=status):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
def test_an_endpoint_that_was_deleted_by_other_means_is_not_found(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, ENCODED, "ValidationError", "Endpoint wines of account 123456789012 not found.")
    with pytest.raises(EndpointNotFound, match="not in SageMaker any more"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
def test_a_denied_look_is_no_missing_endpoint(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, ENCODED, "ValidationError")
    sagemaker.may_not_be_described()
    with pytest.raises(ClientError, match="AccessDenied"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
def test_an_endpoint_in_service_that_may_not_be_invoked_is_a_fault_of_ours(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, ENCODED, "AccessDeniedException")
    sagemaker.describes("InService")
    with pytest.raises(ClientError, match="AccessDenied"):
        predictor.predict("wines", asked())


def test_an_unknown_endpoint_is_not_found(predictor: Predictor) -> None:
    with pytest.raises(EndpointNotFound, match="'wines'"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ModelError", PredictionFailed),
        ("ThrottlingException", TooManyRequests),
        ("ModelNotReadyException", EndpointWarming),
        ("ServiceUnavailable", EndpointNotReady),
        ("InternalFailure", EndpointNotReady),
    ],
)
def test_sagemakers_errors_get_our_names_and_tell_nothing_of_the_inside(
    predictor: Predictor, sagemaker: SageMaker, code: str, error: type[Exception]
) -> None:
    sagemaker.refuses(NEW, ENCODED, code, "Received server error (500) from primary with message Traceback secret")
    with pytest.raises(error) as caught:
        predictor.predict("wines", asked())
    assert "secret" not in str(caught.value)


@pytest.mark.usefixtures("one_variant")
def test_an_error_that_has_no_name_of_ours_is_passed_on(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, ENCODED, "ExpiredTokenException")
    with pytest.raises(ClientError, match="ExpiredToken"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
@pytest.mark.parametrize("code", ["ServiceUnavailable", "InternalFailure"])
def test_why_sagemaker_cannot_answer_is_logged(
    predictor: Predictor, sagemaker: SageMaker, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    sagemaker.refuses(NEW, ENCODED, code, "no instance is healthy")
    with pytest.raises(EndpointNotReady):
        predictor.predict("wines", asked())
    assert "no instance is healthy" in caplog.text


@pytest.mark.usefixtures("one_variant")
def test_a_sagemaker_that_cannot_be_reached_has_a_name_too(
    predictor: Predictor, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://runtime")

    monkeypatch.setattr(sagemaker.runtime, "invoke_endpoint", fail)
    with pytest.raises(EndpointNotReady):
        predictor.predict("wines", asked())
    assert "https://runtime" in caplog.text


@pytest.mark.usefixtures("one_variant")
def test_the_answer_of_another_variant_is_not_decoded(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n", answered_by=OLD)
    with pytest.raises(PredictionFailed, match=f"{OLD} answered in place of {NEW}"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
def test_an_answer_that_does_not_fit_the_request_is_a_failed_prediction(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n1,0,0\n")
    with pytest.raises(PredictionFailed, match="answered for 2"):
        predictor.predict("wines", asked())


@pytest.mark.usefixtures("one_variant")
@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"vintage": 1999}, r"instances\[1\].*'alcohol', 'colour'"),
        ({"alcohol": "strong", "colour": "red"}, r"instances\[1\].*'alcohol'"),
        ("a text", r"instances\[1\]"),
    ],
)
def test_an_instance_that_does_not_fit_is_named_with_its_column(predictor: Predictor, instance: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        predictor.predict("wines", asked(ROW, instance))


@pytest.mark.usefixtures("one_variant")
def test_what_is_ignored_or_taken_for_missing_is_answered_with_warnings(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, b"13.5,1,0\n1,0,0\n", b"1,0,0\n1,0,0\n")
    answer = predictor.predict("wines", asked(ROW, {"alcohol": 1, "color": "red"})).to_json()
    assert answer["warnings"] == [
        "instances[1]: unknown column 'color' is ignored; did you mean 'colour'?",
        "instances[1]: column 'colour' is absent and taken for missing.",
    ]


@pytest.mark.usefixtures("one_variant")
def test_a_strict_request_takes_no_warnings(predictor: Predictor, sagemaker: SageMaker) -> None:
    with pytest.raises(InvalidRequest, match=r"In strict mode .* column 'color' .* column 'colour' is absent") as caught:
        predictor.predict("wines", asked(ROW, {"alcohol": 1, "color": "red"}, strict=True))
    assert isinstance(caught.value.details["warnings"], list)
    assert len(caught.value.details["warnings"]) == 2
    sagemaker.answers(NEW, ENCODED, b"1,0,0\n")
    assert "warnings" not in predictor.predict("wines", asked(ROW, strict=True)).to_json()


@pytest.mark.usefixtures("one_variant")
def test_no_more_labels_than_there_are_can_be_asked_for(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, ENCODED, b"0.7,0.2,0.1\n")
    assert len(predictor.predict("wines", asked(top_k=3)).predictions[0]["top"]) == 3
    with pytest.raises(InvalidRequest, match="`top_k` is 4; the model knows 3 classes"):
        predictor.predict("wines", asked(top_k=4))


def test_a_regression_has_no_top(s3: S3Client, predictor: Predictor) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder(classes=None))
    with pytest.raises(InvalidRequest, match="leave it out"):
        predictor.predict("wines", asked(top_k=2))


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 bytes on a serverless endpoint, 40 on instances; a row has 9."""
    monkeypatch.setattr(predict, "MAX_SERVERLESS_BODY_BYTES", 20)
    monkeypatch.setattr(invoke, "MAX_SERVERLESS_BODY_BYTES", 20)
    monkeypatch.setattr(invoke, "MAX_BODY_BYTES", 40)


@pytest.mark.usefixtures("one_variant", "small_limits")
@pytest.mark.parametrize(("rows", "serverless", "fitting"), [(3, True, 2), (5, False, 4), (9, True, 2)])
def test_what_encodes_to_too_much_is_refused_with_how_many_would_fit(
    predictor: Predictor, sagemaker: SageMaker, rows: int, serverless: bool, fitting: int
) -> None:
    sagemaker.describes("InService", serverless=serverless)
    with pytest.raises(RequestTooLarge, match=f"The first {fitting} would fit") as caught:
        predictor.predict("wines", asked(*[ROW] * rows))
    assert caught.value.details["max_instances"] == fitting


@pytest.mark.usefixtures("one_variant", "small_limits")
def test_how_many_would_fit_is_said_of_rows_with_warnings_too(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.describes("InService", serverless=True)
    with pytest.raises(RequestTooLarge, match="The first 2 would fit"):
        predictor.predict("wines", asked(*[{**ROW, "vintage": 1999}] * 3))


@pytest.mark.usefixtures("one_variant", "small_limits")
def test_the_limit_of_instances_is_higher_than_that_of_serverless(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.describes("InService", serverless=False)
    sagemaker.answers(NEW, ENCODED * 4, b"1,0,0\n" * 4)
    assert len(predictor.predict("wines", asked(*[ROW] * 4)).predictions) == 4


@pytest.mark.usefixtures("one_variant")
def test_one_instance_that_is_too_large_by_itself_is_said_to_be(
    predictor: Predictor, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "MAX_SERVERLESS_BODY_BYTES", 8)
    monkeypatch.setattr(invoke, "MAX_SERVERLESS_BODY_BYTES", 8)
    sagemaker.describes("InService", serverless=True)
    with pytest.raises(RequestTooLarge, match="Even the first alone does not fit"):
        predictor.predict("wines", asked(ROW, ROW))
