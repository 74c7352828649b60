"""What a training job is asked for, checked, and its document: from CreateTrainingJob, or for a trial of a tuning job."""

from __future__ import annotations

from sagemaker_emulator.aws import Place
from sagemaker_emulator.engines import Engine, UnknownImage, engine_for
from sagemaker_emulator.errors import invalid
from sagemaker_emulator.jobs import IN_PROGRESS
from sagemaker_emulator.s3_uris import check_uri
from sagemaker_emulator.store import Document, Request, copied
from sagemaker_emulator.training import checkpoints, entrypoint, status
from sagemaker_emulator.training.metrics import NoPattern, compiled
from sagemaker_emulator.training.source import is_scripted

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
_LONGEST_WAIT_WITHOUT_CHECKPOINTS_SECONDS = 3600


def new_job(place: Place, request: Request, created: float) -> Document:
    """The document of a job that was asked for at ``created``; it has just entered Starting."""
    name = request["TrainingJobName"]
    job: Document = {
        "TrainingJobName": name,
        "TrainingJobArn": place.arn("training-job", name),
        "TrainingJobStatus": IN_PROGRESS,
        "CreationTime": created,
        "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS, **request.get("StoppingCondition", {})},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        **copied(
            request,
            *("HyperParameters", "RoleArn", "InputDataConfig", "ResourceConfig", "VpcConfig"),
            *("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"),
            *("Environment", "RetryStrategy", "ExperimentConfig", "DebugHookConfig", "ProfilerConfig", "CheckpointConfig"),
        ),
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]},
        "AlgorithmSpecification": algorithm_specification(request),
    }
    job["StoppingCondition"].setdefault("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    status.enter(job, "Starting", created)
    return job


def algorithm_specification(request: Request) -> Document:
    """The specification as Describe shows it: an image of SageMaker's own brings its metric definitions along."""
    specification = request["AlgorithmSpecification"]
    algorithm = {"EnableSageMakerMetricsTimeSeries": False, **specification}
    try:
        engine = engine_of(request)
    except UnknownImage:  # the job itself fails, as it does in AWS when the image cannot be pulled
        return algorithm
    if engine.metrics and "MetricDefinitions" not in specification:
        algorithm["MetricDefinitions"] = [{"Name": name, "Regex": pattern} for name, pattern in engine.metrics]
    return algorithm


def check(request: Request) -> None:
    """Rules that the service model does not hold; raises ValidationException."""
    algorithm = request["AlgorithmSpecification"]
    if bool(algorithm.get("TrainingImage")) == bool(algorithm.get("AlgorithmName")):
        raise invalid("Either TrainingImage or AlgorithmName, but not both, must be provided for AlgorithmSpecification.")
    for definition in algorithm.get("MetricDefinitions", []):
        _check_regex(definition["Name"], definition["Regex"])
    if algorithm.get("AlgorithmName"):
        raise invalid("AlgorithmName is not supported by the local SageMaker service: give a TrainingImage.")
    _check_resources(request)
    if request.get("CheckpointConfig"):
        _check_checkpoints(request)
    check_uri("OutputDataConfig.S3OutputPath", request["OutputDataConfig"]["S3OutputPath"])
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(names) != len(set(names)):
        raise invalid("Channel names in InputDataConfig must be unique.")
    for channel in request.get("InputDataConfig", []):
        _check_channel(channel, algorithm["TrainingInputMode"])
    _check_stopping(request)


def _check_resources(request: Request) -> None:
    resources = request.get("ResourceConfig") or {}
    if not resources.get("InstanceType") and not resources.get("InstanceGroups"):
        raise invalid("InstanceType and InstanceCount, or InstanceGroups, must be provided in ResourceConfig.")
    if resources.get("InstanceCount", 1) < 1:
        raise invalid("InstanceCount in ResourceConfig must be at least 1.")
    if resources.get("InstanceGroups"):
        raise invalid("InstanceGroups are not supported by the local SageMaker service: give InstanceType and InstanceCount.")
    if request.get("EnableManagedSpotTraining") and resources.get("KeepAlivePeriodInSeconds"):
        raise invalid("KeepAlivePeriodInSeconds can not be given with EnableManagedSpotTraining: Spot has no warm pools.")


def _check_checkpoints(request: Request) -> None:
    if not _keeps_checkpoints(request):
        raise invalid("CheckpointConfig is not supported by the local SageMaker service for this algorithm: leave it out.")
    config = request["CheckpointConfig"]
    check_uri("CheckpointConfig.S3Uri", config["S3Uri"])
    path = config.get("LocalPath", checkpoints.DEFAULT_PATH)
    if not path.startswith(checkpoints.CONTAINER_ROOT) or ".." in path.split("/"):
        raise invalid(
            f"The LocalPath '{path}' of CheckpointConfig must be below {checkpoints.CONTAINER_ROOT} in the local service."
        )


def _keeps_checkpoints(request: Request) -> bool:
    """Whether the algorithm does, or may: a script's own affair."""
    try:
        engine = engine_of(request)
    except UnknownImage:  # the job itself fails
        return True
    return engine.runs_scripts or engine.repository == "sagemaker-xgboost"


def engine_of(request: Request) -> Engine:
    """What runs a job; raises UnknownImage. A program in the place of the image's is code of the customer's, too."""
    specification = request["AlgorithmSpecification"]
    scripted = is_scripted(request.get("HyperParameters", {}), request.get("Environment", {}))
    return engine_for(specification["TrainingImage"], scripted=scripted or bool(entrypoint.command(specification)))


def _check_regex(metric: str, pattern: str) -> None:
    try:
        compiled(pattern)
    except NoPattern as error:
        raise invalid(f"The regular expression '{pattern}' of metric '{metric}' is not valid: {error}.") from error


def _check_channel(channel: Request, job_mode: str) -> None:
    name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
    if source is None:
        raise invalid(f"Channel '{name}': the local SageMaker service reads from an S3DataSource only.")
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise invalid(f"Channel '{name}': the local SageMaker service supports the S3DataTypes S3Prefix and ManifestFile only.")
    mode = channel.get("InputMode") or job_mode
    if mode == "Pipe":
        raise invalid(f"Channel '{name}': the local SageMaker service supports the input modes File and FastFile only.")
    check_uri(f"InputDataConfig '{name}' S3Uri", source["S3Uri"])


def _check_stopping(request: Request) -> None:
    stopping = request.get("StoppingCondition", {})
    wait = stopping.get("MaxWaitTimeInSeconds")
    runtime = stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    if request.get("EnableManagedSpotTraining"):
        if wait is None or wait < runtime:
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
                "when EnableManagedSpotTraining is true."
            )
        longest = _LONGEST_WAIT_WITHOUT_CHECKPOINTS_SECONDS
        if wait > longest and not _keeps_checkpoints(request):
            raise invalid(f"MaxWaitTimeInSeconds above {longest} is not supported for the given algorithm.")
    elif wait is not None:
        raise invalid("Invalid MaxWaitTimeInSeconds. It must not be present when EnableManagedSpotTraining is false.")
