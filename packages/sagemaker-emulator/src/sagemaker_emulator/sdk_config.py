"""The configuration file that the SageMaker Python SDK 2 needs beside an emulator.

Its session asks STS for the account when it has to name its default bucket, and does so at STS's regional address in AWS,
whatever ``AWS_ENDPOINT_URL_STS`` says. A file that names the bucket spares the question; it is where the environment variable
``SAGEMAKER_USER_CONFIG_OVERRIDE`` says. SDK 3 reads the same file.
"""

from __future__ import annotations

import json
from pathlib import Path

from sagemaker_emulator.aws import Place

VARIABLE = "SAGEMAKER_USER_CONFIG_OVERRIDE"


def config_file(home: Path) -> Path:
    """Where it is, of an emulator with its state in ``home``."""
    return home / "sdk-config.yaml"


def write_config(home: Path, place: Place) -> Path:
    """The bucket is named as the SDK would name it, and made by the SDK; nothing is told to the SDK's makers."""
    modules = {"Session": {"DefaultS3Bucket": f"sagemaker-{place.region}-{place.account}"}, "TelemetryOptOut": True}
    config = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
    path = config_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n")  # which is YAML, too
    return path
