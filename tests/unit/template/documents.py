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


def of_type(document: Document, kind: str) -> dict[str, Document]:
    """The resources of a CloudFormation type by logical id."""
    return {name: resource for name, resource in document["Resources"].items() if resource["Type"] == kind}


def listed(value: object) -> list[Any]:  # Any: IAM writes a list of one as its only member
    return value if isinstance(value, list) else [value]


def statements(role: Document) -> Iterator[Document]:
    """The statements of a role's inline policies."""
    for policy in role["Properties"].get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])


def text(value: object) -> str:
    """A value with intrinsic functions, as one line to search in."""
    return json.dumps(value)
