"""The secrets of temporary keys, of functions and of assumed roles: they are derived from the root's secret, so every server of
the stack can compute them, and nobody else.

MiniStack 1.5.33 makes a function's key, secret and token from the ARNs of the function and its role, which are no secrets. The
key stays (``sagemaker_emulator.callers`` tells a caller by it).
"""

from __future__ import annotations

import hashlib
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from sagemaker_emulator.guard.keys import derived_secret, derived_token


def install(root_secret: str) -> None:
    """Have MiniStack give temporary keys secrets of the stack's own."""
    _of_functions(root_secret)
    _of_assumed_roles(root_secret)


def _of_functions(root_secret: str) -> None:
    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:  # Any: MiniStack's
        account, _ = lambda_runtime._account_region_from_function_config(config)
        role_arn = config.get("Role", "")
        role, session = role_arn.rsplit("/", 1)[-1], config.get("FunctionName", "function")[:64]
        digest = hashlib.sha256(f"{config.get('FunctionArn', '')}:{role_arn}".encode()).hexdigest()
        key = f"ASIA{digest[:16].upper()}"
        secret, token = derived_secret(root_secret, key), derived_token(root_secret, key)
        sts.register_session(
            key,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
                "UserId": f"{role}:{session}",
                "SecretAccessKey": secret,
                "SessionToken": token,
            },
        )
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    lambda_runtime.execution_credentials = execution_credentials
    lambda_svc.execution_credentials = execution_credentials


def _of_assumed_roles(root_secret: str) -> None:
    """STS makes a key, and then its secret."""
    make_key = sts._gen_session_access_key
    made: ContextVar[str] = ContextVar("access key that STS has made")

    def make_and_remember() -> str:
        key: str = make_key()
        made.set(key)
        return key

    sts._gen_session_access_key = make_and_remember
    sts._gen_secret = lambda: derived_secret(root_secret, made.get())
