"""Features and labels to mean 0 and standard deviation 1, and weights back to what fits the raw rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array
from sklearn.preprocessing import StandardScaler

from sagemaker_emulator.engines.linear_learner.settings import Settings
from sagemaker_emulator.engines.shell.arrays import FloatArray


@dataclass(frozen=True)
class Scaling:
    """What is taken off and what is divided by; ``float64[columns]`` for the features."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    label_mean: float
    label_deviation: float

    def features(self, rows: FloatArray | csr_matrix) -> FloatArray | csr_matrix:
        """The scaled rows, float32; sparse rows stay sparse, their mean is not taken off."""
        if isinstance(rows, np.ndarray):
            return ((rows - self.mean) / self.deviation).astype(np.float32)
        return csr_matrix(rows @ diags_array(1 / self.deviation), dtype=np.float32)

    def labels(self, labels: FloatArray) -> FloatArray:
        return ((labels - self.label_mean) / self.label_deviation).astype(np.float32)

    def raw(self, weight: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights ``[columns, outputs]`` and biases ``[outputs]`` that do for raw rows what the given ones do for scaled rows."""
        unscaled = weight.astype(np.float64) / self.deviation[:, None] * self.label_deviation
        shifted = bias * self.label_deviation + self.label_mean - self.mean @ unscaled
        return unscaled.astype(np.float32), shifted.astype(np.float32)


def fit_scaling(rows: FloatArray | csr_matrix, labels: FloatArray, settings: Settings) -> Scaling:
    """Over at most ``num_point_for_scaler`` rows. Without a bias nothing is taken off, unless that is asked for."""
    most = settings.num_point_for_scaler
    chosen = slice(None) if len(labels) <= most else np.sort(np.random.default_rng(0).permutation(len(labels))[:most])
    is_dense = isinstance(rows, np.ndarray)
    features = StandardScaler(with_mean=is_dense).fit(rows[chosen].astype(np.float64))
    truth = StandardScaler().fit(labels[chosen, None].astype(np.float64))
    unbias = settings.use_bias if settings.unbias_data is None else settings.unbias_data
    columns = rows.shape[1]
    return Scaling(
        mean=features.mean_ if unbias and is_dense else np.zeros(columns),
        deviation=features.scale_ if settings.normalize_data else np.ones(columns),
        label_mean=float(truth.mean_[0]) if settings.unbias_label else 0.0,
        label_deviation=float(truth.scale_[0]) if settings.normalize_label else 1.0,
    )
