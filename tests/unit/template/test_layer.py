"""The layer's recipe: what uv.lock pins, for the template's runtime, and no boto3."""

from __future__ import annotations

import re
import subprocess

import pytest
import uv

from tests.unit.template.documents import ROOT, Document

LAYER = ROOT / "layers" / "shared"
EXPORT = ["export", "--frozen", "--quiet", "--no-dev", "--no-emit-project", "--no-annotate", "--no-header"]
WITHOUT_BOTO3 = ["--prune", "boto3", "--prune", "botocore"]


@pytest.fixture(scope="module")
def requirements() -> str:
    return (LAYER / "requirements.txt").read_text()


def makefile_defaults() -> dict[str, str]:
    return dict(re.findall(r"^(\w+) \?= (\S+)$", (LAYER / "Makefile").read_text(), re.MULTILINE))


def test_the_layers_requirements_are_what_the_lock_pins(requirements: str) -> None:
    command = [uv.find_uv_bin(), *EXPORT, *WITHOUT_BOTO3]
    exported = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    again = f"uv {' '.join([*EXPORT, *WITHOUT_BOTO3])} > layers/shared/requirements.txt"
    assert requirements == exported.stdout, f"uv.lock has changed; write the file again: {again}"


def test_the_layer_holds_numpy_pydantic_and_powertools_and_leaves_boto3_to_the_runtime(requirements: str) -> None:
    names = set(re.findall(r"^([a-z0-9-]+)==", requirements, re.MULTILINE))
    assert {"numpy", "pydantic", "aws-lambda-powertools"} <= names
    assert not names & {"boto3", "botocore", "s3transfer"}


def test_every_wheel_is_checked_against_its_hash(requirements: str) -> None:
    pins = re.split(r"^(?=[a-z0-9-]+==)", requirements, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "--require-hashes" in (LAYER / "Makefile").read_text()


def test_wheels_are_for_the_templates_runtime_and_architecture_unless_told_otherwise(stack: Document, source: Document) -> None:
    defaults = makefile_defaults()
    layer = source["Resources"]["SharedLayer"]
    function = stack["Resources"]["PrepareDataFunction"]["Properties"]
    assert function["Runtime"] == f"python{defaults['SAGELINE_LAYER_PYTHON_VERSION']}"
    assert layer["Properties"]["CompatibleRuntimes"] == [function["Runtime"]]
    assert layer["Properties"]["CompatibleArchitectures"] == function["Architectures"] == ["arm64"]
    assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert defaults["SAGELINE_LAYER_PYTHON_PLATFORM"].startswith("aarch64-manylinux")


def test_the_layers_target_is_named_after_the_resource() -> None:
    assert "\nbuild-SharedLayer:\n" in (LAYER / "Makefile").read_text()
