"""What can go wrong, by name.

The class name is the workflow's contract: the state machine's ``ErrorEquals`` and the HTTP API's error codes
name these classes. The message is for a person: what is wrong, where (file, row, column, key), what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SagelineError(Exception):
    """Base of every error that Sageline raises on purpose; its message may be shown to the caller."""

    def __init__(self, message: str, **details: str | int | float | list[str]) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        """What a program can read from the HTTP API's answer, beside the message."""


class AlreadyStarted(SagelineError):
    """Another execution has claimed this run id: the trigger was delivered twice."""


class InvalidSpec(SagelineError):
    """The spec has an unknown key, a wrong type, or values that do not go together."""


class InvalidHyperparameter(SagelineError):
    """A hyperparameter is missing, unknown, out of range, or refused by the algorithm."""


class BudgetExceeded(SagelineError):
    """The run could cost more than its spec's budget, or nobody knows how much it could cost."""


class QuotaExceeded(SagelineError):
    """The run needs more at once than the account's SageMaker quotas allow."""


class InvalidPrices(SagelineError):
    """The stack's own prices (``prices.json`` in its bucket) are not what they must be."""


class InvalidDataset(SagelineError):
    """The dataset cannot be used as it is: encoding, quoting, ragged rows, labels, too few rows."""


class DatasetNotFound(SagelineError):
    """No object exists at the dataset's URI."""


class DatasetAccessDenied(SagelineError):
    """The object at the dataset's URI may not be read."""


class ProcessDied(SagelineError):
    """A process that a function had started ended before it was done."""


class ObjectMissing(SagelineError):
    """What a run has stored, and needs, is not there any more."""


class InvalidEncoder(SagelineError):
    """Saved encoder state is damaged, or was written by a newer version."""


class InvalidRouting(SagelineError):
    """An endpoint's routing document is damaged, or was written by a newer version."""


class ResourceConflict(SagelineError):
    """An AWS resource of the wanted name exists, and is not the one that was asked for."""


class TrainingJobFailed(SagelineError):
    """SageMaker reports the training job as Failed."""


class TrainingJobStopped(SagelineError):
    """The training job was stopped, by a person or by its maximum runtime."""


class CandidatesFailed(SagelineError):
    """Of the algorithms that a run has trained side by side, none has left a model that answers."""


class ModelMissing(SagelineError):
    """The training job is Completed and has left no model."""


class TuningJobFailed(SagelineError):
    """SageMaker reports the tuning job as Failed, or as Completed with no training job that measured the objective."""


class TuningJobStopped(SagelineError):
    """The tuning job was stopped, by a person or by its maximum runtime."""


class TransformJobFailed(SagelineError):
    """SageMaker reports the transform job as Failed."""


class TransformJobStopped(SagelineError):
    """The transform job was stopped before it was done."""


class EndpointFailed(SagelineError):
    """SageMaker reports the endpoint as Failed, or its update as rolled back."""


class RolloutAlarm(SagelineError):
    """An alarm fired while a new variant was getting its traffic: the old ones have it back."""


class RolloutPending(SagelineError):
    """A variant is to get its traffic in steps, and has not had them all."""


class SmokeTestFailed(SagelineError):
    """The deployed variant did not answer held-out rows sensibly."""


class RunNotFound(SagelineError):
    """No run of that id is known."""


class DamagedRecord(SagelineError):
    """The record of a run is not what it must be: somebody has changed it by hand."""

    shown: Mapping[str, Any] = {}  # Any: each field has its own type
    """The fields of the record as it can be shown, as Unknown."""


class RunFinished(SagelineError):
    """The run has already ended, so it cannot be stopped."""


class EndpointNotFound(SagelineError):
    """No endpoint of that name is managed by Sageline."""


class EndpointNotReady(SagelineError):
    """The endpoint exists and does not serve yet, or is being changed; try again later."""


class ConcurrentModification(ResourceConflict):
    """Somebody else has changed what the endpoint serves at the same moment; try again."""


class EndpointWarming(SagelineError):
    """The endpoint is serverless, and its model is being started: nobody has asked it for a while, or too many ask at once."""


class InvalidRequest(SagelineError):
    """A request to the HTTP API is malformed: JSON, keys, columns, values."""


class RequestTooLarge(SagelineError):
    """The request, or what it encodes to, is larger than the endpoint accepts."""


class UnsupportedMediaType(SagelineError):
    """The request's body is of a type that the route does not take."""


class NotAcceptable(SagelineError):
    """The request's ``Accept`` names no type that the answer can have."""


class TooManyRequests(SagelineError):
    """The endpoint, or AWS, takes no more requests at the moment; try again in a second."""


class ScopeMissing(SagelineError):
    """The caller's token lacks the scope that the route takes."""


class RouteNotFound(SagelineError):
    """The HTTP API has no such method and path."""


class PredictionFailed(SagelineError):
    """The model container failed to answer (SageMaker's ModelError)."""


class InvalidEvent(SagelineError):
    """A function was given an event that is not of the form that its handler takes."""


class SettingsError(SagelineError):
    """A function's environment lacks a variable, or holds a malformed one."""
