"""A client of the service in the words of its wire protocol, and fakes of what it calls."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from starlette.types import ASGIApp

from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines import Engine
from sagemaker_emulator.listener import listen

BUCKET = "bucket-1"
ACCOUNT = "000000000000"
ROOT_ID = "test"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMaker"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
# XGBoost's hyperparameters of a job that trains until it is stopped.
ENDLESS = {"num_round": "100000000", "objective": "reg:squarederror"}
# An engine of these tests: engine_train.py and engine_serve.py.
FAST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/fast:1"
FAST_ENGINE = Engine(
    repository="fast",
    tags=("1",),
    train_module="emulator_tests.engine_train",
    serve_module="emulator_tests.engine_serve",
    metrics=(("score", r"score=(\S+)"),),
)

T = TypeVar("T")
Json = dict[str, Any]


def authorization(key: str) -> str:
    credential = f"{key}/20260101/us-east-1/sagemaker/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"


def add_role(aws: Aws, name: str, *statements: Json) -> str:
    """A role that SageMaker may assume, with one policy; returns its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    aws.iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=document)
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def put_model(aws: Aws, name: str, text: str) -> str:
    """An archive with ``text`` as model.txt in the bucket, for the tests' own engine; returns its URI."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("model.txt")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    aws.s3.put_object(Bucket=BUCKET, Key=f"models/{name}/model.tar.gz", Body=archive.getvalue())
    return f"s3://{BUCKET}/models/{name}/model.tar.gz"


@contextmanager
def served(application: ASGIApp) -> Iterator[str]:
    """The application on a loopback port, by uvicorn in a thread; yields its URL."""
    with listen(0) as listener:
        server = uvicorn.Server(uvicorn.Config(application, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started or None)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def wait_until(find: Callable[[], T | None], seconds: float = 30) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {find}")


class Refused(Exception):
    """The service answered with an error."""

    def __init__(self, status: int, code: str, message: str, body: Json) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.body = status, code, message, body


class Api:
    """Calls as the root unless a key is given."""

    def __init__(self, client: httpx.Client, home: Path) -> None:
        self.client = client
        self.home = home

    def ok(self, operation: str, /, *, key: str = ROOT_ID, **request: object) -> Json:
        headers = {"x-amz-target": f"SageMaker.{operation}", "authorization": authorization(key)}
        response = self.client.post("/", content=json.dumps(request), headers=headers)
        body: Json = response.json()
        if response.status_code != 200:
            raise Refused(response.status_code, body["__type"], body.get("message") or body.get("Message", ""), body)
        return body

    def refused(self, operation: str, /, *, key: str = ROOT_ID, **request: object) -> Refused:
        try:
            answer = self.ok(operation, key=key, **request)
        except Refused as refused:
            return refused
        raise AssertionError(f"{operation} was not refused: {answer}")

    def invoke(self, endpoint: str, body: bytes, *, key: str = ROOT_ID, **headers: str) -> tuple[bytes, dict[str, str]]:
        """The answer and its headers; SageMaker's own are given without their prefix, as ``target_variant``."""
        own = {name: f"x-amzn-sagemaker-{name.replace('_', '-')}" for name in headers}
        own |= {"content_type": "content-type", "accept": "accept"}
        sent = {"content-type": "text/csv", **{own[name]: value for name, value in headers.items()}}
        response = self.client.post(
            f"/endpoints/{endpoint}/invocations", content=body, headers={**sent, "authorization": authorization(key)}
        )
        if response.status_code >= 300:
            raise Refused(response.status_code, response.headers["x-amzn-errortype"], response.json()["Message"], response.json())
        return response.content, dict(response.headers)

    def ended_job(self, name: str) -> Json | None:
        job = self.ok("DescribeTrainingJob", TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    def settled_endpoint(self, name: str) -> Json | None:
        endpoint = self.ok("DescribeEndpoint", EndpointName=name)
        return endpoint if endpoint["EndpointStatus"] in ("InService", "Failed") else None

    def endpoint_in_service(self, name: str, config: str) -> Json:
        self.ok("CreateEndpoint", EndpointName=name, EndpointConfigName=config)
        endpoint = wait_until(lambda: self.settled_endpoint(name))
        assert endpoint["EndpointStatus"] == "InService", endpoint
        return endpoint

    def endpoint_config(self, name: str, *variants: Json) -> str:
        self.ok("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=list(variants))
        return name

    @staticmethod
    def channel(name: str, prefix: str, content_type: str | None = "text/csv", distribution: str = "FullyReplicated") -> Json:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}", "S3DataDistributionType": distribution}
        return {
            "ChannelName": name,
            "DataSource": {"S3DataSource": source},
            **({"ContentType": content_type} if content_type else {}),
        }

    @classmethod
    def training_job(cls, name: str, **changes: object) -> Json:
        return {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "HyperParameters": {
                "num_round": "3",
                "objective": "binary:logistic",
                "min_child_weight": "0",
                "eval_metric": "error",
            },
            "InputDataConfig": [cls.channel("train", "data/train/")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output/"},
            "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            **changes,
        }

    @classmethod
    def fast_job(cls, name: str, do: str = "train", **changes: object) -> Json:
        """A job of the tests' own engine: ``do`` is train, fail, wait or save-at-the-end."""
        specification = {"TrainingImage": FAST_IMAGE, "TrainingInputMode": "File"}
        return cls.training_job(name, AlgorithmSpecification=specification, HyperParameters={"do": do}, **changes)

    @staticmethod
    def model(name: str, artifact: str, image: str = IMAGE) -> Json:
        container = {"Image": image, "ModelDataUrl": artifact}
        return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}

    @staticmethod
    def variant(name: str, model: str, weight: float = 1.0) -> Json:
        return {
            "VariantName": name,
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }

    @staticmethod
    def serverless(name: str, model: str, memory: int = 2048, **more: int) -> Json:
        return {
            "VariantName": name,
            "ModelName": model,
            "ServerlessConfig": {"MemorySizeInMB": memory, "MaxConcurrency": 5, **more},
        }


def until_training(api: Api, name: str) -> None:
    wait_until(lambda: api.ok("DescribeTrainingJob", TrainingJobName=name)["SecondaryStatus"] == "Training" or None)


class FakePaginator:
    def __init__(self, page: Callable[..., Json]) -> None:
        self._page = page

    def paginate(self, **request: object) -> Iterator[Json]:
        yield self._page(**request)


class FakeLambda:
    """Lists functions, remembers invocations."""

    def __init__(self) -> None:
        self.functions: list[Json] = []
        self.invocations: list[Json] = []
        self.listed = 0

    def get_paginator(self, name: str) -> FakePaginator:
        assert name == "list_functions"
        self.listed += 1
        return FakePaginator(lambda: {"Functions": self.functions})

    def invoke(self, **request: object) -> None:
        self.invocations.append(dict(request))


class FakeEventBridge:
    """Rules of the default bus; TestEventPattern compares ``detail-type`` only."""

    def __init__(self) -> None:
        self.rules: list[Json] = []
        self.targets: dict[str, list[Json]] = {}

    def add(self, name: str, detail_type: str, target: str, state: str = "ENABLED", **more: str) -> None:
        self.rules.append({"Name": name, "EventPattern": json.dumps({"detail-type": [detail_type]}), "State": state})
        self.targets[name] = [{"Id": "1", "Arn": target, **more}]

    def get_paginator(self, name: str) -> FakePaginator:
        if name == "list_rules":
            return FakePaginator(lambda **_: {"Rules": self.rules})
        return FakePaginator(lambda Rule, **_: {"Targets": self.targets[Rule]})  # noqa: N803  # EventBridge's own name

    def test_event_pattern(self, EventPattern: str, Event: str) -> Json:  # noqa: N803  # EventBridge's own names
        return {"Result": json.loads(Event)["detail-type"] in json.loads(EventPattern)["detail-type"]}
