"""Statuses and their transitions."""

from __future__ import annotations

from sagemaker_emulator.store import Document
from sagemaker_emulator.training import status


def job(*statuses: str) -> Document:
    document: Document = {"TrainingJobStatus": "InProgress"}
    for at, secondary in enumerate(statuses):
        status.enter(document, secondary, float(at))
    return document


def secondary(document: Document) -> list[str]:
    return [transition["Status"] for transition in document["SecondaryStatusTransitions"]]


def test_a_job_that_was_asked_to_stop_goes_on_to_its_upload_only() -> None:
    stopping = job("Starting", "Downloading", "Stopping")

    for following in ("Training", "Uploading"):
        status.advance(stopping, following, 9.0)

    assert secondary(stopping) == ["Starting", "Downloading", "Stopping", "Uploading"]
    assert stopping["TrainingJobStatus"] == "Stopping"


def test_the_same_status_again_changes_its_message_only() -> None:
    starting = job("Starting")

    status.enter(starting, "Starting", 5.0, "Preparing the instances for training")

    assert starting["SecondaryStatusTransitions"] == [
        {"Status": "Starting", "StartTime": 0.0, "StatusMessage": "Preparing the instances for training"}
    ]


def test_the_time_is_counted_from_the_download_and_rounded_up() -> None:
    ended = job("Starting", "Downloading", "Training")

    status.enter(ended, "Completed", 3.2)

    assert (ended["TrainingStartTime"], ended["TrainingEndTime"]) == (1.0, 3.2)
    assert ended["TrainingTimeInSeconds"] == ended["BillableTimeInSeconds"] == 3


def test_a_job_that_fails_before_it_got_an_instance_was_not_trained() -> None:
    failed = job("Starting")

    status.fail(failed, "x" * 2000, 1.0)

    assert failed["TrainingJobStatus"] == "Failed"
    assert len(failed["FailureReason"]) == 1024
    assert "TrainingTimeInSeconds" not in failed
