"""How a command fails: one exception that click turns into a sentence on stderr and exit code 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from sageline.errors import SagelineError
from sageline.json_objects import Json

ON_THIS_MACHINE = ("http://127.0.0.1:", "http://localhost:")


class CommandFailed(click.ClickException):
    """The run or the request failed. ``code`` is the API's error code, or a name of the command's own; ``retry_after`` is after
    how many seconds the API lets one try again, if it says so."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        code: str = "CommandFailed",
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = dict(details or {})
        self.retry_after = retry_after

    def to_json(self) -> Json:
        """In the shape of the HTTP API's errors."""
        return {"error": {"code": self.code, "message": self.message, "details": self.details}}


def not_up(url: str, code: str) -> CommandFailed:
    """Nothing answers at an address of this machine."""
    return CommandFailed(
        f"The local stack does not answer at {url}: `sageline local status` says whether it is up, `sageline local up` "
        "starts it.",
        code,
    )


def explain(error: Exception) -> CommandFailed:
    """An error of a library, or a named one of Sageline's own, as a sentence that says what to do."""
    match error:
        case CommandFailed():
            return error
        case SagelineError():
            return CommandFailed(error.message, type(error).__name__, error.details)
        case NoCredentialsError():
            return CommandFailed(
                "No AWS credentials were found. Set AWS_PROFILE, or run `aws configure` or `aws sso login`.", "NoCredentials"
            )
        case NoRegionError():
            return CommandFailed("No AWS region is set. Set AWS_REGION, or `region` in the profile.", "NoRegion")
        case ProfileNotFound():
            return CommandFailed(
                f"{error}. AWS_PROFILE names it; `aws configure list-profiles` lists what there is.", "NoProfile"
            )
        case ClientError():
            code, message = error.response["Error"].get("Code", "Unknown"), error.response["Error"].get("Message", "")
            operation = error.operation_name
            if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidAccessKeyId"):
                return CommandFailed(f"AWS does not accept your credentials ({code}): sign in again. {message}", code)
            if code in ("403", "AccessDenied", "AccessDeniedException"):
                return CommandFailed(f"AWS refused {operation}: your role or user lacks the permission. {message}", code)
            return CommandFailed(f"AWS refused {operation} ({code}): {message}", code)
        case BotoCoreError():
            return _unreachable(error)
        case _:
            return CommandFailed(str(error), type(error).__name__)


def _unreachable(error: BotoCoreError) -> CommandFailed:
    url, code = str(getattr(error, "kwargs", {}).get("endpoint_url") or ""), type(error).__name__
    return not_up(url, code) if url.startswith(ON_THIS_MACHINE) else CommandFailed(f"AWS could not be reached: {error}", code)
