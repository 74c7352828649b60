"""What the description of a job or an endpoint says: done, failed, or wait."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from sageline.deployment.endpoints import BUSY_STATUSES
from sageline.errors import (
    EndpointFailed,
    SagelineError,
    TrainingJobFailed,
    TrainingJobStopped,
    TransformJobFailed,
    TransformJobStopped,
    TuningJobFailed,
    TuningJobStopped,
)
from sageline.runs.payloads import EndpointResult, TrainingResult, TransformResult

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        DescribeEndpointOutputTypeDef,
        DescribeHyperParameterTuningJobResponseTypeDef,
        DescribeTrainingJobResponseTypeDef,
        DescribeTransformJobResponseTypeDef,
    )


_OBJECTIVE_AGAIN = "ObjectiveMetric"
"""A tuning gives its training jobs this metric besides: the objective under another name."""


def training_outcome(job: DescribeTrainingJobResponseTypeDef) -> TrainingResult | SagelineError | None:
    """The answer for whoever waits for the job; None while it runs."""
    name = job["TrainingJobName"]
    match job["TrainingJobStatus"]:
        case "Completed":
            return training_result(job)
        case "Failed":
            return TrainingJobFailed(f"Training job {name} failed: {short_reason(job.get('FailureReason', ''))}")
        case "Stopped":
            return TrainingJobStopped(_why_stopped(name, job))
        case _:
            return None


def training_result(job: DescribeTrainingJobResponseTypeDef) -> TrainingResult:
    """The result of a job that has ended. A tuning's job may be Stopped, because it would not become the best, and has made a
    model nevertheless."""
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    return {
        "status": "Completed",
        "training_job_name": job["TrainingJobName"],
        "model_artifact_uri": job["ModelArtifacts"]["S3ModelArtifacts"],
        "training_seconds": job.get("TrainingTimeInSeconds"),
        "billable_seconds": job.get("BillableTimeInSeconds"),
        "metrics": {key: value for key, value in metrics.items() if math.isfinite(value) and key != _OBJECTIVE_AGAIN},
    }


def tuning_outcome(tuning: DescribeHyperParameterTuningJobResponseTypeDef) -> str | SagelineError | None:
    """The name of the best training job; None while the tuning job runs.

    A tuning job may be Completed without a best training job: none of them reported the objective.
    """
    name = tuning["HyperParameterTuningJobName"]
    match tuning["HyperParameterTuningJobStatus"]:
        case "Completed":
            best = tuning.get("BestTrainingJob")
            if best is None or best.get("ObjectiveStatus", "Succeeded") != "Succeeded":
                objective = tuning["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
                metric = objective.get("MetricName", "the objective")
                return TuningJobFailed(f"Tuning job {name} is done, and none of its training jobs has reported {metric}.")
            return best["TrainingJobName"]
        case "Failed":
            return TuningJobFailed(f"Tuning job {name} failed: {short_reason(tuning.get('FailureReason', ''))}")
        case "Stopped":
            return TuningJobStopped(f"Tuning job {name} was stopped before it was done, by a request to SageMaker.")
        case "Deleting" | "DeleteFailed":
            return TuningJobFailed(f"Tuning job {name} was deleted before it was done.")
        case _:
            return None


def transform_outcome(job: DescribeTransformJobResponseTypeDef) -> TransformResult | SagelineError | None:
    """The answer for whoever waits for the job; None while it runs."""
    name = job["TransformJobName"]
    match job["TransformJobStatus"]:
        case "Completed":
            return _transform_result(job)
        case "Failed":
            return TransformJobFailed(f"Transform job {name} failed: {short_reason(job.get('FailureReason', ''))}")
        case "Stopped":
            return TransformJobStopped(f"Transform job {name} was stopped before it was done, by a request to SageMaker.")
        case _:
            return None


def _transform_result(job: DescribeTransformJobResponseTypeDef) -> TransformResult:
    start, end = job.get("TransformStartTime"), job.get("TransformEndTime")
    return {
        "status": "Completed",
        "transform_job_name": job["TransformJobName"],
        "output_uri": job["TransformOutput"]["S3OutputPath"],
        "transform_seconds": round((end - start).total_seconds()) if start and end else None,
    }


def endpoint_outcome(endpoint: DescribeEndpointOutputTypeDef, config: str) -> EndpointResult | SagelineError | None:
    """The answer for whoever waits until the endpoint serves ``config``; None while it is changing."""
    name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
    reason = short_reason(endpoint.get("FailureReason", ""))
    if status == "Deleting":
        return EndpointFailed(f"Endpoint {name} was deleted while it was being deployed to.")
    if status in BUSY_STATUSES:
        return None
    if status == "InService" and endpoint.get("EndpointConfigName") == config:
        return {"status": "InService"}
    if status == "InService":
        return EndpointFailed(
            f"Endpoint {name} could not be updated and went back to {endpoint.get('EndpointConfigName')}: {reason}"
        )
    return EndpointFailed(f"Endpoint {name} is {status}: {reason}")


def short_reason(failure_reason: str) -> str:
    """What a ``FailureReason`` says in one line.

    Of a script that failed, its exit code and the last line of what it raised; of a traceback, the last line; of a JSON
    Schema's complaint, what is wrong and not the schema.
    """
    text = re.sub(r",? exit code: \d+$", "", failure_reason.strip()).strip()
    if text in ("", "AlgorithmError:"):
        ended = re.search(r"exit code: (\d+)$", failure_reason.strip())
        return f"the program ended with exit code {ended[1]} and gave no reason." if ended else "SageMaker gives no reason."
    script = re.search(r'ExitCode (-?\d+)\s+ErrorMessage "(.*?)"\s*(?:ExtraInfo "(.*?)"\s*)?(?:Command|$)', text, re.DOTALL)
    if script is not None:
        said = " ".join(_last_line(part) for part in (script[2], script[3] or "") if part.strip())
        return f"the script ended with exit code {script[1]}" + (f": {said}" if said else ", and said nothing on stderr.")
    if caused_by := re.search(r"^Caused by: (.+)$", text, re.MULTILINE):
        return caused_by[1].strip()
    text = text.partition("\n\nFailed validating")[0]
    if "Traceback" in text:
        text = _last_line(text)
    return text.strip()


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].strip()


def _why_stopped(name: str, job: DescribeTrainingJobResponseTypeDef) -> str:
    stopping = job.get("StoppingCondition", {})
    match job.get("SecondaryStatus"):
        case "MaxRuntimeExceeded":
            seconds = stopping.get("MaxRuntimeInSeconds")
            return f"Training job {name} was stopped after its maximum runtime of {seconds} s (`algorithm.max_runtime_seconds`)."
        case "MaxWaitTimeExceeded":
            seconds = stopping.get("MaxWaitTimeInSeconds")
            return f"Training job {name} was stopped: no spot capacity for it within {seconds} s."
        case _:
            return f"Training job {name} was stopped before it was done, by a request to SageMaker."
