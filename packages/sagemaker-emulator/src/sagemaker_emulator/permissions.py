"""What callers and execution roles may do, as the rest of the service asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sagemaker_emulator.callers import Caller


class Permissions(Protocol):
    """Policies of IAM, or what stands in for them."""

    def require(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        *,
        request_tags: Mapping[str, str] | None = None,
        resource_tags: Mapping[str, str] | None = None,
        context: Mapping[str, object] | None = None,
    ) -> None:
        """Raise AccessDeniedException unless the caller may do the action.

        ``resource_tags`` are the tags of a resource that exists: as in AWS, a condition on ``aws:ResourceTag`` fails for one
        that does not. ``request_tags`` is None when the request has no tags.
        """

    def remembers(self, caller: Caller, action: str, resource_arn: str, resource_tags: Mapping[str, str]) -> bool:
        """Whether :meth:`require` has lately found that the caller may do the action. Never waits for anybody."""

    def require_pass_role(self, caller: Caller, role_arn: str) -> None:
        """The caller may hand ``role_arn`` to SageMaker, the role exists, and SageMaker may assume it."""

    def role_allows(self, role_arn: str, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether a role may do something by its own policies: what a training job or a model is allowed.

        ``context``: condition keys of the action, such as ``s3:prefix``, in lower case.
        """


class Unchecked:
    """Where there is no IAM: roles are taken as they are, and everybody may do everything."""

    def require(
        self,
        caller: Caller,
        action: str,
        resource_arn: str,
        *,
        request_tags: Mapping[str, str] | None = None,
        resource_tags: Mapping[str, str] | None = None,
        context: Mapping[str, object] | None = None,
    ) -> None:
        pass

    def remembers(self, caller: Caller, action: str, resource_arn: str, resource_tags: Mapping[str, str]) -> bool:
        return True

    def require_pass_role(self, caller: Caller, role_arn: str) -> None:
        pass

    def role_allows(self, role_arn: str, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
        return True
