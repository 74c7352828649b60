"""Deleting everything that an acceptance has made, and looking whether anything is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_cli.accept.plan import Plan
from sageline_cli.aws import Aws
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed, explain
from sageline_cli.retries import when_ready

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

_GONE_SECONDS = 180.0
"""SageMaker says of a deleted endpoint for a minute or two that it is being deleted."""
_POLL_SECONDS = 1.0
_GOING_ON = ("InProgress", "Stopping")
_KEYS_AT_ONCE = 1000


def clean_up(connection: Connection, aws: Aws, plan: Plan, console: Console) -> Json:
    """Stop what runs, delete endpoints and objects, look what is left: ``{"deleted", "problems", "left"}``.

    A step that fails is a problem, and the next one is done all the same. The runs' records stay, which the API cannot delete.
    """
    deleted: list[str] = []
    problems: list[str] = []

    def attempt(work: Callable[[], list[str]]) -> list[str]:
        try:
            return work()
        except (CommandFailed, ClientError, BotoCoreError) as error:
            problems.append(explain(error).message)
            return []

    with console.status("Deleting what was made"):
        runs = [run for name in plan.names for run in attempt(partial(_runs_of, connection, name))]
        for name in plan.names:
            deleted += attempt(partial(_delete_endpoint, connection, name))
        prefixes = [*(f"datasets/{name}/" for name in plan.names), *(f"batch/{name}/" for name in plan.names)]
        layouts = [RunLayout(connection.bucket, run) for run in runs]
        prefixes += [prefix for layout in layouts for prefix in (layout.prefix, layout.model_prefix)]
        for prefix in prefixes:
            deleted += attempt(partial(_delete_objects, connection.s3, connection.bucket, prefix))
        left = _await_nothing(aws, plan.token)
    problems += [f"{name} is still there." for name in left or ()]
    for problem in problems:
        console.print(f"[red]Not deleted:[/] {escape(problem)}", soft_wrap=True)
    if problems:
        console.print(f"Look at `sageline endpoints`, and delete {' and '.join(plan.names)}: `sageline delete NAME`.")
    return {"deleted": deleted, "problems": problems, "left": "not seen" if left is None else left}


def _runs_of(connection: Connection, name: str) -> list[str]:
    """The ids of the runs of that name; those that go on are stopped."""
    runs = connection.api.runs(20, name)
    for run in runs:
        if run["status"] in ("Running", "Unknown"):
            when_ready(connection.api).stop_run(run["run_id"])
    return [run["run_id"] for run in runs]


def _delete_endpoint(connection: Connection, name: str) -> list[str]:
    deleted: list[str] = when_ready(connection.api).delete_endpoint(name)["deleted"]
    return deleted


def _delete_objects(s3: S3Client, bucket: str, prefix: str) -> list[str]:
    """Delete what is below a prefix; the bucket's older versions expire by themselves."""
    keys = list(_keys(s3, bucket, prefix))
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        part = keys[start : start + _KEYS_AT_ONCE]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in part], "Quiet": True})
        if errors := answer.get("Errors"):
            raise CommandFailed(f"{len(errors)} objects below s3://{bucket}/{prefix}: {errors[0].get('Code')}.")
    return [f"{len(keys)} objects below {prefix}"] if keys else []


def _keys(s3: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", []))


def _await_nothing(aws: Aws, token: str) -> list[str] | None:
    """What is left in SageMaker of what has the token in its name, when there is nothing left or patience is at its end; None:
    AWS does not say."""
    deadline = time.monotonic() + _GONE_SECONDS
    try:
        while (left := list(_left(aws, token))) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    except (ClientError, BotoCoreError):
        return None
    return left


def _left(aws: Aws, token: str) -> Iterator[str]:
    """Page by page: a page of SageMaker's that has nothing of a name may be followed by others that have."""
    yield from _resources(aws.sagemaker, token)
    yield from _jobs_going_on(aws.sagemaker, token)


def _resources(client: SageMakerClient, token: str) -> Iterator[str]:
    for endpoints in client.get_paginator("list_endpoints").paginate(NameContains=token):
        yield from (f"endpoint {endpoint['EndpointName']}" for endpoint in endpoints["Endpoints"])
    for configs in client.get_paginator("list_endpoint_configs").paginate(NameContains=token):
        yield from (f"endpoint config {config['EndpointConfigName']}" for config in configs["EndpointConfigs"])
    for models in client.get_paginator("list_models").paginate(NameContains=token):
        yield from (f"model {model['ModelName']}" for model in models["Models"])


def _jobs_going_on(client: SageMakerClient, token: str) -> Iterator[str]:
    for training in client.get_paginator("list_training_jobs").paginate(NameContains=token):
        for job in training["TrainingJobSummaries"]:
            if job["TrainingJobStatus"] in _GOING_ON:
                yield f"training job {job['TrainingJobName']}"
    for tuning in client.get_paginator("list_hyper_parameter_tuning_jobs").paginate(NameContains=token):
        for tuning_job in tuning["HyperParameterTuningJobSummaries"]:
            if tuning_job["HyperParameterTuningJobStatus"] in _GOING_ON:
                yield f"tuning job {tuning_job['HyperParameterTuningJobName']}"
    for transform in client.get_paginator("list_transform_jobs").paginate(NameContains=token):
        for transform_job in transform["TransformJobSummaries"]:
            if transform_job["TransformJobStatus"] in _GOING_ON:
                yield f"transform job {transform_job['TransformJobName']}"
