"""The container's ``train``: ``python -m sagemaker_emulator.engines.blazingtext.train --root DIR``."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from sagemaker_emulator.engines.blazingtext import hyperparameters, model_file, supervised, vectors
from sagemaker_emulator.engines.blazingtext.channels import channel_files, check_labels
from sagemaker_emulator.engines.first_party.failures import LOG_FORMAT, CustomerError, describe
from sagemaker_emulator.engines.shell.training import run

logger = logging.getLogger(__name__)

MODEL_NAME = "model.bin"


def train(root: Path) -> None:
    """One host's part of a training job; raises CustomerError."""
    config = root / "input" / "config"
    values = hyperparameters.read(json.loads((config / "hyperparameters.json").read_text()))
    mode = str(values["mode"])
    cluster = json.loads((config / "resourceconfig.json").read_text())
    if len(cluster["hosts"]) > 1 and mode != "batch_skipgram":
        raise CustomerError(f"The mode {mode} trains on one instance: set the instance count to 1.")
    if cluster["current_host"] != cluster["hosts"][0]:
        logger.info("%s trains on the data of this host, too.", cluster["hosts"][0])
        return
    logger.info("Running single machine CPU BlazingText training using %s mode.", mode)
    files = channel_files(root, optional=("validation",) if mode == "supervised" else ())
    for path in files.values():
        logger.info("Processing %s . File size: %.4f MB", path, path.stat().st_size / 1e6)
    if mode == "supervised":
        _classify(supervised.Settings.of(values), files, root / "model")
    else:
        model = vectors.train(values, files["train"])
        vectors.save(model, root / "model", subwords=values["subwords"] == "true")


def _classify(settings: supervised.Settings, files: dict[str, Path], directory: Path) -> None:
    for channel, path in files.items():
        check_labels(path, channel)
    model = supervised.train(settings, files["train"], files.get("validation"))
    for channel, path in files.items():
        supervised.report(model, channel, path)
    model_file.save(model, directory / MODEL_NAME)


if __name__ == "__main__":
    run(train, describe, LOG_FORMAT)
