"""Every request is checked against the model of the API that botocore ships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from sageline.batch.transform_request import transform_job_request
from sageline.deployment.requests import (
    OnDemand,
    OnInstances,
    create_endpoint_request,
    endpoint_config_request,
    production_variant,
    update_endpoint_request,
)
from sageline.models.model_request import model_request
from sageline.names import tuning_job_name
from sageline.runs.payloads import SplitType
from sageline.training.training_request import InputChannel, TrainingWork, training_job_request
from sageline.training.tuning_request import NumberRange, Search, tuning_job_request

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        CreateTransformJobRequestTypeDef,
        ProductionVariantTypeDef,
    )

RUN_ID = "flowers-20261120100000-0a1b2c"
CONTENT_TYPES = frozenset(
    {"text/csv", "text/libsvm", "text/x-libsvm", "application/x-parquet", "application/x-recordio-protobuf"}
)
"""What the container takes for a channel; it compares exactly, so ``text/csv;label_size=1`` is refused."""
ROLE = "arn:aws:iam::123456789012:role/sageline-sagemaker"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
TAGS = [{"Key": "sageline:stack", "Value": "sageline"}, {"Key": "sageline:run", "Value": RUN_ID}]

SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")


def check(operation: str, request: Mapping[str, object]) -> None:
    shape = SAGEMAKER.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(request), shape)
    assert not report.has_errors(), report.generate_report()


def training_work(**changed: object) -> TrainingWork:
    values: Any = {
        "image_uri": IMAGE,
        "role_arn": ROLE,
        "channels": {
            "validation": InputChannel(uri="s3://b/v/", content_type="text/csv"),
            "train": InputChannel(uri="s3://b/t/", content_type="text/csv"),
        },
        "data_bytes": 1000,
        "output_uri": "s3://b/runs/x/training/",
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "max_runtime_seconds": 3600,
    }
    return TrainingWork(**{**values, **changed})


def training_job(**changed: object) -> Any:  # looked into in many ways
    work = training_work(**changed)
    request = training_job_request(work, run_id=RUN_ID, stack_name="sageline", hyperparameters={"num_round": "50"})
    check("CreateTrainingJob", request)
    return request


def tuning_job(work: TrainingWork | None = None, **changed: object) -> Any:  # looked into in many ways
    values: Any = {
        "strategy": "Bayesian",
        "metric": "validation:rmse",
        "goal": "Minimize",
        "numbers": {
            "max_depth": NumberRange(kind="integer", low="3", high="12", scaling="Auto"),
            "eta": NumberRange(kind="continuous", low="0.05", high="0.5", scaling="Logarithmic"),
        },
        "choices": {"booster": ["gbtree", "dart"]},
        "max_jobs": 20,
        "max_parallel_jobs": 3,
    }
    request = tuning_job_request(
        work or training_work(),
        Search(**{**values, **changed}),
        name=tuning_job_name(RUN_ID),
        run_id=RUN_ID,
        stack_name="sageline",
        static={"num_round": "50"},
    )
    check("CreateHyperParameterTuningJob", request)
    return request


def test_a_training_job_is_named_and_tagged_by_its_run() -> None:
    request = training_job()
    assert request["TrainingJobName"] == RUN_ID
    assert request["Tags"] == TAGS
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
    assert request["EnableManagedSpotTraining"] is False


@pytest.mark.parametrize("content_type", ["text/csv", "application/x-recordio-protobuf"])
def test_channels_are_declared_in_the_exact_words_that_xgboost_accepts(content_type: str) -> None:
    given = {name: InputChannel(uri=f"s3://b/{name}/", content_type=content_type) for name in ("validation", "train")}
    channels = training_job(channels=given)["InputDataConfig"]
    assert [channel["ChannelName"] for channel in channels] == ["train", "validation"]
    assert {channel["ContentType"] for channel in channels} <= CONTENT_TYPES
    assert {channel["InputMode"] for channel in channels} == {"File"}
    sources = [channel["DataSource"]["S3DataSource"] for channel in channels]
    assert [source["S3Uri"] for source in sources] == ["s3://b/train/", "s3://b/validation/"]
    assert {source["S3DataDistributionType"] for source in sources} == {"FullyReplicated"}


def test_a_channel_whose_files_say_themselves_what_they_hold_has_no_content_type() -> None:
    (channel,) = training_job(channels={"train": InputChannel(uri="s3://b/t/", content_type=None)})["InputDataConfig"]
    assert "ContentType" not in channel


def test_a_sharded_channel_is_dealt_out_to_the_instances() -> None:
    (channel,) = training_job(channels={"train": InputChannel(uri="s3://b/t/", content_type=None, sharded=True)})[
        "InputDataConfig"
    ]
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "ShardedByS3Key"


def test_metrics_and_environment_are_asked_for_only_where_there_are_any() -> None:
    plain, script = (
        training_job(),
        training_job(metrics={"b": "b=(.*)", "a": "a=(.*)"}, environment={"SAGELINE_TASK": "regression"}),
    )
    assert "MetricDefinitions" not in plain["AlgorithmSpecification"]
    assert "Environment" not in plain
    metrics = [{"Name": "a", "Regex": "a=(.*)"}, {"Name": "b", "Regex": "b=(.*)"}]
    assert script["AlgorithmSpecification"]["MetricDefinitions"] == metrics
    assert script["Environment"] == {"SAGELINE_TASK": "regression"}


def test_spot_training_waits_an_hour_for_capacity() -> None:
    request = training_job(spot=True, max_runtime_seconds=600)
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 4200}


def test_an_algorithm_without_checkpoints_waits_and_trains_for_its_limit_at_most() -> None:
    request = training_job(spot=True, max_runtime_seconds=600, longest_spot_wait_seconds=3600)
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 3600}


def test_checkpoints_are_kept_where_the_container_looks_for_them() -> None:
    assert "CheckpointConfig" not in training_job(spot=True)
    request = training_job(spot=True, checkpoints_uri=f"s3://b/checkpoints/{RUN_ID}/")
    assert request["CheckpointConfig"] == {"S3Uri": f"s3://b/checkpoints/{RUN_ID}/", "LocalPath": "/opt/ml/checkpoints"}


@pytest.mark.parametrize(("data_bytes", "gigabytes"), [(0, 30), (10**10, 30), (50 * 10**9, 110)])
def test_the_volume_has_room_for_the_data_twice(data_bytes: int, gigabytes: int) -> None:
    assert training_job(data_bytes=data_bytes)["ResourceConfig"]["VolumeSizeInGB"] == gigabytes


def test_a_model_is_the_artifact_in_the_image_that_trained_it() -> None:
    request = model_request(
        name=RUN_ID,
        run_id=RUN_ID,
        stack_name="sageline",
        role_arn=ROLE,
        image_uri=IMAGE,
        model_artifact_uri="s3://b/model.tar.gz",
        isolated=True,
    )
    check("CreateModel", request)
    assert request["PrimaryContainer"] == {"Image": IMAGE, "ModelDataUrl": "s3://b/model.tar.gz"}
    assert request["Tags"] == TAGS


def test_a_model_may_be_told_where_its_script_is() -> None:
    request = model_request(
        name=RUN_ID,
        run_id=RUN_ID,
        stack_name="sageline",
        role_arn=ROLE,
        image_uri=IMAGE,
        model_artifact_uri="s3://b/model.tar.gz",
        isolated=True,
        environment={"SAGEMAKER_PROGRAM": "train.py"},
    )
    check("CreateModel", request)
    assert request["PrimaryContainer"]["Environment"] == {"SAGEMAKER_PROGRAM": "train.py"}


def test_a_tuning_job_has_a_short_name_and_all_limits_of_ranges_as_text() -> None:
    request = tuning_job()
    assert request["HyperParameterTuningJobName"] == "flowers-20261120100000-0a1b2c"
    assert request["Tags"] == TAGS
    assert request["HyperParameterTuningJobConfig"] == {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 3},
        "ParameterRanges": {
            "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "3", "MaxValue": "12", "ScalingType": "Auto"}],
            "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5", "ScalingType": "Logarithmic"}],
            "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
        },
        "TrainingJobEarlyStoppingType": "Off",
    }
    assert request["TrainingJobDefinition"]["StaticHyperParameters"] == {"num_round": "50"}


def test_the_jobs_of_a_tuning_do_what_a_training_job_does() -> None:
    work = training_work(metrics={"a": "a=(.*)"}, environment={"SAGELINE_TASK": "regression"}, spot=True)
    alone = training_job_request(work, run_id=RUN_ID, stack_name="sageline", hyperparameters={})
    definition = tuning_job(work)["TrainingJobDefinition"]
    only_alone = {"TrainingJobName", "HyperParameters", "Tags"}
    assert definition == {"StaticHyperParameters": {"num_round": "50"}} | {
        key: value for key, value in alone.items() if key not in only_alone
    }


def test_strategies_seeds_and_early_stopping_are_passed_on() -> None:
    config = tuning_job(strategy="Hyperband", resources=(1, 27), seed=7)["HyperParameterTuningJobConfig"]
    assert config["StrategyConfig"] == {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 27}}
    assert config["RandomSeed"] == 7
    early = tuning_job(early_stopping=True)["HyperParameterTuningJobConfig"]
    assert early["TrainingJobEarlyStoppingType"] == "Auto"
    assert not {"StrategyConfig", "RandomSeed"} & set(early)


def test_a_tuning_runs_no_more_jobs_at_a_time_than_in_all() -> None:
    limits = tuning_job(max_jobs=2, max_parallel_jobs=3, numbers={})["HyperParameterTuningJobConfig"]
    assert limits["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2}
    assert set(limits["ParameterRanges"]) == {"CategoricalParameterRanges"}


def transform_job(split_type: SplitType) -> CreateTransformJobRequestTypeDef:
    return transform_job_request(
        name=RUN_ID,
        run_id=RUN_ID,
        stack_name="sageline",
        model_name="model",
        input_uri="s3://b/in/",
        output_uri="s3://b/out/",
        content_type="text/csv",
        accept="text/csv",
        split_type=split_type,
        assemble_with="Line" if split_type == "Line" else "None",
        instance_type="ml.m5.xlarge",
        instance_count=1,
    )


def test_a_transform_job_sends_what_is_below_a_prefix_record_by_record() -> None:
    request = transform_job("Line")
    check("CreateTransformJob", request)
    assert (request["TransformJobName"], request["ModelName"], request["Tags"]) == (RUN_ID, "model", TAGS)
    assert request["TransformInput"]["DataSource"]["S3DataSource"] == {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}
    assert request["TransformOutput"] == {"S3OutputPath": "s3://b/out/", "Accept": "text/csv", "AssembleWith": "Line"}
    assert request["BatchStrategy"] == "MultiRecord"


def test_a_transform_job_that_splits_nothing_has_no_strategy_of_batches() -> None:
    request = transform_job("None")
    check("CreateTransformJob", request)
    assert request["TransformInput"]["SplitType"] == "None"
    assert "BatchStrategy" not in request


def config_of(*variants: ProductionVariantTypeDef) -> CreateEndpointConfigInputTypeDef:
    return endpoint_config_request(name=RUN_ID, run_id=RUN_ID, stack_name="sageline", variants=variants)


def test_a_serverless_config_has_one_variant_named_by_the_run() -> None:
    request = config_of(production_variant(RUN_ID, RUN_ID, OnDemand(2048, 5), 1.0))
    check("CreateEndpointConfig", request)
    (variant,) = request["ProductionVariants"]
    assert variant == {
        "VariantName": RUN_ID,
        "ModelName": RUN_ID,
        "InitialVariantWeight": 1.0,
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
    }


def test_a_config_on_instances_says_which_and_how_many() -> None:
    request = config_of(production_variant(RUN_ID, RUN_ID, OnInstances("ml.m5.large", 2), 1.0))
    check("CreateEndpointConfig", request)
    (variant,) = request["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 2)
    assert "ServerlessConfig" not in variant


def test_an_endpoint_is_made_from_the_runs_config_and_updated_to_any() -> None:
    create = create_endpoint_request(endpoint_name="flowers", run_id=RUN_ID, stack_name="sageline")
    check("CreateEndpoint", create)
    assert (create["EndpointConfigName"], create["Tags"]) == (RUN_ID, TAGS)
    update = update_endpoint_request(endpoint_name="flowers", endpoint_config="old")
    check("UpdateEndpoint", update)
    assert update == {"EndpointName": "flowers", "EndpointConfigName": "old"}


def test_a_variant_that_stays_keeps_its_instances_and_takes_the_configs_weight() -> None:
    update = update_endpoint_request(endpoint_name="flowers", endpoint_config="both", keeps_variants=True)
    check("UpdateEndpoint", update)
    assert update["RetainAllVariantProperties"]
    assert update["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DesiredWeight"}]
