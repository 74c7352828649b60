"""Start MiniStack and the emulator, and run the tests of this folder as in a shell that uses them, by the Python of the SDK 3.

``python -m tests.sdk3 PYTHON [ARGUMENT…]``; arguments are pytest's. The SDK asks for a region as soon as it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from emulator_tests import beside
from tests.sdk3.conftest import BUCKET

# The SDK tells its makers how it is used, over the network, unless it is told not to; and for a name of its bucket it asks
# AWS's own STS for the account, whatever the variables say, unless it has one.
_SETTINGS = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True, "Session": {"DefaultS3Bucket": BUCKET}}}},
}


def main(python: str, arguments: list[str]) -> int:
    """pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="sdk3-") as directory:
        home = Path(directory)
        settings = home / "config.yaml"
        settings.write_text(json.dumps(_SETTINGS))  # JSON is YAML too
        with beside.servers(home, sys.executable) as (ministack, emulator):
            variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
                **beside.KEY,
                "AWS_ENDPOINT_URL": ministack,
                "AWS_ENDPOINT_URL_SAGEMAKER": emulator,
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulator,
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
            }
            command = [python, "-m", "pytest", "-p", "tests.no_skips", *arguments, str(Path(__file__).parent)]
            return subprocess.run(command, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
