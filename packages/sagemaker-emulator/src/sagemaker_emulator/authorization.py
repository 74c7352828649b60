"""What a caller may do: the policies of its role in IAM, evaluated as IAM does.

The evaluation is that of MiniStack (``ministack.core.iam_evaluator``, the package's extra ``iam``), so that with MiniStack
SageMaker's calls are judged as those of every other service are.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from sagemaker_emulator.aws import Place
from sagemaker_emulator.callers import Caller, role_name
from sagemaker_emulator.errors import access_denied, invalid

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_CACHE_SECONDS = 5.0
_FRESH_SECONDS = 0.2
_SERVICE = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Role:
    """A role's policy documents; ``trusted`` says whether SageMaker may assume it."""

    policies: list[object]
    trusted: bool


@dataclass(frozen=True)
class Decision:
    allowed: bool
    explicit_deny: bool


# Who, the action, the resource's ARN and its tags.
_Question: TypeAlias = tuple[str, str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class _Remembered:
    """A role as it was read, None when there was none, and what it was found to allow."""

    read_at: float
    role: Role | None
    allowed: set[_Question] = field(default_factory=set)


class Authorizer:
    """Evaluates actions against roles read from IAM, remembered for a few seconds: :class:`Permissions`."""

    def __init__(
        self, read_role: Callable[[str], Role | None], place: Place, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read_role = read_role
        self._place = place
        self._clock = clock
        self._roles: dict[str, _Remembered] = {}
        self._lock = threading.Lock()

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
        """The root may do everything."""
        if caller.role_name is None:
            return
        keys: dict[str, object] = {f"aws:requesttag/{name.lower()}": value for name, value in (request_tags or {}).items()}
        keys |= {f"aws:resourcetag/{name.lower()}": value for name, value in (resource_tags or {}).items()}
        keys |= {f"sagemaker:resourcetag/{name.lower()}": value for name, value in (resource_tags or {}).items()}
        keys |= {name.lower(): value for name, value in (context or {}).items()}
        keys["aws:tagkeys"] = list(request_tags) if request_tags else None
        decision, remembered = self._decide(caller.role_name, caller.arn, action, resource_arn, keys)
        if not decision.allowed:
            raise access_denied(caller.arn, action, resource_arn, explicit=decision.explicit_deny)
        if not request_tags and not context:
            remembered.allowed.add(_question(caller, action, resource_arn, resource_tags or {}))

    def remembers(self, caller: Caller, action: str, resource_arn: str, resource_tags: Mapping[str, str]) -> bool:
        """For as long as the role's policies are remembered."""
        if caller.role_name is None:
            return True
        found = self._roles.get(caller.role_name)
        return (
            found is not None
            and self._clock() - found.read_at <= _CACHE_SECONDS
            and _question(caller, action, resource_arn, resource_tags) in found.allowed
        )

    def require_pass_role(self, caller: Caller, role_arn: str) -> None:
        self.require(caller, "iam:PassRole", role_arn, context={"iam:PassedToService": _SERVICE})
        role = self._role(role_name(role_arn)).role
        if role is None or not role.trusted:
            role = self._role(role_name(role_arn), at_most_seconds=_FRESH_SECONDS).role
        if role is None or not role.trusted:
            raise invalid(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{_SERVICE}' to assume the role."
            )

    def role_allows(self, role_arn: str, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
        name = role_name(role_arn)
        session = f"arn:aws:sts::{self._place.account}:assumed-role/{name}/SageMaker"
        return self._decide(name, session, action, resource_arn, context or {})[0].allowed

    def _decide(
        self, name: str, caller_arn: str, action: str, resource_arn: str, keys: Mapping[str, object]
    ) -> tuple[Decision, _Remembered]:
        """And by what it was decided."""
        context = EvalContext(
            principal_arn=caller_arn,
            principal_type="AssumedRole",
            principal_account=self._place.account,
            action=action,
            resource_arn=resource_arn,
            region=self._place.region,
            service_context=dict(keys),
        )
        remembered = self._role(name)
        decision = self._evaluate(context, remembered.role)
        if not decision.allowed:
            # A denial is never from memory: a permission may just have been deployed.
            remembered = self._role(name, at_most_seconds=_FRESH_SECONDS)
            decision = self._evaluate(context, remembered.role)
        return decision, remembered

    @staticmethod
    def _evaluate(context: EvalContext, role: Role | None) -> Decision:
        policies = [parse_policy_document(document) for document in role.policies] if role else []
        result = evaluate(context, policies)
        return Decision(result.decision == "Allow", result.decision == "Deny")

    def _role(self, name: str, at_most_seconds: float = _CACHE_SECONDS) -> _Remembered:
        now = self._clock()
        with self._lock:
            found = self._roles.get(name)
            if found is None or now - found.read_at > at_most_seconds:
                found = self._roles[name] = _Remembered(now, self._read_role(name))
        return found


def _question(caller: Caller, action: str, resource_arn: str, resource_tags: Mapping[str, str]) -> _Question:
    return caller.arn, action, resource_arn, frozenset(resource_tags.items())


def read_role(iam: IAMClient, name: str) -> Role | None:
    """A role's inline and attached policies from IAM; None when there is no such role."""
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return None
        raise
    policies: list[object] = []
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
        policies += [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in page["PolicyNames"]]
    for attached in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name):
        policies += [document for policy in attached["AttachedPolicies"] if (document := _managed(iam, policy["PolicyArn"]))]
    return Role(policies, trusted=_trusts_sagemaker(trust))


def _managed(iam: IAMClient, arn: str) -> object:
    """The document of a managed policy. None for one of AWS's own that the IAM lacks: it grants nothing by it either."""
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return None
        raise


def _trusts_sagemaker(document: object) -> bool:
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", []) if isinstance(parsed, dict) else []
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and _SERVICE in ([services] if isinstance(services, str) else services):
            return True
    return False
