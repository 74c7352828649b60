"""Linear learner and k-NN from CreateTrainingJob to an answer of their endpoint, each program in its own process."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.datasets import load_iris

from emulator_tests.first_party import RECORDIO
from emulator_tests.recordio import write_dense
from emulator_tests.support import BUCKET, Api, Json, wait_until
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.shell.arrays import FloatArray

REGISTRY = "174872318107.dkr.ecr.us-west-2.amazonaws.com"
LINEAR = {"predictor_type": "multiclass_classifier", "num_classes": "3", "feature_dim": "4", "mini_batch_size": "10"}
KNN = {"k": "5", "sample_size": "150", "feature_dim": "4", "predictor_type": "classifier"}


@pytest.fixture(scope="module")
def rows(aws: Aws) -> FloatArray:
    """Iris, in two files below ``iris/train/``."""
    features, labels = load_iris(return_X_y=True)
    features, labels = features.astype(np.float32), labels.astype(np.float32)
    for part in range(2):
        body = write_dense(features[part::2], labels[part::2])
        aws.s3.put_object(Bucket=BUCKET, Key=f"iris/train/part-{part}", Body=body)
    stored: FloatArray = features
    return stored


def run(api: Api, name: str, image: str, hyperparameters: dict[str, str], channels: list[Json], *, hosts: int = 1) -> Json:
    changes = {
        "AlgorithmSpecification": {"TrainingImage": f"{REGISTRY}/{image}", "TrainingInputMode": "File"},
        "HyperParameters": hyperparameters,
        "InputDataConfig": channels,
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": hosts, "VolumeSizeInGB": 10},
    }
    api.ok("CreateTrainingJob", **api.training_job(name, **changes))
    return wait_until(lambda: api.ended_job(name))


@pytest.mark.parametrize(
    ("image", "hyperparameters", "metric"),
    [
        ("linear-learner:1", LINEAR, "validation:multiclass_accuracy"),
        ("knn:1", KNN, "test:accuracy"),
    ],
)
def test_from_a_training_job_to_a_prediction(
    api: Api, rows: FloatArray, image: str, hyperparameters: dict[str, str], metric: str
) -> None:
    name, second = image.partition(":")[0], metric.partition(":")[0]
    train = {**api.channel("train", "iris/train/", RECORDIO, distribution="ShardedByS3Key"), "InputMode": "FastFile"}

    job = run(api, name, image, hyperparameters, [train, api.channel(second, "iris/train/", RECORDIO)], hosts=2)

    assert job["TrainingJobStatus"] == "Completed", job
    metrics = {entry["MetricName"]: entry["Value"] for entry in job["FinalMetricDataList"]}
    assert metrics[metric] > 0.93
    api.ok("CreateModel", **api.model(name, job["ModelArtifacts"]["S3ModelArtifacts"], f"{REGISTRY}/{image}"))
    config = api.endpoint_config(f"{name}-config", api.variant("one", name))
    started = time.monotonic()
    api.endpoint_in_service(name, config)
    assert time.monotonic() - started < 3
    body, headers = api.invoke(name, write_dense(rows[:1]), content_type=RECORDIO)
    assert headers["content-type"] == "application/json"
    assert b'"predicted_label": 0' in body


@pytest.mark.parametrize(
    ("hyperparameters", "content_type", "reason"),
    [
        (
            {key: value for key, value in KNN.items() if key != "k"},
            RECORDIO,
            "ClientError: No value(s) were specified for 'k' which are required hyperparameter(s) (caused by ValidationError)\n\n"
            "Caused by: 'k' is a required property, exit code: 2",
        ),
        (
            KNN,
            "text/csv",
            "ClientError: Unable to read data channel 'train'. Requested content-type is 'text/csv'. "
            "Please verify the data matches the requested content-type. (caused by MXNetError)",
        ),
    ],
)
def test_a_failure_is_the_customers(
    api: Api, rows: FloatArray, hyperparameters: dict[str, str], content_type: str, reason: str
) -> None:
    assert len(rows) == 150

    job = run(
        api, f"failing-with-{len(hyperparameters)}", "knn:1", hyperparameters, [api.channel("train", "iris/train/", content_type)]
    )

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
