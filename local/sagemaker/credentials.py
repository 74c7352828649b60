"""What a customer's own code needs to call AWS: its execution role's credentials, and never the service's own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

logger = logging.getLogger(__name__)

# What AWS calls the session of a container.
_SESSION_NAME = "SageMaker"
# The longest that STS allows. They are not renewed, as a container's are in AWS.
_SECONDS = 12 * 60 * 60


def role_environment(sts: STSClient, role_arn: str) -> dict[str, str]:
    """Variables for every AWS SDK. Without credentials when the role cannot be assumed: then the code has none at all."""
    environment = {
        "AWS_ENDPOINT_URL": sts.meta.endpoint_url,
        "AWS_REGION": sts.meta.region_name,
        "AWS_DEFAULT_REGION": sts.meta.region_name,
        # Not the files of the person whose machine this is, and no metadata service.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        session = sts.assume_role(RoleArn=role_arn, RoleSessionName=_SESSION_NAME, DurationSeconds=_SECONDS)
    except ClientError as error:
        logger.warning("%s can not be assumed, and code that runs for it has no credentials: %s", role_arn, error)
        return environment
    credentials = session["Credentials"]
    return {
        **environment,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
