"""StartTransform: one transform job per run and purpose, however often it is asked for.

It knows nothing of what is transformed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.errors import EndpointNotFound, RunFinished
from sageline.names import TransformPurpose, transform_job_name
from sageline.requests.transform_job import transform_job_request
from sageline.run.aws_errors import is_existing, is_not_found
from sageline.run.comparing import check_same
from sageline.run.context import RunContext
from sageline.run.payloads import Resource, TransformPlan
from sageline.run.stopping import stop_transforms
from sageline.store import Json

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_STATES: dict[TransformPurpose, tuple[str, str]] = {
    "batch": ("StartTransform", "transform_job"),
    "evaluation": ("StartEvaluationTransform", "evaluation_job"),
    "champion": ("StartChampionTransform", "champion_job"),
}
"""The state that starts the job, and where the run's record notes it."""


def start_transform(
    run_id: str, plan: TransformPlan, *, run: RunContext, sagemaker: SageMakerClient, purpose: TransformPurpose = "batch"
) -> Resource:
    """Start a transform job of the run, or find it started.

    Raises:
        EndpointNotFound: the model was deleted, as it is with its endpoint.
        ResourceConflict: a transform job of that name exists and is another one.
        RunFinished: the run was stopped meanwhile.
    """
    name, (state, noted) = transform_job_name(run_id, purpose), _STATES[purpose]
    run.store.enter(run_id, state)
    request = transform_job_request(name=name, run_id=run_id, stack_name=run.stack_name, **plan)
    try:
        arn = sagemaker.create_transform_job(**request)["TransformJobArn"]
    except ClientError as error:
        if is_not_found(error):
            raise EndpointNotFound(
                f"Model {plan['model_name']} is not there any more: its endpoint was deleted, or has a newer model by now."
            ) from None
        if not is_existing(error):
            raise
        found = sagemaker.describe_transform_job(TransformJobName=name)
        check_same(request, found, what=f"A transform job {name}", advice="Start another run.")
        arn = found["TransformJobArn"]
    job: Json = {noted: {"name": name, "arn": arn}}
    run.store.enter(run_id, state, **job)
    if run.store.get(run_id).status == "Stopped":
        # A person stopped the run while the job was being started, and found no job to stop.
        stop_transforms(run_id, sagemaker=sagemaker)
        raise RunFinished(f"Run {run_id} was stopped while its transform job was being started.")
    return {"kind": "transform-job", "name": name, "arn": arn}
