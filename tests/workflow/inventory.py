"""What a stack holds that costs money or could be in the way, in SageMaker, Scheduler, CloudWatch, Auto Scaling and S3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from sageline.json_objects import Json
from sageline_local.status import StackStatus

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient

_GOING_ON = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Inventory:
    """Listings, as the stack's root user sees them."""

    sagemaker: SageMakerClient
    scheduler: EventBridgeSchedulerClient
    cloudwatch: CloudWatchClient
    scaling: ApplicationAutoScalingClient
    s3: S3Client
    bucket: str

    @classmethod
    def on(cls, status: StackStatus) -> Inventory:
        variables = status.environment
        session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=status.region)
        scaling_url = variables["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"]
        return cls(
            sagemaker=session.client("sagemaker", endpoint_url=status.sagemaker_url),
            scheduler=session.client("scheduler", endpoint_url=status.endpoint_url),
            cloudwatch=session.client("cloudwatch", endpoint_url=status.endpoint_url),
            scaling=session.client("application-autoscaling", endpoint_url=scaling_url),
            s3=session.client("s3", endpoint_url=status.endpoint_url),
            bucket=status.outputs["BucketName"],
        )

    def of(self, name: str) -> list[str]:
        """Whatever is called by the name of a dataset, and so of its endpoint and its runs."""
        schedules = [item["Name"] for item in self.scheduler.list_schedules(NamePrefix=name)["Schedules"]]
        routing = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"endpoints/{name}/").get("Contents", [])
        endpoints = [item["EndpointName"] for item in self.sagemaker.list_endpoints(NameContains=name)["Endpoints"]]
        found = [*endpoints, *schedules, *(item["Key"] for item in routing), *self._made_by_runs(name)]
        return sorted(item for item in found if re.search(rf"(^|/|-rollout-){name}(-|/|$)", item))

    def left_of(self, run: Json) -> list[str]:
        """What a run has made, and what of its endpoint is left without the endpoint. An endpoint that was there before the run
        and serves as it did is none of it."""
        run_id, endpoint = run["run_id"], run["endpoint_name"]
        found = self._made_by_runs(run_id)
        if endpoint is None:
            return found
        there = [item["EndpointName"] for item in self.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]]
        if endpoint not in there:
            return [*found, *self.of(endpoint)]
        config = self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        routing = self.s3.get_object(Bucket=self.bucket, Key=f"endpoints/{endpoint}/routing.json")["Body"].read().decode()
        return [*found, *(f"{kind} of {endpoint}" for kind, text in [("config", config), ("routing", routing)] if run_id in text)]

    def _made_by_runs(self, name: str) -> list[str]:
        """Names, with a part in common, of jobs that go on, models, endpoint configs, alarms and scalable targets."""
        # A page without the name may be followed by one with it.
        pages = self.sagemaker.get_paginator("list_models").paginate(NameContains=name)
        models = [item["ModelName"] for page in pages for item in page["Models"]]
        configs = [
            item["EndpointConfigName"] for item in self.sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        ]
        alarms = [alarm["AlarmName"] for alarm in self.cloudwatch.describe_alarms()["MetricAlarms"]]
        targets = self.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        watching = [found for found in (*alarms, *(target["ResourceId"] for target in targets)) if name in found]
        return sorted([*self._jobs_going_on(name), *models, *configs, *watching])

    def _jobs_going_on(self, name: str) -> list[str]:
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate(NameContains=name)
        training = [job for page in pages for job in page["TrainingJobSummaries"]]
        tuning = self.sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
        transform = self.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
        return [
            *(job["TrainingJobName"] for job in training if job["TrainingJobStatus"] in _GOING_ON),
            *(job["HyperParameterTuningJobName"] for job in tuning if job["HyperParameterTuningJobStatus"] in _GOING_ON),
            *(job["TransformJobName"] for job in transform if job["TransformJobStatus"] in _GOING_ON),
        ]
