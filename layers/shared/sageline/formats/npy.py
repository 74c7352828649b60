"""Arrays in numpy's own formats, without pickle.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. An array of Python objects is pickled there,
and reading a pickle runs what it says, so such arrays are refused.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sageline.arrays.matrix import AnyArray, FloatArray

CONTENT_TYPE = "application/x-npy"


class ArrayPair(NamedTuple):
    """Training rows for a script."""

    x: FloatArray
    """``float32[rows, …]``."""
    y: AnyArray
    """``int64[rows]`` classes, or ``float32[rows]`` values."""
    w: FloatArray | None = None
    """``float32[rows]``: how much each row counts, if that is said."""


def write_array(array: AnyArray) -> bytes:
    """One array as ``.npy``; ValueError for an array of objects."""
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def write_joined(arrays: Sequence[AnyArray]) -> bytes:
    """Arrays one after the other along their first axis as one ``.npy``; they have the same type, and the same other axes."""
    first = arrays[0]
    head = io.BytesIO()
    shape = (sum(len(array) for array in arrays), *first.shape[1:])
    description = {"descr": np.lib.format.dtype_to_descr(first.dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    return b"".join([head.getvalue(), *(np.ascontiguousarray(array).data for array in arrays)])


def read_array(data: bytes) -> AnyArray:
    """The array in a ``.npy`` file; ValueError when it is damaged or holds objects."""
    try:
        return np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise ValueError(f"not a .npy file of numbers or text: {error}") from None
