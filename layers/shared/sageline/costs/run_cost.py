"""The costs in a run's record, ``details.cost``: what it may cost at most, then what its jobs have cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sageline.aws.errors import is_denied, is_not_found
from sageline.costs.actual import BilledJob, with_billed_job
from sageline.costs.estimate import BillableWork, CostFacts
from sageline.costs.sharded_evaluation import with_evaluation
from sageline.errors import RunNotFound
from sageline.jobs.trials import list_trials
from sageline.names import transform_job_name
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import rollout_of
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import ResourceKind
from sageline.runs.prices import LIST_PRICES
from sageline.runs.store import RunRecord
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
    return with_prices_of(run.files, replace(listed_facts(deployment), region=run.region, transforms=transforms))


def listed_facts(deployment: DeploymentSpec | None) -> CostFacts:
    """The same at list prices, without looking at a stack."""
    scaling = deployment.autoscaling if deployment else None
    rollout = rollout_of(deployment) if deployment else None
    return CostFacts(
        prices=LIST_PRICES,
        rollout_seconds=rollout.bake_seconds * len(rollout.steps) if rollout else 0,
        ttl_hours=deployment.ttl_hours if deployment else None,
        most_instances=scaling.max if scaling else None,
    )


def with_prices_of(files: RunFiles, facts: CostFacts) -> CostFacts:
    """The facts with the stack's own prices, where it has any.

    Raises:
        InvalidPrices: these are not what they must be.
    """
    try:
        return replace(facts, prices=files.read_prices())
    except ClientError as error:
        if not is_denied(error):
            raise
        note = f"{files.prices_uri} may not be read (AccessDenied): the list prices are counted with."
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
        record = run.store.get(run_id)
        cost = record.details.get("cost")
    except RunNotFound:
        return
    except ClientError as error:
        if is_not_found(error):
            return
        raise
    if spent is not None and cost is not None:
        run.store.note(run_id, cost=with_billed_job(cost, spent))
        if (whole := record.details.get("candidate_of")) is not None:
            _note_candidates_jobs(whole, run)


def with_jobs_of(cost: Mapping[str, Any], candidates: Sequence[RunRecord]) -> dict[str, Any]:  # any JSON value
    """A run's ``cost`` with what the jobs of its candidates have cost, and evaluating these in shards."""
    together = dict(cost)
    for job in [job for candidate in candidates for job in candidate.details.get("cost", {}).get("jobs", [])]:
        together = with_billed_job(together, BilledJob(**{name: value for name, value in job.items() if name != "usd"}))
    for candidate in candidates:
        works = candidate.details.get("evaluation_shards", {})
        together = with_evaluation(together, candidate.run_id, works, candidate=True)
    return together


def _note_candidates_jobs(run_id: str, run: RunContext) -> None:
    """Write what the jobs of a run's candidates have cost into its own record: ChooseCandidate does so too, but a run that is
    stopped or fails before has none.

    Two jobs may end at once, and the writes overtake each other: who writes last looks again, and finds nothing amiss.
    """
    while True:
        try:
            record = run.store.get(run_id)
        except RunNotFound:
            return
        cost = record.details.get("cost")
        candidates = list(_candidates(record, run))
        if cost is None or _jobs_of(with_jobs_of(cost, candidates)) == _jobs_of(cost):
            return
        run.store.note(run_id, cost=with_jobs_of(cost, candidates))


def _candidates(record: RunRecord, run: RunContext) -> Iterator[RunRecord]:
    for planned in record.details.get("candidates") or []:
        with suppress(RunNotFound):
            yield run.store.get(planned["run_id"])


def _jobs_of(cost: Mapping[str, Any]) -> dict[tuple[str, str], int]:  # any JSON value
    """A job's use and name to the seconds that it was billed for."""
    return {(job["use"], job["job"]): job["seconds"] for job in cost.get("jobs", [])}


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
