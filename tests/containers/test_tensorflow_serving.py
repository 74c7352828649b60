"""The TensorFlow Serving image's front server (JavaScript, run by node), and the emulator's rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sageline.formats.json_rows import write_tensors
from sagemaker_emulator.engines.script.tensorflow_serving.requests import (
    UnsupportedMediaType,
    answered_type,
    attributes,
    serving_json,
)

SCRIPT = Path("sagemaker-tensorflow-serving-container") / "docker" / "build_artifacts" / "sagemaker" / "tensorflowServing.js"
# A request as nginx hands it over, and what the front server asks TensorFlow Serving for, or answers itself.
DRIVER = """
import { readFileSync } from 'node:fs';
import front from './front.mjs';
const asked = JSON.parse(readFileSync(0, 'utf8'));
const told = asked.map(request => {
    let seen = {};
    const r = {
        headersIn: request.headers, headersOut: {}, requestBody: request.body, uri: '/invocations',
        variables: { default_tfs_model: 'model' }, error: () => {},
        return: (status, body) => { seen.status = status; seen.answer = body; },
        subrequest: (uri, options, callback) => {
            seen.uri = uri; seen.body = options.body;
            callback({ status: 200, responseBody: '{"predictions": [1]}' });
        },
    };
    try { front.invocations(r); } catch (error) { seen.error = String(error); }
    return { ...seen, type: r.headersOut['Content-Type'] };
});
console.log(JSON.stringify(told));
"""
JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
BODIES = [
    write_tensors(np.array([[1, 2.5], [3, 4]], dtype=np.float32), (2,)).decode(),
    write_tensors(np.arange(8, dtype=np.float32).reshape(2, 4), (2, 2)).decode(),
    '{"instances": [{"a": 1}, {"a": 2}]}',
    '{"instances": [[1]]} {"instances": [[2]]}',
    '{"signature_name": "x", "inputs": [[1]]}',
    "[1, 2]",
    "[[1, 2]]",
    "[1]\n[2]\n",
    '{"a": 1}\n{"a": 2}',
    '{"a": 1}\r\n\r\n{"a": 2}\r\n',
    "[[1]] [[2]]",
    "3",
    '"text"',
    "",
]
TABLES = ["1,2\n3,4\n", "1\n2", "a,b\nc,d", '"a","b"', "a", "1.5,x", "1,2\n\n3,4", 'say "x",y,z', "-1e5,2", " 1,2", ""]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the driver and the image's script as a module."""
    if shutil.which("node") is None:
        pytest.skip("needs node")
    directory = tmp_path_factory.mktemp("front")
    shutil.copy(Path(os.environ["CONTAINERS"]) / SCRIPT, directory / "front.mjs")
    (directory / "driver.mjs").write_text(DRIVER)
    return directory


def asked_by_image(node: Path, requests: list[tuple[str, dict[str, str]]]) -> list[dict[str, str]]:
    # Where no model is named the script looks for one in the path, with an expression that node and nginx evaluate differently.
    named = {"X-Amzn-SageMaker-Custom-Attributes": "tfs-model-name=model"}
    given = json.dumps([{"body": body, "headers": named | headers} for body, headers in requests])
    ended = subprocess.run(["node", "driver.mjs"], cwd=node, input=given, capture_output=True, text=True, check=True)
    answers: list[dict[str, str]] = json.loads(ended.stdout)
    return answers


@pytest.mark.parametrize(
    ("content_type", "bodies"),
    [
        *((kind, BODIES) for kind in (JSON, LINES, "application/jsons")),
        *((kind, BODIES[:1]) for kind in ("application/json; charset=utf-8", "application/x-npy", "text/csv;label_size=0")),
        (CSV, TABLES),
    ],
)
def test_bodies_become_the_same_requests(node: Path, content_type: str, bodies: list[str]) -> None:
    image = asked_by_image(node, [(body, {"Content-Type": content_type}) for body in bodies])

    for body, told in zip(bodies, image, strict=True):
        assert asked_by_emulator(body, content_type) == (told.get("body") or (told["status"], told["answer"])), body


def asked_by_emulator(body: str, content_type: str) -> object:
    try:
        return serving_json(body, content_type)
    except UnsupportedMediaType as error:
        return 415, json.dumps({"error": str(error)})


@pytest.mark.parametrize("accept", [JSON, LINES, "application/jsons", "*/*", f"{LINES}, {JSON}", f"{CSV},{JSON}", CSV, None])
def test_answers_have_the_same_type(node: Path, accept: str | None) -> None:
    headers = {"Content-Type": JSON} | ({"Accept": accept} if accept else {})
    [told] = asked_by_image(node, [("[[1]]", headers)])

    assert answered_type(accept) == (told.get("type") or JSON)  # nginx's default type


@pytest.mark.parametrize("header", ["tfs-model-name=a,tfs-model-version=2", "tfs-method=classify", "x=1", "tfs-a=b=c", ""])
def test_the_custom_attributes_lead_to_the_same_model(node: Path, header: str) -> None:
    header += "" if "tfs-model-name" in header else ",tfs-model-name=model"
    [told] = asked_by_image(node, [("[[1]]", {"Content-Type": JSON, "X-Amzn-SageMaker-Custom-Attributes": header})])

    wanted = attributes(header)
    version = f"/versions/{wanted['tfs-model-version']}" if "tfs-model-version" in wanted else ""
    assert told["uri"] == f"/tfs/v1/models/{wanted['tfs-model-name']}{version}:{wanted.get('tfs-method', 'predict')}"
