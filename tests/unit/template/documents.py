"""The bundle's documents as tests read them: the template as SAM expands it, and the state machine's definition."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-untyped] # the package has no types
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # the package has no types

ROOT = Path(__file__).parents[3]
Document = dict[str, Any]  # Any: what YAML or JSON holds
_UPLOADED = "s3://bucket/key"


def template() -> Document:
    """``template.yaml`` with its short forms written out: ``!Ref x`` is ``{"Ref": "x"}``."""
    document: Document = yaml_parse((ROOT / "template.yaml").read_text())
    return document


def expanded(source: Document) -> Document:
    """What CloudFormation gets: roles, permissions, rules and the API's OpenAPI body are SAM's own."""
    document = copy.deepcopy(source)
    for resource in document["Resources"].values():
        for place in ("CodeUri", "ContentUri", "DefinitionUri"):
            if place in resource.get("Properties", {}):
                resource["Properties"][place] = _UPLOADED
    result: Document = transform(document, {}, SimpleNamespace(load=dict))
    return result


def definition_text() -> str:
    return (ROOT / "statemachine" / "pipeline.asl.json").read_text()


def definition(substitutions: Mapping[str, str]) -> Document:
    """The state machine after CloudFormation has filled every ``${Name}``."""
    text = definition_text()
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", value)
    document: Document = json.loads(text)
    return document


def tasks(machine: Document) -> dict[str, Document]:
    """A definition's states that call a function, by name."""
    return {name: state for name, state in machine["States"].items() if state["Type"] == "Task"}


def of_type(document: Document, kind: str) -> dict[str, Document]:
    """The resources of a CloudFormation type by logical id."""
    return {name: resource for name, resource in document["Resources"].items() if resource["Type"] == kind}


def listed(value: object) -> list[Any]:  # Any: IAM writes a list of one as its only member
    return value if isinstance(value, list) else [value]


def policies(document: Document, role: str) -> Iterator[tuple[str | None, Document]]:
    """The policy documents of a role: its own, the managed policies that it shares, and those beside it.

    AWS's own managed policies are not in the template, and not in this.

    Yields:
        The condition under which the stack has the policy (None: always), and the document.
    """
    properties = document["Resources"][role]["Properties"]
    for policy in properties.get("Policies", []):
        yield None, policy["PolicyDocument"]
    for name in shared_policies(document, role):
        yield None, document["Resources"][name]["Properties"]["PolicyDocument"]
    for policy in of_type(document, "AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Properties"]["Roles"]:
            yield policy.get("Condition"), policy["Properties"]["PolicyDocument"]


def statements(document: Document, role: str) -> Iterator[Document]:
    """The statements of all policies of a role (:func:`policies`)."""
    for _, policy in policies(document, role):
        yield from listed(policy["Statement"])


def shared_policies(document: Document, role: str) -> list[str]:
    """The template's managed policies that a role has, by logical id."""
    arns = document["Resources"][role]["Properties"].get("ManagedPolicyArns", [])
    return [arn["Ref"] for arn in arns if isinstance(arn, dict) and "Ref" in arn]


def text(value: object) -> str:
    """A value with intrinsic functions, as one line to search in."""
    return json.dumps(value)
