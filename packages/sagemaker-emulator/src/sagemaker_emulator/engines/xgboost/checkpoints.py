"""Checkpoints as the container has them: it looks for ``xgboost-checkpoint.<round>``, and saves under another name.

Source: ``callback.py`` and ``checkpointing.py`` of aws/sagemaker-xgboost-container at cb8df91.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sagemaker_emulator.engines.xgboost.library import xgboost

_PREFIX = "xgboost-checkpoint"
_NAME = re.compile(rf"{_PREFIX}\.([0-9]+)")


def checkpoint_directory(root: Path) -> Path | None:
    """Where a job that is laid out in ``root`` keeps its checkpoints; None for a job without."""
    config = root / "input" / "config" / "checkpointconfig.json"
    if not config.exists():
        return None
    path: str = json.loads(config.read_text())["LocalPath"]
    return root / path.removeprefix("/opt/ml/")


def last_checkpoint(directory: Path) -> xgboost.Booster | None:
    """The model to go on from, of the files that the container looks for; it has none of its own making."""
    matches = {path: _NAME.fullmatch(path.name) for path in directory.iterdir()}
    by_round = {int(match[1]): path for path, match in matches.items() if match}
    return xgboost.Booster(model_file=bytearray(by_round[max(by_round)].read_bytes())) if by_round else None


def save_checkpoints(directory: Path, first: int) -> xgboost.callback.TrainingCallback:
    """Saves as often as there are rounds before the ``first`` one: of a job from the beginning, the model of round 0 alone."""
    return xgboost.callback.TrainingCheckPoint(directory=directory, interval=first, name=_PREFIX)
