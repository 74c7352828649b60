"""A training job's statuses and their transitions, in SageMaker's order and words."""

from __future__ import annotations

import math

from sagemaker_emulator.jobs import STOPPING
from sagemaker_emulator.store import Document

MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
_JOB_STATUS = {"Completed": "Completed", "Failed": "Failed", "Stopped": "Stopped", "MaxRuntimeExceeded": "Stopped"}


def enter(job: Document, secondary: str, at: float, message: str | None = None) -> None:
    """Move a job to a secondary status; the main status follows. Entering the same status again changes its message."""
    transitions = job.setdefault("SecondaryStatusTransitions", [])
    job["LastModifiedTime"] = at
    text = message or MESSAGES[secondary]
    if transitions and transitions[-1]["Status"] == secondary:
        transitions[-1]["StatusMessage"] = text
        return
    if transitions:
        transitions[-1]["EndTime"] = at
    transitions.append({"Status": secondary, "StartTime": at, "StatusMessage": text})
    job["SecondaryStatus"] = secondary
    if secondary == "Downloading":
        job["TrainingStartTime"] = at
    if secondary == "Stopping":
        job["TrainingJobStatus"] = STOPPING
    if secondary in _JOB_STATUS:
        job["TrainingJobStatus"] = _JOB_STATUS[secondary]
        transitions[-1]["EndTime"] = at
        _account_time(job, at)


def advance(job: Document, secondary: str, at: float, message: str | None = None) -> None:
    """Enter the next status of a run, unless the job was asked to stop meanwhile: then only the upload still shows."""
    if job["TrainingJobStatus"] != STOPPING or secondary == "Uploading":
        enter(job, secondary, at, message)


def fail(job: Document, reason: str, at: float) -> None:
    job["FailureReason"] = reason[:1024]
    enter(job, "Failed", at, reason[:1024])


def _account_time(job: Document, at: float) -> None:
    job["TrainingEndTime"] = at
    if "TrainingStartTime" in job:
        seconds = max(1, math.ceil(at - job["TrainingStartTime"]))
        job["TrainingTimeInSeconds"] = seconds
        job["BillableTimeInSeconds"] = seconds
