"""What the role of a state machine allows, which MiniStack 1.5.33 does not look at: its executions may do everything.

A Distributed Map starts its children, and reads its items, as the role:
https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.services import iam, stepfunctions


def denial(execution: Any, action: str, resource: str, keys: Mapping[str, str] | None = None) -> str | None:  # Any: MiniStack's
    """Why the role of an execution's state machine may not do ``action`` on the ARN ``resource``; None if it may.

    Args:
        keys: the request's condition keys, in lower case.
    """
    if not ministack.AUTH:
        return None
    machine = execution["stateMachineArn"].partition("/")[0]  # that of a map's child ends with /label
    role = stepfunctions._state_machines[machine]["roleArn"]
    account, name = role.split(":")[4], role.rpartition("/")[2]
    principal = f"arn:aws:sts::{account}:assumed-role/{name}/{execution['name']}"
    context = iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=machine.split(":")[3],
        service_context=dict(keys or {}),
    )
    policies = iam_evaluator._gather_role_policies(name, account)
    boundary = iam_evaluator._permissions_boundary(iam._roles, name, account)
    if iam_evaluator.evaluate(context, policies, *boundary).decision == "Allow":
        return None
    return (
        f"User: {principal} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
