"""Checkpoints as the container has them: it looks for ``xgboost-checkpoint.<round>``, and since 1.3 saves under another name.

Source: ``callback.py`` and ``checkpointing.py`` of aws/sagemaker-xgboost-container at cb8df91, and of its branch 1.2-2.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.versions import Version

_PREFIX = "xgboost-checkpoint"
_KEPT = 5
_NAME = re.compile(rf"{_PREFIX}\.([0-9]+)")


def checkpoint_directory(root: Path) -> Path | None:
    """Where a job that is laid out in ``root`` keeps its checkpoints; None for a job without."""
    config = root / "input" / "config" / "checkpointconfig.json"
    if not config.exists():
        return None
    path: str = json.loads(config.read_text())["LocalPath"]
    return root / path.removeprefix("/opt/ml/")


def last_checkpoint(directory: Path) -> xgboost.Booster | None:
    """The model to go on from, of the files that the container looks for; since 1.3 it has none of its own making."""
    matches = {path: _NAME.fullmatch(path.name) for path in directory.iterdir()}
    by_round = {int(match[1]): path for path, match in matches.items() if match}
    return xgboost.Booster(model_file=bytearray(by_round[max(by_round)].read_bytes())) if by_round else None


class EveryRound(xgboost.callback.TrainingCallback):
    """Saves after every round, and keeps the newest five."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: object) -> bool:
        number = model.num_boosted_rounds() - 1
        draft = self._directory / f".{_PREFIX}"
        draft.write_bytes(model.save_raw("ubj"))
        draft.rename(self._directory / f"{_PREFIX}.{number}")
        (self._directory / f"{_PREFIX}.{number - _KEPT}").unlink(missing_ok=True)
        return False


def save_checkpoints(directory: Path, first: int, version: Version) -> xgboost.callback.TrainingCallback:
    """What saves the checkpoints of a job whose first round is ``first``.

    Since 1.3 as often as there are rounds before the first one: of a job from the beginning, the model of round 0 alone.
    """
    if version.resumes:
        return EveryRound(directory)
    return xgboost.callback.TrainingCheckPoint(directory=directory, interval=first, name=_PREFIX)
