"""The client installs alone, and brings nothing of Sageline's along."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
PACKAGE = "packages/sageline-client"
BROUGHT = {"anyio", "certifi", "h11", "httpcore", "httpx", "idna", "sageline-client", "tenacity", "typing-extensions"}
"""httpx with what it needs, and tenacity."""
_LOOK = """
import importlib.metadata, json, sys
import sageline_client
client = sageline_client.Sageline("https://api.example", token="a-token")
print(json.dumps({
    "installed": sorted(found.name.lower().replace("_", "-") for found in importlib.metadata.distributions()),
    "imported": sorted({name.partition(".")[0] for name in sys.modules}),
    "file": sageline_client.__file__,
}))
"""


def uv(*arguments: str, environment: Path) -> None:
    """With nothing but what `make setup` has fetched."""
    command = [str(Path(sys.executable).with_name("uv")), "--offline", "--quiet", *arguments]
    variables = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)}
    ended = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_the_wheel_works_in_an_environment_of_its_own(tmp_path: Path) -> None:
    environment, wheels = tmp_path / "environment", tmp_path / "wheels"
    python = environment / "bin" / "python"
    locked = ("--frozen", "--package", "sageline-client", "--no-dev", "--no-install-workspace", "--python", sys.executable)
    uv("sync", *locked, environment=environment)
    uv("build", "--wheel", PACKAGE, "--out-dir", str(wheels), environment=environment)
    [wheel] = wheels.glob("*.whl")
    uv("pip", "install", "--no-deps", "--python", str(python), str(wheel), environment=environment)

    looked = subprocess.run([str(python), "-I", "-c", _LOOK], cwd=tmp_path, capture_output=True, text=True, check=True)

    found = json.loads(looked.stdout)
    assert set(found["installed"]) - {"exceptiongroup"} <= BROUGHT
    assert Path(found["file"]).is_relative_to(environment)
    assert not {"sageline", "sageline_cli", "sageline_local", "botocore", "boto3"} & set(found["imported"])
    assert (Path(found["file"]).parent / "py.typed").exists(), "types are for those who use it"


def test_nothing_of_the_client_is_in_the_layer() -> None:
    layer = (PROJECT / "layers" / "shared" / "requirements.txt").read_text()

    assert not {"sageline-client", "tenacity"} & {line.partition("==")[0] for line in layer.splitlines()}
