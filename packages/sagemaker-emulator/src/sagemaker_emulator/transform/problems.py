"""Why an object was not transformed."""

from __future__ import annotations


class ObjectFailed(Exception):
    """One object has no output; the job goes on with the others and ends as Failed.

    ``side`` begins the job's FailureReason: ClientError for the data and the request, AlgorithmError for the container.
    ``details`` are further lines of the data log.
    """

    def __init__(self, side: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.side = side
        self.message = message
        self.details = details


class Stopped(Exception):
    """The job was asked to stop while an object was transformed."""


def client_error(message: str, details: str = "") -> ObjectFailed:
    return ObjectFailed("ClientError", message, details)


def algorithm_error(message: str, details: str = "") -> ObjectFailed:
    return ObjectFailed("AlgorithmError", message, details)
