"""What a training knows after an epoch, in a file: with it another job goes on when the first one's machine is taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from job_data import Array  # type: ignore[import-not-found]  # beside it in the archive

Model = Any  # a keras.Model, whose package has no types

_NAME = "checkpoint.npz"


class Epoch(NamedTuple):
    """What the network was after an epoch."""

    number: int
    values: Mapping[str, float]
    weights: list[Array]
    loss: float


def keep(directory: Path, network: Model, number: int, best: Epoch) -> None:
    """Write the network and its optimizer as they are after epoch ``number``, and the best epoch so far."""
    directory.mkdir(parents=True, exist_ok=True)
    arrays = {"network": network.get_weights(), "optimizer": _optimizer(network), "best": best.weights}
    facts = {"epoch": number, "best": best.number, "values": best.values, "loss": best.loss}
    # Renamed when it is whole: SageMaker leaves a file with this suffix alone.
    draft = directory / f"{_NAME}.sagemaker-ignore"
    with draft.open("wb") as file:
        np.savez(
            file,
            facts=np.array(json.dumps(facts)),
            **{f"{name}-{index}": array for name, listed in arrays.items() for index, array in enumerate(listed)},
        )
    draft.replace(directory / _NAME)


def restore(directory: Path, network: Model) -> tuple[int, Epoch] | None:
    """Make the network and its optimizer what they were; the last epoch and the best one, or None without a checkpoint."""
    if not (directory / _NAME).exists():
        return None
    with np.load(directory / _NAME) as stored:
        facts = json.loads(str(stored["facts"]))
        weights, best = (
            [stored[f"{name}-{index}"] for index in range(len(network.get_weights()))] for name in ("network", "best")
        )
        network.set_weights(weights)
        network.optimizer.build(network.trainable_variables)
        for index, variable in enumerate(network.optimizer.variables):
            variable.assign(stored[f"optimizer-{index}"])
    return facts["epoch"], Epoch(facts["best"], facts["values"], best, facts["loss"])


def _optimizer(network: Model) -> list[Array]:
    return [np.asarray(variable) for variable in network.optimizer.variables]
