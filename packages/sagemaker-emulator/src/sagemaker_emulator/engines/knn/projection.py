"""Dimension reduction by a random projection, which keeps distances about as they are.

``sign`` multiplies with random signs; ``fjlt`` is the fast Johnson-Lindenstrauss transform: random signs, the Hadamard transform,
and some of its coordinates. Both are linear, so both are kept as one matrix ``float32[columns, target]``.
"""

from __future__ import annotations

import numpy as np

from sagemaker_emulator.engines.shell.arrays import AnyArray, FloatArray


def projection(kind: str, columns: int, target: int, seed: int) -> FloatArray:
    """The matrix that rows are multiplied with."""
    rng = np.random.default_rng(seed)
    signs = rng.choice(np.array([-1.0, 1.0]), size=(columns, target if kind == "sign" else 1))
    if kind == "fjlt":
        size = 1 << (columns - 1).bit_length()
        chosen = rng.choice(size, size=target, replace=False)
        signs = signs * _hadamard(np.arange(columns), chosen)
    matrix: FloatArray = (signs / np.sqrt(target)).astype(np.float32)
    return matrix


def _hadamard(rows: AnyArray, columns: AnyArray) -> FloatArray:
    """Entries of Sylvester's matrix: -1 to the number of ones that the two indices have in common."""
    common = np.bitwise_count(rows[:, None] & columns[None, :])
    return np.where(common % 2 == 1, -1.0, 1.0).astype(np.float32)
