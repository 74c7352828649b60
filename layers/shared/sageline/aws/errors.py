"""What an AWS error means, told by its code and message; SageMaker answers ``ValidationException`` to most things."""

from __future__ import annotations

from botocore import exceptions
from botocore.exceptions import ClientError

_PASSING_CODES = frozenset(
    {
        "ExpiredToken",  # the function has new credentials the next time
        "ExpiredTokenException",
        "InternalFailure",
        "InternalServerError",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Told with a status of 4xx, most of them, and over by the next try: botocore's own list of what it tries again, and more."""


def code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def message(error: ClientError) -> str:
    """AWS's own words, without botocore's frame around them."""
    return error.response["Error"].get("Message", "")


def error_summary(error: Exception) -> str:
    """The name of an error of AWS, or of not reaching it, without the ARNs and addresses that its message has."""
    return code(error) if isinstance(error, ClientError) else type(error).__name__


def is_not_found(error: ClientError) -> bool:
    """SageMaker has no resource of that name: ``Could not find endpoint "…".``, ``Requested resource not found.``"""
    if code(error) == "ResourceNotFound":
        return True
    text = message(error).lower()
    return code(error) == "ValidationException" and ("could not find" in text or "not found" in text)


def is_existing(error: ClientError) -> bool:
    """SageMaker has a resource of that name: ``Cannot create already existing …``, and for jobs ``ResourceInUse``."""
    if code(error) == "ResourceInUse":
        return True
    return code(error) == "ValidationException" and "already existing" in message(error)


def is_missing_model_data(error: ClientError) -> bool:
    """SageMaker finds no object at a model's URI: ``Could not find model data at s3://….``"""
    return code(error) == "ValidationException" and "could not find model data" in message(error).lower()


def is_busy(error: ClientError) -> bool:
    """The endpoint is being created, updated or deleted: ``Cannot update in-progress endpoint "…".``"""
    return code(error) == "ValidationException" and "in-progress" in message(error).lower().replace("in progress", "in-progress")


def is_missing_object(error: ClientError) -> bool:
    """S3 has no such object, version or bucket (a HEAD request has only the HTTP status to say so)."""
    return code(error) in {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "405", "MethodNotAllowed"}


def is_denied(error: ClientError) -> bool:
    return code(error) in {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled"}


def is_transient(error: Exception) -> bool:
    """Whether the same request may well succeed later: AWS throttles, has a fault of its own (5xx), or could not be reached."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code(error) in _PASSING_CODES or status == 429 or status >= 500
    return isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError)
