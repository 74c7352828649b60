"""The costs in a run's record, ``details.cost``: what it may cost at most, then what its jobs have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sageline.aws.errors import is_denied, is_not_found
from sageline.costs.actual import BilledJob, with_billed_job
from sageline.costs.estimate import BillableWork, CostFacts
from sageline.errors import RunNotFound
from sageline.jobs.trials import list_trials
from sageline.names import transform_job_name
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import rollout_of
from sageline.runs.payloads import ResourceKind
from sageline.runs.prices import LIST_PRICES
from sageline.spec.deployment import DeploymentSpec
from sageline.spec.model import Spec

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

EVALUATION_SECONDS = 3600
"""For how long a transform job of held-out rows may run."""

_ENDED = ("Completed", "Failed", "Stopped")


def facts_of(run: RunContext, *transforms: BillableWork, deployment: DeploymentSpec | None = None) -> CostFacts:
    """What the bound depends on besides the spec's own numbers of jobs and instances.

    Raises:
        InvalidPrices: the stack's own prices are not what they must be.
    """
    scaling = deployment.autoscaling if deployment else None
    rollout = rollout_of(deployment) if deployment else None
    facts = CostFacts(
        region=run.region,
        prices=LIST_PRICES,
        transforms=transforms,
        rollout_seconds=rollout.bake_seconds * len(rollout.steps) if rollout else 0,
        ttl_hours=deployment.ttl_hours if deployment else None,
        most_instances=scaling.max if scaling else None,
    )
    try:
        return replace(facts, prices=run.files.read_prices())
    except ClientError as error:
        if not is_denied(error):
            raise
        note = f"{run.files.prices_uri} may not be read (AccessDenied): the list prices are counted with."
        return replace(facts, notes=(note,))


def evaluation_work(spec: Spec, jobs: int = 1) -> BillableWork:
    """The transform jobs by which models are judged: ``jobs`` of a run's own, and that of the model in service."""
    return BillableWork(
        what="evaluation",
        use="transform",
        instance_type=spec.evaluation.instance_type,
        instances=1,
        jobs=jobs + (1 if spec.evaluation.beat_champion else 0),
        seconds=EVALUATION_SECONDS,
    )


def note_job_cost(kind: ResourceKind, name: str, run_id: str, *, run: RunContext) -> None:
    """Write what a job of the run has cost into its record, if the job has ended and the run has a bound to compare with."""
    looks = {
        "training-job": _training,
        "hyper-parameter-tuning-job": _tuning,
        "transform-job": _transform,
    }
    if kind not in looks:
        return
    try:
        spent = looks[kind](name, run.clients.sagemaker)
        cost = run.store.get(run_id).details.get("cost")
    except RunNotFound:
        return
    except ClientError as error:
        if is_not_found(error):
            return
        raise
    if spent is not None and cost is not None:
        run.store.note(run_id, cost=with_billed_job(cost, spent))


def transform_limit(run_id: str, job_name: str, run: RunContext) -> int | None:
    """For how many seconds a transform job of the run may run. SageMaker has no such limit; a bound on costs needs one."""
    what = "batch" if job_name == transform_job_name(run_id, "batch") else "evaluation"
    cost: Mapping[str, Any] = run.store.get(run_id).details.get("cost") or {}
    seconds = [part["seconds"] for part in cost.get("parts", []) if part["what"] == what]
    return max(seconds, default=None)


def _training(name: str, sagemaker: SageMakerClient) -> BilledJob | None:
    job = sagemaker.describe_training_job(TrainingJobName=name)
    if job["TrainingJobStatus"] not in _ENDED or "TuningJobArn" in job or "ResourceConfig" not in job:
        return None  # the jobs of a tuning are counted with it
    resources = job["ResourceConfig"]
    return BilledJob(
        job=name,
        use="training",
        instance_type=resources.get("InstanceType", ""),
        instances=resources.get("InstanceCount", 1),
        seconds=job.get("BillableTimeInSeconds", job.get("TrainingTimeInSeconds", 0)),
    )


def _tuning(name: str, sagemaker: SageMakerClient) -> BilledJob | None:
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    resources = job.get("TrainingJobDefinition", {}).get("ResourceConfig")
    if job["HyperParameterTuningJobStatus"] not in _ENDED or resources is None:
        return None
    # What each was billed for only its own description says, one call each; for spot training that is less than the time it took.
    trials = list_trials(name, "Minimize", None, sagemaker)
    return BilledJob(
        job=name,
        use="training",
        instance_type=resources.get("InstanceType", ""),
        instances=resources.get("InstanceCount", 1),
        seconds=sum(trial["seconds"] or 0 for trial in trials),
    )


def _transform(name: str, sagemaker: SageMakerClient) -> BilledJob | None:
    job = sagemaker.describe_transform_job(TransformJobName=name)
    if job["TransformJobStatus"] not in _ENDED or "TransformResources" not in job:
        return None
    return BilledJob(
        job=name,
        use="transform",
        instance_type=job["TransformResources"]["InstanceType"],
        instances=job["TransformResources"]["InstanceCount"],
        seconds=_seconds(job.get("TransformStartTime"), job.get("TransformEndTime")),
    )


def _seconds(start: datetime | None, end: datetime | None) -> int:
    return round((end - start).total_seconds()) if start and end else 0
