"""SageMaker in memory: what a job or an endpoint does next is up to the test. Messages are AWS's own.

It stands behind real boto3 clients by :class:`FakeAws`, which checks requests and answers against botocore's model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from botocore import xform_name

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
WORDS = {"model": "model", "endpoint-config": "endpoint configuration", "endpoint": "endpoint", "transform-job": "transform job"}
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_PAGE = 10

# Requests and answers are JSON.
Document: TypeAlias = dict[str, Any]


class Refused(Exception):
    """An error answer; ``more`` is what stands beside the error."""

    def __init__(self, code: str, message: str, **more: object) -> None:
        super().__init__(message)
        self.code, self.message, self.more = code, message, more


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


@dataclass
class FakeSageMaker:
    """What exists, and what was asked. ``refuse`` makes the next call of an operation fail; ``before`` runs ahead of one."""

    jobs: dict[str, Document] = field(default_factory=dict)
    tunings: dict[str, Document] = field(default_factory=dict)
    trials: dict[str, list[Document]] = field(default_factory=dict)
    transforms: dict[str, Document] = field(default_factory=dict)
    models: dict[str, Document] = field(default_factory=dict)
    configs: dict[str, Document] = field(default_factory=dict)
    endpoints: dict[str, Document] = field(default_factory=dict)
    tags: dict[str, list[Document]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refuse: dict[str, Refused] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    updates_at_once: bool = False
    lingers: bool = False
    """Whether an endpoint is Deleting for a while."""
    scaled: Callable[[], Collection[str]] = tuple
    """The resource ids of variants that are scalable targets."""
    made_at: dict[str, datetime] = field(default_factory=dict)
    """When something was made, by its name; if not given, at eight on the day of these tests."""

    def changes(self) -> list[str]:
        """Calls that changed something."""
        return [call for call in self.calls if not call.startswith(("Describe", "List"))]

    def ask(self, operation: str, request: Document) -> Document:
        """Answer a request that botocore has found right."""
        self.calls.append(operation)
        self.before.pop(operation, lambda: None)()
        if operation in self.refuse:
            raise self.refuse.pop(operation)
        answer: Document = getattr(self, xform_name(operation))(request)
        return answer

    # ---- training jobs ----

    def create_training_job(self, request: Document) -> Document:
        name = request["TrainingJobName"]
        arn = f"{ARN}:training-job/{name}"
        if name in self.jobs:
            raise Refused("ResourceInUse", f"Training job names must be unique within an AWS account and region ({arn})")
        self.jobs[name] = {**request, "TrainingJobArn": arn, "TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting"}
        self.tags[arn] = request.get("Tags", [])
        return {"TrainingJobArn": arn}

    def describe_training_job(self, request: Document) -> Document:
        if request["TrainingJobName"] not in self.jobs:
            raise invalid("Requested resource not found.")
        return self.jobs[request["TrainingJobName"]]

    def stop_training_job(self, request: Document) -> Document:
        job = self.jobs[request["TrainingJobName"]]
        if job["TrainingJobStatus"] != "InProgress":
            raise invalid(f"The request was rejected because the training job is in status {job['TrainingJobStatus']}.")
        job["TrainingJobStatus"] = "Stopping"
        return {}

    # ---- tuning jobs and transform jobs ----

    def create_hyper_parameter_tuning_job(self, request: Document) -> Document:
        name = request["HyperParameterTuningJobName"]
        arn = f"{ARN}:hyper-parameter-tuning-job/{name}"
        if name in self.tunings:
            raise Refused(
                "ResourceInUse", f"A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
            )
        self.tunings[name] = {
            **request,
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "TrainingJobStatusCounters": {},
        }
        return {"HyperParameterTuningJobArn": arn}

    def describe_hyper_parameter_tuning_job(self, request: Document) -> Document:
        if request["HyperParameterTuningJobName"] not in self.tunings:
            name = request["HyperParameterTuningJobName"]
            raise Refused("ResourceNotFound", f"Amazon SageMaker can't find a tuning job called {name}. Type another name.")
        return self.tunings[request["HyperParameterTuningJobName"]]

    def stop_hyper_parameter_tuning_job(self, request: Document) -> Document:
        self.tunings[request["HyperParameterTuningJobName"]]["HyperParameterTuningJobStatus"] = "Stopping"
        return {}

    def list_training_jobs_for_hyper_parameter_tuning_job(self, request: Document) -> Document:
        """Two trials a page."""
        trials, start = self.trials.get(request["HyperParameterTuningJobName"], []), int(request.get("NextToken", "0"))
        page: Document = {"TrainingJobSummaries": trials[start : start + 2]}
        return page | {"NextToken": str(start + 2)} if len(trials) > start + 2 else page

    def create_transform_job(self, request: Document) -> Document:
        name, arn = request["TransformJobName"], f"{ARN}:transform-job/{request['TransformJobName']}"
        if name in self.transforms:
            raise Refused("ResourceInUse", f"Job name must be unique within an AWS account and region, and a job exists: {arn}.")
        self.describe_model({"ModelName": request["ModelName"]})
        self.transforms[name] = {**request, "TransformJobArn": arn, "TransformJobStatus": "InProgress"}
        self.transforms[name] |= {"CreationTime": 1795168900.0}
        return {"TransformJobArn": arn}

    def describe_transform_job(self, request: Document) -> Document:
        return self._describe(self.transforms, "transform-job", request["TransformJobName"])

    def stop_transform_job(self, request: Document) -> Document:
        self.transforms[request["TransformJobName"]]["TransformJobStatus"] = "Stopping"
        return {}

    # ---- models and configs ----

    def create_model(self, request: Document) -> Document:
        return self._create(self.models, "model", "Model", request)

    def describe_model(self, request: Document) -> Document:
        return self._describe(self.models, "model", request["ModelName"])

    def delete_model(self, request: Document) -> Document:
        self._describe(self.models, "model", request["ModelName"])
        del self.models[request["ModelName"]]
        return {}

    def create_endpoint_config(self, request: Document) -> Document:
        for variant in request["ProductionVariants"]:
            model = self._describe(self.models, "model", variant.get("ModelName", ""))
            if "ServerlessConfig" in variant and model.get("EnableNetworkIsolation"):
                raise invalid(f"Network isolation is not supported on serverless endpoints: {model['ModelName']}")
        return self._create(self.configs, "endpoint-config", "EndpointConfig", request)

    def describe_endpoint_config(self, request: Document) -> Document:
        return self._describe(self.configs, "endpoint-config", request["EndpointConfigName"])

    def delete_endpoint_config(self, request: Document) -> Document:
        name = request["EndpointConfigName"]
        self._describe(self.configs, "endpoint-config", name)
        for endpoint in self.endpoints.values():
            if endpoint["EndpointStatus"] in ("Creating", "Updating") and name in (
                endpoint["EndpointConfigName"],
                endpoint["next"],
            ):
                raise invalid(f"Cannot delete {name}: it is in use.")
        del self.configs[name]
        return {}

    # ---- endpoints ----

    def create_endpoint(self, request: Document) -> Document:
        name, config = request["EndpointName"], request["EndpointConfigName"]
        self._describe(self.configs, "endpoint-config", config)
        answer = self._create(self.endpoints, "endpoint", "Endpoint", request)
        self.endpoints[name] |= {"EndpointStatus": "Creating", "next": config}
        return answer

    def describe_endpoint(self, request: Document) -> Document:
        return {**self._describe(self.endpoints, "endpoint", request["EndpointName"])}

    def update_endpoint(self, request: Document) -> Document:
        endpoint = self._describe(self.endpoints, "endpoint", request["EndpointName"])
        self._describe(self.configs, "endpoint-config", request["EndpointConfigName"])
        if endpoint["EndpointStatus"] in BUSY or endpoint["EndpointStatus"] == "Failed":
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        self._check_scaled(request["EndpointName"], request["EndpointConfigName"])
        self._check_kind(request["EndpointName"], request["EndpointConfigName"])
        endpoint |= {"EndpointStatus": "Updating", "next": request["EndpointConfigName"]}
        if self.updates_at_once:
            self.settle(request["EndpointName"])
        return {"EndpointArn": endpoint["EndpointArn"]}

    def update_endpoint_weights_and_capacities(self, request: Document) -> Document:
        endpoint = self._describe(self.endpoints, "endpoint", request["EndpointName"])
        if endpoint["EndpointStatus"] in BUSY:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        desired = {item["VariantName"]: item["DesiredWeight"] for item in request["DesiredWeightsAndCapacities"]}
        for variant in self.serving(request["EndpointName"]):
            variant["CurrentWeight"] = desired.get(variant["VariantName"], variant["CurrentWeight"])
        return {"EndpointArn": endpoint["EndpointArn"]}

    def delete_endpoint(self, request: Document) -> Document:
        endpoint = self._describe(self.endpoints, "endpoint", request["EndpointName"])
        if endpoint["EndpointStatus"] in BUSY:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        if self.lingers:
            endpoint["EndpointStatus"] = "Deleting"
        else:
            del self.endpoints[request["EndpointName"]]
        return {}

    # ---- lists; each takes NameContains ----

    def list_endpoints(self, request: Document) -> Document:
        return {"Endpoints": self._listed(self.endpoints, request, "EndpointName", "EndpointArn", "EndpointStatus")}

    def list_endpoint_configs(self, request: Document) -> Document:
        return {"EndpointConfigs": self._listed(self.configs, request, "EndpointConfigName", "EndpointConfigArn")}

    def list_models(self, request: Document) -> Document:
        """The next ten, and of those the ones of the name: a page may be empty, and others follow."""
        start = int(request.get("NextToken", "0"))
        page = {name: self.models[name] for name in list(self.models)[start : start + _PAGE]}
        more = {"NextToken": str(start + _PAGE)} if len(self.models) > start + _PAGE else {}
        return {"Models": self._listed(page, request, "ModelName", "ModelArn"), **more}

    def list_training_jobs(self, request: Document) -> Document:
        wanted = request.get("StatusEquals")
        found = self._listed(self.jobs, request, "TrainingJobName", "TrainingJobArn", "TrainingJobStatus")
        return {"TrainingJobSummaries": [job for job in found if wanted in (None, job["TrainingJobStatus"])]}

    def list_hyper_parameter_tuning_jobs(self, request: Document) -> Document:
        members = ("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus")
        return {"HyperParameterTuningJobSummaries": self._listed(self.tunings, request, *members)}

    def list_transform_jobs(self, request: Document) -> Document:
        members = ("TransformJobName", "TransformJobArn", "TransformJobStatus")
        return {"TransformJobSummaries": self._listed(self.transforms, request, *members)}

    def _listed(self, kept: dict[str, Document], request: Document, *members: str) -> list[Document]:
        found = {name: item for name, item in kept.items() if request.get("NameContains", "") in name}
        return [{member: item[member] for member in members} | self._times(name) for name, item in found.items()]

    # ---- tags ----

    def add_tags(self, request: Document) -> Document:
        self._check_there(request["ResourceArn"])
        added = {tag["Key"] for tag in request["Tags"]}
        kept = [tag for tag in self.tags.get(request["ResourceArn"], []) if tag["Key"] not in added]
        self.tags[request["ResourceArn"]] = [*kept, *request["Tags"]]
        return {"Tags": self.tags[request["ResourceArn"]]}

    def delete_tags(self, request: Document) -> Document:
        self._check_there(request["ResourceArn"])
        kept = [tag for tag in self.tags.get(request["ResourceArn"], []) if tag["Key"] not in request["TagKeys"]]
        self.tags[request["ResourceArn"]] = kept
        return {}

    def list_tags(self, request: Document) -> Document:
        self._check_there(request["ResourceArn"])
        return {"Tags": self.tags.get(request["ResourceArn"], [])}

    # ---- what time brings ----

    def run_endpoint(self, name: str, status: str = "InService", *variants: Document, **more: object) -> None:
        """There is an endpoint in this status, whatever was there before."""
        self.endpoints[name] = {
            "EndpointName": name,
            "EndpointArn": f"{ARN}:endpoint/{name}",
            "EndpointConfigName": name,
            "EndpointStatus": status,
            "ProductionVariants": [{"CurrentWeight": 1.0, **variant} for variant in variants],
            **self._times(name),
            **more,
        }

    def settle(self, name: str, *, status: str = "InService", reason: str = "") -> None:
        """End the change that an endpoint is in; unless it is InService, it keeps the config that it had."""
        endpoint = self.endpoints[name]
        endpoint["EndpointStatus"] = status
        if reason:
            endpoint["FailureReason"] = reason
        else:
            endpoint["EndpointConfigName"] = endpoint["next"]
        if endpoint["EndpointConfigName"] in self.configs:
            endpoint["ProductionVariants"] = [
                {"VariantName": variant["VariantName"], "CurrentWeight": variant["InitialVariantWeight"]}
                | ({"CurrentServerlessConfig": variant["ServerlessConfig"]} if "ServerlessConfig" in variant else {})
                for variant in self.configs[endpoint["EndpointConfigName"]]["ProductionVariants"]
            ]

    def serving(self, name: str) -> list[Document]:
        """An endpoint's variants, as DescribeEndpoint shows them."""
        variants: list[Document] = self.endpoints[name]["ProductionVariants"]
        return variants

    def _create(self, kept: dict[str, Document], kind: str, field_prefix: str, request: Document) -> Document:
        name, arn_field = request[f"{field_prefix}Name"], f"{field_prefix}Arn"
        arn = f"{ARN}:{kind}/{name}"
        if name in kept:
            raise invalid(f'Cannot create already existing {WORDS[kind]} "{arn}".')
        kept[name] = {**request, arn_field: arn}
        self.tags[arn] = request.get("Tags", [])
        return {arn_field: arn}

    def _check_kind(self, endpoint: str, config: str) -> None:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html"""
        now = self.endpoints[endpoint].get("ProductionVariants", [])
        if any("CurrentServerlessConfig" not in variant for variant in now) and any(
            "ServerlessConfig" in variant for variant in self.configs[config]["ProductionVariants"]
        ):
            raise invalid("Updating an instance-based endpoint to a serverless endpoint is not supported.")

    def _check_scaled(self, endpoint: str, config: str) -> None:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html"""
        stay = {variant["VariantName"] for variant in self.configs[config]["ProductionVariants"]}
        for variant in self.endpoints[endpoint].get("ProductionVariants", []):
            name = variant["VariantName"]
            if name not in stay and f"endpoint/{endpoint}/variant/{name}" in self.scaled():
                raise invalid(
                    f'The variant(s) "{name}" must be deregistered as scalable targets with AWS Auto Scaling before they can be '
                    "removed or have their instance type updated."
                )

    def _check_there(self, arn: str) -> None:
        kind, name = arn.rpartition(":")[2].split("/")
        kept = {"model": self.models, "endpoint-config": self.configs, "endpoint": self.endpoints}.get(kind)
        if kept is not None:
            self._describe(kept, kind, name)

    def _times(self, name: str) -> Document:
        made_at = self.made_at.get(name, datetime(2026, 11, 20, 8, tzinfo=UTC))
        return {"CreationTime": made_at, "LastModifiedTime": made_at}

    @staticmethod
    def _describe(kept: dict[str, Document], kind: str, name: str) -> Document:
        if name not in kept:
            raise invalid(f'Could not find {WORDS[kind]} "{ARN}:{kind}/{name}".')
        return kept[name]
