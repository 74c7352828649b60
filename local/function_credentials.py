"""A function's own credentials: with them its code may do what its role may, wherever it runs.

MiniStack 1.5.33 derives them from the ARNs of the function and its role, and knows them only once it has started the function
itself.
"""

from __future__ import annotations

import hashlib

from local.sagemaker.callers import function_access_key


def function_credentials(function_arn: str, role_arn: str) -> dict[str, str]:
    """The variables with which boto3 calls as a function of the stack, under its role."""
    digest = hashlib.sha256(f"{function_arn}:{role_arn}".encode()).hexdigest()
    return {
        "AWS_ACCESS_KEY_ID": function_access_key(function_arn, role_arn),
        "AWS_SECRET_ACCESS_KEY": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "AWS_SESSION_TOKEN": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
