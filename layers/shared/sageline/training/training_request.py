"""Arguments of CreateTrainingJob, and what they share with CreateHyperParameterTuningJob."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sageline.aws.tags import tags
from sageline.spec.training import InputMode

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        AlgorithmSpecificationTypeDef,
        ChannelTypeDef,
        CreateTrainingJobRequestTypeDef,
        MetricDefinitionTypeDef,
        OutputDataConfigTypeDef,
        ResourceConfigTypeDef,
        StoppingConditionTypeDef,
    )

_SMALLEST_VOLUME_GB = 30
SPOT_PATIENCE_SECONDS = 3600
CHECKPOINT_PATH = "/opt/ml/checkpoints"
"""Where a container keeps its checkpoints: SageMaker's own default."""


@dataclass(frozen=True, kw_only=True)
class InputChannel:
    """An input of a training job: the S3 prefix of its parts.

    ``content_type`` is None where the algorithm does not ask for one. A ``sharded`` channel is dealt out to the instances, part
    by part; any other goes to each of them whole. In the mode ``File`` it is copied there first.
    """

    uri: str
    content_type: str | None
    sharded: bool = False
    mode: InputMode = "File"


@dataclass(frozen=True, kw_only=True)
class TrainingWork:
    """What a training job does, whoever chooses its hyperparameters.

    Args:
        image_uri: the container.
        isolated: no calls out of the container, but to its peers, and no credentials in it.
        channels: by name.
        data_bytes: what the channels take of an instance's volume, which has room for twice as much.
        output_uri: S3 prefix below which SageMaker puts ``<job>/output/model.tar.gz``.
        spot: use spare capacity, and wait for it up to an hour.
        checkpoints_uri: S3 prefix that SageMaker keeps in step with CHECKPOINT_PATH; None for a job that keeps no checkpoints.
        longest_spot_wait_seconds: SageMaker's limit for waiting and running together, for algorithms that keep no checkpoints.
        metrics: metric name to the regular expression that finds it in the log; SageMaker knows those of its own algorithms.
    """

    image_uri: str
    role_arn: str
    isolated: bool = True
    channels: Mapping[str, InputChannel]
    data_bytes: int
    output_uri: str
    instance_type: str
    instance_count: int
    max_runtime_seconds: int
    spot: bool = False
    checkpoints_uri: str | None = None
    longest_spot_wait_seconds: int | None = None
    metrics: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def training_job_request(
    work: TrainingWork, *, run_id: str, stack_name: str, hyperparameters: Mapping[str, str]
) -> CreateTrainingJobRequestTypeDef:
    """A training job, named by its run."""
    request: CreateTrainingJobRequestTypeDef = {
        "TrainingJobName": run_id,
        "AlgorithmSpecification": algorithm_specification(work),
        "RoleArn": work.role_arn,
        "HyperParameters": dict(hyperparameters),
        "InputDataConfig": input_data_config(work),
        "OutputDataConfig": output_data_config(work),
        "ResourceConfig": resource_config(work),
        "StoppingCondition": stopping_condition(work),
        "EnableManagedSpotTraining": work.spot,
        "EnableNetworkIsolation": work.isolated,
        "Tags": tags(stack_name, run_id),
    }
    if work.checkpoints_uri is not None:
        request["CheckpointConfig"] = {"S3Uri": work.checkpoints_uri, "LocalPath": CHECKPOINT_PATH}
    if work.environment:
        request["Environment"] = dict(work.environment)
    return request


def algorithm_specification(work: TrainingWork) -> AlgorithmSpecificationTypeDef:
    specification: AlgorithmSpecificationTypeDef = {"TrainingImage": work.image_uri, "TrainingInputMode": "File"}
    if work.metrics:
        specification["MetricDefinitions"] = metric_definitions(work)
    return specification


def metric_definitions(work: TrainingWork) -> list[MetricDefinitionTypeDef]:
    return [{"Name": name, "Regex": expression} for name, expression in sorted(work.metrics.items())]


def input_data_config(work: TrainingWork) -> list[ChannelTypeDef]:
    return [_channel(name, channel) for name, channel in sorted(work.channels.items())]


def output_data_config(work: TrainingWork) -> OutputDataConfigTypeDef:
    return {"S3OutputPath": work.output_uri}


def resource_config(work: TrainingWork) -> ResourceConfigTypeDef:
    return {
        "InstanceType": work.instance_type,  # type: ignore[typeddict-item]  # new types come faster than stubs list them
        "InstanceCount": work.instance_count,
        "VolumeSizeInGB": max(_SMALLEST_VOLUME_GB, 10 + math.ceil(2 * work.data_bytes / 1e9)),
    }


def stopping_condition(work: TrainingWork) -> StoppingConditionTypeDef:
    stopping: StoppingConditionTypeDef = {"MaxRuntimeInSeconds": work.max_runtime_seconds}
    if work.spot:
        wait = work.max_runtime_seconds + SPOT_PATIENCE_SECONDS
        stopping["MaxWaitTimeInSeconds"] = min(wait, work.longest_spot_wait_seconds or wait)
    return stopping


def _channel(name: str, channel: InputChannel) -> ChannelTypeDef:
    request: ChannelTypeDef = {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": channel.uri,
                "S3DataDistributionType": "ShardedByS3Key" if channel.sharded else "FullyReplicated",
            }
        },
        "CompressionType": "None",
        "InputMode": channel.mode,
    }
    if channel.content_type is not None:
        request["ContentType"] = channel.content_type
    return request
