"""The instances of a tuning job's training jobs, in the form that the SageMaker Python SDK sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator_tests.support import IMAGE, Api, Json
from sagemaker_emulator.aws import Place
from sagemaker_emulator.errors import ServiceError
from sagemaker_emulator.store import Document, Store
from sagemaker_emulator.tuning.requests import new_tuning_job

LARGE = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30}
XLARGE = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


def definition_of(store: Store, **changes: object) -> Document:
    """The TrainingJobDefinition that Describe shows."""
    training = Api.training_job("tuned")
    definition = {name: training[name] for name in ("RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition")}
    request: Json = {
        "HyperParameterTuningJobName": "tuning",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]},
        },
        "TrainingJobDefinition": {
            **definition,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "StaticHyperParameters": {"num_round": "1"},
            **changes,
        },
    }
    found: Document = new_tuning_job(Place("0" * 12, "us-east-1"), store, request, 0.0)["TrainingJobDefinition"]
    return found


def test_the_training_jobs_have_the_instances_of_the_tuning_job(store: Store) -> None:
    given = {**LARGE, "VolumeKmsKeyId": "key"}
    definition = definition_of(store, HyperParameterTuningResourceConfig=given)
    assert definition["ResourceConfig"] == given
    assert definition["HyperParameterTuningResourceConfig"] == given


def test_of_several_instance_types_the_first_is_taken(store: Store) -> None:
    given = {"AllocationStrategy": "Prioritized", "InstanceConfigs": [XLARGE, LARGE]}
    assert definition_of(store, HyperParameterTuningResourceConfig=given)["ResourceConfig"] == XLARGE


def test_both_forms_together_are_refused(store: Store) -> None:
    with pytest.raises(ServiceError, match="Either ResourceConfig or HyperParameterTuningResourceConfig, but not both"):
        definition_of(store, HyperParameterTuningResourceConfig=LARGE, ResourceConfig=XLARGE)
