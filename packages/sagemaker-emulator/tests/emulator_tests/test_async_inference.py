"""InvokeEndpointAsync: answers in S3, messages of SNS, logs, metrics; what is refused."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from emulator_tests.asynchronous import (
    FAILURES,
    OUTPUT,
    answered,
    async_endpoint,
    asynchronous,
    invoke,
    log_lines,
    put,
    read,
)
from emulator_tests.support import ACCOUNT, BUCKET, Api, FakeLambda, Json, Refused, add_role, wait_until
from sagemaker_emulator.async_inference.queue import RequestQueue
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.callers import function_access_key


@pytest.fixture(scope="module")
def topics(aws: Aws) -> Json:
    topic = aws.sns.create_topic(Name="async")["TopicArn"]
    included = ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
    return {"SuccessTopic": topic, "ErrorTopic": topic, "IncludeInferenceResponseIn": included}


@pytest.fixture(scope="module")
def messages(aws: Aws, topics: Json) -> Mapping[str, Json]:
    """What the topic was told, by inference id; a queue has subscribed to it."""
    sqs = boto3.session.Session("test", "test", region_name="us-east-1").client("sqs")
    url = sqs.create_queue(QueueName="async")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.sns.subscribe(TopicArn=topics["SuccessTopic"], Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})

    class Told(dict[str, Json]):
        def __missing__(self, inference_id: str) -> Json:
            def look() -> Json | None:
                for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                    body = json.loads(message["Body"])
                    self[body["inferenceId"]] = body
                return self.get(inference_id)

            return wait_until(look)

    return Told()


@pytest.fixture(scope="module")
def role(aws: Aws, topics: Json) -> str:
    may = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    return add_role(aws, "Async", may, {"Effect": "Allow", "Action": "sns:Publish", "Resource": topics["SuccessTopic"]})


@pytest.fixture(scope="module")
def types(api: Api, aws: Aws) -> str:
    """Its container answers content type, Accept and length of what it is sent."""
    return async_endpoint(api, aws, "types", "types")


def test_the_answer_to_an_object_is_an_object_that_is_named_at_once(api: Api, aws: Aws) -> None:
    endpoint = async_endpoint(api, aws, "answers", "good", KmsKeyId="alias/key")

    accepted = invoke(api, endpoint, input_location=put(aws, "in/rows.csv", b"1,2\n"), inference_id="my-id")

    assert accepted.inference_id == "my-id"
    assert re.fullmatch(rf"{OUTPUT}/[0-9a-f-]{{36}}\.out", accepted.output)
    assert re.fullmatch(rf"{FAILURES}[0-9a-f-]{{36}}-error\.out", str(accepted.failure))
    assert wait_until(lambda: read(aws, accepted.output)) == (b"good:1,2\n", "text/plain")
    [line] = wait_until(lambda: log_lines(aws, endpoint, lambda line: "[my-id]" in line))
    assert re.search(r":\[sagemaker logs\] \[my-id\] Inference request succeeded\. ModelLatency: \d+ us, ", line)
    assert read(aws, accepted.failure) is None


def test_the_input_may_be_in_the_request_itself(api: Api, aws: Aws, types: str) -> None:
    accepted = invoke(api, types, b"x" * 1000, content_type="application/json", accept="text/csv")

    assert answered(aws, accepted.output) == b"application/json text/csv 1000"


def test_without_a_content_type_the_object_has_its_own(api: Api, aws: Aws, types: str) -> None:
    accepted = invoke(api, types, input_location=put(aws, "in/data.bin", b"12345", "application/x-recordio-protobuf"))

    assert answered(aws, accepted.output) == b"application/x-recordio-protobuf */* 5"


def test_a_request_may_name_its_answer(api: Api, aws: Aws, types: str) -> None:
    accepted = invoke(api, types, b"1", extension="2026/run-1", filename="first.json", content_type="text/csv")

    assert accepted.output == f"{OUTPUT}/2026/run-1/first.json"
    assert answered(aws, accepted.output) == b"text/csv */* 1"


def test_success_is_told_with_the_answer(api: Api, aws: Aws, role: str, topics: Json, messages: Mapping[str, Json]) -> None:
    async_endpoint(api, aws, "told", "good", role=role, NotificationConfig=topics)
    location = put(aws, "in/told.csv", b"1")

    accepted = invoke(api, "told", input_location=location, content_type="text/csv", accept="text/csv")

    message = dict(messages[accepted.inference_id])
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.pop(name)) for name in ("eventTime", "receivedTime")
    )
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "text/csv",
            "contentType": "text/csv",
            "endpointName": "told",
            "inputLocation": location,
        },
        "responseParameters": {"contentType": "text/plain", "outputLocation": accepted.output},
        "responseBody": {"content": base64.b64encode(b"good:1").decode(), "encoding": "BASE64"},
        "inferenceId": accepted.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def test_what_the_container_says_of_a_failure_is_the_failure_object_and_is_told(
    api: Api, aws: Aws, role: str, topics: Json, messages: Mapping[str, Json]
) -> None:
    async_endpoint(api, aws, "fails", "fail", role=role, NotificationConfig=topics)

    accepted = invoke(api, "fails", b"1")

    message = messages[accepted.inference_id]
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == (
        "ClientError: Received server error (500) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    assert message["requestParameters"] == {"endpointName": "fails"}
    assert message["responseParameters"] == {"failureLocation": accepted.failure}
    assert message["responseBody"] == {"content": "a bug"}
    assert answered(aws, accepted.failure) == b"a bug"
    said = f'[{accepted.inference_id}] Received server error (500) from primary with message "a bug"'
    assert wait_until(lambda: log_lines(aws, "fails", lambda line: line.endswith(said)))
    assert read(aws, accepted.output) is None


def test_a_topic_that_the_role_may_not_publish_to_is_not_told_and_the_answer_is_there_all_the_same(api: Api, aws: Aws) -> None:
    others = f"arn:aws:sns:us-east-1:{ACCOUNT}:of-others"
    async_endpoint(api, aws, "untold", "good", NotificationConfig={"SuccessTopic": others})

    accepted = invoke(api, "untold", b"1")

    assert answered(aws, accepted.output) == b"good:1"
    assert wait_until(lambda: log_lines(aws, "untold", lambda line: "is not authorized to perform sns:Publish" in line))


def test_a_container_that_does_not_answer_in_time_has_failed(api: Api, aws: Aws) -> None:
    accepted = invoke(api, async_endpoint(api, aws, "hangs", "hang"), b"1", timeout="1")

    assert answered(aws, accepted.failure).startswith(b"ClientError: Received server error (0) from model. See the SageMaker")
    said = "Your invocation timed out while waiting for a response from container primary."
    assert wait_until(lambda: log_lines(aws, "hangs", lambda line: said in line))


def test_a_request_that_ends_the_container_has_failed_and_the_next_waits_for_another(api: Api, aws: Aws) -> None:
    one_at_a_time = {"MaxConcurrentInvocationsPerInstance": 1}
    endpoint = async_endpoint(api, aws, "mortal", "mortal", ClientConfig=one_at_a_time)

    deadly, next_one = invoke(api, endpoint, b"die"), invoke(api, endpoint, b"1")

    reason = b"Amazon SageMaker could not get a response from the mortal endpoint."
    assert answered(aws, deadly.failure).startswith(reason)
    assert answered(aws, next_one.output) == b"mortal:1"


def test_what_was_answered_does_not_fail_because_the_queue_does(
    api: Api, aws: Aws, types: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(RequestQueue, "remove", full)
    accepted = invoke(api, types, b"1")

    assert answered(aws, accepted.output)
    assert wait_until(lambda: f"asynchronous request {accepted.inference_id} stays in the queue" in caplog.text or None)
    assert read(aws, accepted.failure) is None


def test_an_input_that_is_not_there_or_not_for_the_role_has_failed(api: Api, aws: Aws, types: str) -> None:
    nothing = add_role(
        aws, "Nothing", {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/models/*"}
    )
    async_endpoint(api, aws, "denied", "good", role=nothing)

    missing = invoke(api, types, input_location=f"s3://{BUCKET}/in/nothing")
    denied = invoke(api, "denied", input_location=put(aws, "in/denied", b"1"))

    assert answered(aws, missing.failure).startswith(b"ClientError: Failed to download the request from s3://bucket-1/in/nothing")
    said = f"the role {nothing} is not authorized to perform s3:GetObject on it"
    assert wait_until(lambda: log_lines(aws, "denied", lambda line: denied.inference_id in line and said in line))


def test_what_s3_says_of_a_failure_is_told_as_a_sentence(api: Api, aws: Aws, types: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(**_: str) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your request rate."}}, "HeadObject")

    with monkeypatch.context() as patch:
        patch.setattr(aws.s3, "head_object", busy)
        accepted = invoke(api, types, input_location=f"s3://{BUCKET}/in/busy")
        reason = answered(aws, accepted.failure)

    said = f"ClientError: Failed to download the request from s3://{BUCKET}/in/busy: Please reduce your request rate."
    assert reason.decode() == said


def test_cloudwatch_is_told_of_what_was_processed(api: Api, aws: Aws, types: str) -> None:
    answered(aws, invoke(api, types, b"1").output)

    def names(*dimensions: str) -> set[str]:
        found = aws.cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=[{"Name": "EndpointName", "Value": types}])
        return {
            metric["MetricName"]
            for metric in found["Metrics"]
            if {dimension["Name"] for dimension in metric["Dimensions"]} == {"EndpointName", *dimensions}
        }

    processed = wait_until(lambda: names("VariantName") or None)
    assert {"InvocationsProcessed", "ModelLatency", "TimeInBacklog", "TotalProcessingTime"} <= processed
    # Those of synchronous endpoints are not published [source: the guide's list of metrics].
    assert not {"Invocations", "OverheadLatency"} & processed
    assert wait_until(lambda: names() or None) >= {"ApproximateBacklogSize", "ApproximateBacklogSizePerInstance"}


def test_an_endpoint_is_asynchronous_or_not(api: Api, model: str, types: str) -> None:
    api.endpoint_in_service("sync", api.endpoint_config("sync", api.variant("v1", model)))

    for name, call in (("sync", lambda: invoke(api, "sync", b"1")), (types, lambda: api.invoke(types, b"1"))):
        with pytest.raises(Refused) as refused:
            call()
        assert (refused.value.status, refused.value.code) == (400, "ValidationError")
        assert refused.value.message == f"Endpoint {name} does not support this inference type."


def test_an_update_does_not_change_the_inference_type(api: Api, model: str, types: str) -> None:
    config = api.endpoint_config("no-async", api.variant("v1", model))

    refused = api.refused("UpdateEndpoint", EndpointName=types, EndpointConfigName=config)

    assert refused.code == "ValidationException"
    assert refused.message.startswith("The AsyncInferenceConfig parameter cannot be removed from this endpoint types.")


def test_describe_shows_the_config(api: Api, types: str) -> None:
    for operation, name in (("DescribeEndpoint", "EndpointName"), ("DescribeEndpointConfig", "EndpointConfigName")):
        assert api.ok(operation, **{name: types})["AsyncInferenceConfig"] == asynchronous()


@pytest.mark.parametrize(
    ("variant", "output", "message"),
    [
        ({"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}, {}, "ServerlessConfig can not be given with"),
        ({}, {"S3OutputPath": "https://bucket-1/out"}, "it must look like s3://bucket/prefix"),
        ({}, {"S3OutputPath": None}, "needs an S3OutputPath"),
    ],
)
def test_configs_that_can_not_be(api: Api, model: str, variant: Json, output: Json, message: str) -> None:
    instances = {} if variant else {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}

    refused = api.refused(
        "CreateEndpointConfig",
        EndpointConfigName="impossible",
        ProductionVariants=[{"VariantName": "v1", "ModelName": model, **instances, **variant}],
        AsyncInferenceConfig=asynchronous(**output),
    )

    assert refused.code == "ValidationException"
    assert message in refused.message


@pytest.mark.parametrize(
    ("body", "members", "message"),
    [
        (b"", {}, "Provide exactly one of them"),
        (b"1", {"input_location": "s3://bucket/key"}, "Provide exactly one of them"),
        (b"1" * 128_001, {}, "Member must have length less than or equal to 128000"),
        (b"1", {"ttl": "59"}, "at 'requestTTLSeconds' failed to satisfy constraint: Member must have value greater"),
        (b"1", {"timeout": "3601"}, "at 'invocationTimeoutSeconds' failed to satisfy constraint"),
        (b"1", {"ttl": "soon"}, "Value 'soon' of RequestTTLSeconds is not an integer"),
        (b"", {"input_location": "https://bucket/key"}, "it must look like s3://bucket/prefix"),
    ],
)
def test_requests_that_are_refused(api: Api, types: str, body: bytes, members: dict[str, str], message: str) -> None:
    with pytest.raises(Refused) as refused:
        invoke(api, types, body, **members)

    assert (refused.value.status, refused.value.code) == (400, "ValidationError")
    assert message in refused.value.message


def test_an_unknown_endpoint_is_a_validation_error(api: Api) -> None:
    with pytest.raises(Refused, match=r"Endpoint nothing of account 000000000000 not found\."):
        invoke(api, "nothing", b"1")


def test_a_caller_needs_the_permission_of_its_own(api: Api, aws: Aws, types: str) -> None:
    role = add_role(aws, "Sync", {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"})
    function = {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:sync", "FunctionName": "sync", "Role": role}
    functions: FakeLambda = aws.functions  # type: ignore[assignment]  # it is the fake of the fixture
    functions.functions.append(function)

    with pytest.raises(Refused, match="is not authorized to perform: sagemaker:InvokeEndpointAsync on resource") as refused:
        invoke(api, types, b"1", key=function_access_key(function["FunctionArn"], role))

    assert refused.value.status == 403


def test_boto3_gets_xgboosts_answer(api: Api, aws: Aws) -> None:
    api.ok("CreateTrainingJob", **api.training_job("trained"))
    job = wait_until(lambda: api.ended_job("trained"))
    api.ok("CreateModel", **api.model("trained", job["ModelArtifacts"]["S3ModelArtifacts"]))
    api.ok(
        "CreateEndpointConfig",
        EndpointConfigName="trained",
        ProductionVariants=[api.variant("v1", "trained")],
        AsyncInferenceConfig=asynchronous(),
    )
    api.endpoint_in_service("trained", "trained")
    runtime: Any = boto3.session.Session("test", "test", region_name="us-east-1").client(
        "sagemaker-runtime", endpoint_url=str(api.client.base_url)
    )

    accepted = runtime.invoke_endpoint_async(
        EndpointName="trained", InputLocation=put(aws, "in/two.csv", b"1,2\n6,5\n"), ContentType="text/csv"
    )

    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    low, high = map(float, answered(aws, accepted["OutputLocation"]).decode().split())
    assert low < 0.5 < high
    assert read(aws, accepted["FailureLocation"]) is None
    assert accepted["InferenceId"]
