"""The operations that the service knows, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

from sagemaker_emulator import tagging
from sagemaker_emulator.call import Call
from sagemaker_emulator.hosting import configs, endpoints, models
from sagemaker_emulator.hosting.deployments import Deployments
from sagemaker_emulator.registry import groups, packages, updates
from sagemaker_emulator.store import Document
from sagemaker_emulator.training import operations as training
from sagemaker_emulator.training.jobs import TrainingJobs
from sagemaker_emulator.transform import operations as transform
from sagemaker_emulator.transform.jobs import TransformJobs
from sagemaker_emulator.tuning import operations as tuning
from sagemaker_emulator.tuning.jobs import TuningJobs

Operations: TypeAlias = Mapping[str, Callable[[Call], Document]]


def operations(
    training_jobs: TrainingJobs, tuning_jobs: TuningJobs, transform_jobs: TransformJobs, deployments: Deployments
) -> Operations:
    """All of them, those that start or stop something with who does it."""
    return {
        "AddTags": tagging.add_tags,
        "BatchDescribeModelPackage": packages.batch_describe_model_package,
        "CreateEndpoint": partial(endpoints.create_endpoint, deployments),
        "CreateEndpointConfig": configs.create_endpoint_config,
        "CreateHyperParameterTuningJob": partial(tuning.create_tuning_job, tuning_jobs),
        "CreateModel": models.create_model,
        "CreateModelPackage": packages.create_model_package,
        "CreateModelPackageGroup": groups.create_model_package_group,
        "CreateTrainingJob": partial(training.create_training_job, training_jobs),
        "CreateTransformJob": partial(transform.create_transform_job, transform_jobs),
        "DeleteEndpoint": partial(endpoints.delete_endpoint, deployments),
        "DeleteEndpointConfig": configs.delete_endpoint_config,
        "DeleteHyperParameterTuningJob": tuning.delete_tuning_job,
        "DeleteModel": models.delete_model,
        "DeleteModelPackage": packages.delete_model_package,
        "DeleteModelPackageGroup": groups.delete_model_package_group,
        "DeleteTags": tagging.delete_tags,
        "DeleteTrainingJob": training.delete_training_job,
        "DescribeEndpoint": endpoints.describe_endpoint,
        "DescribeEndpointConfig": configs.describe_endpoint_config,
        "DescribeHyperParameterTuningJob": tuning.describe_tuning_job,
        "DescribeModel": models.describe_model,
        "DescribeModelPackage": packages.describe_model_package,
        "DescribeModelPackageGroup": groups.describe_model_package_group,
        "DescribeTrainingJob": training.describe_training_job,
        "DescribeTransformJob": transform.describe_transform_job,
        "ListEndpointConfigs": configs.list_endpoint_configs,
        "ListEndpoints": endpoints.list_endpoints,
        "ListHyperParameterTuningJobs": tuning.list_tuning_jobs,
        "ListModelPackageGroups": groups.list_model_package_groups,
        "ListModelPackages": packages.list_model_packages,
        "ListModels": models.list_models,
        "ListTags": tagging.list_tags,
        "ListTrainingJobs": training.list_training_jobs,
        "ListTrainingJobsForHyperParameterTuningJob": tuning.list_trials,
        "ListTransformJobs": transform.list_transform_jobs,
        "StopHyperParameterTuningJob": partial(tuning.stop_tuning_job, tuning_jobs),
        "StopTrainingJob": partial(training.stop_training_job, training_jobs),
        "StopTransformJob": partial(transform.stop_transform_job, transform_jobs),
        "UpdateEndpoint": partial(endpoints.update_endpoint, deployments),
        "UpdateEndpointWeightsAndCapacities": partial(endpoints.update_endpoint_weights_and_capacities, deployments),
        "UpdateModelPackage": updates.update_model_package,
    }
