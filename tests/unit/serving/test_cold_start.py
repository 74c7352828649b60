"""A serverless endpoint that starts: people are told so in time, the smoke test waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from sageline.aws.http import error_response
from sageline.errors import EndpointWarming, PredictionFailed, SmokeTestFailed
from sageline.names import RunLayout
from sageline.serving.predict import Predictor
from sageline.serving.request import PredictionRequest
from sageline.serving.rows import Instances
from sageline.serving.smoke_test import PATIENCE_SECONDS, SmokeTestEvent, smoke_test
from tests.unit.serving.fakes import BUCKET, NEW, SageMaker, encoder, put_encoder, put_routing, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROW = {"alcohol": 13.5, "colour": "red"}
ENCODED = b"13.5,1,0\n"
ANSWER = b"0.7,0.2,0.1\n"
ASKED = PredictionRequest(Instances([ROW]))
EVENT: SmokeTestEvent = {"action": "smoke-test", "run_id": NEW, "endpoint_name": "wines", "variant": NEW}


class Silent:
    """A runtime that raises so many times before it asks SageMaker."""

    def __init__(self, sagemaker: SageMaker, error: Exception, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ask: Callable[..., Any] = sagemaker.runtime.invoke_endpoint
        self._error, self._times = error, times
        self.calls = 0
        monkeypatch.setattr(sagemaker.runtime, "invoke_endpoint", self.invoke)

    def invoke(self, **request: Any) -> Any:
        self.calls += 1
        if self.calls <= self._times:
            raise self._error
        return self._ask(**request)


TIMEOUT, CLOSED = ReadTimeoutError(endpoint_url="https://runtime"), ConnectionClosedError(endpoint_url="https://runtime")


@pytest.fixture(autouse=True)
def deployed(s3: S3Client) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder())
    row = json.dumps({"features": {"alcohol": "13.5", "colour": "red"}, "label": "merlot"})
    s3.put_object(Bucket=BUCKET, Key=f"{RunLayout(BUCKET, NEW).test_raw_prefix}part-00000.jsonl", Body=row.encode())


def test_a_serverless_model_that_does_not_answer_in_time_is_said_to_be_starting(
    predictor: Predictor, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Silent(sagemaker, TIMEOUT, 1, monkeypatch)
    sagemaker.describes("InService", serverless=True)
    with pytest.raises(EndpointWarming, match="Endpoint wines is starting: it is serverless"):
        predictor.predict("wines", ASKED)
    assert silent.calls == 1, "who asks has waited as long as the HTTP API does"


def test_a_model_on_instances_that_does_not_answer_in_time_is_too_slow(
    predictor: Predictor, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    Silent(sagemaker, TIMEOUT, 1, monkeypatch)
    sagemaker.describes("InService", serverless=False)
    with pytest.raises(PredictionFailed, match="did not answer in time"):
        predictor.predict("wines", ASKED)


def test_people_get_a_503_that_says_when_to_try_again(predictor: Predictor, sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, ENCODED, "ModelNotReadyException")
    with pytest.raises(EndpointWarming) as caught:
        predictor.predict("wines", ASKED)
    answer = error_response(caught.value, log=None)  # type: ignore[arg-type]  # nothing to log
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "10")
    assert json.loads(answer["body"])["error"]["code"] == "EndpointWarming"


def test_a_kept_connection_that_was_closed_is_opened_again(
    predictor: Predictor, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    Silent(sagemaker, CLOSED, 1, monkeypatch)
    sagemaker.answers(NEW, ENCODED, ANSWER)
    assert predictor.predict("wines", ASKED).variant == NEW


class Time:
    """Sleeping is all that takes time."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def smoke(s3: S3Client, predictor: Predictor, time: Time) -> Callable[[], dict[str, object]]:
    return lambda: smoke_test(EVENT, predictor=predictor, s3=s3, bucket=BUCKET, sleep=time.sleep, clock=time.clock)


def test_the_smoke_test_waits_for_a_model_that_starts(
    sagemaker: SageMaker, smoke: Callable[[], dict[str, object]], time: Time
) -> None:
    for _ in range(60):
        sagemaker.refuses(NEW, ENCODED, "ModelNotReadyException")
    sagemaker.answers(NEW, ENCODED, ANSWER)
    assert smoke() == {"rows": 1, "variant": NEW}
    assert 60 < time.now < PATIENCE_SECONDS


def test_the_smoke_test_waits_no_longer_than_a_model_may_take_to_start(
    sagemaker: SageMaker, smoke: Callable[[], dict[str, object]], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sageline.serving.smoke_test.SECONDS_BETWEEN_ATTEMPTS", 60.0)
    for _ in range(5):
        sagemaker.refuses(NEW, ENCODED, "ModelNotReadyException")
    with pytest.raises(SmokeTestFailed, match="did not answer 1 held-out rows: Endpoint wines is starting"):
        smoke()
    assert time.now == PATIENCE_SECONDS
