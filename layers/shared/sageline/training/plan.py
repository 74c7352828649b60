"""What a run's spec and data ask of SageMaker: the training job, its hyperparameters, the search among them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from sageline.algorithms import catalog
from sageline.aws.images import serving_image, training_image
from sageline.errors import InvalidSpec
from sageline.names import RunLayout
from sageline.runs.payloads import PreparedData
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import Spec
from sageline.spec.training import AlgorithmSpec, CategoricalRangeSpec, InputMode, TuningSpec
from sageline.training.machines import deals_out
from sageline.training.source import entry_point, framework_of, uses_network
from sageline.training.training_request import CHECKPOINT_PATH, SPOT_PATIENCE_SECONDS, InputChannel, TrainingWork
from sageline.training.tuning_request import NumberRange, Search

CODE_CHANNEL = "code"
"""The channel by which a script comes into its container, as the SageMaker Python SDK has it for isolated jobs."""

_CODE_ARCHIVE = f"/opt/ml/input/data/{CODE_CHANNEL}/sourcedir.tar.gz"

# XGBoost's image (aws/sagemaker-xgboost-container at cb8df91) saves once, under a name that it does not look for: a training that
# is interrupted begins again.
_KEEP_NO_CHECKPOINTS = ("xgboost", "linear-learner", "knn", "blazingtext")
_SPOT_WITHOUT_CHECKPOINTS_SECONDS = 3600
"""SageMaker's limit on waiting and training together for its own algorithms that keep no checkpoints.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html"""


def training_work(spec: Spec, prepared: PreparedData, layout: RunLayout, *, role_arn: str, region: str) -> TrainingWork:
    """The training job but for its name and hyperparameters."""
    algorithm = spec.algorithm
    no_checkpoints = algorithm.name in _KEEP_NO_CHECKPOINTS
    network = uses_network(algorithm)
    # A tuning job names one prefix. That each trial gets its own below it is documented nowhere, and a trial that went on from
    # another's checkpoint would be a mixture of both: so trials start again.
    checkpoints = algorithm.spot and spec.tuning is None and not no_checkpoints
    kept = layout.network_checkpoints_prefix if network else layout.checkpoints_prefix
    return TrainingWork(
        image_uri=training_image(algorithm.name, framework_of(algorithm), region),
        role_arn=role_arn,
        isolated=not network,
        channels=_channels(algorithm, prepared, layout),
        data_bytes=sum(_stored_bytes(name, channel["bytes"], algorithm) for name, channel in prepared["channels"].items()),
        output_uri=layout.uri(layout.network_prefix if network else layout.training_prefix),
        instance_type=algorithm.instance_type,
        instance_count=algorithm.instance_count,
        max_runtime_seconds=algorithm.max_runtime_seconds,
        spot=algorithm.spot,
        checkpoints_uri=layout.uri(kept) if checkpoints else None,
        longest_spot_wait_seconds=_SPOT_WITHOUT_CHECKPOINTS_SECONDS if no_checkpoints else None,
        metrics=catalog.metric_definitions(algorithm),
        environment=_environment(spec, prepared, checkpoints=checkpoints) if framework_of(algorithm) else {},
    )


def longest_training(algorithm: AlgorithmSpec) -> int:
    """For how many seconds a training job may wait for a machine and train."""
    if not algorithm.spot:
        return algorithm.max_runtime_seconds
    longest = algorithm.max_runtime_seconds + SPOT_PATIENCE_SECONDS
    return min(longest, _SPOT_WITHOUT_CHECKPOINTS_SECONDS) if algorithm.name in _KEEP_NO_CHECKPOINTS else longest


def check_images(algorithm: AlgorithmSpec, region: str) -> None:
    """Refuse an algorithm that SageMaker cannot train or serve in the region.

    Raises:
        SettingsError: names the regions that have its image, and the algorithms that have one in this.
    """
    training_image(algorithm.name, framework_of(algorithm), region)
    serving_image(algorithm.name, framework_of(algorithm), region)


def check_spot(algorithm: AlgorithmSpec) -> None:
    """Refuse a long spot training that would begin again with every interruption.

    Raises:
        InvalidSpec: the algorithm's container keeps no checkpoints, so it may wait and train for an hour at most.
    """
    longest = _SPOT_WITHOUT_CHECKPOINTS_SECONDS
    if algorithm.spot and algorithm.name in _KEEP_NO_CHECKPOINTS and algorithm.max_runtime_seconds > longest:
        raise InvalidSpec(
            f"`algorithm.spot`: {algorithm.name} keeps no checkpoints, so on spare machines, where an interrupted training "
            f"begins again, it may wait and train for {longest} s at most. Set `algorithm.max_runtime_seconds` to {longest} or "
            f"less (it is {algorithm.max_runtime_seconds}), or `spot` to false."
        )


def hyperparameters(spec: Spec, *, job_name: str, region: str) -> dict[str, str]:
    """The hyperparameters as SageMaker takes them, without those that are tuned. What names a script is encoded as JSON,
    as the SageMaker Python SDK does it."""
    tuned = spec.tuning.ranges if spec.tuning else {}
    given = spec.algorithm.hyperparameters
    strings = catalog.as_strings(spec.algorithm.name, {name: value for name, value in given.items() if name not in tuned})
    if framework_of(spec.algorithm) is None:
        return strings
    about_script: dict[str, str | int | bool] = {
        "sagemaker_program": entry_point(spec),
        "sagemaker_submit_directory": _CODE_ARCHIVE,
        "sagemaker_container_log_level": 20,
        "sagemaker_job_name": job_name,
        "sagemaker_region": region,
    }
    if framework_of(spec.algorithm) == "tensorflow" and spec.algorithm.instance_count > 1:
        # Then the toolkit tells each host in TF_CONFIG where the others are.
        about_script["sagemaker_multi_worker_mirrored_strategy_enabled"] = True
    return strings | {key: json.dumps(value) for key, value in about_script.items()}


def search(tuning: TuningSpec, algorithm: AlgorithmSpec) -> Search:
    """The search of a resolved spec, which has an objective and ranges.

    Raises:
        InvalidSpec: it has not.
    """
    if tuning.objective is None or tuning.objective.type is None or not tuning.ranges:
        raise InvalidSpec("The run's spec has no objective or no ranges to tune by, so it is not a resolved one; start it again.")
    numbers: dict[str, NumberRange] = {}
    choices: dict[str, list[str]] = {}
    for name, values in tuning.ranges.items():
        if isinstance(values, CategoricalRangeSpec):
            choices[name] = [catalog.as_strings(algorithm.name, {name: value})[name] for value in values.values]
        else:
            numbers[name] = NumberRange(kind=values.type, low=str(values.min), high=str(values.max), scaling=values.scaling)
    combinations = math.prod(len(values) for values in choices.values())
    hyperband = tuning.hyperband
    return Search(
        strategy=tuning.strategy,
        metric=tuning.objective.metric,
        goal=tuning.objective.type,
        numbers=numbers,
        choices=choices,
        max_jobs=combinations if tuning.strategy == "Grid" else tuning.max_jobs,
        max_parallel_jobs=tuning.max_parallel_jobs,
        early_stopping=tuning.early_stopping,
        seed=tuning.seed,
        resources=(hyperband.min_resource, hyperband.max_resource) if hyperband else None,
    )


def _channels(algorithm: AlgorithmSpec, prepared: PreparedData, layout: RunLayout) -> Mapping[str, InputChannel]:
    names = {"train": "train", "validation": catalog.validation_channel(algorithm.name)}
    # All instances watch the same validation rows. A script knows its files by pairs, and may want them all.
    channels = {
        names[name]: InputChannel(
            uri=channel["uri"],
            content_type=prepared["content_type"],
            sharded=name == "train" and deals_out(algorithm),
            mode=_mode(name, algorithm),
        )
        for name, channel in prepared["channels"].items()
    }
    if framework_of(algorithm) is not None:
        channels[CODE_CHANNEL] = InputChannel(uri=layout.uri(layout.source_prefix), content_type=None)
    return channels


def _mode(channel: str, algorithm: AlgorithmSpec) -> InputMode:
    """How a channel gets to the container; validation rows are few, and read many times."""
    return (algorithm.input_mode or "File") if channel == "train" else "File"


def _stored_bytes(channel: str, size: int, algorithm: AlgorithmSpec) -> int:
    """What a channel takes of an instance's volume."""
    if _mode(channel, algorithm) == "FastFile":
        return 0
    return math.ceil(size / algorithm.instance_count) if channel == "train" and deals_out(algorithm) else size


def _environment(spec: Spec, prepared: PreparedData, *, checkpoints: bool) -> dict[str, str]:
    """What a script may want to know of the data, and the directory for its checkpoints if they are kept."""
    shape = spec.encoder.shape if isinstance(spec.encoder, ImageSpec) else None
    facts = {
        "SAGELINE_TASK": spec.task,
        "SAGELINE_NUM_CLASS": prepared["num_class"],
        "SAGELINE_FEATURE_DIM": prepared["feature_dim"],
        "SAGELINE_IMAGE_SHAPE": ",".join(map(str, [*shape, 1][:3])) if shape else None,
        "SAGELINE_CHECKPOINTS": CHECKPOINT_PATH if checkpoints else None,
    }
    return {name: str(value) for name, value in facts.items() if value is not None}
