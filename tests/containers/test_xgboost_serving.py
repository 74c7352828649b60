"""The XGBoost image's server beside the emulator's: the same answers, types and refusals."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from sageline.formats.recordio import write_dense
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.models import load_models
from sagemaker_emulator.engines.xgboost.serve import application

CSV, JSON, LINES, RECORDIO = "text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"


def save_model(path: Path, objective: str, **more: object) -> None:
    random = np.random.default_rng(0)
    table = random.random((60, 3))
    labels = np.floor(table[:, 0] * more.get("num_class", 2))  # type: ignore[operator]  # a number
    model = xgboost.train({"objective": objective, "nthread": 1, **more}, xgboost.DMatrix(table, label=labels), 3)
    path.write_bytes(model.save_raw("ubj"))


class Servers:
    """Both servers over one model."""

    def __init__(self, directory: Path, environment: dict[str, str], patch: pytest.MonkeyPatch) -> None:
        serve = importlib.import_module("sagemaker_xgboost_container.algorithm_mode.serve")
        utils = importlib.import_module("sagemaker_xgboost_container.algorithm_mode.serve_utils")
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(serve, "SAGEMAKER_BATCH", environment.get("SAGEMAKER_BATCH"))
        patch.setattr(utils, "SAGEMAKER_BATCH", environment.get("SAGEMAKER_BATCH"))
        patch.setattr(utils, "SAGEMAKER_INFERENCE_OUTPUT", environment.get("SAGEMAKER_INFERENCE_OUTPUT"))
        service = serve.ScoringService
        patch.setattr(service, "MODEL_PATH", str(directory))
        for cached in ("booster", "config_json", "objective"):
            patch.setattr(service, cached, None)
        service.app.config["MAX_CONTENT_LENGTH"] = service.MAX_CONTENT_LENGTH
        self._image = service.app.test_client()
        self._emulator = TestClient(application(load_models(directory), environment))

    def image(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = self._image.post("/invocations", data=body, headers=headers)
        return answer.status_code, answer.headers.get("content-type", "").partition(";")[0], answer.data

    def emulator(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        answer = self._emulator.post("/invocations", content=body, headers=headers)
        return answer.status_code, answer.headers.get("content-type", "").partition(";")[0], answer.content


MODELS: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3},
    "labels": {"objective": "multi:softmax", "num_class": 3},
    "regression": {"objective": "reg:squarederror"},
}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "plain": {},
    "batch": {"SAGEMAKER_BATCH": "true"},
    "json": {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": JSON},
    "selected": {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, probability,probabilities"},
    "scores": {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_score,raw_score,labels"},
    "selected batch": {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probabilities", "SAGEMAKER_BATCH": "true"},
}


@pytest.fixture(params=[(model, environment) for model in MODELS for environment in ENVIRONMENTS], ids=" ".join)
def servers(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Servers:
    model, environment = request.param
    save_model(tmp_path / "xgboost-model", **MODELS[model])
    return Servers(tmp_path, ENVIRONMENTS[environment], monkeypatch)


REQUESTS: list[tuple[bytes, dict[str, str]]] = [
    (body, {"Content-Type": kind, **({"Accept": accept} if accept else {})})
    for accept in (
        None,
        "*/*",
        CSV,
        JSON,
        LINES,
        RECORDIO,
        "text/csv; charset=utf-8",
        "Application/JSON",
        "image/png",
        f"{JSON},{CSV}",
        f"{JSON}, {CSV};q=0.5",
        f"{CSV};q=0.5, {JSON}",
    )
    for body, kind in (
        (b"0.1,0.2,0.3\n0.9,,0.1", CSV),
        (b"0.5,0.5,0.5", CSV),
        (write_dense(np.array([[0.1, 0.2, 0.3]], dtype=np.float32)), RECORDIO),
        (b"x,y", CSV),
        (b"1,2,3,4,5", CSV),
        (b"0.1,0.2", CSV),
        (b"{}", JSON),
        (b"", CSV),
    )
]


def readable(answer: tuple[int, str, bytes]) -> object:
    """Keys of JSON come in any order."""
    status, kind, body = answer
    if kind in (JSON, LINES):
        return status, kind, [json.dumps(json.loads(line), sort_keys=True) for line in body.splitlines()]
    return answer


def refusal(answer: tuple[int, str, bytes]) -> str | None:
    """What is said, but for XGBoost's clock and its traces, which the emulator leaves out; None for a page of Flask's own."""
    if answer[0] >= 500:
        return None
    said = answer[2].decode().partition("\nStack trace:")[0]
    return re.sub(r"\[\d\d:\d\d:\d\d\]", "", said)


def test_a_body_may_have_6_mib_whatever_a_transform_job_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model(tmp_path / "xgboost-model", **MODELS["binary"])
    servers = Servers(tmp_path, {"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"}, monkeypatch)

    body = b"0.1,0.2,0.3\n" * 524_289

    assert servers.image(body, {"Content-Type": CSV})[0] == servers.emulator(body, {"Content-Type": CSV})[0] == 413


@pytest.mark.parametrize("model", MODELS)
def test_the_models_of_several_folds_answer_alike(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for fold in range(3):
        save_model(tmp_path / f"xgboost-model-{fold}", **MODELS[model], seed=fold, subsample=0.5)
    servers = Servers(tmp_path, {}, monkeypatch)

    for body, headers in REQUESTS[:2]:
        image, emulator = servers.image(body, headers), servers.emulator(body, headers)
        assert image[0] == emulator[0]
        assert numbers(image) == pytest.approx(numbers(emulator), rel=1e-6)


def numbers(answer: tuple[int, str, bytes]) -> list[float]:
    return [float(cell) for cell in answer[2].replace(b"\n", b",").split(b",") if cell] if answer[0] == 200 else []


def test_requests_are_answered_alike(servers: Servers) -> None:
    differing = []
    for body, headers in REQUESTS:
        image, emulator = servers.image(body, headers), servers.emulator(body, headers)
        if (headers.get("Accept"), image[0], emulator[0]) == (RECORDIO, 200, 406):
            continue  # selected content as RecordIO: the emulator's docs/algorithms.md
        alike = readable(image) == readable(emulator) if image[0] == 200 else refusal(image) == refusal(emulator)
        if image[0] != emulator[0] or not alike:
            differing.append((body[:20], headers, image, emulator))
    assert differing == []
