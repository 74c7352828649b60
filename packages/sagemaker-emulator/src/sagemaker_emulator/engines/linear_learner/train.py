"""The container's ``train``: ``python -m sagemaker_emulator.engines.linear_learner.train --root DIR``."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np

from sagemaker_emulator.engines.first_party.channels import Data, read_channels
from sagemaker_emulator.engines.first_party.failures import LOG_FORMAT, CustomerError, describe
from sagemaker_emulator.engines.linear_learner import hyperparameters
from sagemaker_emulator.engines.linear_learner.fit import fit
from sagemaker_emulator.engines.linear_learner.model import MODEL_NAME, LinearModel
from sagemaker_emulator.engines.linear_learner.scores import channel_scores, is_loss
from sagemaker_emulator.engines.linear_learner.settings import BINARY, REGRESSOR, Settings, read_settings
from sagemaker_emulator.engines.shell.training import run

logger = logging.getLogger(__name__)


def train(root: Path) -> None:
    """One host's part of a training job; raises CustomerError."""
    config = root / "input" / "config"
    strings = json.loads((config / "hyperparameters.json").read_text())
    host = json.loads((config / "resourceconfig.json").read_text())["current_host"]
    logger.info("Reading provided configuration from /opt/ml/input/config/hyperparameters.json: %s", strings)
    settings = read_settings(strings, hyperparameters.read(strings))
    channels = read_channels(root, optional=("validation", "test"))
    if channels is None:
        return
    for name, data in channels.items():
        _check(name, data, settings, channels["train"].width)
    model = fit(channels["train"], channels.get("validation"), settings, host)
    for name, data in channels.items():
        _report(name, data, model, settings, host)
    if "test" not in channels:
        logger.info("Test data is not provided.")
    model.save(root / "model" / MODEL_NAME)


def _check(name: str, data: Data, settings: Settings, width: int) -> None:
    expected = settings.feature_dim or width
    if data.width != expected:
        raise CustomerError(
            f"Unable to read data channel '{name}'. The feature dimension of its rows is {data.width}, "
            f"not {expected} as expected."
        )
    if settings.predictor_type == REGRESSOR:
        return
    classes = 2 if settings.predictor_type == BINARY else settings.num_classes
    wrong = (data.labels < 0) | (data.labels >= classes) | (data.labels != np.round(data.labels))
    if wrong.any():
        raise CustomerError(
            f"The labels of channel '{name}' of a {settings.predictor_type} must be whole numbers from 0 to {classes - 1}: "
            f"row {int(np.argmax(wrong)) + 1} has {data.labels[np.argmax(wrong)]:g}."
        )


def _report(name: str, data: Data, model: LinearModel, settings: Settings, host: str) -> None:
    scores = channel_scores(model.margins(data.features), data.labels, settings, model.threshold)
    for metric, value in scores.items():
        logger.info("#%s_score (%s) : %s", name, host, (metric, value))
    for metric, value in scores.items():
        kind = "<loss>" if is_loss(metric) else "<score>"
        logger.info("#quality_metric: host=%s, %s %s %s=%s", host, name, metric, kind, value)


def main() -> None:
    run(train, describe, LOG_FORMAT)


if __name__ == "__main__":
    main()
