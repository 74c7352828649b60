"""``xgboost-checkpoint.<round>``: the model after each round, the newest five of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.sagemaker.engines.xgboost.library import xgboost

_NAME = re.compile(r"xgboost-checkpoint\.([0-9]+)")
_KEPT = 5


def checkpoint_directory(root: Path) -> Path | None:
    """Where a job that is laid out in ``root`` keeps its checkpoints; None for a job without."""
    config = root / "input" / "config" / "checkpointconfig.json"
    if not config.exists():
        return None
    path: str = json.loads(config.read_text())["LocalPath"]
    return root / path.removeprefix("/opt/ml/")


def last_checkpoint(directory: Path) -> xgboost.Booster | None:
    """The model that an earlier job was interrupted with."""
    by_round = _by_round(directory)
    return xgboost.Booster(model_file=bytearray(by_round[max(by_round)].read_bytes())) if by_round else None


class SaveCheckpoint(xgboost.callback.TrainingCallback):
    """Keeps a checkpoint of each round, numbered on from those that an earlier job has trained."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def after_iteration(
        self, model: xgboost.Booster, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]
    ) -> bool:  # Any: XGBoost's
        last = model.num_boosted_rounds() - 1
        # Renamed when it is whole: SageMaker leaves a file with this suffix alone.
        draft = self._directory / "draft.sagemaker-ignore"
        draft.write_bytes(model.save_raw("ubj"))
        draft.replace(self._directory / f"xgboost-checkpoint.{last}")
        for number, path in _by_round(self._directory).items():
            if number <= last - _KEPT:
                path.unlink()
        return False


def _by_round(directory: Path) -> dict[int, Path]:
    matches = {path: _NAME.fullmatch(path.name) for path in directory.iterdir()}
    return {int(match[1]): path for path, match in matches.items() if match}
