"""RunTransform and the like: one transform job per run and purpose, however often it is asked for.

It knows nothing of what is transformed. Starting takes a moment and waiting goes by event, so one state does both: started again
after its timeout it finds its job, and looks at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.compare import check_same
from sageline.aws.errors import is_existing, is_not_found, is_transient
from sageline.batch.transform_request import transform_job_request
from sageline.errors import EndpointNotFound, RunFinished
from sageline.jobs.stopping import stop_transforms
from sageline.json_objects import Json
from sageline.names import TRANSFORMS, TransformPurpose, transform_job_name
from sageline.runs.context import RunContext
from sageline.runs.payloads import Resource, TransformPlan
from sageline.waiting.check_status import wait_for_resource

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeTransformJobResponseTypeDef


def start_and_wait(
    run_id: str, plan: TransformPlan, task_token: str, *, run: RunContext, purpose: TransformPurpose = "batch"
) -> str:
    """Start a transform job of the run, or find it started, and keep the state's token until it is done. Returns the outcome in
    words, for the log. A transient error is left to the next look, as in :func:`sageline.waiting.check_status.wait_for_resource`.

    Raises:
        EndpointNotFound, ResourceConflict, RunFinished: as :func:`start_transform`.
    """
    try:
        job = start_transform(run_id, plan, run=run, purpose=purpose)
    except Exception as error:  # every look begins here: what AWS does not answer at this moment must not end the run
        if not is_transient(error):
            raise
        return f"Starting a transform job did not succeed, and is left to the next look: {error}"
    return wait_for_resource(run_id, job, task_token, run=run)


def start_transform(run_id: str, plan: TransformPlan, *, run: RunContext, purpose: TransformPurpose = "batch") -> Resource:
    """Start a transform job of the run, or find it started.

    Raises:
        EndpointNotFound: the model was deleted, as it is with its endpoint.
        ResourceConflict: a transform job of that name exists and is another one.
        RunFinished: the run was stopped meanwhile.
    """
    sagemaker = run.clients.sagemaker
    name, transform = transform_job_name(run_id, purpose), TRANSFORMS[purpose]
    run.store.enter(run_id, transform.state)
    request = transform_job_request(name=name, run_id=run_id, stack_name=run.stack_name, **plan)
    try:
        arn = sagemaker.create_transform_job(**request)["TransformJobArn"]
    except ClientError as error:
        if not (is_existing(error) or is_not_found(error)):
            raise
        # A job that is there goes on without its model, should that be deleted meanwhile.
        found = _find_job(name, sagemaker)
        if found is None:
            raise EndpointNotFound(
                f"Model {plan['model_name']} is not there any more: its endpoint was deleted, or has a newer model by now."
            ) from None
        check_same(request, found, what=f"A transform job {name}", advice="Start another run.")
        arn = found["TransformJobArn"]
    job: Json = {transform.job_key: {"name": name, "arn": arn}}
    run.store.enter(run_id, transform.state, **job)
    if run.store.get(run_id).status == "Stopped":
        # A person stopped the run while the job was being started, and found no job to stop.
        stop_transforms(run_id, sagemaker=sagemaker)
        raise RunFinished(f"Run {run_id} was stopped while its transform job was being started.")
    return {"kind": "transform-job", "name": name, "arn": arn}


def _find_job(name: str, sagemaker: SageMakerClient) -> DescribeTransformJobResponseTypeDef | None:
    try:
        return sagemaker.describe_transform_job(TransformJobName=name)
    except ClientError as error:
        if is_not_found(error):
            return None
        raise
