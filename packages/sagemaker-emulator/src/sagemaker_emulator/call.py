"""One call as the operations see it, and the service that they work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_emulator.authorization import Authorizer
from sagemaker_emulator.aws import Aws, Place
from sagemaker_emulator.callers import Caller
from sagemaker_emulator.conditions import of_request
from sagemaker_emulator.store import Document, Request, Store

if TYPE_CHECKING:
    from sagemaker_emulator.hosting.deployments import Deployments
    from sagemaker_emulator.hosting.metrics import InvocationMetrics
    from sagemaker_emulator.training.jobs import TrainingJobs
    from sagemaker_emulator.transform.jobs import TransformJobs
    from sagemaker_emulator.tuning.jobs import TuningJobs


@dataclass(frozen=True)
class Service:
    """The parts that operations share."""

    place: Place
    store: Store
    aws: Aws
    authorizer: Authorizer
    training: TrainingJobs
    tuning: TuningJobs
    transforms: TransformJobs
    deployments: Deployments
    metrics: InvocationMetrics


@dataclass(frozen=True)
class Call:
    """An authenticated, validated request."""

    service: Service
    caller: Caller
    operation: str
    request: Request

    @property
    def store(self) -> Store:
        return self.service.store

    @property
    def place(self) -> Place:
        return self.service.place

    def require(self, resource_arn: str, *, exists: bool = True) -> None:
        """The caller may do this operation on a resource that is there."""
        self.service.authorizer.require(
            self.caller,
            f"sagemaker:{self.operation}",
            resource_arn,
            request_tags=self.request_tags(),
            resource_tags=self.store.tags(resource_arn) if exists else None,
        )

    def require_create(self, resource_arn: str) -> None:
        """The caller may create the resource with the tags of the request; tags need AddTags on it as well."""
        tags = self.request_tags()
        authorizer = self.service.authorizer
        context = of_request(self.operation, self.request)
        authorizer.require(self.caller, f"sagemaker:{self.operation}", resource_arn, request_tags=tags, context=context)
        if tags:
            authorizer.require(self.caller, "sagemaker:AddTags", resource_arn, request_tags=tags)

    def request_tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.request.get("Tags") or []}


def copied(request: Request, *names: str) -> Document:
    """The members of a request that Describe gives back unchanged."""
    return {name: request[name] for name in names if request.get(name) is not None}
