"""Tags that everything made in SageMaker carries; the functions' permissions depend on the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

STACK_TAG = "sageline:stack"
RUN_TAG = "sageline:run"
EXPIRES_TAG = "sageline:expires-at"
"""On an endpoint: when it is deleted, as ISO 8601 with a ``Z``."""


def tags(stack_name: str, run_id: str) -> list[TagTypeDef]:
    """Whose it is, and which run made it."""
    return [{"Key": STACK_TAG, "Value": stack_name}, {"Key": RUN_TAG, "Value": run_id}]
