"""StartTraining: one training job or tuning job per run, however often it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.compare import check_same
from sageline.aws.errors import is_existing
from sageline.errors import RunFinished
from sageline.jobs.stopping import stop_training
from sageline.names import tuning_job_name
from sageline.runs.context import RunContext
from sageline.runs.payloads import PreparedData, Resource
from sageline.training.plan import hyperparameters, search, training_work
from sageline.training.roles import JobRoles
from sageline.training.source import store_source
from sageline.training.training_request import training_job_request
from sageline.training.tuning_request import tuning_job_request

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import CreateHyperParameterTuningJobRequestTypeDef, CreateTrainingJobRequestTypeDef


def start_training(run_id: str, prepared: PreparedData, *, roles: JobRoles, run: RunContext) -> Resource:
    """Start the run's training job, or its tuning job if the spec has a tuning; or find it started.

    Raises:
        InvalidSpec: the script's archive cannot be used, or the stack does not let it use the network.
        ResourceConflict: a job of that name exists and is another one.
        RunFinished: the run was stopped meanwhile.
        SettingsError: SageMaker has no image in this region.
    """
    run.store.enter(run_id, "StartTraining")
    sagemaker, spec = run.clients.sagemaker, run.files.read_spec(run_id)
    role_arn = roles.of(spec.algorithm)
    work = training_work(spec, prepared, run.files.layout(run_id), role_arn=role_arn, region=run.region)
    store_source(run_id, spec, run.files)
    name = run_id if spec.tuning is None else tuning_job_name(run_id)
    given = hyperparameters(spec, job_name=name, region=run.region)
    job: Resource
    if spec.tuning is None:
        job = _start(training_job_request(work, run_id=run_id, stack_name=run.stack_name, hyperparameters=given), sagemaker)
        run.store.enter(run_id, "StartTraining", training_job={"name": name, "arn": job["arn"]})
    else:
        request = tuning_job_request(
            work, search(spec.tuning, spec.algorithm), name=name, run_id=run_id, stack_name=run.stack_name, static=given
        )
        job = _start_tuning(request, sagemaker)
        run.store.enter(run_id, "StartTraining", tuning_job={"name": name, "arn": job["arn"]})
    if run.store.get(run_id).status == "Stopped":
        # A person stopped the run while the job was being started, and found no job to stop.
        stop_training(run_id, sagemaker=sagemaker)
        raise RunFinished(f"Run {run_id} was stopped while its training job was being started.")
    return job


def _start(request: CreateTrainingJobRequestTypeDef, sagemaker: SageMakerClient) -> Resource:
    name = request["TrainingJobName"]
    try:
        arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    except ClientError as error:
        if not is_existing(error):
            raise
        found = sagemaker.describe_training_job(TrainingJobName=name)
        check_same(request, found, what=f"A training job {name}", advice="Start another run.")
        arn = found["TrainingJobArn"]
    return {"kind": "training-job", "name": name, "arn": arn}


def _start_tuning(request: CreateHyperParameterTuningJobRequestTypeDef, sagemaker: SageMakerClient) -> Resource:
    name = request["HyperParameterTuningJobName"]
    try:
        arn = sagemaker.create_hyper_parameter_tuning_job(**request)["HyperParameterTuningJobArn"]
    except ClientError as error:
        if not is_existing(error):
            raise
        found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        check_same(request, found, what=f"A tuning job {name}", advice="Start another run.")
        arn = found["HyperParameterTuningJobArn"]
    return {"kind": "hyper-parameter-tuning-job", "name": name, "arn": arn}
