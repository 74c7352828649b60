"""The template that containers are started from."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from sageline_local.invoke import template
from sageline_local.stack import PROJECT

DOCUMENT: template.Template = {
    "Globals": {"Function": {"Runtime": "python3.13", "Architectures": ["arm64"], "Layers": [{"Ref": "SharedLayer"}]}},
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "SharedLayer": {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": "SharedLayer", "CompatibleArchitectures": ["arm64"]},
        },
        "OtherLayer": {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": "OtherLayer", "CompatibleArchitectures": ["arm64"]},
        },
        "SweepFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "../functions/sweep", "Environment": {"Variables": {"AGE": {"Ref": "Age"}}}},
        },
        "PlainFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "../functions/plain", "Architectures": ["arm64"], "Layers": [{"Ref": "OtherLayer"}]},
        },
    },
}

LAYERS = {"SharedLayer": Path("/built/shared"), "OtherLayer": Path("/built/other")}


@pytest.mark.parametrize(("architecture", "expected"), [("x86_64", ["x86_64"]), ("aarch64", ["arm64"])])
def test_functions_and_layer_are_of_the_containers_architecture(architecture: str, expected: list[str]) -> None:
    code = {"SweepFunction": Path("/w/sweep"), "PlainFunction": Path("/w/plain")}

    adapted = template.for_containers(DOCUMENT, architecture, LAYERS, code, dict.fromkeys(code, ()))

    resources = adapted["Resources"]
    assert adapted["Globals"]["Function"]["Architectures"] == expected
    assert "Architectures" not in resources["PlainFunction"]["Properties"]
    assert resources["SharedLayer"]["Properties"] == {"ContentUri": "/built/shared", "CompatibleArchitectures": expected}


def test_the_document_that_was_read_stays_as_it_was() -> None:
    before = copy.deepcopy(DOCUMENT)

    template.for_containers(DOCUMENT, "x86_64", LAYERS, {"PlainFunction": Path("/w")}, {"PlainFunction": ["NEW"]})

    assert before == DOCUMENT


def test_a_function_has_its_copied_code_and_declares_every_variable_that_it_is_given() -> None:
    variables = {"SweepFunction": ["AGE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"]}

    adapted = template.for_containers(DOCUMENT, "x86_64", LAYERS, {"SweepFunction": Path("/w/sweep")}, variables)

    properties = adapted["Resources"]["SweepFunction"]["Properties"]
    assert properties["CodeUri"] == "/w/sweep"
    assert properties["Environment"]["Variables"].keys() == {"AGE", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"}


def test_functions_that_nobody_wants_are_left_out() -> None:
    adapted = template.for_containers(DOCUMENT, "x86_64", LAYERS, {"SweepFunction": Path("/w")}, {"SweepFunction": []})

    assert adapted["Resources"].keys() == {"Bucket", "SharedLayer", "OtherLayer", "SweepFunction"}


def test_an_api_that_only_some_stacks_have_is_left_out() -> None:
    api = {"Type": "AWS::Serverless::HttpApi"}
    resources = {**DOCUMENT["Resources"], "Api": api, "OtherApi": {**api, "Condition": "HasOtherApi"}}

    adapted = template.for_containers({**DOCUMENT, "Resources": resources}, "x86_64", LAYERS, {}, {})

    assert adapted["Resources"].keys() == {"Bucket", "SharedLayer", "OtherLayer", "Api"}


def test_paths_are_relative_to_the_templates_folder(tmp_path: Path) -> None:
    assert template.code_folders(DOCUMENT, tmp_path / "bundle") == {
        "SweepFunction": tmp_path / "functions" / "sweep",
        "PlainFunction": tmp_path / "functions" / "plain",
    }
    assert template.layer_folders(DOCUMENT, tmp_path)["OtherLayer"] == tmp_path / "OtherLayer"


def test_a_function_has_the_layers_of_all_functions_and_its_own() -> None:
    assert template.layers_of(DOCUMENT, "SweepFunction") == ["SharedLayer"]
    assert template.layers_of(DOCUMENT, "PlainFunction") == ["SharedLayer", "OtherLayer"]


def test_the_real_template_can_be_read_and_changed() -> None:
    document = template.read(PROJECT / "template.yaml")
    code = template.code_folders(document, PROJECT)

    assert set(template.function_ids(document)) == code.keys()
    assert all((folder / "app.py").is_file() for folder in code.values())
    layers = template.layer_folders(document, PROJECT)
    adapted = template.for_containers(document, "x86_64", layers, code, dict.fromkeys(code, ("AWS_ENDPOINT_URL",)))
    found = [value for key, value in everything(adapted) if key in ("Architectures", "CompatibleArchitectures")]
    assert found == [["x86_64"]] * 3


def everything(node: object) -> Iterator[tuple[str, object]]:
    """Every key and value of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from everything(value)
    elif isinstance(node, list):
        for value in node:
            yield from everything(value)
