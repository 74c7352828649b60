"""A function's own credentials: with them its code may do what its role may, wherever it runs."""

from __future__ import annotations

from sagemaker_emulator.callers import function_access_key
from sagemaker_emulator.guard.keys import derived_secret, derived_token


def function_credentials(root_secret: str, function_arn: str, role_arn: str) -> dict[str, str]:
    """The variables with which boto3 calls as a function of the stack, under its role (:mod:`sageline_local.session_keys`)."""
    key = function_access_key(function_arn, role_arn)
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": derived_secret(root_secret, key),
        "AWS_SESSION_TOKEN": derived_token(root_secret, key),
    }
