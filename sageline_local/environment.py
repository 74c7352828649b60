"""The environment of the stack's processes, and of programs that use the stack."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from sageline_local.keys import RootKey
from sageline_local.ports import Ports
from sagemaker_emulator.sdk_config import VARIABLE, config_file

REGION = "us-east-1"
ACCOUNT = "000000000000"

_REGION = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
LOOPBACK = "127.0.0.1,localhost"
# What a program needs from the machine that it runs on. Functions inherit MiniStack's environment, and in AWS
# they would not see a laptop's variables either.
_FROM_THE_MACHINE = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def endpoint(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def for_services(machine: Mapping[str, str], key: RootKey | None) -> dict[str, str]:
    """The environment of every process of the stack: nothing of the user's AWS settings, proxies or Python settings.

    Without the stack's key the servers do not start.
    """
    return {
        **{name: machine[name] for name in _FROM_THE_MACHINE if name in machine},
        **({} if key is None else key.variables),
        **_REGION,
        **_no_user_settings(),
        "NO_PROXY": LOOPBACK,
        "PYTHONUNBUFFERED": "1",
    }


def for_tools(machine: Mapping[str, str], port: int, key: RootKey) -> dict[str, str]:
    """The environment of programs that build and deploy: the user's own settings (proxies, package indexes), but none of AWS."""
    kept = {name: value for name, value in machine.items() if not name.startswith("AWS_")}
    return {
        **kept,
        **key.variables,
        **_REGION,
        **_no_user_settings(),
        "AWS_ENDPOINT_URL": endpoint(port),
        "NO_PROXY": with_loopback(machine),
        "no_proxy": with_loopback(machine),
    }


def for_sam_local(machine: Mapping[str, str]) -> dict[str, str]:
    """The environment of ``sam local``: that of the other tools, without credentials. Each function has its own."""
    kept = {name: value for name, value in machine.items() if not name.startswith("AWS_")}
    return {**kept, **_REGION, **_no_user_settings(), "NO_PROXY": with_loopback(machine), "no_proxy": with_loopback(machine)}


def for_function(machine: Mapping[str, str]) -> dict[str, str]:
    """What a function that is run by hand without a container gets besides its own variables."""
    return {
        **{name: machine[name] for name in _FROM_THE_MACHINE if name in machine},
        **_no_user_settings(),
        "NO_PROXY": LOOPBACK,
        "PYTHONUNBUFFERED": "1",
    }


def endpoints_beside_ministack(ports: Ports) -> dict[str, str]:
    """The endpoints of the services that MiniStack lacks, as variables that botocore reads."""
    return {
        "AWS_ENDPOINT_URL_SAGEMAKER": endpoint(ports.sagemaker),
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoint(ports.sagemaker),
        "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": endpoint(ports.autoscaling),
    }


def for_clients(ports: Ports, api_url: str, jwt_api_url: str, key: RootKey, sagemaker_home: Path) -> dict[str, str]:
    """With these variables boto3, the AWS CLI and the SageMaker SDK talk to the stack."""
    sdk_config = config_file(sagemaker_home).resolve()
    return {
        "AWS_ENDPOINT_URL": endpoint(ports.ministack),
        **endpoints_beside_ministack(ports),
        **_REGION,
        **key.variables,
        "SAGELINE_API_URL": api_url,
        **({"SAGELINE_JWT_API_URL": jwt_api_url} if jwt_api_url else {}),
        # Not there with an emulator of a version before: the SDK refuses a file that is missing.
        **({VARIABLE: str(sdk_config)} if sdk_config.exists() else {}),
    }


def export_lines(variables: Mapping[str, str], machine: Mapping[str, str]) -> str:
    """Lines for a shell's ``eval``. A profile or token of the user's would go before the credentials, so they are unset."""
    lines = ["unset AWS_PROFILE AWS_SESSION_TOKEN"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    if any(machine.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        lines.append(f"export NO_PROXY={shlex.quote(with_loopback(machine))} no_proxy={shlex.quote(with_loopback(machine))}")
    return "\n".join(lines)


def with_loopback(machine: Mapping[str, str]) -> str:
    """The user's list of hosts that need no proxy, and this machine."""
    existing = machine.get("NO_PROXY") or machine.get("no_proxy") or ""
    return f"{existing},{LOOPBACK}" if existing else LOOPBACK


def _no_user_settings() -> dict[str, str]:
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
