"""The operations that the service knows, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagemaker_emulator import tagging
from sagemaker_emulator.call import Call
from sagemaker_emulator.hosting import configs, endpoints, models
from sagemaker_emulator.store import Document
from sagemaker_emulator.training import operations as training
from sagemaker_emulator.transform import operations as transform
from sagemaker_emulator.tuning import operations as tuning

Operation = Callable[[Call], Document]

OPERATIONS: Mapping[str, Operation] = {
    "AddTags": tagging.add_tags,
    "CreateEndpoint": endpoints.create_endpoint,
    "CreateEndpointConfig": configs.create_endpoint_config,
    "CreateHyperParameterTuningJob": tuning.create_tuning_job,
    "CreateModel": models.create_model,
    "CreateTrainingJob": training.create_training_job,
    "CreateTransformJob": transform.create_transform_job,
    "DeleteEndpoint": endpoints.delete_endpoint,
    "DeleteEndpointConfig": configs.delete_endpoint_config,
    "DeleteHyperParameterTuningJob": tuning.delete_tuning_job,
    "DeleteModel": models.delete_model,
    "DeleteTags": tagging.delete_tags,
    "DeleteTrainingJob": training.delete_training_job,
    "DescribeEndpoint": endpoints.describe_endpoint,
    "DescribeEndpointConfig": configs.describe_endpoint_config,
    "DescribeHyperParameterTuningJob": tuning.describe_tuning_job,
    "DescribeModel": models.describe_model,
    "DescribeTrainingJob": training.describe_training_job,
    "DescribeTransformJob": transform.describe_transform_job,
    "ListEndpointConfigs": configs.list_endpoint_configs,
    "ListEndpoints": endpoints.list_endpoints,
    "ListHyperParameterTuningJobs": tuning.list_tuning_jobs,
    "ListModels": models.list_models,
    "ListTags": tagging.list_tags,
    "ListTrainingJobs": training.list_training_jobs,
    "ListTrainingJobsForHyperParameterTuningJob": tuning.list_trials,
    "ListTransformJobs": transform.list_transform_jobs,
    "StopHyperParameterTuningJob": tuning.stop_tuning_job,
    "StopTrainingJob": training.stop_training_job,
    "StopTransformJob": transform.stop_transform_job,
    "UpdateEndpoint": endpoints.update_endpoint,
    "UpdateEndpointWeightsAndCapacities": endpoints.update_endpoint_weights_and_capacities,
}
