"""The training toolkit's view of a job, and the emulator's."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import pytest

from sagemaker_emulator.engines.script.environment import read_environment

CHANNEL = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
HYPERPARAMETERS = {
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://bucket/sourcedir.tar.gz"',
    "sagemaker_container_log_level": "20",
    "sagemaker_job_name": '"job-1"',
    "sagemaker_region": '"eu-west-1"',
    "sagemaker_parameter_server_enabled": "false",
    "epochs": "5",
    "learning-rate": "0.001",
    "n": "3",
    "name": "adam",
    "quoted": '"text"',
    "nothing": "null",
    "flag": "true",
    "sizes": "[1, 2]",
    "options": '{"b": 2, "a": 1}',
    "path": "/somewhere/else",
}
HOSTS = {
    "one": {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "network_interface_name": "eth0",
    },
    "two": {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "network_interface_name": "eth0",
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge", "hosts": ["algo-1", "algo-2"]}
        ],
    },
}


# Which the toolkit sets in its own environment.
BESIDE = ("CURRENT_HOST", "SAGEMAKER_REGION", "SAGEMAKER_JOB_NAME")


@pytest.mark.parametrize("hosts", HOSTS)
def test_a_script_is_told_the_same(opt_ml: Path, monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    config = opt_ml / "input" / "config"
    for name, document in (
        ("hyperparameters", HYPERPARAMETERS),
        ("inputdataconfig", {"train": CHANNEL, "validation": CHANNEL}),
        ("resourceconfig", HOSTS[hosts]),
    ):
        (config / f"{name}.json").write_text(json.dumps(document))
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-1")
    monkeypatch.setenv("SAGEMAKER_TRAINING_MODULE", "sagemaker_sklearn_container.training:main")

    for name in BESIDE:
        monkeypatch.setenv(name, "to be set")

    theirs = importlib.import_module("sagemaker_training.environment").Environment()
    ours = read_environment(opt_ml, os.environ)

    assert ours.arguments() == theirs.to_cmd_args()
    told, expected = ours.variables(), theirs.to_env_vars() | {name: os.environ[name] for name in BESIDE}
    differing = {
        name: (told.get(name), expected.get(name))
        for name in {*told, *expected} - {"SM_TRAINING_ENV"}
        if told.get(name) != expected.get(name)
    }
    assert differing == {}
    assert json.loads(told["SM_TRAINING_ENV"]) == json.loads(expected["SM_TRAINING_ENV"])
