"""CreateTrainingJob and the calls about training jobs."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import in_use, invalid, limit_exceeded
from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.store import Document, Request, copied
from sagemaker_emulator.training.jobs import KIND, TrainingJobs
from sagemaker_emulator.training.requests import check, new_job
from sagemaker_emulator.training.warm_pools import reuse, warm_pool_status

# As generous as a young account: enough for any real use here, small enough to catch a slip.
INSTANCES_PER_TYPE = 20
# Newest first [source: the note of ListTrainingJobs in the API reference], where no SortBy asks for another order.
_LISTING = Listing(
    "ListTrainingJobs",
    "TrainingJobName",
    status="TrainingJobStatus",
    ascending=("Name", "Status"),
    equal={
        "WarmPoolStatusEquals": lambda job: str((warm_pool_status(job, now()) or {}).get("Status", "")),
        "TrainingPlanArnEquals": lambda job: str(job["ResourceConfig"].get("TrainingPlanArn", "")),
    },
    filters_within_page=True,
)


def create_training_job(jobs: TrainingJobs, call: Call) -> Document:
    request = call.request
    name = request["TrainingJobName"]
    arn = call.place.arn("training-job", name)
    call.require_create(arn)
    call.permissions.require_pass_role(call.caller, request["RoleArn"])
    check(request)
    if call.store.get(KIND, name) is not None:
        raise _name_taken(arn)
    others = call.store.documents(KIND)
    _check_quota(request["ResourceConfig"], others)
    for channel in request.get("InputDataConfig", []):
        call.require_objects(channel["DataSource"]["S3DataSource"], request["RoleArn"])
    job = new_job(call.place, request, now())
    if not call.store.insert(KIND, name, job):
        raise _name_taken(arn)
    call.store.add_tags(arn, call.request_tags())
    reuse(call.store, KIND, others, job)
    jobs.start(job)
    return {"TrainingJobArn": arn}


def describe_training_job(call: Call) -> Document:
    name = call.request["TrainingJobName"]
    call.require(call.place.arn("training-job", name))
    job = _existing(call, name)
    return {**job, "WarmPoolStatus": warm_pool_status(job, now())}


def list_training_jobs(call: Call) -> Document:
    call.require("*", exists=False)
    jobs, more = _LISTING.page(call.store.documents(KIND), call.request)
    members = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime")
    summaries = [
        {
            **copied(job, *members, "TrainingJobStatus", "SecondaryStatus"),
            **copied(job["ResourceConfig"], "TrainingPlanArn"),
            **copied({"WarmPoolStatus": warm_pool_status(job, now())}, "WarmPoolStatus"),
        }
        for job in jobs
    ]
    return {"TrainingJobSummaries": summaries, **more}


def stop_training_job(jobs: TrainingJobs, call: Call) -> Document:
    name = call.request["TrainingJobName"]
    call.require(call.place.arn("training-job", name))
    _existing(call, name)
    jobs.stop(name)
    return {}


def delete_training_job(call: Call) -> Document:
    name = call.request["TrainingJobName"]
    arn = call.place.arn("training-job", name)
    call.require(arn)
    job = _existing(call, name)
    if job["TrainingJobStatus"] not in TERMINAL:
        raise in_use(f"The training job {arn} is in status {job['TrainingJobStatus']}: stop it before you delete it.")
    call.store.delete(KIND, name, arn)
    return {}


def _existing(call: Call, name: str) -> Document:
    job = call.store.get(KIND, name)
    if job is None or job["TrainingJobName"] != name:
        raise invalid("Requested resource not found.")
    return job


def _name_taken(arn: str) -> Exception:
    return in_use(
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        f"exists ({arn})"
    )


def _check_quota(resources: Request, jobs: list[Document]) -> None:
    instance_type, wanted = resources["InstanceType"], resources.get("InstanceCount", 1)
    used = sum(
        job["ResourceConfig"].get("InstanceCount", 1)
        for job in jobs
        if job["TrainingJobStatus"] not in TERMINAL and job["ResourceConfig"].get("InstanceType") == instance_type
    )
    if used + wanted > INSTANCES_PER_TYPE:
        raise limit_exceeded(f"{instance_type} for training job usage", INSTANCES_PER_TYPE, used, wanted)
