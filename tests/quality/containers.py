"""The emulator's engines in this process: what a training job leaves, and what a transform job would answer with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import httpx
from starlette.applications import Starlette

from sagemaker_emulator.engines.blazingtext import serve as blazingtext_serving
from sagemaker_emulator.engines.blazingtext import train as blazingtext_training
from sagemaker_emulator.engines.knn import serve as knn_serving
from sagemaker_emulator.engines.knn import train as knn_training
from sagemaker_emulator.engines.linear_learner import serve as linear_serving
from sagemaker_emulator.engines.linear_learner import train as linear_training
from sagemaker_emulator.engines.xgboost import serve as xgboost_serving
from sagemaker_emulator.engines.xgboost import train as xgboost_training
from sagemaker_emulator.engines.xgboost.models import load_models
from tests.quality.tuning import logged

_BATCH = {"SAGEMAKER_BATCH": "true", "MAX_CONTENT_LENGTH": str(100 << 20)}

_TRAIN: Mapping[str, Callable[[Path], object]] = {
    "xgboost": lambda root: xgboost_training.train(root, xgboost_training.Termination()),
    "linear-learner": linear_training.train,
    "knn": knn_training.train,
    "blazingtext": blazingtext_training.train,
}
_SERVE: Mapping[str, Callable[[Path], Starlette]] = {
    "xgboost": lambda folder: xgboost_serving.application(load_models(folder), _BATCH),
    "linear-learner": lambda folder: linear_serving.application(linear_serving.load(folder), _BATCH),
    "knn": lambda folder: knn_serving.application(knn_serving.load(folder), _BATCH),
    "blazingtext": lambda folder: blazingtext_serving.application(blazingtext_serving.load(folder), _BATCH),
}


def train(
    algorithm: str, root: Path, channels: Mapping[str, Mapping[str, bytes]], content_type: str, hyperparameters: Mapping[str, str]
) -> str:
    """Run a training job below ``root``, which is laid out as the container's ``/opt/ml``; what it has printed and logged.

    Args:
        channels: by channel the objects, by name.
    """
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (root / "model").mkdir(parents=True)
    channel = {"ContentType": content_type, "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    documents = {
        "inputdataconfig": dict.fromkeys(channels, channel),
        "hyperparameters": hyperparameters,
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, document in documents.items():
        (config / f"{name}.json").write_text(json.dumps(document))
    for name, objects in channels.items():
        folder = root / "input" / "data" / name
        folder.mkdir(parents=True)
        for key, body in objects.items():
            (folder / key).write_bytes(body)
    printed = StringIO()
    with logged() as lines, redirect_stdout(printed):
        _TRAIN[algorithm](root)
    return printed.getvalue() + "\n".join(lines)


def serve(algorithm: str, root: Path) -> Starlette:
    """The model that a training job has left, served as to a transform job."""
    return _SERVE[algorithm](root / "model")


def rounds_of(root: Path) -> int:
    """Of an XGBoost that a training job has left: with early stopping those up to the best one."""
    rounds: int = load_models(root / "model")[0].num_boosted_rounds()
    return rounds


def ask(model: Starlette, body: bytes, headers: Mapping[str, str]) -> bytes:
    """What a served model answers.

    Raises:
        RuntimeError: the container refuses; its words.
    """
    answer = asyncio.run(_post(model, body, headers))
    if answer.status_code != 200:
        raise RuntimeError(f"The container answers {answer.status_code}: {answer.text[:500]}")
    return answer.content


async def _post(model: Starlette, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(model), base_url="http://container", timeout=3600) as client:
        return await client.post("/invocations", content=body, headers=headers)
