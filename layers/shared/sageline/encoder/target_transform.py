"""The scale that a regression is learnt on: its values as they are (``none``), or the logarithms of 1 + value (``log``)."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import FloatArray

TRANSFORMS = ("none", "log")

_MOST = float(np.finfo(np.float32).max)


def learnt_values(values: FloatArray, transform: str) -> FloatArray:
    """``float32[n]``: what a model learns of labels, which are at least 0 for ``log``."""
    return values if transform == "none" else np.log1p(values.astype(np.float64)).astype(np.float32)


def answered_values(learnt: FloatArray, transform: str) -> FloatArray:
    """``float32[n]``: what a model's answers say on the scale of the labels.

    For ``log`` none is below 0, because no label was, and none is infinite, which JSON cannot say.
    """
    if transform == "none":
        return learnt
    with np.errstate(over="ignore"):
        return np.clip(np.expm1(learnt.astype(np.float64)), 0, _MOST).astype(np.float32)
