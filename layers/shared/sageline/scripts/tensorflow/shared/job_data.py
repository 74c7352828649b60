"""The data of a training job: pairs of arrays, or CSV with the label first.

Pairs are ``part-00000-x.npy``, ``float32[rows, …]``, and ``part-00000-y.npy``, ``int64[rows]`` classes or
``float32[rows]`` values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]  # Any: numpy's shape parameter, and any kind of number


def read_channel(name: str, environment: Mapping[str, str], width: int) -> tuple[Array, Array] | None:
    """Rows and labels of a channel; None when the job has no such channel.

    Raises:
        ValueError: the channel holds no data, or rows of another width.
    """
    folder = environment.get(f"SM_CHANNEL_{name.upper()}")
    if folder is None:
        return None
    pairs = sorted(Path(folder).rglob("*-x.npy"))
    tables = sorted(Path(folder).rglob("*.csv"))
    if pairs:
        rows = np.concatenate([np.load(path) for path in pairs])
        labels = np.concatenate([np.load(path.with_name(path.name.replace("-x.npy", "-y.npy"))) for path in pairs])
    elif tables:
        cells = np.concatenate([np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2) for path in tables])
        rows, labels = cells[:, 1:], cells[:, 0]
    else:
        raise ValueError(f"the channel {name} holds no data: neither *-x.npy nor *.csv is in {folder}")
    if math.prod(rows.shape[1:]) != width:
        raise ValueError(f"a row of the channel {name} has {math.prod(rows.shape[1:])} numbers; feature_dim is {width}")
    if not np.isfinite(rows).all():
        raise ValueError(f"the channel {name} holds missing numbers, which a neural network does not take")
    return rows, labels


def check_labels(train: Array, validation: Array | None, task: str, num_class: int | None) -> None:
    """ValueError where a class is not one of ``num_class``."""
    if task != "classification":
        return
    if num_class is None:
        raise ValueError("num_class is missing; a classification needs it")
    for labels in (train,) if validation is None else (train, validation):
        if labels.min() < 0 or labels.max() >= num_class:
            raise ValueError(f"the labels are {labels.min()} to {labels.max()}; num_class is {num_class}")
