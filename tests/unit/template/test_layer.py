"""The layers' recipes: what uv.lock pins, for the template's runtime, and no boto3; how large they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import uv

from sageline_local import build
from tests.unit.template.documents import ROOT, Document

EXPORT = ["export", "--frozen", "--quiet", "--no-emit-project", "--no-annotate", "--no-header"]
LAYERS = {
    "SharedLayer": (ROOT / "layers" / "shared", ["--no-dev", "--prune", "boto3", "--prune", "botocore"]),
    "ReadersLayer": (ROOT / "layers" / "readers", ["--only-group", "readers"]),
}
UNPACKED_LIMIT = 250 << 20
"""Of a function with its layers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def requirements(layer: str) -> str:
    return (LAYERS[layer][0] / "requirements.txt").read_text()


def packages(layer: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", requirements(layer), re.MULTILINE))


def makefile_defaults(layer: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+) \?= (\S+)$", (LAYERS[layer][0] / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layers_requirements_are_what_the_lock_pins(layer: str) -> None:
    folder, options = LAYERS[layer]
    command = [uv.find_uv_bin(), *EXPORT, *options]
    exported = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    again = f"uv {' '.join([*EXPORT, *options])} > {folder.relative_to(ROOT)}/requirements.txt"
    assert requirements(layer) == exported.stdout, f"uv.lock has changed; write the file again: {again}"


def test_the_layer_holds_numpy_pydantic_and_powertools_and_leaves_boto3_to_the_runtime() -> None:
    assert {"numpy", "pydantic", "aws-lambda-powertools"} <= packages("SharedLayer")
    assert not packages("SharedLayer") & {"boto3", "botocore", "s3transfer"}


def test_what_reads_files_lies_in_the_layer_of_the_functions_that_read_datasets_alone() -> None:
    assert {"pyarrow", "python-calamine", "backports-zstd"} == packages("ReadersLayer")
    assert not packages("SharedLayer") & packages("ReadersLayer")


@pytest.mark.parametrize("layer", LAYERS)
def test_every_wheel_is_checked_against_its_hash(layer: str) -> None:
    pins = re.split(r"^(?=[a-z0-9-]+==)", requirements(layer), flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "--require-hashes" in (LAYERS[layer][0] / "Makefile").read_text()


@pytest.mark.parametrize("layer", LAYERS)
def test_wheels_are_for_the_templates_runtime_and_architecture_unless_told_otherwise(
    layer: str, stack: Document, source: Document
) -> None:
    defaults = makefile_defaults(layer)
    resource = source["Resources"][layer]
    function = stack["Resources"]["PrepareDataFunction"]["Properties"]
    assert function["Runtime"] == f"python{defaults['SAGELINE_LAYER_PYTHON_VERSION']}"
    assert resource["Properties"]["CompatibleRuntimes"] == [function["Runtime"]]
    assert resource["Properties"]["CompatibleArchitectures"] == function["Architectures"] == ["arm64"]
    assert resource["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert defaults["SAGELINE_LAYER_PYTHON_PLATFORM"].startswith("aarch64-manylinux")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layers_target_is_named_after_the_resource(layer: str) -> None:
    assert f"\nbuild-{layer}:\n" in (LAYERS[layer][0] / "Makefile").read_text()


@pytest.mark.slow
def test_both_layers_as_they_are_built_stay_well_below_what_a_function_may_have(tmp_path: Path) -> None:
    """Measured are this machine's wheels, of which those for x86_64 are the larger ones."""
    machine = build.this_machine()
    for layer, (folder, _) in LAYERS.items():
        variables = {
            "ARTIFACTS_DIR": str(tmp_path / layer),
            "UV": uv.find_uv_bin(),
            "SAGELINE_LAYER_PYTHON_VERSION": machine.python_version,
            "SAGELINE_LAYER_PYTHON_PLATFORM": machine.platform,
        }
        (tmp_path / layer).mkdir()
        subprocess.run(["make", "-s", f"build-{layer}"], cwd=folder, check=True, env={**os.environ, **variables})  # noqa: S607

    sizes = {layer: sum(file.stat().st_size for file in (tmp_path / layer).rglob("*") if file.is_file()) for layer in LAYERS}

    assert sum(sizes.values()) < 0.8 * UNPACKED_LIMIT, sizes


@pytest.mark.slow
def test_the_layer_as_it_is_built_reads_parquet_workbooks_and_zstd(tmp_path: Path) -> None:
    """What the Makefile takes out of pyarrow is nothing that reading needs."""
    machine = build.this_machine()
    variables = {
        "ARTIFACTS_DIR": str(tmp_path),
        "UV": uv.find_uv_bin(),
        "SAGELINE_LAYER_PYTHON_VERSION": machine.python_version,
        "SAGELINE_LAYER_PYTHON_PLATFORM": machine.platform,
    }
    folder, _ = LAYERS["ReadersLayer"]
    subprocess.run(["make", "-s", "build-ReadersLayer"], cwd=folder, check=True, env={**os.environ, **variables})  # noqa: S607
    program = (
        "import io, pyarrow as pa, pyarrow.compute, pyarrow.parquet as pq, python_calamine, backports.zstd;"
        "file = io.BytesIO(); pq.write_table(pa.table({'a': ['x', 'y']}), file, compression='zstd');"
        "zstd = backports.zstd; print(pa.__file__, pq.ParquetFile(file).read()['a'].to_pylist());"
        "print(zstd.decompress(zstd.compress(b'z')))"
    )
    searched = [str(tmp_path / "python"), *sys.path]  # numpy comes from the shared layer
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {searched!r}; {program}"], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [str(tmp_path / "python" / "pyarrow" / "__init__.py"), "['x',", "'y']", "b'z'"]
