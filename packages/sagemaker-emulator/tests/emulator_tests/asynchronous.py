"""Asynchronous endpoints of the tests' own engine, and a client of InvokeEndpointAsync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import ClientError

from emulator_tests.support import BUCKET, FAST_IMAGE, ROOT_ID, Api, Json, Refused, authorization, put_model, wait_until
from sagemaker_emulator.aws import Aws

OUTPUT, FAILURES = f"s3://{BUCKET}/async/out", f"s3://{BUCKET}/async/failures/"


@dataclass(frozen=True)
class Accepted:
    """What InvokeEndpointAsync answered."""

    inference_id: str
    output: str
    failure: str | None


def asynchronous(**changes: object) -> Json:
    """An AsyncInferenceConfig; ``changes`` are members of its OutputConfig, or ClientConfig."""
    client = {"ClientConfig": changes.pop("ClientConfig")} if "ClientConfig" in changes else {}
    return {"OutputConfig": {"S3OutputPath": OUTPUT, "S3FailurePath": FAILURES, **changes}, **client}


def async_config(api: Api, aws: Aws, name: str, does: str, *, variant: str = "v1", role: str = "", **changes: object) -> str:
    """An endpoint config with one variant, whose model ``does`` what engine_serve.py says of the word."""
    request = api.model(name, put_model(aws, name, does), FAST_IMAGE)
    api.ok("CreateModel", **{**request, **({"ExecutionRoleArn": role} if role else {})})
    api.ok(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=[api.variant(variant, name)],
        AsyncInferenceConfig=asynchronous(**changes),
    )
    return name


def async_endpoint(api: Api, aws: Aws, name: str, does: str, *, role: str = "", **changes: object) -> str:
    api.endpoint_in_service(name, async_config(api, aws, name, does, variant="v1", role=role, **changes))
    return name


def invoke(api: Api, endpoint: str, body: bytes = b"", *, key: str = ROOT_ID, **members: str) -> Accepted:
    """``members`` are the request's, by the names of boto3 in lower case, such as ``input_location``."""
    names = {"input_location": "InputLocation", "ttl": "RequestTTLSeconds", "timeout": "InvocationTimeoutSeconds"}
    names |= {"inference_id": "Inference-Id", "custom_attributes": "Custom-Attributes", "content_type": "Content-Type"}
    names |= {"accept": "Accept", "extension": "S3OutputPathExtension", "filename": "Filename"}
    headers = {f"X-Amzn-SageMaker-{names[name]}": value for name, value in members.items()}
    response = api.client.post(
        f"/endpoints/{endpoint}/async-invocations", content=body, headers={**headers, "authorization": authorization(key)}
    )
    answer: Json = response.json()
    if response.status_code != 202:
        raise Refused(response.status_code, response.headers["x-amzn-errortype"], answer["Message"], answer)
    output, failure = (response.headers.get(f"x-amzn-sagemaker-{kind}location") for kind in ("output", "failure"))
    return Accepted(answer["InferenceId"], str(output), failure)


def put(aws: Aws, key: str, body: bytes, content_type: str = "text/csv") -> str:
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type)
    return f"s3://{BUCKET}/{key}"


def read(aws: Aws, uri: str | None) -> tuple[bytes, str] | None:
    """An object and its type, or None as long as it is not there."""
    bucket, _, key = str(uri).removeprefix("s3://").partition("/")
    try:
        found = aws.s3.get_object(Bucket=bucket, Key=key)
    except ClientError:
        return None
    return found["Body"].read(), found["ContentType"]


def answered(aws: Aws, uri: str | None) -> bytes:
    return wait_until(lambda: read(aws, uri))[0]


def log_lines(aws: Aws, endpoint: str, wanted: Callable[[str], bool]) -> list[str] | None:
    """The lines of an endpoint's data-logs of which something is wanted; None as long as there are none."""
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    try:
        streams = [stream["logStreamName"] for stream in aws.logs.describe_log_streams(logGroupName=group)["logStreams"]]
    except ClientError:
        return None
    events = [
        event["message"]
        for stream in streams
        if stream.endswith("/data-log")
        for event in aws.logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    ]
    return [line for line in events if wanted(line)] or None
