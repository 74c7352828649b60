"""The scikit-learn image's server beside the emulator's, over a script that has a ``model_fn`` only, or functions that fail."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from sageline.formats.npy import write_array
from sagemaker_emulator.engines.script.frameworks import SCIKIT_LEARN
from sagemaker_emulator.engines.script.serve import make

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
SCRIPT = """
class Model:
    def predict(self, rows):
        return rows.sum(axis=-1)

def model_fn(model_dir):
    return Model()
"""
FAILING = (
    SCRIPT
    + """
def predict_fn(data, model):
    raise ValueError("no such row")
"""
)
TUPLE = (
    SCRIPT
    + """
def output_fn(prediction, accept):
    return str(prediction.tolist()), "text/plain"
"""
)
SCRIPTS = {"model_only": SCRIPT, "failing": FAILING, "answers_a_pair": TUPLE}

Answer = tuple[int, str, bytes]


class Servers:
    """Both servers over one script."""

    def __init__(self, root: Path, name: str, content: str) -> None:
        (root / "code").mkdir()
        (root / "model").mkdir()
        (root / "code" / f"{name}.py").write_text(content)
        environment = {"SAGEMAKER_TRAINING_MODULE": SCIKIT_LEARN.module, "SAGEMAKER_PROGRAM": f"{name}.py"}
        self._emulator = TestClient(make(root / "model", environment))
        serving = importlib.import_module("sagemaker_sklearn_container.serving")
        transformer = serving._user_module_transformer(importlib.import_module(name))
        transformer.initialize()
        self._image = serving.worker.Worker(transform_fn=transformer.transform, module_name=name).test_client()

    def image(self, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self._image.post("/invocations", data=body, headers=headers)
        return answer.status_code, answer.headers.get("content-type", "").partition(";")[0], answer.data

    def emulator(self, body: bytes, headers: dict[str, str]) -> Answer:
        answer = self._emulator.post("/invocations", content=body, headers=headers)
        return answer.status_code, answer.headers.get("content-type", "").partition(";")[0], answer.content


@pytest.fixture(params=SCRIPTS)
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path / "code")
        yield Servers(tmp_path, request.param, SCRIPTS[request.param])


REQUESTS: list[tuple[bytes, dict[str, str]]] = [
    (body, {"Content-Type": kind, **({"Accept": accept} if accept else {})})
    for accept in (None, "*/*", CSV, JSON, NPY, "image/png", f"{JSON}, {CSV}", "application/json; charset=utf-8")
    for body, kind in (
        (write_array(np.array([[1, 2.5], [3, 4]], dtype=np.float32)), NPY),
        (write_array(np.array([[1, np.nan]], dtype=np.float32)), NPY),
        (b"1,2\n3,4\n", CSV),
        (b"1,2", CSV),
        (b"1,x", CSV),
        (b"[[1, 2], [3, 4]]", JSON),
        (b"[[1, 2], [3]]", JSON),
        (b"{", JSON),
        (b"1,2", "text/csv; charset=utf-8"),
        (b"1", "image/png"),
        (b"1", NPY),
        (b"", CSV),
    )
]


def test_requests_are_answered_alike(servers: Servers) -> None:
    differing = []
    for body, headers in REQUESTS:
        try:
            image = servers.image(body, headers)
        except Exception:
            image = (500, "", b"")
        emulator = servers.emulator(body, headers)
        if image[0] != emulator[0] or (image[0] == 200 and readable(image) != readable(emulator)):
            differing.append((body[:20], headers, image, emulator))
    assert differing == []


def readable(answer: Answer) -> object:
    status, kind, body = answer
    return (status, kind, str(np.load(io.BytesIO(body)))) if kind == NPY else answer
