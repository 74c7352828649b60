"""CreateTransformJob and the calls about transform jobs."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import in_use, invalid, limit_exceeded
from sagemaker_emulator.hosting import models
from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.s3_uris import check_uri
from sagemaker_emulator.store import Document, Request, copied
from sagemaker_emulator.training.operations import INSTANCES_PER_TYPE
from sagemaker_emulator.transform.jobs import KIND, TransformJobs
from sagemaker_emulator.transform.jsonpath import InvalidPath, parse
from sagemaker_emulator.transform.processing import CSV, JSON_TYPES, UNPROCESSED, base_type

# SageMaker's rule: what is on its way to one instance at a time.
_MOST_MB_ON_THEIR_WAY = 100

_LISTING = Listing("ListTransformJobs", "TransformJobName", status="TransformJobStatus")


def create_transform_job(jobs: TransformJobs, call: Call) -> Document:
    request = call.request
    name = request["TransformJobName"]
    arn = call.place.arn(KIND, name)
    call.require_create(arn)
    _check(request)
    model = models.existing(call, request["ModelName"])
    if call.store.get(KIND, name) is not None:
        raise _name_taken(arn)
    _check_quota(call)
    call.require_objects(request["TransformInput"]["DataSource"]["S3DataSource"], model["ExecutionRoleArn"])
    created = now()
    job: Document = {
        "TransformJobName": name,
        "TransformJobArn": arn,
        "TransformJobStatus": "InProgress",
        "CreationTime": created,
        "LastModifiedTime": created,
        **copied(
            request,
            *("ModelName", "MaxConcurrentTransforms", "ModelClientConfig", "MaxPayloadInMB", "BatchStrategy", "Environment"),
            *("TransformResources", "ExperimentConfig"),
        ),
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **request["TransformInput"]},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **request["TransformOutput"]},
        "DataProcessing": {**UNPROCESSED, **request.get("DataProcessing", {})},
    }
    if not call.store.insert(KIND, name, job):
        raise _name_taken(arn)
    call.store.add_tags(arn, call.request_tags())
    jobs.start(job, model)
    return {"TransformJobArn": arn}


def describe_transform_job(call: Call) -> Document:
    name = call.request["TransformJobName"]
    call.require(call.place.arn(KIND, name))
    return _existing(call, name)


def list_transform_jobs(call: Call) -> Document:
    call.require("*", exists=False)
    jobs, more = _LISTING.page(call.store.documents(KIND), call.request)
    members = ("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime", "LastModifiedTime")
    return {"TransformJobSummaries": [copied(job, *members, "TransformJobStatus", "FailureReason") for job in jobs], **more}


def stop_transform_job(jobs: TransformJobs, call: Call) -> Document:
    name = call.request["TransformJobName"]
    call.require(call.place.arn(KIND, name))
    _existing(call, name)
    jobs.stop(name)
    return {}


def _existing(call: Call, name: str) -> Document:
    job = call.store.get(KIND, name)
    if job is None or job["TransformJobName"] != name:
        raise invalid(f"Could not find requested job with name: {name}")
    return job


def _name_taken(arn: str) -> Exception:
    return in_use(
        "Transform job names must be unique within an AWS account and region, and a transform job with this name already "
        f"exists ({arn})"
    )


def _check(request: Request) -> None:
    """Rules that the service model does not hold."""
    if request.get("DataCaptureConfig"):
        raise invalid("DataCaptureConfig is not supported by the local SageMaker service: leave it out.")
    check_uri("TransformInput.DataSource.S3DataSource.S3Uri", request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
    check_uri("TransformOutput.S3OutputPath", request["TransformOutput"]["S3OutputPath"])
    concurrent, payload = request.get("MaxConcurrentTransforms") or 1, request.get("MaxPayloadInMB", 6)
    if concurrent * payload > _MOST_MB_ON_THEIR_WAY:
        raise invalid(
            f"The product of MaxConcurrentTransforms ({concurrent}) and MaxPayloadInMB ({payload}) must not be greater than "
            f"{_MOST_MB_ON_THEIR_WAY} MB."
        )
    _check_processing(request)


def _check_processing(request: Request) -> None:
    processing = {**UNPROCESSED, **request.get("DataProcessing", {})}
    content_type = base_type(request["TransformInput"].get("ContentType"))
    for name in ("InputFilter", "OutputFilter"):
        text = processing[name]
        try:
            path = parse(text)
        except InvalidPath as error:
            raise invalid(f"Invalid {name}: {error}.") from error
        if content_type == CSV and not path.by_position_only:
            raise invalid(f"Invalid {name}: a CSV row is an array, so '{text}' must use positions, such as $[0] or $[1:].")
    if processing == UNPROCESSED:
        return
    if content_type not in (CSV, *JSON_TYPES):
        raise invalid(f"DataProcessing needs a ContentType of {', '.join((CSV, *JSON_TYPES))}, not '{content_type}'.")
    if processing["JoinSource"] == "Input":
        _check_join(request, content_type)


def _check_join(request: Request, content_type: str) -> None:
    accept = request["TransformOutput"].get("Accept")
    if accept and base_type(accept) != content_type:
        raise invalid(f"To join input and output, Accept ('{accept}') must be the same as ContentType ('{content_type}').")
    split, assemble = request["TransformInput"].get("SplitType", "None"), request["TransformOutput"].get("AssembleWith", "None")
    if split != assemble:
        raise invalid(f"To join input and output, AssembleWith ('{assemble}') must be the same as SplitType ('{split}').")


def _check_quota(call: Call) -> None:
    resources = call.request["TransformResources"]
    instance_type, wanted = resources["InstanceType"], resources["InstanceCount"]
    used = sum(
        job["TransformResources"]["InstanceCount"]
        for job in call.store.documents(KIND)
        if job["TransformJobStatus"] not in TERMINAL and job["TransformResources"]["InstanceType"] == instance_type
    )
    if used + wanted > INSTANCES_PER_TYPE:
        raise limit_exceeded(f"{instance_type} for transform job usage", INSTANCES_PER_TYPE, used, wanted)
