"""The SAM CLI: ``sam build`` for this machine, ``sam deploy`` to MiniStack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sageline_local import environment
from sageline_local.home import Home
from sageline_local.processes import MARKER

_TIMEOUT_SECONDS = 600
# What people need of the SAM CLI's output when it fails; the rest is progress.
_TELLING = re.compile(r"error|fail|invalid|denied|not authorized|exception|refused", re.IGNORECASE)


@dataclass(frozen=True)
class Result:
    succeeded: bool
    output: str
    log: Path

    def explanation(self, lines: int = 20) -> str:
        """What SAM calls the error, to the end; without one, the lines that sound like one, or the last ones."""
        printed = [line.rstrip() for line in self.output.splitlines() if line.strip()]
        errors = [number for number, line in enumerate(printed) if line.startswith("Error:")]
        if errors:
            return "\n".join(printed[errors[0] :][:lines])
        telling = [line for line in printed if _TELLING.search(line)]
        return "\n".join((telling or printed)[-lines:])


def run(home: Home, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Result:
    """Run ``sam`` with arguments; what it prints goes to the log ``sam-<name>.log``."""
    log = home.log(f"sam-{name}")
    try:
        finished = subprocess.run(
            command(home, [name], arguments),
            env={**own_environment(home, variables), MARKER: str(home.root.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        output = f"{printed}\nError: sam {name} did not end within {_TIMEOUT_SECONDS} s."
        log.write_text(output)
        return Result(False, output, log)
    log.write_text(finished.stdout)
    return Result(finished.returncode == 0, finished.stdout, log)


def command(home: Home, name: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """The command line of a ``sam`` of this environment."""
    config = home.sam / "samconfig.toml"
    # The project's samconfig.toml is for AWS.
    config.write_text("version = 0.1\n")
    return [sys.executable, "-m", "samcli", *name, "--config-file", str(config.resolve()), *arguments]


def own_environment(home: Home, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a ``sam`` that keeps to the home, and asks nobody for a newer version."""
    _skip_version_check(home)
    return {
        **variables,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "__SAM_CLI_APP_DIR": str(home.sam.resolve()),
        # Of this environment: uv, which the layer's Makefile calls.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", os.defpath)]),
    }


_EMPTY = '""'
"""An empty value: without the quotes SAM takes what is before it for the parameter's name."""


def deploy_arguments(template: Path, stack_name: str, artifacts_bucket: str, parameters: Mapping[str, str]) -> list[str]:
    """Arguments of ``sam deploy``."""
    arguments = [
        "--template-file",
        str(template),
        "--stack-name",
        stack_name,
        "--s3-bucket",
        artifacts_bucket,
        "--region",
        environment.REGION,
        "--capabilities",
        "CAPABILITY_IAM",
        "CAPABILITY_AUTO_EXPAND",
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
    ]
    if parameters:
        arguments += [
            "--parameter-overrides",
            *(f"ParameterKey={name},ParameterValue={value or _EMPTY}" for name, value in parameters.items()),
        ]
    return arguments


def _skip_version_check(home: Home) -> None:
    """It would ask PyPI once a week whether there is a newer SAM CLI, and wait for the answer."""
    (home.sam / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
