"""The container's ``train``: ``python -m sagemaker_emulator.engines.xgboost.train --root DIR``."""

from __future__ import annotations

import json
import logging
import os
import pickle  # written, for the images that leave a pickle; read nowhere here
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import numpy as np

from sagemaker_emulator.engines.shell.training import Failure, LogFormat, run
from sagemaker_emulator.engines.xgboost.boosting import boost
from sagemaker_emulator.engines.xgboost.channels import channel_format, check_channels
from sagemaker_emulator.engines.xgboost.checkpoints import checkpoint_directory, last_checkpoint
from sagemaker_emulator.engines.xgboost.cluster import Cluster, joined, read_cluster
from sagemaker_emulator.engines.xgboost.data import read_matrix
from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.folds import cross_validate
from sagemaker_emulator.engines.xgboost.hyperparameters import read
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.versions import NEWEST, Version, version_of

logger = logging.getLogger(__name__)

MODEL_NAME = "xgboost-model"


class Termination:
    """What SIGTERM does: end at once, or, when the model shall be saved, after the current round."""

    def __init__(self) -> None:
        self.save_model = False
        self.requested = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        self.requested = True
        if not self.save_model:
            sys.exit(0)


def train(root: Path, termination: Termination, version: Version = NEWEST) -> None:
    """One host's part of a training job; raises UserError or AlgorithmError."""
    told = version.unlike(xgboost.__version__)
    if told:
        logger.warning(told)
    config = root / "input" / "config"
    channels = json.loads((config / "inputdataconfig.json").read_text())
    hyperparameters = read(json.loads((config / "hyperparameters.json").read_text()), version)
    check_channels(channels, version)
    if hyperparameters.get("use_dask_gpu_training") == "true":
        raise UserError("Dask GPU training needs a GPU instance: set use_dask_gpu_training to false, or leave it out.")
    termination.save_model = hyperparameters.get("save_model_on_termination") == "true"
    cluster = read_cluster(root)
    if "_kfold" in hyperparameters and cluster.is_distributed:
        raise UserError("Cross validation (_kfold) runs on one instance: set the instance count to 1.")
    directory = checkpoint_directory(root)
    if "_kfold" in hyperparameters and directory:
        raise AlgorithmError(
            "XGB train call failed with exception:\n The container saves a fold's checkpoint into a directory that is not there: "
            "leave CheckpointConfig out."
        )
    with joined(cluster, root.parent):
        matrices = _matrices(root, channels, cluster, weights=hyperparameters.get("csv_weights") == 1)
        if "_kfold" in hyperparameters:
            output = root / "output" / "data"
            models = cross_validate(hyperparameters, matrices["train"], matrices.get("validation"), output, version)
            for fold, model in enumerate(models):
                _save(model, root / "model" / f"{MODEL_NAME}-{fold}", version)
            return
        begun = last_checkpoint(directory) if directory else None
        if begun is not None:
            logger.info("Resuming from iteration %d", begun.num_boosted_rounds())
        booster = boost(
            hyperparameters,
            matrices["train"],
            matrices.get("validation"),
            stop=lambda: termination.requested,
            silent=not cluster.is_master,
            begun=begun,
            checkpoints=directory if cluster.is_master else None,
            version=version,
        )
    if cluster.is_master:
        _save(booster, root / "model" / MODEL_NAME, version)


def _save(booster: xgboost.Booster, path: Path, version: Version) -> None:
    """XGBoost's binary JSON, which it would choose by a suffix that the container's file name has not; or a pickle of old."""
    path.write_bytes(pickle.dumps(booster, protocol=4) if version.pickles else booster.save_raw("ubj"))


def _matrices(
    root: Path, channels: Mapping[str, Mapping[str, str]], cluster: Cluster, *, weights: bool
) -> dict[str, xgboost.DMatrix]:
    """The matrices of the channels, train first; without rows for a channel that has no data on this host of several."""
    formats = {name: channel_format(channel) for name, channel in channels.items() if name != "code"}
    if len(set(formats.values())) > 1:
        raise UserError(f"The train and validation channels must have the same content type, not {formats}.")
    if cluster.is_distributed:
        logger.info("Distributed node training with %d hosts: %s", len(cluster.hosts), cluster.hosts)
    else:
        logger.info("Single node training.")
    matrices: dict[str, xgboost.DMatrix] = {}
    for name, words in (("train", "training"), ("validation", "validation")):
        if name not in channels:
            continue
        directory = root / "input" / "data" / name
        matrix = read_matrix(directory, formats[name], weights=weights)
        if matrix is None and not cluster.is_distributed:
            raise UserError(f"No data in {words} channel path {directory}")
        if matrix is None:
            logger.warning("Host %s does not have %s data. Will broadcast to cluster.", cluster.host, words)
            matrix = xgboost.DMatrix(np.empty((0, 1), dtype=np.float32), label=np.empty(0, dtype=np.float32))
        logger.info("%s matrix has %d rows and %d columns", name.capitalize(), matrix.num_row(), matrix.num_col())
        matrices[name] = matrix
    return matrices


def main() -> None:
    termination = Termination()

    def announced(root: Path) -> None:
        logger.info("Running XGBoost Sagemaker in algorithm mode")
        train(root, termination, version_of(os.environ))

    run(announced, _failure, LogFormat("[%(asctime)s:%(levelname)s] %(message)s", "%Y-%m-%d:%H:%M:%S"), termination)


def _failure(error: Exception) -> Failure:
    """The last frame only: SageMaker shows the first 1,024 characters, and the message shall be among them."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f'  File "{Path(frame.filename).name}", line {frame.lineno}, in {frame.name}'
    return Failure(f"framework error: \nTraceback (most recent call last):\n{place}\n{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
