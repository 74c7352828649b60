"""Where moto's tests and the emulator differ, and who is right."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """Why a test of moto's fails: ``moto``, where it has what SageMaker has not, or ``kept``, where the emulator lacks something
    or nobody knows SageMaker's own words."""

    side: str
    why: str


_DEFAULTS = "a description has the defaults of what was left out"
_ENUM = "the message names the path of the member, and the values as the model has them"
_WITHIN = "of transform jobs it is not known that SageMaker filters within the page, as it does of training jobs and models"
DIFFERENCES = {
    "test_create_endpoint_config": Difference("moto", f"{_DEFAULTS}: InitialVariantWeight"),
    "test_create_endpoint_config_serverless": Difference("moto", f"{_DEFAULTS}: InitialVariantWeight"),
    "test_create_endpoint_config_async": Difference("moto", f"{_DEFAULTS}: InitialVariantWeight"),
    "test_create_endpoint_invalid_instance_type": Difference("moto", _ENUM),
    "test_create_endpoint_invalid_memory_size": Difference("kept", "the message names the variant; SageMaker's is not known"),
    "test_list_tags_endpoint": Difference("moto", "a request adds at most 50 tags, and a resource has no more"),
    "test_update_endpoint_weights_and_capacities_should_throw_clienterror_no_endpoint": Difference(
        "moto", "names in ARNs are in lower case"
    ),
    "test_create_training_job": Difference("moto", f"{_DEFAULTS}: KmsKeyId and CompressionType of OutputDataConfig"),
    "test_list_training_jobs_should_validate_input": Difference("moto", _ENUM),
    "test_describe_unknown_training_job": Difference("moto", "the message is 'Requested resource not found.'"),
    "test_create_transform_job": Difference("kept", "DataCaptureConfig of a transform job is refused: nothing captures"),
    "test_list_transform_jobs_should_validate_input": Difference("moto", _ENUM),
    "test_list_transform_jobs_paginated_with_target_in_middle": Difference("kept", _WITHIN),
    "test_list_transform_jobs_paginated_with_fragmented_targets": Difference("kept", _WITHIN),
    "test_describe_unknown_transform_job": Difference("moto", "the message is 'Could not find requested job with name: unknown'"),
    "test_describe_hyper_parameter_tuning_job_defaults": Difference(
        "moto", "a tuning job without a search is refused, and has the trials that it ran: moto makes them up"
    ),
    "test_describe_hyper_parameter_tuning_job": Difference(
        "moto", "ranges from 'string' to 'string' are refused, and much else that moto takes and gives back"
    ),
}
