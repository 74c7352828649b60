"""CreateHyperParameterTuningJob and the calls about tuning jobs."""

from __future__ import annotations

from sagemaker_emulator.call import Call
from sagemaker_emulator.clock import now
from sagemaker_emulator.errors import in_use, invalid, not_found
from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.listing import Listing
from sagemaker_emulator.store import Document, copied
from sagemaker_emulator.tuning.jobs import TuningJobs
from sagemaker_emulator.tuning.progress import KIND, counters, described, objective_of, trial_summary, trials_of
from sagemaker_emulator.tuning.requests import new_tuning_job

# Defaults as the API reference has them.
_LISTING = Listing(
    "ListHyperParameterTuningJobs",
    "HyperParameterTuningJobName",
    status="HyperParameterTuningJobStatus",
    by="Name",
    ascending=("Name", "Status", "CreationTime"),
)
_TRIALS = Listing(
    "ListTrainingJobsForHyperParameterTuningJob",
    "TrainingJobName",
    status="TrainingJobStatus",
    by="Name",
    ascending=("Name", "Status", "CreationTime", "FinalObjectiveMetricValue"),
    keys={"FinalObjectiveMetricValue": lambda trial: objective_of(trial) or 0.0},
)


def create_tuning_job(jobs: TuningJobs, call: Call) -> Document:
    request = call.request
    name = request["HyperParameterTuningJobName"]
    arn = call.place.arn(KIND, name)
    call.require_create(arn)
    definition = request.get("TrainingJobDefinition")
    if definition:
        call.permissions.require_pass_role(call.caller, definition["RoleArn"])
    job = new_tuning_job(call.place, call.store, request, now())
    if not call.store.insert(KIND, name, job):
        raise in_use(f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.")
    call.store.add_tags(arn, call.request_tags())
    jobs.start(job)
    return {"HyperParameterTuningJobArn": arn}


def describe_tuning_job(call: Call) -> Document:
    return described(call.store, _existing(call))


def list_tuning_jobs(call: Call) -> Document:
    call.require("*", exists=False)
    jobs, more = _LISTING.page(call.store.documents(KIND), call.request)
    summaries = [
        {
            **copied(
                job,
                *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus"),
                *("CreationTime", "HyperParameterTuningEndTime", "LastModifiedTime"),
            ),
            "Strategy": job["HyperParameterTuningJobConfig"]["Strategy"],
            "ResourceLimits": job["HyperParameterTuningJobConfig"]["ResourceLimits"],
            **counters(trials_of(call.store, job)),
        }
        for job in jobs
    ]
    return {"HyperParameterTuningJobSummaries": summaries, **more}


def list_trials(call: Call) -> Document:
    """ListTrainingJobsForHyperParameterTuningJob: by name unless asked otherwise; by objective, those without are left out."""
    job, request = _existing(call), call.request
    trials = trials_of(call.store, job)
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        trials = [trial for trial in trials if objective_of(trial) is not None]
    found, more = _TRIALS.page(trials, request, within=job["HyperParameterTuningJobName"])
    return {"TrainingJobSummaries": [trial_summary(trial, job) for trial in found], **more}


def stop_tuning_job(jobs: TuningJobs, call: Call) -> Document:
    jobs.stop(_existing(call)["HyperParameterTuningJobName"])
    return {}


def delete_tuning_job(call: Call) -> Document:
    """The tuning job goes, its training jobs stay. No error when it is gone already, as in AWS."""
    name = call.request["HyperParameterTuningJobName"]
    arn = call.place.arn(KIND, name)
    call.require(arn)
    job = call.store.get(KIND, name)
    if job is None or job["HyperParameterTuningJobName"] != name:
        return {}
    if job["HyperParameterTuningJobStatus"] not in TERMINAL:
        status = job["HyperParameterTuningJobStatus"]
        raise invalid(f"The hyperparameter tuning job {arn} is in status {status}: stop it before you delete it.")
    call.store.delete(KIND, name, arn)
    return {}


def _existing(call: Call) -> Document:
    name = call.request["HyperParameterTuningJobName"]
    call.require(call.place.arn(KIND, name))
    job = call.store.get(KIND, name)
    if job is None or job["HyperParameterTuningJobName"] != name:
        raise not_found(f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")
    return job
