"""One call as the operations see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_emulator.aws import Place
from sagemaker_emulator.callers import Caller
from sagemaker_emulator.conditions import of_request
from sagemaker_emulator.datasource import check_objects
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.parts import Parts
from sagemaker_emulator.permissions import Permissions
from sagemaker_emulator.store import Request, Store


@dataclass(frozen=True)
class Call:
    """An authenticated, validated request."""

    parts: Parts
    caller: Caller
    operation: str
    request: Request

    @property
    def store(self) -> Store:
        return self.parts.store

    @property
    def place(self) -> Place:
        return self.parts.place

    @property
    def objects(self) -> Objects:
        return self.parts.objects

    @property
    def permissions(self) -> Permissions:
        return self.parts.permissions

    def require(self, resource_arn: str, *, exists: bool = True) -> None:
        """The caller may do this operation on a resource that is there."""
        self.permissions.require(
            self.caller,
            f"sagemaker:{self.operation}",
            resource_arn,
            request_tags=self.request_tags(),
            resource_tags=self.store.tags(resource_arn) if exists else None,
        )

    def require_create(self, resource_arn: str) -> None:
        """The caller may create the resource with the tags of the request; tags need AddTags on it as well."""
        tags = self.request_tags()
        context = of_request(self.operation, self.request)
        self.permissions.require(self.caller, f"sagemaker:{self.operation}", resource_arn, request_tags=tags, context=context)
        if tags:
            self.permissions.require(self.caller, "sagemaker:AddTags", resource_arn, request_tags=tags)

    def require_objects(self, source: Request, role_arn: str) -> None:
        """A data source has objects that an execution role may list."""

        def allowed(action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
            return self.permissions.role_allows(role_arn, action, resource_arn, context)

        check_objects(self.objects, allowed, source, role_arn, self.place.region)

    def request_tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.request.get("Tags") or []}
