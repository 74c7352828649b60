"""The command ``sagemaker-emulator`` as a process, with a folder for S3."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from emulator_tests.support import ENDLESS, Api, wait_until
from sagemaker_emulator.__main__ import known_secrets, parser, root_key

pytestmark = pytest.mark.slow
COMMAND = [str(Path(sys.executable).with_name("sagemaker-emulator"))]
KEY = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "a secret of mine"}
SESSION = boto3.Session(KEY["AWS_ACCESS_KEY_ID"], KEY["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | more


@contextmanager
def started(directory: Path, *arguments: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command on a free port in a directory, when it is ready, with the lines that it has printed."""
    with (
        (directory / "errors").open("w") as errors,
        subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments],
            cwd=directory,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        last = "AWS_DEFAULT_REGION" if more else "AWS_SECRET_ACCESS_KEY"
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if last in line:
                break
        try:
            yield process, lines
        finally:
            process.kill()


def exported(lines: list[str]) -> Mapping[str, str]:
    pairs = (line.removeprefix("  export ").partition("=") for line in lines if line.startswith("  export "))
    return {name: value for name, _, value in pairs}


def test_it_says_where_it_listens_what_to_export_and_what_is_not_there(tmp_path: Path) -> None:
    with started(tmp_path) as (_, lines):
        variables = exported(lines)
        url = variables["AWS_ENDPOINT_URL_SAGEMAKER"]

        assert lines[0].startswith(f"SageMaker listens at {url}. Ctrl-C ends it")
        assert variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == url
        assert f"S3 is the folder {tmp_path}/.sagemaker-emulator/s3: s3://bucket/key is the file bucket/key in it" in lines[1]
        assert "roles are not checked" in " ".join(lines)
        session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
        assert session.client("sagemaker", endpoint_url=url).list_models()["Models"] == []
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            boto3.Session("emulator", "guessed", region_name="us-east-1").client("sagemaker", endpoint_url=url).list_models()


def test_the_keys_of_the_environment_are_taken_and_not_repeated(tmp_path: Path) -> None:
    with started(tmp_path, "--s3", "objects", **KEY) as (_, lines):
        url = exported(lines)["AWS_ENDPOINT_URL_SAGEMAKER"]

        assert SESSION.client("sagemaker", endpoint_url=url).list_models()["Models"] == []
        assert (tmp_path / "objects").is_dir()
        assert not [line for line in lines if KEY["AWS_SECRET_ACCESS_KEY"] in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_everything_that_it_has_started(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "objects" / "bucket-1" / "data" / "train"
    data.mkdir(parents=True)
    (data / "rows.csv").write_text("0,1,2\n1,5,6\n0,1,3\n1,6,5\n")
    with started(tmp_path, "--s3", "objects", **KEY) as (process, lines):
        url = exported(lines)["AWS_ENDPOINT_URL_SAGEMAKER"]
        sagemaker = SESSION.client("sagemaker", endpoint_url=url)
        sagemaker.create_training_job(**Api.training_job("endless", HyperParameters=ENDLESS))
        children = wait_until(lambda: psutil.Process(process.pid).children(recursive=True) or None)
        wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="endless")["SecondaryStatus"] == "Training" or None)

        process.send_signal(number)

        said, _ = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "SageMaker has ended.\n")
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
    errors = (tmp_path / "errors").read_text()
    assert "Traceback" not in errors


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(tmp_path, "--port", str(port))

    assert refused.returncode == 1
    assert f"Port {port} of 127.0.0.1 can not be used" in refused.stderr


def test_a_number_that_no_port_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--port", "65536"])

    assert "65536 is not a port: they are numbered from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "keys"), [(["--s3", "file"], {}), (["--home", "file"], {}), (["--home", "file", "--s3", "s3"], KEY)]
)
def test_a_file_in_the_place_of_a_directory_is_named(tmp_path: Path, options: list[str], keys: dict[str, str]) -> None:
    (tmp_path / "file").touch()

    refused = run(tmp_path, "--port", "0", *options, **keys)

    assert (refused.returncode, refused.stderr) == (1, f"The directory {tmp_path / 'file'} can not be used: File exists.\n")


def test_a_home_in_use_is_named(tmp_path: Path) -> None:
    with started(tmp_path):
        refused = run(tmp_path, "--port", "0")

    assert refused.returncode == 1
    assert f"Another local SageMaker service works in {tmp_path}/.sagemaker-emulator" in refused.stderr


def test_half_a_key_is_refused(tmp_path: Path) -> None:
    refused = run(tmp_path, "--port", "0", AWS_ACCESS_KEY_ID="mine")

    assert refused.returncode == 1
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set" in refused.stderr


def run(directory: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, cwd=directory, env=environment(**more), capture_output=True, text=True, check=False)


def test_its_own_key_is_made_once_for_the_owner_of_the_home(tmp_path: Path) -> None:
    made = root_key({}, tmp_path / "home")

    assert root_key({}, tmp_path / "home") == made
    assert root_key({}, tmp_path / "other") != made
    assert stat.S_IMODE((tmp_path / "home" / "secret").stat().st_mode) == 0o600


def test_whose_secrets_are_known() -> None:
    secret_of = known_secrets("root", "s", {"ASIA1": "of a session"}.get)

    assert [secret_of(key) for key in ("root", "ASIA1", "ASIA2")] == ["s", "of a session", None]
