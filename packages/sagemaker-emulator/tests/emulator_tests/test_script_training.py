"""Script mode: the customer's code as a training job, from CreateTrainingJob to the model's archive."""

from __future__ import annotations

import json
import sys
import time

import pytest

from emulator_tests.scripts import SCIKIT_LEARN, TENSORFLOW, XGBOOST, archived, put_source, ran, script_job
from emulator_tests.support import BUCKET, ROLE, Api, Json, add_role, until_training, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.script.frameworks import PYTORCH

TRAIN = """
    import argparse, csv, json, os, pathlib, sys
    import helper
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--learning-rate", type=float)
    arguments = parser.parse_args()
    rows = list(csv.reader((pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "part-0.csv").open()))
    print(f"rows={len(rows)} epochs={arguments.epochs} score={arguments.learning_rate}")
    print("warning", file=sys.stderr)
    told = {"here": os.getcwd(), "helper": helper.__file__, "environment": dict(os.environ), "arguments": sys.argv[1:]}
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "told.json").write_text(json.dumps(told))
    (pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "report.txt").write_text("fine")
"""


def lines(aws: Aws, job: str) -> list[str]:
    group = "/aws/sagemaker/TrainingJobs"
    streams = aws.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"]
    events = [aws.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"]) for stream in streams]
    return [event["message"] for page in events for event in page["events"]]


def test_a_script_gets_its_data_its_arguments_and_its_environment_and_leaves_a_model(api: Api, aws: Aws) -> None:
    source = put_source(aws, "whole", {"train.py": TRAIN, "helper.py": "", "requirements.txt": "numpy\n"})

    job = ran(api, script_job("whole", source, HyperParameters={"epochs": 5, "learning-rate": 0.5}))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("score", 0.5)]
    told = json.loads(archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])["told.json"])
    assert told["arguments"] == ["--epochs", "5", "--learning-rate", "0.5"]
    assert told["here"].endswith(("/opt/ml/code", "/algo-1/code"))
    assert told["helper"] == f"{told['here']}/helper.py"
    environment = told["environment"]
    assert environment["TRAINING_JOB_NAME"] == "whole"
    assert environment["SM_HP_LEARNING-RATE"] == "0.5"
    assert environment["SM_MODULE_DIR"] == source
    assert archived(aws, f"s3://{BUCKET}/output/whole/output/output.tar.gz") == {"report.txt": b"fine"}
    logged = lines(aws, "whole")
    assert "rows=4 epochs=5 score=0.5" in logged
    assert "warning" in logged


def test_a_script_calls_aws_as_the_execution_role_and_never_as_the_service(api: Api, aws: Aws) -> None:
    source = put_source(aws, "role", {"train.py": TRAIN, "helper.py": ""})

    job = ran(api, script_job("role", source, Environment={"MINE": "1", "CHECKPOINTS": "/opt/ml/checkpoints"}))

    environment = json.loads(archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])["told.json"])["environment"]
    assert environment["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert environment["AWS_SESSION_TOKEN"]
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"] == aws.sts.meta.endpoint_url
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["MINE"] == "1"
    assert environment["CHECKPOINTS"].endswith(("/opt/ml/checkpoints", "/algo-1/checkpoints")), "a path of the container"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("raises", 'raise ValueError("the label is missing")', 'ExitCode 1\nErrorMessage "ValueError: the label is missing"'),
        ("exits-3", "import sys; sys.exit(3)", 'ExitCode 3\nErrorMessage ""'),
        (
            "no-argument",
            "import argparse; argparse.ArgumentParser(prog='train.py').parse_args()",
            'ExitCode 2\nErrorMessage "train.py: error: unrecognized arguments: --epochs 5"',
        ),
        (
            "killed",
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            'ExitCode 137\nErrorMessage ""\nExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"',
        ),
    ],
)
def test_a_script_that_fails_is_the_reason(api: Api, aws: Aws, name: str, text: str, reason: str) -> None:
    source = put_source(aws, name, {"train.py": text})

    job = ran(api, script_job(name, source, HyperParameters={"epochs": 5}))

    code = reason.split()[1]
    command = f'Command "{sys.executable} train.py --epochs 5", exit code: {code}'
    assert job["FailureReason"] == f"AlgorithmError: ExecuteUserScriptError:\n{reason}\n{command}"


def test_a_script_that_prints_and_saves_nothing_completes(api: Api, aws: Aws) -> None:
    job = ran(api, script_job("silent", put_source(aws, "silent", {"train.py": ""})))

    assert job["TrainingJobStatus"] == "Completed"
    assert job["FinalMetricDataList"] == []


def test_a_script_of_the_shell_gets_the_same_arguments(api: Api, aws: Aws) -> None:
    source = put_source(aws, "shell", {"train.sh": '#!/bin/sh\necho "$@" > "$SM_MODEL_DIR/told"\n'})

    job = ran(api, script_job("shell", source, program="train.sh", HyperParameters={"text": "two words"}))

    assert archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])["told"] == b"--text two words\n"


def test_a_shell_script_that_fails_shows_its_command(api: Api, aws: Aws) -> None:
    source = put_source(aws, "shell-fails", {"train.sh": "exit 4\n"})

    reason = ran(api, script_job("shell-fails", source, program="train.sh"))["FailureReason"]

    assert reason.endswith('ExitCode 4\nErrorMessage ""\nCommand "/bin/sh -c "./train.sh"", exit code: 4')


def test_requirements_that_can_not_be_installed_fail_the_job_and_say_so(api: Api, aws: Aws) -> None:
    source = put_source(aws, "requirements", {"train.py": "", "requirements.txt": "surely-not-a-package==1.0\n"})

    reason = ran(api, script_job("requirements", source, Environment={"PIP_NO_INDEX": "1"}))["FailureReason"]

    assert reason.startswith("AlgorithmError: InstallRequirementsError:\nExitCode 1\nErrorMessage ")
    assert "surely-not-a-package==1.0" in reason
    assert "without a network only what is installed here can be used" in reason


def test_code_that_is_not_there_or_not_allowed_or_no_archive(api: Api, aws: Aws) -> None:
    uri = put_source(aws, "denied", {"train.py": ""})
    aws.s3.put_object(Bucket=BUCKET, Key="text.tar.gz", Body=b"no archive")
    data = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": [f"arn:aws:s3:::{BUCKET}*/data/*"]}
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    role = add_role(aws, "NoSource", data, listing)

    missing = ran(api, script_job("no-source", f"s3://{BUCKET}/nothing.tar.gz"))["FailureReason"]
    denied = ran(api, script_job("denied", uri, RoleArn=role))["FailureReason"]
    broken = ran(api, script_job("broken", f"s3://{BUCKET}/text.tar.gz"))["FailureReason"]

    start = "AlgorithmError: Framework Error: \nTraceback (most recent call last):\n"
    operation = "when calling the HeadObject operation"
    assert missing.startswith(f'{start}  File "files.py", in download_and_extract: s3://{BUCKET}/nothing.tar.gz')
    assert missing.endswith(f"botocore.exceptions.ClientError: An error occurred (404) {operation}: Not Found, exit code: 1")
    assert denied.endswith(f"botocore.exceptions.ClientError: An error occurred (403) {operation}: Forbidden, exit code: 1")
    assert "tarfile.ReadError: not a gzip file" in broken


def test_a_missing_program_is_named_with_what_is_there(api: Api, aws: Aws) -> None:
    source = put_source(aws, "names", {"main.py": ""})

    reason = ran(api, script_job("names", source))["FailureReason"]

    assert (
        "the entry point 'train.py' (sagemaker_program) is not among the files of sagemaker_submit_directory: main.py" in reason
    )


def test_a_framework_image_without_a_program_says_what_is_missing(api: Api, aws: Aws) -> None:
    request = script_job("no-program", "s3://b/x.tar.gz")

    reason = ran(api, {**request, "HyperParameters": {}})["FailureReason"]

    assert "sagemaker_program" in reason
    assert reason.endswith("exit code: 1")


def test_program_and_directory_may_be_variables(api: Api, aws: Aws) -> None:
    source = put_source(aws, "variables", {"train.py": TRAIN, "helper.py": ""})
    request = script_job("variables", "s3://ignored/x.tar.gz", HyperParameters={"epochs": 1})
    environment = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}

    job = ran(api, {**request, "Environment": environment, "HyperParameters": {"epochs": "1"}})

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]


@pytest.mark.skipif(PYTORCH.is_installed, reason="says what is missing where PyTorch is not installed")
def test_a_framework_that_is_not_installed_is_named_with_its_remedy(api: Api, aws: Aws) -> None:
    source = put_source(aws, "no-framework", {"train.py": "import torch"})
    image = TENSORFLOW.replace("tensorflow", "pytorch")

    reason = ran(api, script_job("no-framework", source, image))["FailureReason"]

    assert "ModuleNotFoundError: No module named 'torch'" in reason
    assert 'ExtraInfo "PyTorch is not installed here: uv pip install torch installs it"' in reason


def test_a_launcher_that_is_not_there_is_refused(api: Api, aws: Aws) -> None:
    source = put_source(aws, "mpi", {"train.py": ""})

    reason = ran(api, script_job("mpi", source, TENSORFLOW, HyperParameters={"sagemaker_mpi_enabled": True}))["FailureReason"]

    assert "cannot distribute by MPI (sagemaker_mpi_enabled)" in reason


def test_xgboosts_image_runs_a_script_when_there_is_one(api: Api, aws: Aws) -> None:
    source = put_source(aws, "xgboost", {"train.py": "import xgboost; print('score=1')"})

    job = ran(api, script_job("xgboost-script", source, XGBOOST))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["FinalMetricDataList"][0]["Value"] == 1


def test_every_host_is_a_process_that_knows_the_others(api: Api, aws: Aws) -> None:
    text = """
        import json, os, pathlib
        host = os.environ["SM_CURRENT_HOST"]
        told = {name: os.environ[name] for name in ("SM_HOSTS", "CURRENT_HOST", "TF_CONFIG")}
        (pathlib.Path(os.environ["SM_MODEL_DIR"]) / host).write_text(json.dumps(told))
    """
    source = put_source(aws, "hosts", {"train.py": text})
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}
    mirrored = {"sagemaker_multi_worker_mirrored_strategy_enabled": True}

    job = ran(api, script_job("hosts", source, TENSORFLOW, HyperParameters=mirrored, ResourceConfig=resources))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    files = archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])
    first, second = (json.loads(files[host]) for host in ("algo-1", "algo-2"))
    assert first["SM_HOSTS"] == second["SM_HOSTS"] == '["algo-1","algo-2"]'
    assert (first["CURRENT_HOST"], second["CURRENT_HOST"]) == ("algo-1", "algo-2")
    configs = [json.loads(told["TF_CONFIG"]) for told in (first, second)]
    assert [config["task"] for config in configs] == [{"index": 0, "type": "worker"}, {"index": 1, "type": "worker"}]
    assert configs[0]["cluster"] == configs[1]["cluster"]
    assert len(set(configs[0]["cluster"]["worker"])) == 2


SLOW = """
    import os, pathlib, signal, sys, time
    def save(*_):
        (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.txt").write_text("saved")
        sys.exit(1)
    signal.signal(signal.SIGTERM, save)
    print("score=1", flush=True)
    time.sleep(600)
"""


def test_a_stopped_script_may_save_what_it_has(api: Api, aws: Aws) -> None:
    api.ok("CreateTrainingJob", **script_job("stopped", put_source(aws, "stopped", {"train.py": SLOW})))
    until_training(api, "stopped")
    wait_until(lambda: "score=1" in lines(aws, "stopped") or None)

    api.ok("StopTrainingJob", TrainingJobName="stopped")

    job = wait_until(lambda: api.ended_job("stopped"))
    assert job["TrainingJobStatus"] == "Stopped"
    assert archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"saved"}


def test_a_script_that_takes_too_long_is_stopped(api: Api, aws: Aws) -> None:
    begun = time.monotonic()

    job = ran(
        api,
        script_job("late", put_source(aws, "late", {"train.py": SLOW}), StoppingCondition={"MaxRuntimeInSeconds": 2}),
    )

    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert time.monotonic() - begun < 30


def test_the_image_of_another_task_has_no_such_program(api: Api, aws: Aws) -> None:
    image = SCIKIT_LEARN.replace("sagemaker-scikit-learn:1.2-1-cpu-py3", "tensorflow-inference:2.19.0-cpu")

    reason = ran(api, script_job("no-train", put_source(aws, "no-train", {"train.py": ""}), image))["FailureReason"]

    assert reason.startswith('AlgorithmError: exec: "train": executable file not found in $PATH')
    assert reason.endswith("exit code: 127")


CHECKPOINTS = """
    import argparse, pathlib
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoints", type=pathlib.Path)
    directory = parser.parse_args().checkpoints
    epoch = directory / "epochs" / "last.txt"
    begin = int(epoch.read_text()) if epoch.exists() else 0
    epoch.parent.mkdir(exist_ok=True)
    epoch.write_text(str(begin + 1))
    print(f"score={begin}")
    raise SystemExit(begin == 1)
"""


def test_checkpoints_are_restored_and_kept_even_of_a_job_that_fails(api: Api, aws: Aws) -> None:
    source = put_source(aws, "checkpoints", {"train.py": CHECKPOINTS})
    where: Json = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints/run/"}}
    given: Json = {"HyperParameters": {"checkpoints": "/opt/ml/checkpoints"}}

    jobs = [ran(api, script_job(f"checkpoints-{number}", source, **given, **where)) for number in range(3)]

    assert [job["FinalMetricDataList"][0]["Value"] for job in jobs] == [0, 1, 2]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Failed", "Completed"]
    assert aws.s3.get_object(Bucket=BUCKET, Key="checkpoints/run/epochs/last.txt")["Body"].read() == b"3"
    assert jobs[0]["CheckpointConfig"] == where["CheckpointConfig"]


def test_checkpoints_need_the_roles_permission(api: Api, aws: Aws) -> None:
    source = put_source(aws, "denied-checkpoints", {"train.py": CHECKPOINTS})
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    writing = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/no-writing/*"}
    reading = {
        "Effect": "Deny",
        "Action": "s3:ListBucket",
        "Resource": "*",
        "Condition": {"StringLike": {"s3:prefix": "no-list/*"}},
    }
    role = add_role(aws, "NoCheckpoints", everything, writing, reading)
    given: Json = {"HyperParameters": {"checkpoints": "/opt/ml/checkpoints"}, "RoleArn": role}

    jobs = {
        prefix: ran(api, script_job(prefix, source, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/{prefix}"}, **given))
        for prefix in ("no-writing", "no-list")
    }

    assert jobs["no-writing"]["FailureReason"] == "ClientError: Checkpoint upload failed:AccessDenied (403): Access Denied"
    assert jobs["no-list"]["FailureReason"].startswith(
        "ClientError: Data download failed:Failed to list the checkpoints in s3://"
    )


PRUNED = """
    import argparse, pathlib
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoints", type=pathlib.Path)
    directory = parser.parse_args().checkpoints
    (directory / "old.txt").unlink()
    (directory / "half.txt.sagemaker-ignore").write_text("not whole")
    (directory / "new.txt").write_text("new")
"""


def test_a_checkpoint_that_the_script_deletes_is_deleted_in_s3_with_the_roles_permission(api: Api, aws: Aws) -> None:
    source = put_source(aws, "pruning", {"train.py": PRUNED})
    kept = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"}
    given: Json = {"HyperParameters": {"checkpoints": "/opt/ml/checkpoints"}}
    reasons, left = {}, {}
    for name, role in (("pruned", ROLE), ("not-pruned", add_role(aws, "NoDeleting", kept))):
        aws.s3.put_object(Bucket=BUCKET, Key=f"{name}/old.txt", Body=b"old")
        where: Json = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/{name}/"}, "RoleArn": role}
        reasons[name] = ran(api, script_job(name, source, **given, **where)).get("FailureReason")
        left[name] = [item["Key"] for item in aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/")["Contents"]]

    assert reasons == {"pruned": None, "not-pruned": "ClientError: Checkpoint upload failed:AccessDenied (403): Access Denied"}
    assert left["pruned"] == ["pruned/new.txt"]
    assert "not-pruned/old.txt" in left["not-pruned"]


def test_checkpoints_outside_of_opt_ml_are_refused(api: Api) -> None:
    config = {"S3Uri": "s3://bucket-1/c", "LocalPath": "/tmp/checkpoints"}

    refused = api.refused("CreateTrainingJob", **script_job("elsewhere", "s3://b/x.tar.gz", CheckpointConfig=config))

    assert "must be below /opt/ml/" in refused.message
