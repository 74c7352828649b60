"""Errors as SageMaker sends them: a code, a message, an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceError(Exception):
    """An error that is sent to the caller: ``code`` is what botocore shows in ``Error.Code``."""

    def __init__(self, code: str, message: str, status: int = 400, fields: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})


class JobFailed(Exception):
    """A job ends as Failed; the message is its FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def invalid(message: str) -> ServiceError:
    """The request breaks a rule; SageMaker also says so for most things that do not exist."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """For the few kinds of resources of which SageMaker says it with a code of its own."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    return ServiceError("ResourceInUse", message)


def limit_exceeded(quota: str, limit: int, used: int, wanted: int) -> ServiceError:
    """SageMaker's words for a service quota; ``quota`` reads like 'ml.m5.xlarge for training job usage'."""
    return ServiceError(
        "ResourceLimitExceeded",
        f"The account-level service limit '{quota}' is {limit} Instances, with current utilization of {used} Instances and a "
        f"request delta of {wanted} Instances. Please use AWS Service Quotas to request an increase for this quota. "
        "If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.",
    )


def access_denied(caller_arn: str, action: str, resource_arn: str, *, explicit: bool) -> ServiceError:
    reason = (
        "with an explicit deny in an identity-based policy"
        if explicit
        else f"because no identity-based policy allows the {action} action"
    )
    message = f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource_arn} {reason}"
    return ServiceError("AccessDeniedException", message)
