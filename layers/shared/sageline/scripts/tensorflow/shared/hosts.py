"""The hosts of a training job: each learns from its share of the rows, and after each epoch they go on from the mean of what they
have learned.

The training toolkit says in ``TF_CONFIG`` where the hosts are when the job has the hyperparameter
``sagemaker_multi_worker_mirrored_strategy_enabled``. TensorFlow's strategy of that name makes the means here and no more: Keras 3
does not fit under it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow
from job_data import Array  # type: ignore[import-not-found]  # beside it in the archive


class Hosts:
    """All hosts that train together; make it before TensorFlow is used for anything else.

    Attributes:
        index: of this host among those that train; None when it does not, because the hosts do not know of each other. Then the
            first one trains alone.
        count: how many train.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        config = json.loads(environment.get("TF_CONFIG", "{}"))
        names = sorted(json.loads(environment.get("SM_HOSTS", '["algo-1"]')))
        current = environment.get("SM_CURRENT_HOST", names[0])
        self.count = len(config.get("cluster", {}).get("worker", []))
        self.index: int | None
        self._strategy: Any = None  # tensorflow has no types
        if self.count > 1:
            self.index = config["task"]["index"]
            self._strategy = tensorflow.distribute.MultiWorkerMirroredStrategy()
        else:
            self.count, self.index = 1, 0 if current == names[0] else None

    def share(self, rows: Array) -> Array:
        """The rows that this host learns from; all, when there is not one for each."""
        return rows if self.index is None or len(rows) < self.count else rows[self.index :: self.count]

    def mean(self, arrays: list[Array]) -> list[Array]:
        """The mean over all hosts of each array; every host gets the same."""
        if self._strategy is None:
            return arrays
        tensors = [tensorflow.constant(np.asarray(array, dtype=np.float32)) for array in arrays]
        means = self._strategy.run(lambda: tensorflow.distribute.get_replica_context().all_reduce("MEAN", tensors))
        return [np.asarray(mean) for mean in means]
