"""State changes on their way to EventBridge's targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator_tests.support import Api, FakeEventBridge, FakeLambda, wait_until
from sagemaker_emulator.aws import Aws, Place
from sagemaker_emulator.event_rules import EventRules
from sagemaker_emulator.events import Events, endpoint_detail, training_detail, upper_snake

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:check-status"
JOB: dict[str, Any] = {
    "TrainingJobName": "job",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/job",
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "CreationTime": 1583831889.05,
    "LastModifiedTime": 1583831890.0,
    "SecondaryStatusTransitions": [{"Status": "Starting", "StartTime": 1583831889.05, "StatusMessage": "…"}],
    "_private": 1,
}
ENDPOINT: dict[str, Any] = {
    "EndpointName": "endpoint",
    "EndpointArn": "arn:aws:sagemaker:us-east-1:000000000000:endpoint/endpoint",
    "EndpointConfigName": "config",
    "EndpointStatus": "InService",
    "CreationTime": 1583831889.05,
    "LastModifiedTime": 1583831890.0,
}


def test_a_training_jobs_times_are_milliseconds_as_text() -> None:
    detail = training_detail(JOB, {"project": "x"})

    assert detail["CreationTime"] == "1583831889050"
    assert detail["SecondaryStatusTransitions"][0]["StartTime"] == "1583831889050"
    assert detail["Tags"] == {"project": "x"}
    assert "_private" not in detail


def test_an_endpoints_times_are_milliseconds_as_numbers_and_its_status_is_in_capitals() -> None:
    detail = endpoint_detail(ENDPOINT, {})

    assert detail["CreationTime"] == 1583831889050
    assert detail["EndpointStatus"] == "IN_SERVICE"


@pytest.mark.parametrize(
    ("status", "text"), [("Creating", "CREATING"), ("InService", "IN_SERVICE"), ("RollingBack", "ROLLING_BACK")]
)
def test_statuses_in_capitals(status: str, text: str) -> None:
    assert upper_snake(status) == text


class Delivery:
    """Events over fakes."""

    def __init__(self) -> None:
        self.rules, self.functions = FakeEventBridge(), FakeLambda()
        rules = EventRules(self.rules, self.functions)  # type: ignore[arg-type]  # fakes
        self.events = Events(rules.deliver, Place("000000000000", "us-east-1"))
        self.events.start()

    def done(self) -> list[dict[str, Any]]:
        """Stop, and give what was invoked."""
        self.events.stop(timeout=10)
        return self.functions.invocations


@pytest.fixture
def delivery() -> Iterator[Delivery]:
    started = Delivery()
    yield started
    started.events.stop(timeout=10)


def test_a_matching_rules_function_is_invoked_asynchronously_with_the_event(delivery: Delivery) -> None:
    delivery.rules.add("jobs", "SageMaker Training Job State Change", FUNCTION)

    delivery.events.training_job_changed(JOB, {})

    (invocation,) = delivery.done()
    event = json.loads(invocation["Payload"])
    assert (invocation["FunctionName"], invocation["InvocationType"]) == (FUNCTION, "Event")
    assert event["source"] == "aws.sagemaker"
    assert event["detail-type"] == "SageMaker Training Job State Change"
    assert event["resources"] == [JOB["TrainingJobArn"]]
    assert event["detail"]["TrainingJobStatus"] == "Completed"


def test_disabled_and_other_rules_and_other_targets_are_passed_over(delivery: Delivery) -> None:
    delivery.rules.add("disabled", "SageMaker Endpoint State Change", FUNCTION, state="DISABLED")
    delivery.rules.add("others", "SageMaker Training Job State Change", FUNCTION)
    delivery.rules.add("queue", "SageMaker Endpoint State Change", "arn:aws:sqs:us-east-1:000000000000:queue")
    delivery.rules.rules.append({"Name": "schedule", "State": "ENABLED"})

    delivery.events.endpoint_changed(ENDPOINT, {})

    assert delivery.done() == []


def test_a_targets_constant_input_comes_instead_of_the_event(delivery: Delivery) -> None:
    delivery.rules.add("jobs", "SageMaker Endpoint State Change", FUNCTION, Input='{"constant": true}')

    delivery.events.endpoint_changed(ENDPOINT, {})

    assert delivery.done()[0]["Payload"] == '{"constant": true}'


def test_an_invocation_that_fails_is_tried_again(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery.rules.add("jobs", "SageMaker Endpoint State Change", FUNCTION)
    monkeypatch.setattr("sagemaker_emulator.event_rules.time.sleep", lambda _: None)
    failures = [ClientError({"Error": {"Code": "ServiceException"}}, "Invoke")] * 2
    invoke = delivery.functions.invoke

    def flaky(**request: object) -> None:
        if failures:
            raise failures.pop()
        invoke(**request)

    monkeypatch.setattr(delivery.functions, "invoke", flaky)

    delivery.events.endpoint_changed(ENDPOINT, {})

    assert len(delivery.done()) == 1


def test_one_broken_event_does_not_hold_up_the_next(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery.rules.add("jobs", "SageMaker Endpoint State Change", FUNCTION)
    errors = [OSError("no connection")]
    pattern = delivery.rules.test_event_pattern

    def flaky(EventPattern: str, Event: str) -> dict[str, Any]:  # noqa: N803  # EventBridge's own names
        if errors:
            raise errors.pop()
        return pattern(EventPattern, Event)

    monkeypatch.setattr(delivery.rules, "test_event_pattern", flaky)

    delivery.events.endpoint_changed(ENDPOINT, {})
    delivery.events.endpoint_changed(ENDPOINT, {})

    assert len(delivery.done()) == 1


def test_every_status_of_a_job_is_told(api: Api, aws: Aws) -> None:
    rules: FakeEventBridge = aws.events  # type: ignore[assignment]  # it is the fake of the fixture
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    rules.add("jobs", "SageMaker Training Job State Change", FUNCTION)

    api.ok("CreateTrainingJob", **api.fast_job("told", Tags=[{"Key": "run", "Value": "r1"}]))
    wait_until(lambda: api.ended_job("told"))

    def told() -> list[str] | None:
        statuses = [json.loads(invocation["Payload"])["detail"]["SecondaryStatus"] for invocation in functions.invocations]
        return statuses if statuses[-1:] == ["Completed"] else None

    assert list(dict.fromkeys(wait_until(told))) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert json.loads(functions.invocations[0]["Payload"])["detail"]["Tags"] == {"run": "r1"}
