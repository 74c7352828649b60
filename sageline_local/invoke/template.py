"""A copy of the built template, changed for this machine's containers; the template of the tree is never touched."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # the package has no types

Template = dict[str, Any]  # a CloudFormation template

SAM_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}

_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_API = "AWS::Serverless::HttpApi"


def read(template: Path) -> Template:
    """A template that ``sam build`` has written."""
    document: Template = yaml_parse(template.read_text())
    return document


def function_ids(document: Template) -> list[str]:
    """The functions' logical ids."""
    return [logical_id for logical_id, resource in document["Resources"].items() if resource["Type"] == _FUNCTION]


def code_folders(document: Template, folder: Path) -> dict[str, Path]:
    """Where each function's code is, by logical id. ``folder``: the template's."""
    return {
        logical_id: (folder / document["Resources"][logical_id]["Properties"]["CodeUri"]).resolve()
        for logical_id in function_ids(document)
    }


def layer_folders(document: Template, folder: Path) -> dict[str, Path]:
    """Where each built layer is, by logical id; what is in a function's layers appears in ``/opt``."""
    return {
        logical_id: (folder / str(resource["Properties"]["ContentUri"])).resolve()
        for logical_id, resource in document["Resources"].items()
        if resource["Type"] == _LAYER
    }


def layers_of(document: Template, logical_id: str) -> list[str]:
    """Logical ids of a function's layers: those of all functions, and then its own."""
    everywhere = document["Globals"]["Function"].get("Layers", [])
    own = document["Resources"][logical_id]["Properties"].get("Layers", [])
    return [layer["Ref"] for layer in (*everywhere, *own)]


def for_containers(
    document: Template,
    architecture: str,
    layers: Mapping[str, Path],
    code: Mapping[str, Path],
    variables: Mapping[str, Collection[str]],
) -> Template:
    """The template for ``sam local`` on machines of one architecture.

    Args:
        architecture: as uv names it.
        layers: the built layers' folders, by logical id.
        code: the folder of each function that is wanted, by logical id; the other functions are left out.
        variables: names of the variables that are given to each. ``sam local`` sets only those that a template declares.
    """
    adapted = copy.deepcopy(document)
    architectures = [SAM_ARCHITECTURES[architecture]]
    adapted["Globals"]["Function"]["Architectures"] = architectures
    for logical_id, resource in list(adapted["Resources"].items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == _LAYER:
            properties["ContentUri"] = str(layers[logical_id])
            properties["CompatibleArchitectures"] = architectures
        elif resource["Type"] == _FUNCTION and logical_id in code:
            properties["CodeUri"] = str(code[logical_id])
            properties.pop("Architectures", None)
            declared = properties.setdefault("Environment", {}).setdefault("Variables", {})
            declared.update(dict.fromkeys(variables[logical_id], ""))
        elif resource["Type"] == _FUNCTION or (resource["Type"] == _API and "Condition" in resource):
            # `sam local` looks at no conditions: it would serve the API for tokens, too, and ask nobody for one.
            del adapted["Resources"][logical_id]
    return adapted
