"""ContainerEntrypoint and ContainerArguments: the customer's own command in the place of the image's program."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from emulator_tests.scripts import SCIKIT_LEARN, archived, ran
from emulator_tests.support import BUCKET, IMAGE, Api, Json, until_training, wait_until
from emulator_tests.test_isolation import ABILITIES, PROBE, assert_isolated, findings_of, lines_of, port, variables
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.entrypoint.paths import rewritten
from sagemaker_emulator.engines.entrypoint.run import run
from sagemaker_emulator.engines.script.program import Stopping

__all__ = ["port", "variables"]  # fixtures
SHELL = ["/bin/bash", "-c"]


def job(aws: Aws, name: str, command: list[str], *, files: Mapping[str, str] | None = None, **changes: object) -> Json:
    """A job with these files in its channel ``code``."""
    channels = [Api.channel("train", "data/train/")]
    for path, text in (files or {}).items():
        aws.s3.put_object(Bucket=BUCKET, Key=f"{name}/code/{path}", Body=text.encode())
    if files:
        channels.append(Api.channel("code", f"{name}/code/", None))
    specification = {
        "TrainingImage": changes.pop("image", SCIKIT_LEARN),
        "TrainingInputMode": "File",
        "ContainerEntrypoint": command[:-1],
        "ContainerArguments": command[-1:],
    }
    return Api.training_job(name, AlgorithmSpecification=specification, InputDataConfig=channels, **changes)


def logged(aws: Aws, name: str) -> str:
    try:
        return lines_of(aws, "/aws/sagemaker/TrainingJobs", f"{name}/")
    except aws.logs.exceptions.ResourceNotFoundException:  # no job has written anything yet
        return ""


needs_opt_ml = pytest.mark.skipif(not ABILITIES.opt_ml, reason="needs mount namespaces")


WHOLE = """
set -e
cd /opt/ml
python3 -c 'import sklearn, boto3; print(boto3.Session().get_credentials().access_key[:4])' > model/told
python -c 'print(open("input/config/hyperparameters.json").read())' >> model/told
echo $TRAINING_JOB_NAME $MINE >> model/told
wc -l < input/data/train/part-0.csv >> model/told
pip --version > output/data/pip
"""


@needs_opt_ml
def test_the_command_runs_with_the_files_of_the_job_at_opt_ml(api: Api, aws: Aws) -> None:
    command = [*SHELL, "source /opt/ml/input/data/code/whole.sh"]
    given: Json = {"HyperParameters": {"epochs": "3"}, "Environment": {"MINE": "/opt/ml/model"}}

    ended = ran(api, job(aws, "whole", command, files={"whole.sh": WHOLE}, **given))

    assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
    told = archived(aws, ended["ModelArtifacts"]["S3ModelArtifacts"])["told"].decode().splitlines()
    assert told == ["ASIA", '{"epochs": "3"}', "whole /opt/ml/model", "4"]
    assert archived(aws, f"s3://{BUCKET}/output/whole/output/output.tar.gz")["pip"].startswith(b"pip ")
    assert "/opt/ml is this job's directory, in a mount namespace." in logged(aws, "whole")
    assert api.ok("DescribeTrainingJob", TrainingJobName="whole")["AlgorithmSpecification"]["ContainerEntrypoint"] == SHELL


@needs_opt_ml
def test_the_command_goes_before_an_algorithm_of_sagemakers(api: Api, aws: Aws) -> None:
    ended = ran(api, job(aws, "instead", [*SHELL, "echo own > /opt/ml/model/own"], image=IMAGE))

    assert archived(aws, ended["ModelArtifacts"]["S3ModelArtifacts"]) == {"own": b"own\n"}


def test_arguments_alone_are_the_command_but_for_the_usual_ones(api: Api, aws: Aws) -> None:
    alone, usual = job(aws, "alone", ["/bin/false"]), Api.training_job("usual")
    alone["AlgorithmSpecification"] |= {"ContainerArguments": ["/bin/false"]}
    del alone["AlgorithmSpecification"]["ContainerEntrypoint"]
    usual["AlgorithmSpecification"] = {**usual["AlgorithmSpecification"], "ContainerArguments": ["train"]}

    assert ran(api, alone)["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert ran(api, usual)["TrainingJobStatus"] == "Completed"


@needs_opt_ml
def test_a_command_that_fails_leaves_its_reason_and_its_exit_code(api: Api, aws: Aws) -> None:
    ended = ran(api, job(aws, "failing", [*SHELL, "echo 'too little data' > /opt/ml/output/failure; exit 3"]))

    assert ended["FailureReason"] == "AlgorithmError: too little data\n, exit code: 3"


def test_a_program_that_is_not_there_fails_the_job_by_its_name(api: Api, aws: Aws) -> None:
    ended = ran(api, job(aws, "missing", ["no-such-program", "--fast"]))

    expected = 'AlgorithmError: exec: "no-such-program": executable file not found in $PATH, exit code: 127'
    assert ended["FailureReason"] == expected


@needs_opt_ml
def test_a_stopped_job_keeps_what_its_script_saves_after_the_shell_has_ended(api: Api, aws: Aws) -> None:
    script = """
import pathlib, signal, sys, time

def save(*_):
    time.sleep(0.3)  # the shell is gone by now
    pathlib.Path("/opt/ml/model/model.txt").write_text("saved")
    sys.exit(0)

signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(60)
"""
    command = "python3 /opt/ml/input/data/code/train.py && echo unreachable"
    api.ok("CreateTrainingJob", **job(aws, "stopped", [*SHELL, command], files={"train.py": script}))
    until_training(api, "stopped")
    wait_until(lambda: "ready" in logged(aws, "stopped") or None)

    api.ok("StopTrainingJob", TrainingJobName="stopped")

    ended = wait_until(lambda: api.ended_job("stopped"))
    assert ended["TrainingJobStatus"] == "Stopped"
    assert archived(aws, ended["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"saved"}


@needs_opt_ml
def test_a_command_in_an_isolated_job_reaches_nothing(api: Api, aws: Aws, variables: dict[str, str]) -> None:

    command = ["python3", "/opt/ml/input/data/code/train.py"]
    environment = {**variables, "SM_MODEL_DIR": "/opt/ml/model"}
    request = job(aws, "isolated", command, files={"train.py": textwrap.dedent(PROBE)}, Environment=environment)

    assert_isolated(findings_of(aws, ran(api, {**request, "EnableNetworkIsolation": True})))


@pytest.fixture
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A job's directory where the machine has no ``/opt/ml`` for it."""
    made: Path = tmp_path / getattr(request, "param", "job")
    for name in ("model", "code", "output", "input/data/sm_drivers", "input/data/code"):
        (made / name).mkdir(parents=True)
    return made


class TestWithoutMountNamespaces:
    @pytest.mark.parametrize("root", ["job", "a job's directory"], indirect=True)
    def test_the_command_its_environment_and_the_sdks_drivers_name_the_jobs_directory(
        self, root: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        driver, own = root / "input/data/sm_drivers/sm_train.sh", root / "input/data/code/own.py"
        driver.write_text("#!/bin/bash\ncd /opt/ml/input/data/code\npython3 own.py > /opt/ml/model/$1\n")
        own.write_text("import os; print(os.environ['WHERE'], '/opt/ml')")
        arguments = "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh && /opt/ml/input/data/sm_drivers/sm_train.sh told"

        status = run(root, [*SHELL, arguments], {"PATH": os.environ["PATH"], "WHERE": "/opt/ml/model"}, Stopping())

        assert status == 0
        where, said = (root / "model" / "told").read_text().split()
        assert Path(where).samefile(root / "model")
        assert said == "/opt/ml", "code of one's own stays as it is"
        assert f"no mount namespaces, and so no /opt/ml: it is {root}" in capfd.readouterr().out

    @pytest.mark.slow
    def test_what_the_job_installs_is_its_own(self, root: Path) -> None:
        wheel = root / "code" / "tiny_thing-1.0-py3-none-any.whl"
        wheel.write_bytes(tiny_wheel())
        install = f"pip install --no-index --quiet --no-cache-dir numpy ./{wheel.name}"
        look = "import json, numpy, tiny_thing; print(json.dumps([numpy.__file__, tiny_thing.__file__]))"

        status = run(root, [*SHELL, f"{install} && python3 -c '{look}' > files"], {"PATH": os.environ["PATH"]}, Stopping())

        assert status == 0
        numpy, tiny = json.loads((root / "code" / "files").read_text())
        assert Path(numpy).is_relative_to(sys.prefix), "what is installed here counts as installed"
        assert root.samefile(Path(tiny).parents[4])

    def test_a_signal_that_ends_the_program_is_told(self, root: Path) -> None:
        assert run(root, [*SHELL, "kill -9 $$"], {"PATH": os.environ["PATH"]}, Stopping()) == -9


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("/opt/ml", "/home/me/job"),
        ("--out=/opt/ml/model:/opt/ml/code", "--out=/home/me/job/model:/home/me/job/code"),
        ("s='/opt/ml/input'", "s='/home/me/job/input'"),
        ("file:///opt/ml/model", "file:///home/me/job/model"),
        ("/mnt/opt/ml/model", "/mnt/opt/ml/model"),
        ("/opt/mlflow /opt/ml-data", "/opt/mlflow /opt/ml-data"),
    ],
)
def test_only_whole_paths_are_rewritten(text: str, here: str) -> None:
    assert rewritten(text, "/home/me/job") == here


def tiny_wheel() -> bytes:
    content = io.BytesIO()
    about = "tiny_thing-1.0.dist-info"
    with zipfile.ZipFile(content, "w") as wheel:
        wheel.writestr("tiny_thing.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", f"tiny_thing.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")
    return content.getvalue()
