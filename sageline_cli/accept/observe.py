"""What is seen of a run from outside: its states and events, its containers, and how they answer.

Each look is for a maintainer to read and proves nothing, so that one that AWS refuses is noted and not a failure.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sageline.aws.errors import code
from sageline.json_objects import Json
from sageline.names import split_s3_uri, transform_job_name, tuning_job_name
from sageline_cli.accept.shapes import shape_of_body
from sageline_cli.aws import Aws
from sageline_cli.connection import Connection
from sageline_cli.timeline import read_history

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import HistoryEventTypeDef

_LARGEST_REQUEST = 4 << 20
"""Bytes that a serverless endpoint takes."""
_ENDING_SECONDS = 120.0
_POLL_SECONDS = 0.5

_Seen = TypeVar("_Seen")


def of_run(connection: Connection, run: Json) -> Json:
    """What is seen of a run that has ended: what went wrong, times of its states, its events, costs."""
    error = run.get("error")
    return {
        "run_id": run["run_id"],
        "status": run["status"],
        "error": {key: error.get(key) for key in ("state", "error", "message")} if error else None,
        "execution": _looked(lambda: _of_execution(connection.stepfunctions, run["execution_arn"])),
        "cost": {key: ((run.get("details") or {}).get("cost") or {}).get(key) for key in ("most_usd", "actual_usd", "jobs")},
    }


def _looked(look: Callable[[], _Seen]) -> _Seen | Json:
    try:
        return look()
    except (ClientError, BotoCoreError) as error:
        return {"not seen": code(error) if isinstance(error, ClientError) else type(error).__name__}


def _of_execution(stepfunctions: SFNClient, arn: str) -> Json:
    # A run's record ends a moment before its execution, which still removes what served before.
    deadline = time.monotonic() + _ENDING_SECONDS
    while stepfunctions.describe_execution(executionArn=arn)["status"] == "RUNNING" and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=False)
    events = [event for page in pages for event in page["events"]]
    return {
        "states": [{"state": state.state, "seconds": round(state.seconds, 1)} for state in read_history(events)],
        "events": dict(Counter(event["type"] for event in events)),
        "errors": errors_of(events),
    }


def errors_of(events: Iterable[HistoryEventTypeDef]) -> Json:
    """How often which error came in which state, retried or not: ``States.Timeout`` in a state that waits is an event that was
    not waited for, or got lost."""
    counts: Counter[str] = Counter()
    state = ""
    for event in events:
        if "stateEnteredEventDetails" in event:
            state = event["stateEnteredEventDetails"]["name"]
        details = event.get("taskFailedEventDetails") or event.get("taskTimedOutEventDetails")
        if details is not None:
            counts[f"{state}: {details.get('error', 'unknown')}"] += 1
    return dict(counts)


def images(aws: Aws, run: Json) -> Json:
    """The images that trained and serve, as SageMaker names them; with the digest where it does."""
    run_id, endpoint = run["run_id"], run["endpoint_name"]
    tuned = bool((run.get("details") or {}).get("trials"))
    found = {
        "training": _looked(lambda: _tuning_image(aws, run_id) if tuned else _training_image(aws, run_id)),
        "model": _looked(lambda: aws.sagemaker.describe_model(ModelName=run_id).get("PrimaryContainer", {}).get("Image")),
    }
    return found | ({"deployed": _looked(lambda: _deployed_images(aws, endpoint))} if endpoint else {})


def _training_image(aws: Aws, run_id: str) -> str | None:
    job = aws.sagemaker.describe_training_job(TrainingJobName=run_id)
    return job["AlgorithmSpecification"].get("TrainingImage")


def _tuning_image(aws: Aws, run_id: str) -> str | None:
    job = aws.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning_job_name(run_id))
    return job.get("TrainingJobDefinition", {}).get("AlgorithmSpecification", {}).get("TrainingImage")


def _deployed_images(aws: Aws, endpoint: str) -> Json:
    variants = aws.sagemaker.describe_endpoint(EndpointName=endpoint).get("ProductionVariants", [])
    return {
        variant["VariantName"]: [image.get("ResolvedImage") for image in variant.get("DeployedImages", [])]
        for variant in variants
    }


def answers_of_container(connection: Connection, aws: Aws, run: Json) -> Json:
    """How the endpoint's container answers the encoded test rows that the evaluation's transform job sent: content types, shape,
    seconds; without and with the name of the variant."""
    return _looked(lambda: _ask_container(connection, aws, run))


def _ask_container(connection: Connection, aws: Aws, run: Json) -> Json:
    job = aws.sagemaker.describe_transform_job(TransformJobName=transform_job_name(run["run_id"], "evaluation"))
    given, wanted = job["TransformInput"], job.get("TransformOutput", {})
    bucket, prefix = split_s3_uri(given["DataSource"]["S3DataSource"]["S3Uri"])
    listed = connection.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    sizes = {item["Key"]: item["Size"] for item in listed if item["Size"] <= _LARGEST_REQUEST}
    if not sizes:
        return {"not seen": f"no object of at most {_LARGEST_REQUEST} bytes"}
    body = connection.s3.get_object(Bucket=bucket, Key=min(sizes))["Body"].read()
    request: Json = {
        "EndpointName": run["endpoint_name"],
        "ContentType": given.get("ContentType", ""),
        "Accept": wanted.get("Accept", ""),
        "Body": body,
    }
    return {
        "content_type": request["ContentType"],
        "accept": request["Accept"],
        "bytes": len(body),
        "without_variant": _invoke(aws, request, run["run_id"]),
        "with_variant": _invoke(aws, request | {"TargetVariant": run["run_id"]}, run["run_id"]),
    }


def _invoke(aws: Aws, request: Json, variant: str) -> Json:
    started = time.monotonic()
    try:
        answer = aws.sagemaker_runtime.invoke_endpoint(**request)
    except ClientError as error:
        # A container's own words may quote what it was sent.
        return {"error": code(error), "seconds": round(time.monotonic() - started, 3)}
    body, content_type = answer["Body"].read(), answer.get("ContentType", "")
    return {
        "content_type": content_type,
        "names_the_variant": answer.get("InvokedProductionVariant") == variant,
        "shape": shape_of_body(body, content_type),
        "seconds": round(time.monotonic() - started, 3),
    }
