"""Somebody who can reach a stack's servers and knows no secret of it; and what there is to be changed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sageline_local.stack import LocalStack


@dataclass(frozen=True)
class Call:
    """A request that changes or shows something, as it would be sent to a server of a stack."""

    service: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


def calls(status_environment: Mapping[str, str], bucket: str) -> list[tuple[str, Call]]:
    """By the server's URL: what an attack would begin with."""
    ministack = status_environment["AWS_ENDPOINT_URL"]
    sagemaker = status_environment["AWS_ENDPOINT_URL_SAGEMAKER"]
    scaling = status_environment["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/attack/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 2,
    }
    function = {"FunctionName": "attack", "Runtime": "python3.13", "Role": "arn:aws:iam::000000000000:role/r", "Handler": "a.b"}
    model = {"ModelName": "attack", "ExecutionRoleArn": "arn:aws:iam::000000000000:role/r", "PrimaryContainer": {"Image": "x"}}
    return [
        (ministack, Call("s3", "GET", "/", {})),
        (ministack, Call("s3", "GET", f"/{bucket}", {})),
        (ministack, Call("s3", "PUT", "/attack-bucket", {})),
        (ministack, Call("s3", "PUT", f"/{bucket}/datasets/attack/data.csv", {}, b"a,b\n1,2\n")),
        (ministack, Call("lambda", "GET", "/2015-03-31/functions", {})),
        (
            ministack,
            Call("lambda", "POST", "/2015-03-31/functions", {}, json.dumps({**function, "Code": {"ZipFile": ""}}).encode()),
        ),
        (ministack, Call("iam", "POST", "/", form, b"Action=CreateUser&Version=2010-05-08&UserName=attack")),
        (ministack, Call("sts", "POST", "/", form, b"Action=GetCallerIdentity&Version=2011-06-15")),
        (ministack, Call("execute-api", "GET", urlsplit(status_environment["SAGELINE_API_URL"]).path + "/pipelines", {})),
        (ministack, Call("s3", "POST", "/_ministack/reset", {})),
        (ministack, Call("s3", "POST", "/_ministack/config", {}, b"{}")),
        (sagemaker, Call("sagemaker", "POST", "/", of("SageMaker.ListModels"), b"{}")),
        (sagemaker, Call("sagemaker", "POST", "/", of("SageMaker.CreateModel"), json.dumps(model).encode())),
        (sagemaker, Call("sagemaker", "POST", "/endpoints/attack/invocations", {"Content-Type": "text/csv"}, b"1,2")),
        (sagemaker, Call("sagemaker", "GET", "/_emulator/restart-report", {})),
        (
            scaling,
            Call(
                "application-autoscaling",
                "POST",
                "/",
                of("AnyScaleFrontendService.RegisterScalableTarget"),
                json.dumps(target).encode(),
            ),
        ),
    ]


def of(target: str) -> dict[str, str]:
    return {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}


def signed(url: str, call: Call, key: Credentials | None) -> dict[str, str]:
    """The call's headers, in lower case; signed if there is a key."""
    request = AWSRequest(call.method, url + call.path, dict(call.headers), call.body)
    if key is not None:
        signer = S3SigV4Auth if call.service == "s3" else SigV4Auth
        signer(key, call.service, "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def send(url: str, call: Call, key: Credentials | None = None, **changed: str) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of the answer; signed if there is a key. ``changed``: headers that are put in after that."""
    server = urlsplit(url)
    headers = signed(url, call, key) | {name.lower(): value for name, value in changed.items()}
    connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=30)
    try:
        connection.request(call.method, call.path, call.body or None, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def watcher(stack: LocalStack) -> Callable[[], dict[str, object]]:
    """Says, whenever it is asked, what is there of what attacks would make, change or take away.

    Other tests may go on meanwhile, so it looks at what attacks name, and at what everybody leaves alone.
    """
    variables, bucket = stack.environment(), stack.status().bucket
    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    ministack = variables["AWS_ENDPOINT_URL"]
    s3, iam = session.client("s3", endpoint_url=ministack), session.client("iam", endpoint_url=ministack)
    functions = session.client("lambda", endpoint_url=ministack)
    sagemaker = session.client("sagemaker", endpoint_url=variables["AWS_ENDPOINT_URL_SAGEMAKER"])
    scaling = session.client("application-autoscaling", endpoint_url=variables["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"])
    s3.put_object(Bucket=bucket, Key="guard/kept.txt", Body=b"kept")

    def look() -> dict[str, object]:
        buckets = {item["Name"] for item in s3.list_buckets()["Buckets"]}
        objects = [s3.list_objects_v2(Bucket=bucket, Prefix=prefix) for prefix in ("datasets/attack/", "guard/kept.txt")]
        models = sagemaker.list_models(NameContains="attack")["Models"]
        endpoints = sagemaker.list_endpoints(NameContains="attack")["Endpoints"]
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return {
            "buckets": buckets & {bucket, "attack-bucket"},
            "objects": [item["Key"] for page in objects for item in page.get("Contents", [])],
            "functions": [(item["FunctionName"], item["CodeSha256"]) for item in functions.list_functions()["Functions"]],
            "users": [user["UserName"] for user in iam.list_users()["Users"]],
            "models": [model["ModelName"] for model in models if model["ModelName"] == "attack"],
            "endpoints": [endpoint["EndpointName"] for endpoint in endpoints if endpoint["EndpointName"] == "attack"],
            "targets": [target["ResourceId"] for target in targets if target["ResourceId"].startswith("endpoint/attack/")],
        }

    return look
