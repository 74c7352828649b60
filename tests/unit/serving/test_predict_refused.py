"""Predictions that fail: nobody answers, the answer or the rows do not fit, the rows are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

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
from sageline.serving import invoke, predict
from sageline.serving.predict import Predictor
from tests.unit.serving.fakes import (
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
