"""What a customer's own code needs to call AWS: its execution role's credentials, and never the service's own."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

logger = logging.getLogger(__name__)

# What AWS calls the session of a container.
SESSION_NAME = "SageMaker"
# The longest that STS allows. They are not renewed, as a container's are in AWS.
_SECONDS = 12 * 60 * 60
_OWN_SERVICES = ("SAGEMAKER", "SAGEMAKER_RUNTIME")


@dataclass(frozen=True)
class _Session:
    role_arn: str
    secret: str = field(repr=False)


class RoleCredentials:
    """Sessions of execution roles, by STS, and whose they are. Every method may be called from any thread."""

    def __init__(self, sts: STSClient | None, region: str, sagemaker_url: str = "") -> None:
        self._sts = sts
        self._region = region
        self._sagemaker_url = sagemaker_url
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def environment(self, role_arn: str, *, isolated: bool) -> dict[str, str]:
        """Variables for every AWS SDK. Without credentials when the role cannot be assumed, or the container is isolated.

        Without STS there is no AWS but SageMaker to call.
        """
        environment = {
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            # Not the files of the person whose machine this is, and no metadata service.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if isolated:
            return environment
        for name in _OWN_SERVICES if self._sagemaker_url else ():
            environment[f"AWS_ENDPOINT_URL_{name}"] = self._sagemaker_url
        if self._sts is None:
            return environment
        environment["AWS_ENDPOINT_URL"] = self._sts.meta.endpoint_url
        try:
            session = self._sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, DurationSeconds=_SECONDS)
        except ClientError as error:
            logger.warning("%s can not be assumed, and code that runs for it has no credentials: %s", role_arn, error)
            return environment
        credentials = session["Credentials"]
        with self._lock:
            self._sessions[credentials["AccessKeyId"]] = _Session(role_arn, credentials["SecretAccessKey"])
        return {
            **environment,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }

    def role_of(self, access_key: str) -> str | None:
        """The ARN of the role that a session of this service belongs to."""
        session = self._session(access_key)
        return session.role_arn if session else None

    def secret_of(self, access_key: str) -> str | None:
        """The secret of a session of this service."""
        session = self._session(access_key)
        return session.secret if session else None

    def _session(self, access_key: str) -> _Session | None:
        with self._lock:
            return self._sessions.get(access_key)
