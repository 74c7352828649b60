"""What the tests of a run work with, and how they bring it about."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import ClientError

from sageline.aws.clients import Clients
from sageline.aws.settings import LifetimeSettings, RunSettings
from sageline.aws.tags import tags
from sageline.names import model_names
from sageline.runs.context import RunContext
from sageline.runs.routing import Routing, parse_routing
from sageline.runs.store import RunRecord
from sageline.spec.model import Spec, validate_spec
from sageline.training.roles import ModelRoles
from sageline.training.source import pack
from tests.unit.sessions import scheduler_client, session, stepfunctions_client
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_sagemaker import FakeSageMaker

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

BUCKET, TABLE, STACK = "sageline-data", "sageline-runs", "sageline"
RUN_ID = "flowers-20261120100000-0a1b2c"
NEXT_RUN_ID = "flowers-20261121100000-3d4e5f"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sageline:one"
ROLE = "arn:aws:iam::123456789012:role/sageline-sagemaker"
SERVERLESS_ROLE = "arn:aws:iam::123456789012:role/sageline-serverless-models"
NETWORK_ROLE = "arn:aws:iam::123456789012:role/sageline-network-scripts"
ROLES = ModelRoles(ROLE, None, SERVERLESS_ROLE)
TOPIC = "arn:aws:sns:us-east-1:123456789012:sageline-rollout"
LIFETIMES = LifetimeSettings(
    schedule_group_name="sageline-schedules",
    schedule_role_arn="arn:aws:iam::123456789012:role/sageline-schedules",
    expire_function_arn="arn:aws:lambda:us-east-1:123456789012:function:sageline-delete-endpoint",
    schedule_dead_letter_queue_arn="arn:aws:sqs:us-east-1:123456789012:sageline-schedules",
)
SETTINGS = RunSettings(bucket_name=BUCKET, runs_table_name=TABLE, stack_name=STACK)
EVENTS = Path(__file__).parents[3] / "events"


def with_one_algorithm(spec: Mapping[str, object]) -> dict[str, object]:
    """A spec that names XGBoost where it names no algorithm, so that its run is one of one training job."""
    given = spec.get("algorithm", {})
    return {**spec, "algorithm": {"name": "xgboost", **given}} if isinstance(given, Mapping) else dict(spec)


@dataclass
class Clock:
    """A clock that goes a second each time it is looked at."""

    now: datetime = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class World:
    """The run's context, SageMaker from within and from without, and S3."""

    run: RunContext
    fake: FakeSageMaker
    sagemaker: SageMakerClient
    s3: S3Client
    clock: Clock
    slept: list[float] = field(default_factory=list)
    aws: FakeAws = field(default_factory=FakeAws)

    def scheduled(self) -> dict[str, str]:
        """When each endpoint's schedule calls."""
        scheduler = self.run.clients.scheduler
        names = [item["Name"] for item in scheduler.list_schedules(GroupName=LIFETIMES.schedule_group_name)["Schedules"]]
        group = LIFETIMES.schedule_group_name
        return {name: scheduler.get_schedule(Name=name, GroupName=group)["ScheduleExpression"] for name in names}

    def put(self, key: str, body: bytes) -> str:
        """Put an object into the bucket; its version id."""
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]

    def get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, prefix: str = "") -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def make_models(self, run_id: str = RUN_ID) -> None:
        """The models that CreateModel makes of a run: two if it deploys to a serverless endpoint."""
        deployment = self.run.files.read_spec(run_id).deployment
        serverless = deployment is not None and deployment.instances is None and not deployment.needs_instances
        for name in model_names(run_id) if serverless else (run_id,):
            model = {"ModelName": name, "EnableNetworkIsolation": name == run_id, "Tags": tags(STACK, run_id)}
            self.fake.create_model(model)

    def put_artifact(self, key: str, run_id: str = RUN_ID) -> str:
        """What a training job has left; its URI."""
        self.put(key, pack({f"model of {run_id}": b"1"}))
        return f"s3://{BUCKET}/{key}"

    def record(self, run_id: str = RUN_ID) -> RunRecord:
        return self.run.store.get(run_id)

    def begin(self, run_id: str = RUN_ID, **spec: object) -> Spec:
        """A run that is configured, with the spec given."""
        self.run.store.claim(RunRecord(run_id=run_id, name="flowers", execution_arn=EXECUTION, endpoint_name="flowers"))
        resolved = validate_spec(resolved_spec() | spec, "test")
        self.run.files.write_spec(run_id, resolved)
        return resolved

    def routing(self, name: str = "flowers") -> Routing:
        return parse_routing(self.get(f"endpoints/{name}/routing.json"), "test")

    def weights(self, name: str = "flowers") -> dict[str, float]:
        return {variant.name: variant.weight for variant in self.routing(name).variants}


def resolved_spec() -> dict[str, object]:
    return {
        "name": "flowers",
        "task": "classification",
        "dataset": {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "label": "kind", "features": {"size": "number"}},
        "encoder": {"kind": "columns"},
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 10, "objective": "binary:logistic"}},
        "deployment": {"endpoint": "flowers"},
    }


@functools.cache
def shared_clients() -> tuple[S3Client, DynamoDBServiceResource, SageMakerClient]:
    """Made once: making them takes longer than most tests. What they talk to is new for each test."""
    return session().client("s3"), session().resource("dynamodb"), session().client("sagemaker")


@functools.cache
def watching_clients() -> tuple[CloudWatchClient, ApplicationAutoScalingClient]:
    """As :func:`shared_clients`."""
    return session().client("cloudwatch"), session().client("application-autoscaling")


@functools.cache
def logs_client() -> CloudWatchLogsClient:
    """As :func:`shared_clients`."""
    return session().client("logs")


def clients_with(**made: object) -> Clients:
    """Clients of which these are made already."""
    clients = Clients()
    vars(clients).update(made)
    return clients


def with_clients(run: RunContext, **instead: object) -> RunContext:
    """The same context, with other clients in the place of some."""
    return replace(run, clients=clients_with(**vars(run.clients) | instead))


class NoQuotas:
    """Service Quotas where nothing is known of SageMaker."""

    def list_service_quotas(self, **request: str | int) -> dict[str, object]:
        return {"Quotas": []}


class NoFunctions:
    """Lambda in an account whose settings may not be read."""

    def get_account_settings(self) -> NoReturn:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not allowed"}}, "GetAccountSettings")


def fake_clients() -> Clients:
    """Clients of an account in memory."""
    (s3, dynamodb, sagemaker), (cloudwatch, autoscaling) = shared_clients(), watching_clients()
    return clients_with(
        s3=s3,
        dynamodb_resource=dynamodb,
        sagemaker=sagemaker,
        cloudwatch=cloudwatch,
        autoscaling=autoscaling,
        logs=logs_client(),
        stepfunctions=stepfunctions_client(),
        scheduler=scheduler_client(),
        service_quotas=NoQuotas(),
        lambda_=NoFunctions(),
    )


@contextmanager
def logged_warnings() -> Iterator[list[str]]:
    """What the layer warns of."""
    warned: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warned.append(record.getMessage())

    logger, keeper = logging.getLogger("sageline"), Keeper(logging.WARNING)
    logger.addHandler(keeper)
    try:
        yield warned
    finally:
        logger.removeHandler(keeper)


@contextmanager
def new_world() -> Iterator[World]:
    """An account with an empty bucket and table, and nothing in SageMaker."""
    s3, _, sagemaker = shared_clients()
    clock, aws, slept = Clock(), FakeAws(), list[float]()
    with aws.behind_clients():
        run = RunContext(SETTINGS, fake_clients(), clock, slept.append)
        yield World(run, aws.sagemaker, sagemaker, s3, clock, slept, aws)
