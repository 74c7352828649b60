"""The training toolkit's rules: environment, command line, programs, requirements, failures, clusters."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sagemaker_emulator.engines import UnknownImage, engine_for
from sagemaker_emulator.engines.script import distribution
from sagemaker_emulator.engines.script.environment import TrainingEnvironment, read_environment
from sagemaker_emulator.engines.script.failures import ErrorCapture, Misconfigured, described, script_failed
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW, framework_of, missing_framework
from sagemaker_emulator.engines.script.program import Stopping, command, place_code, unmet
from sagemaker_emulator.engines.script.train import train, warn_unless_servable, with_model_dir
from sagemaker_emulator.training.layout import Layout
from sagemaker_emulator.training.source import is_scripted, source_uri

GROUP = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": ["algo-1", "algo-2"]}


def environment(root: Path, hyperparameters: Mapping[str, object] | None = None, host: str = "algo-1") -> TrainingEnvironment:
    """What the toolkit reads of a job with these hyperparameters."""
    job = {
        "HyperParameters": {name: json.dumps(value) for name, value in (hyperparameters or {}).items()},
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {}}, "ContentType": "text/csv"} for name in ("train", "test")
        ],
    }
    Layout(root).prepare(job, host)
    container = {"TRAINING_JOB_NAME": "job-1", "SAGEMAKER_TRAINING_MODULE": TENSORFLOW.module, "AWS_REGION": "eu-west-1"}
    return read_environment(root, container)


SDK = {
    "sagemaker_program": "train.py",
    "sagemaker_submit_directory": "s3://b/p/sourcedir.tar.gz",
    "sagemaker_container_log_level": 20,
    "sagemaker_job_name": "job-1",
    "sagemaker_region": "us-east-1",
    "sagemaker_parameter_server_enabled": True,
    "epochs": 5,
    "learning-rate": 0.001,
    "name": "a b",
    "nothing": None,
}


def test_every_variable_of_the_toolkit(tmp_path: Path) -> None:
    variables = environment(tmp_path, SDK).variables()

    training_env = json.loads(variables.pop("SM_TRAINING_ENV"))
    assert json.loads(variables.pop("SM_RESOURCE_CONFIG"))["current_host"] == "algo-1"
    assert json.loads(variables.pop("SM_INPUT_DATA_CONFIG"))["train"]["ContentType"] == "text/csv"
    assert variables.pop("SM_NETWORK_INTERFACE_NAME") == "lo"
    assert variables == {
        "SM_MODEL_DIR": f"{tmp_path}/model",
        "SM_INPUT_DIR": f"{tmp_path}/input",
        "SM_INPUT_CONFIG_DIR": f"{tmp_path}/input/config",
        "SM_OUTPUT_DIR": f"{tmp_path}/output",
        "SM_OUTPUT_DATA_DIR": f"{tmp_path}/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": f"{tmp_path}/output/intermediate",
        "SM_CHANNELS": '["test","train"]',
        "SM_CHANNEL_TRAIN": f"{tmp_path}/input/data/train",
        "SM_CHANNEL_TEST": f"{tmp_path}/input/data/test",
        "SM_HPS": '{"epochs":5,"learning-rate":0.001,"name":"a b","nothing":null}',
        "SM_HP_EPOCHS": "5",
        "SM_HP_LEARNING-RATE": "0.001",
        "SM_HP_NAME": "a b",
        "SM_HP_NOTHING": "",
        "SM_USER_ARGS": '["--epochs","5","--learning-rate","0.001","--name","a b","--nothing",""]',
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://b/p/sourcedir.tar.gz",
        "SM_HOSTS": '["algo-1","algo-2"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.xlarge",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1","algo-2"]',
        "SM_INSTANCE_GROUPS": '["homogeneousCluster"]',
        "SM_INSTANCE_GROUPS_DICT": json.dumps({"homogeneousCluster": GROUP}, sort_keys=True, separators=(",", ":")),
        "SM_DISTRIBUTION_INSTANCE_GROUPS": '["homogeneousCluster"]',
        "SM_IS_HETERO": "false",
        "SM_NUM_CPUS": str(os.cpu_count()),
        "SM_NUM_GPUS": "0",
        "SM_NUM_NEURONS": "0",
        "SM_FRAMEWORK_PARAMS": '{"sagemaker_parameter_server_enabled":true}',
        "SM_LOG_LEVEL": "20",
        "SM_FRAMEWORK_MODULE": "sagemaker_tensorflow_container.training:main",
        "CURRENT_HOST": "algo-1",
        "SAGEMAKER_REGION": "us-east-1",
        "SAGEMAKER_JOB_NAME": "job-1",
    }
    assert training_env["hyperparameters"] == {"epochs": 5, "learning-rate": 0.001, "name": "a b", "nothing": None}
    assert training_env["is_master"]
    assert training_env["master_hostname"] == "algo-1"
    assert training_env["job_name"] == "job-1"


def test_the_second_host_is_not_the_master(tmp_path: Path) -> None:
    training_env = json.loads(environment(tmp_path, host="algo-2").variables()["SM_TRAINING_ENV"])

    assert (training_env["is_master"], training_env["current_host"]) == (False, "algo-2")


@pytest.mark.parametrize(
    ("hyperparameters", "arguments"),
    [
        ({"b": 1, "a-long": "x"}, ["--a-long", "x", "-b", "1"]),
        ({"flag": True, "other": False}, ["--flag", "True", "--other", "False"]),
        ({"layers": [1, 2]}, ["--layers", "[1, 2]"]),
        ({"map": {"b": 2, "a": 1}}, ["--map", "a=1,b=2"]),
        ({"nothing": None}, ["--nothing", ""]),
        ({"ratio": 1e-05, "big": 1.0}, ["--big", "1.0", "--ratio", "1e-05"]),
        ({"sagemaker_anything": 1, "_tuning_objective_metric": "m", "epochs": 1}, ["--epochs", "1"]),
    ],
)
def test_the_command_line(tmp_path: Path, hyperparameters: dict[str, object], arguments: list[str]) -> None:
    assert environment(tmp_path, hyperparameters).arguments() == arguments


def test_a_value_that_is_not_json_is_a_text(tmp_path: Path) -> None:
    environment(tmp_path)
    (tmp_path / "input" / "config" / "hyperparameters.json").write_text('{"mode": "fast", "count": "3"}')

    assert read_environment(tmp_path, {}).hyperparameters == {"mode": "fast", "count": 3}


def test_paths_of_the_container_become_paths_here(tmp_path: Path) -> None:
    given = {"model_dir": "/opt/ml/model", "other": "/opt/mlops", "sagemaker_submit_directory": "/opt/ml/input/data/code"}

    found = environment(tmp_path, given)

    assert found.hyperparameters == {"model_dir": f"{tmp_path}/model", "other": "/opt/mlops"}
    assert found.module_dir == f"{tmp_path}/input/data/code"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("s3://b/job-1/model", "s3://b/job-1/model/job-1/model"), ("/opt/ml/model", "{root}/model")],
)
def test_the_jobs_of_a_tuning_job_do_not_share_a_model_dir(tmp_path: Path, given: str, expected: str) -> None:
    tuned = environment(tmp_path, {"model_dir": given, "_tuning_objective_metric": "score"})
    alone = environment(tmp_path, {"model_dir": given})

    assert with_model_dir(tuned).hyperparameters["model_dir"] == expected.format(root=tmp_path)
    assert with_model_dir(alone).hyperparameters["model_dir"] == given.replace("/opt/ml", str(tmp_path))


def test_programs_by_their_kind(tmp_path: Path) -> None:
    assert command(tmp_path, "train.py", ["--a", "b c"]) == [sys.executable, "train.py", "--a", "b c"]
    assert command(tmp_path, "train.sh", ["--a", "b c"]) == ["/bin/sh", "-c", "./train.sh --a 'b c'"]
    (tmp_path / "setup.py").touch()
    assert command(tmp_path, "train.py", ["-a", "1"]) == [sys.executable, "-m", "train", "-a", "1"]


def test_code_that_came_by_a_channel(tmp_path: Path) -> None:
    channel, code = tmp_path / "channel", tmp_path / "code"
    (channel / "package").mkdir(parents=True)
    (channel / "package" / "train.py").touch()
    code.mkdir()

    place_code(str(channel), code)

    assert (code / "package" / "train.py").exists()
    place_code(str(tmp_path / "missing"), code)  # there is code already
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misconfigured, match="which is not there"):
        place_code(str(tmp_path / "missing"), tmp_path / "empty")


def test_only_what_is_not_installed_is_unmet() -> None:
    lines = ["numpy", "NumPy>=1.20  # arrays", "", "# comment", "numpy==0.1", "surely-not-a-package", "-r other.txt"]
    lines.append("pywin32; sys_platform == 'win32'")

    assert unmet("\n".join(lines)) == ["numpy==0.1", "surely-not-a-package", "-r other.txt"]


def captured(*lines: str) -> str:
    capture = ErrorCapture()
    for line in lines:
        capture.feed(f"{line}\n")
    return capture.text


def test_the_error_message_begins_with_the_exception() -> None:
    trace = ("Traceback (most recent call last):", '  File "train.py", line 3, in <module>', "    raise ValueError(text)")

    assert captured("epoch 1", *trace, "ValueError: bad label") == "ValueError: bad label"
    assert captured(*trace, "my.module.CustomError: a", "second line") == "my.module.CustomError: a\n second line"
    assert captured("ERROR:root:KeyError: 'x'") == "ERROR:root:KeyError: 'x'"
    assert captured("train.py: error: unrecognized arguments: --x") == "train.py: error: unrecognized arguments: --x"
    assert captured("all is well", "mean squared error: 0.5") == ""
    assert len(captured(*(f"ValueError: {number}" for number in range(1000))).splitlines()) == 100


@pytest.mark.parametrize(
    ("status", "message", "text"),
    [
        (1, "ValueError: x", 'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: x"\nCommand "python train.py"'),
        (3, "", 'ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\nCommand "python train.py"'),
        (
            -9,
            "",
            'ExecuteUserScriptError:\nExitCode 137\nErrorMessage ""\n'
            'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"\nCommand "python train.py"',
        ),
        (-11, "", 'ExecuteUserScriptError:\nExitCode 139\nErrorMessage ""\nCommand "python train.py"'),
    ],
)
def test_failure_texts(status: int, message: str, text: str) -> None:
    failure = described(script_failed("ExecuteUserScriptError", status, message, "python train.py"))

    assert failure.text == text
    assert failure.exit_status == (status if status > 0 else 128 - status)


def test_an_error_of_the_toolkit_itself() -> None:
    assert described(Misconfigured("no script")).text == "Framework Error: \nno script"
    assert described(OSError("disk full")).text == "Framework Error: \nOSError: disk full"


def test_a_job_without_a_program(tmp_path: Path) -> None:
    environment(tmp_path)

    with pytest.raises(Misconfigured, match="sagemaker_program"):
        train(tmp_path, {}, Stopping())


@pytest.mark.parametrize(
    ("parameter", "title"),
    [
        ("sagemaker_mpi_enabled", "MPI"),
        ("sagemaker_distributed_dataparallel_enabled", "distributed data parallel"),
        ("sagemaker_torch_distributed_enabled", "torchrun"),
    ],
)
def test_launchers_that_are_refused(tmp_path: Path, parameter: str, title: str) -> None:
    with pytest.raises(Misconfigured, match=title):
        distribution.check_distribution(environment(tmp_path, {parameter: True}))

    distribution.check_distribution(environment(tmp_path, {parameter: False}))


FOUND = {"worker": ["h:1", "h:2", "h:3"], "ps": ["h:4", "h:5", "h:6"]}
HOSTS = ["algo-1", "algo-2", "algo-3"]


def test_the_cluster_of_multi_worker_mirrored_strategy() -> None:
    assert distribution.mirrored_config(HOSTS, "algo-3", FOUND) == {
        "cluster": {"worker": ["h:1", "h:2", "h:3"]},
        "environment": "cloud",
        "task": {"index": 2, "type": "worker"},
    }


def test_the_cluster_of_parameter_servers() -> None:
    cluster = {"master": ["h:1"], "ps": ["h:4", "h:5", "h:6"], "worker": ["h:2", "h:3"]}

    first = distribution.parameter_server_config(HOSTS, "algo-1", FOUND)
    third = distribution.parameter_server_config(HOSTS, "algo-3", FOUND)

    assert first == {"cluster": cluster, "environment": "cloud", "task": {"index": 0, "type": "master"}}
    assert third["task"] == {"index": 1, "type": "worker"}


def test_all_hosts_read_the_first_ones_addresses(tmp_path: Path) -> None:
    first, second = (environment(tmp_path / host, host=host) for host in ("algo-1", "algo-2"))

    found = distribution.addresses(first, tmp_path)

    assert distribution.addresses(second, tmp_path) == found
    assert len({*found["worker"], *found["ps"]}) == 4
    assert all(address.startswith("127.0.0.1:") for address in found["worker"])


@pytest.mark.parametrize(
    ("files", "warning"),
    [
        ([], "No model artifact is saved under path"),
        (["model.h5"], "was not saved in the TensorFlow SavedModel directory structure"),
        (["latest/saved_model.pb"], 'The SavedModel bundle is under directory "latest", not a numeric name.'),
        (["1/saved_model.pb"], None),
    ],
)
def test_models_that_serving_can_not_load(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, files: list[str], warning: str | None
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()

    with caplog.at_level(logging.WARNING):
        warn_unless_servable(tmp_path)

    assert (warning in caplog.text) if warning else not caplog.text


REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "scripted", "module"),
    [
        ("tensorflow-training:2.19.0-cpu-py312", True, "script.train"),
        ("tensorflow-training:2.19.0-gpu-py312-cu125-ubuntu22.04-sagemaker", True, "script.train"),
        ("tensorflow-inference:2.1.0-cpu", False, "shell.absent"),
        ("pytorch-training:2.8.0-cpu-py312", True, "script.train"),
        ("sagemaker-scikit-learn:1.4-2-cpu-py3", True, "script.train"),
        ("sagemaker-scikit-learn:0.23-1-cpu-py3", False, "script.train"),
        ("sagemaker-xgboost:1.7-1", True, "script.train"),
        ("sagemaker-xgboost:3.2-0", True, "script.train"),
        ("sagemaker-xgboost:3.2-0", False, "xgboost.train"),
        ("sagemaker-xgboost:1.7-1", False, "xgboost.train"),
        ("sagemaker-xgboost:0.90-2-cpu-py3", True, "script.train"),
        ("sagemaker-xgboost:0.90-2-cpu-py3", False, "xgboost.train"),
        ("xgboost:1", False, "xgboost.train"),
        ("xgboost:latest", False, "xgboost.train"),
        ("blazingtext:latest", False, "blazingtext.train"),
    ],
)
def test_images_by_what_they_run(image: str, scripted: bool, module: str) -> None:
    engine = engine_for(f"{REGISTRY}/{image}", scripted=scripted)

    assert engine.train_module == f"sagemaker_emulator.engines.{module}"
    assert (framework_of(dict(engine.environment).get("SAGEMAKER_TRAINING_MODULE", "")) is not None) == engine.runs_scripts


@pytest.mark.parametrize(
    ("image", "scripted"),
    [
        ("sagemaker-xgboost:1.6-1", False),
        ("xgboost:1", True),
        ("tensorflow-training:latest", True),
        ("mxnet-training:1.9.0-cpu-py38", True),
    ],
)
def test_images_that_nothing_runs(image: str, scripted: bool) -> None:
    with pytest.raises(UnknownImage, match="tensorflow-training"):
        engine_for(f"{REGISTRY}/{image}", scripted=scripted)


def test_where_the_code_is() -> None:
    assert source_uri({"sagemaker_submit_directory": '"s3://b/k.tar.gz"'}, {}) == "s3://b/k.tar.gz"
    assert source_uri({"sagemaker_submit_directory": "s3://b/k.tar.gz"}, {}) == "s3://b/k.tar.gz"
    assert (
        source_uri({"sagemaker_submit_directory": '"s3://b/old"'}, {"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/new"}) == "s3://b/new"
    )
    assert source_uri({"sagemaker_submit_directory": '"/opt/ml/input/data/code"'}, {}) is None
    assert source_uri({}, {}) is None
    assert is_scripted({"sagemaker_program": '"train.py"'}, {})
    assert is_scripted({}, {"SAGEMAKER_PROGRAM": "train.py"})
    assert not is_scripted({"num_round": "1"}, {})


@pytest.mark.parametrize("package", ["tensorflow", "keras"])
def test_a_script_that_imports_what_comes_with_a_missing_framework_is_told_which(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert missing_framework(f"ModuleNotFoundError: No module named '{package}'") is TENSORFLOW
    assert missing_framework("ModuleNotFoundError: No module named 'kerastuner'") is None
