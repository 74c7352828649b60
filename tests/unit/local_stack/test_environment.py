"""The environments that the stack's processes and its users get."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sageline_local import environment
from sageline_local.keys import RootKey
from sageline_local.ports import Ports
from sagemaker_emulator.aws import Place
from sagemaker_emulator.sdk_config import write_config

LAPTOP = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "AWS_PROFILE": "prod",
    "AWS_SESSION_TOKEN": "secret",
    "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
    "HTTP_PROXY": "http://proxy.example:3128",
    "NO_PROXY": "intranet.example",
    "DATABASE_PASSWORD": "hunter2",
    "PYTHONPATH": "/somewhere",
    "UV_INDEX_URL": "https://mirror.example/simple",
}


def test_functions_see_nothing_of_the_users_secrets_proxies_or_python_settings() -> None:
    given = environment.for_services(LAPTOP, RootKey("secret of the stack"))

    assert given["PATH"] == "/usr/bin"
    assert given["AWS_ACCESS_KEY_ID"] == "test"
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert (
        not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "DATABASE_PASSWORD", "PYTHONPATH"}
        & given.keys()
    )


def test_tools_keep_the_users_mirror_and_proxy_but_never_reach_a_real_account() -> None:
    given = environment.for_tools(LAPTOP, 4566, RootKey("secret of the stack"))

    assert given["UV_INDEX_URL"] == "https://mirror.example/simple"
    assert given["HTTP_PROXY"] == "http://proxy.example:3128"
    assert given["NO_PROXY"] == "intranet.example,127.0.0.1,localhost"
    assert given["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & given.keys()


def test_clients_are_told_every_address_and_the_sdk_its_bucket(tmp_path: Path) -> None:
    config = write_config(tmp_path, Place("000000000000", "us-east-1"))
    api = "http://127.0.0.1:4566/_aws/execute-api/abc"

    assert environment.for_clients(Ports(4566, 4567, 4568), api, f"{api}2", RootKey("s"), tmp_path) == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.1:4567",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:4567",
        "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": "http://127.0.0.1:4568",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "s",
        "SAGELINE_API_URL": api,
        "SAGELINE_JWT_API_URL": f"{api}2",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(config),
    }


def test_a_stack_with_an_emulator_of_a_version_before_names_no_file_that_is_missing(tmp_path: Path) -> None:
    assert "SAGEMAKER_USER_CONFIG_OVERRIDE" not in environment.for_clients(Ports(1, 2, 3), "", "", RootKey("s"), tmp_path)


def test_a_shell_takes_the_export_lines_as_they_are() -> None:
    lines = environment.export_lines({"ONE": "with space", "TWO": "$HOME 'quoted'"}, {})

    printed = subprocess.run(
        ["/bin/sh", "-c", f'{lines}\nprintf "%s|%s|%s" "$ONE" "$TWO" "${{AWS_PROFILE-unset}}"'],
        env={"AWS_PROFILE": "prod"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert printed == "with space|$HOME 'quoted'|unset"


def test_a_proxy_is_told_to_leave_this_machine_alone() -> None:
    assert "NO_PROXY" not in environment.export_lines({}, {"PATH": "/usr/bin"})
    assert "export NO_PROXY=intranet.example,127.0.0.1,localhost" in environment.export_lines({}, LAPTOP)


def test_sam_local_and_functions_by_hand_get_neither_the_users_credentials_nor_the_roots() -> None:
    machine = {"PATH": "/bin", "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "AKIA1", "DOCKER_HOST": "unix:///d.sock"}

    for variables in (environment.for_sam_local(machine), environment.for_function(machine)):
        assert variables["PATH"] == "/bin"
        assert variables["AWS_CONFIG_FILE"] == os.devnull
        assert not {"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & variables.keys()
    assert environment.for_sam_local(machine)["DOCKER_HOST"] == "unix:///d.sock"
    assert "DOCKER_HOST" not in environment.for_function(machine)
