"""Who may do what, as text: ``permissions.txt``, in which a change of a permission is a line of a diff.

Write it anew with ``python -m tests.unit.template.permissions``.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from pathlib import Path

from tests.unit.template import documents
from tests.unit.template.documents import Document, listed

FILE = Path(__file__).with_name("permissions.txt")


def listing(stack: Document) -> str:
    """Of every role: who takes it, AWS's policies in it, and for each resource and condition the actions, whatever grants them.

    Args:
        stack: the template as CloudFormation gets it.
    """
    return "\n".join(_of_role(stack, role) for role in sorted(documents.of_type(stack, "AWS::IAM::Role")))


def _of_role(stack: Document, role: str) -> str:
    resource = stack["Resources"][role]
    granted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for stack_condition, policy in documents.policies(stack, role):
        for statement in listed(policy["Statement"]):
            ending = _ending(statement, stack_condition)
            for name in listed(statement["Resource"]):
                granted[str(_short(name)), ending] |= set(listed(statement["Action"]))
    shared = [{"Ref": name} for name in documents.shared_policies(stack, role)]
    lines = [role + _ending({}, resource.get("Condition"))]
    for trust in listed(resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]):
        lines.append(f"  assumed by {' '.join(listed(trust['Principal']['Service']))}{_ending(trust, None)}")
    lines += [f"  {arn}" for arn in resource["Properties"].get("ManagedPolicyArns", []) if arn not in shared]
    lines += [f"  {name}: {' '.join(sorted(actions))}{ending}" for (name, ending), actions in sorted(granted.items())]
    return "\n".join(lines) + "\n"


def _ending(statement: Document, stack_condition: str | None) -> str:
    """When a statement counts: the request's condition, and the stack's."""
    assert statement.get("Effect", "Allow") == "Allow", "a Deny would have to be listed apart"
    request = f" if {json.dumps(_short(statement['Condition']), sort_keys=True)}" if "Condition" in statement else ""
    return request + (f" where {stack_condition}" if stack_condition else "")


def _short(value: object) -> object:
    """A value with intrinsic functions written as ``Fn::Sub`` has them, and without what is the same in all ARNs."""
    if isinstance(value, list):
        return [_short(item) for item in value]
    if not isinstance(value, dict):
        if isinstance(value, str):
            return re.sub(r"^arn:\$\{AWS::Partition\}:(\w[\w-]*):(\$\{AWS::Region\})?:(\$\{AWS::AccountId\})?:?", r"\1:", value)
        return value
    if value.keys() == {"Ref"}:
        return f"${{{value['Ref']}}}"
    if value.keys() == {"Fn::GetAtt"}:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    if value.keys() == {"Fn::Sub"}:
        return _short(value["Fn::Sub"])
    return {key: _short(item) for key, item in value.items()}


if __name__ == "__main__":
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    FILE.write_text(listing(documents.expanded(documents.template())))
