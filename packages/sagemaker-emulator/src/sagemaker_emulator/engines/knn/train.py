"""The container's ``train``: ``python -m sagemaker_emulator.engines.knn.train --root DIR``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from sagemaker_emulator.engines.first_party.channels import Data, read_channels
from sagemaker_emulator.engines.first_party.failures import LOG_FORMAT, CustomerError, describe
from sagemaker_emulator.engines.knn import hyperparameters
from sagemaker_emulator.engines.knn.model import CLASSIFIER, KnnModel, prepared
from sagemaker_emulator.engines.knn.projection import projection
from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.records import FLOAT32, INT32
from sagemaker_emulator.engines.shell.training import run

logger = logging.getLogger(__name__)

# Integers as the SDK writes them too: published runs of this image have trained on them. Its guide, unlike linear learner's,
# asks for no kind of numbers.
TENSORS = (FLOAT32, INT32)
_SEED = 0
_AT_A_TIME = 4096


def train(root: Path) -> None:
    """One host's part of a training job; raises CustomerError."""
    config = root / "input" / "config"
    strings = json.loads((config / "hyperparameters.json").read_text())
    host = json.loads((config / "resourceconfig.json").read_text())["current_host"]
    logger.info("Reading provided configuration from /opt/ml/input/config/hyperparameters.json: %s", strings)
    values = {name: str(value) for name, value in hyperparameters.read(strings).items()}
    channels = read_channels(root, optional=("test",), tensors=TENSORS)
    if channels is None:
        return
    for name, data in channels.items():
        _check(name, data, int(values["feature_dim"]))
    model, reduction = make_model(channels["train"], values)
    if "test" in channels:
        metric, value = score(model, channels["test"])
        logger.info("#test_score (%s) : %s", host, (metric, value))
    else:
        logger.info("Test data is not provided.")
    model.save(root / "model", reduction)


def _check(name: str, data: Data, feature_dim: int) -> None:
    if data.width != feature_dim:
        raise CustomerError(
            f"Unable to read data channel '{name}'. The feature dimension of its rows is {data.width}, "
            f"not {feature_dim} as the hyperparameter feature_dim says."
        )


def make_model(train: Data, given: Mapping[str, str]) -> tuple[KnnModel, dict[str, object]]:
    """The index of a sample of the rows, and what its dimension reduction is; CustomerError when k is more than it holds."""
    k, sample_size = int(given["k"]), int(given["sample_size"])
    features, labels = _sample(train, sample_size)
    if k > len(labels):
        raise CustomerError(f"k is {k}, more than the {len(labels)} rows that are indexed.")
    kind = given.get("dimension_reduction_type", "none")
    target = int(given.get("dimension_reduction_target", "0"))
    reducing = kind not in ("none", "None", "")
    matrix = projection(kind, train.width, target, _SEED) if reducing else None
    metric = given.get("index_metric", "L2")
    index = prepared(features, matrix, metric)
    model = KnnModel(given["predictor_type"], k, metric, index, labels, matrix)
    described: dict[str, object] = {"type": "none"}
    if reducing:
        described = {"type": kind, "seed": _SEED, "target_dim": target, "input_dim": train.width}
    index_type = given.get("index_type", "faiss.Flat")
    if index_type != "faiss.Flat":
        logger.info("The local index is exact: %s answers as faiss.Flat.", index_type)
    logger.info("The index has %d rows of %d dimensions, metric %s.", len(labels), model.index.shape[1], metric)
    return model, described


def _sample(train: Data, size: int) -> tuple[FloatArray, FloatArray]:
    """``size`` rows by chance, or all there are, dense, in the order of the channel."""
    chosen = np.arange(len(train))
    if size < len(train):
        chosen = np.sort(np.random.default_rng(_SEED).permutation(len(train))[:size])
    return _dense(train.features[chosen]), train.labels[chosen]


def _dense(rows: FloatArray | csr_matrix) -> FloatArray:
    return rows.toarray().astype(np.float32) if isinstance(rows, csr_matrix) else rows


def score(model: KnnModel, test: Data) -> tuple[str, float]:
    """The test score by its name: the share of labels that are right, or the mean squared error."""
    starts = range(0, len(test), _AT_A_TIME)
    parts = [model.predict(model.search(_dense(test.features[start : start + _AT_A_TIME]))) for start in starts]
    predicted = np.concatenate(parts)
    if model.predictor_type == CLASSIFIER:
        return "accuracy", float(np.mean(predicted == test.labels))
    return "mse", float(np.mean((predicted.astype(np.float64) - test.labels) ** 2))


def main() -> None:
    run(train, describe, LOG_FORMAT)


if __name__ == "__main__":
    main()
