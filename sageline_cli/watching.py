"""Clients of what only the console needs: metrics, logs and descriptions of jobs, and presigned URLs of parts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient


class WatchingClients:
    """Each is made when it is first asked for: no command waits for a client that it does not use."""

    def __init__(
        self, session: boto3.Session, config: Config, endpoint_url: str | None = None, sagemaker_url: str | None = None
    ) -> None:
        """``endpoint_url``, ``sagemaker_url``: of the local stack; None: AWS."""
        self._session, self._config = session, config
        self._endpoint_url, self._sagemaker_url = endpoint_url, sagemaker_url

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self._session.client("cloudwatch", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self._session.client("logs", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self._session.client("sagemaker", endpoint_url=self._sagemaker_url, config=self._config)

    @cached_property
    def s3_presigner(self) -> S3Client:
        """Signs URLs that a browser can use: of the bucket's own region, which does not redirect, and with no header but the host
        that must be sent as it is signed."""
        own = Config(
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path" if self._endpoint_url else "virtual"},
        )
        return self._session.client("s3", endpoint_url=self._endpoint_url, config=self._config.merge(own))
