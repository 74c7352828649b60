"""State changes as EventBridge's events. They are delivered in order, at least once, and never hold up the job that changed."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_emulator.aws import Place
from sagemaker_emulator.store import Document

logger = logging.getLogger(__name__)

_STOP = None

_TRAINING_FIELDS = (
    *("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus", "HyperParameters", "ModelArtifacts"),
    *("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "StoppingCondition"),
    *("FailureReason", "CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime", "FinalMetricDataList"),
    *("SecondaryStatusTransitions", "EnableNetworkIsolation", "EnableManagedSpotTraining", "Environment"),
)
_ENDPOINT_FIELDS = (
    *("EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", "FailureReason"),
    *("CreationTime", "LastModifiedTime"),
)
_TUNING_FIELDS = (
    *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobConfig", "TrainingJobDefinition"),
    *("HyperParameterTuningJobStatus", "CreationTime", "LastModifiedTime", "HyperParameterTuningEndTime", "FailureReason"),
    *("TrainingJobStatusCounters", "ObjectiveStatusCounters", "WarmStartConfig"),
)
_TRANSFORM_FIELDS = (
    *("TransformJobName", "TransformJobArn", "TransformJobStatus", "FailureReason", "ModelName", "MaxConcurrentTransforms"),
    *("MaxPayloadInMB", "BatchStrategy", "Environment", "TransformInput", "TransformOutput", "TransformResources"),
    *("CreationTime", "TransformStartTime", "TransformEndTime"),
)
_MODEL_PACKAGE_FIELDS = (
    *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription"),
    *("InferenceSpecification", "ModelPackageStatus", "ModelPackageStatusDetails", "CertifyForMarketplace"),
    *("ModelApprovalStatus", "ApprovalDescription", "MetadataProperties", "ModelMetrics", "CustomerMetadataProperties"),
)


class Events:
    """A queue with one delivering thread."""

    def __init__(self, deliver: Callable[[Document], None], place: Place) -> None:
        self._deliver = deliver
        self._place = place
        self._queue: queue.Queue[Document | None] = queue.Queue()
        self._thread = threading.Thread(target=self._deliver_all, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Deliver what is queued, then end."""
        self._queue.put(_STOP)
        self._thread.join(timeout)

    def training_job_changed(self, job: Document, tags: dict[str, str]) -> None:
        detail = training_detail(job, tags)
        self._queue.put(self._event("SageMaker Training Job State Change", job["TrainingJobArn"], detail))

    def tuning_job_changed(self, job: Document, tags: dict[str, str]) -> None:
        detail = tuning_detail(job, tags)
        arn = job["HyperParameterTuningJobArn"]
        self._queue.put(self._event("SageMaker HyperParameter Tuning Job State Change", arn, detail))

    def transform_job_changed(self, job: Document, tags: dict[str, str]) -> None:
        detail = transform_detail(job, tags)
        self._queue.put(self._event("SageMaker Transform Job State Change", job["TransformJobArn"], detail))

    def endpoint_changed(self, endpoint: Document, tags: dict[str, str]) -> None:
        detail = endpoint_detail(endpoint, tags)
        self._queue.put(self._event("SageMaker Endpoint State Change", endpoint["EndpointArn"], detail))

    def model_package_changed(self, package: Document) -> None:
        detail = model_package_detail(package)
        self._queue.put(self._event("SageMaker Model Package State Change", package["ModelPackageArn"], detail))

    def _event(self, detail_type: str, arn: str, detail: Document) -> Document:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": "aws.sagemaker",
            "account": self._place.account,
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": self._place.region,
            "resources": [arn],
            "detail": detail,
        }

    def _deliver_all(self) -> None:
        while (event := self._queue.get()) is not _STOP:
            try:
                self._deliver(event)
            except (BotoCoreError, ClientError, OSError) as error:
                logger.warning("event %s of %s was not delivered: %s", event["detail-type"], event["resources"][0], error)


def training_detail(job: Document, tags: dict[str, str]) -> Document:
    """The event's detail of a training job: times are epoch milliseconds as strings."""
    detail = {name: job[name] for name in _TRAINING_FIELDS if name in job}
    for name in ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime"):
        if name in detail:
            detail[name] = str(_milliseconds(detail[name]))
    detail["SecondaryStatusTransitions"] = [
        {key: str(_milliseconds(value)) if key.endswith("Time") else value for key, value in transition.items()}
        for transition in job.get("SecondaryStatusTransitions", [])
    ]
    return {**detail, "Tags": tags}


def transform_detail(job: Document, tags: dict[str, str]) -> Document:
    """The event's detail of a transform job: times are ISO 8601."""
    detail = {name: job[name] for name in _TRANSFORM_FIELDS if name in job}
    for name in ("CreationTime", "TransformStartTime", "TransformEndTime"):
        if name in detail:
            detail[name] = datetime.fromtimestamp(detail[name], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**detail, "Tags": tags}


def tuning_detail(job: Document, tags: dict[str, str]) -> Document:
    """The event's detail of a tuning job: times are epoch milliseconds as strings; the best training job is not in it."""
    detail = {name: job[name] for name in _TUNING_FIELDS if name in job}
    for name in ("CreationTime", "LastModifiedTime", "HyperParameterTuningEndTime"):
        if name in detail:
            detail[name] = str(_milliseconds(detail[name]))
    return {**detail, "Tags": tags}


def endpoint_detail(endpoint: Document, tags: dict[str, str]) -> Document:
    """The event's detail of an endpoint: times are epoch milliseconds as numbers, the status is IN_SERVICE, not InService."""
    detail = {name: endpoint[name] for name in _ENDPOINT_FIELDS if name in endpoint}
    for name in ("CreationTime", "LastModifiedTime"):
        detail[name] = _milliseconds(detail[name])
    detail["EndpointStatus"] = upper_snake(endpoint["EndpointStatus"])
    return {**detail, "Tags": tags}


def model_package_detail(package: Document) -> Document:
    """The event's detail of a model package: times are ISO 8601 without a fraction."""
    detail = {name: package[name] for name in _MODEL_PACKAGE_FIELDS if name in package}
    for name in ("CreationTime", "LastModifiedTime"):
        detail[name] = f"{datetime.fromtimestamp(package[name], UTC):%Y-%m-%dT%H:%M:%SZ}"
    return detail


def upper_snake(status: str) -> str:
    """``InService`` to ``IN_SERVICE``."""
    return "".join(f"_{letter}" if letter.isupper() and index else letter for index, letter in enumerate(status)).upper()


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
