from __future__ import annotations

import io

import numpy as np
import pytest

from sageline.formats import npy


def test_arrays_are_read_back_as_they_were() -> None:
    array = np.random.default_rng(0).normal(size=(3, 2, 2)).astype(np.float32)
    assert np.array_equal(npy.read_array(npy.write_array(array)), array)

    arrays = npy.read_arrays(npy.write_arrays({"x": array, "y": np.array(["a", "b", "c"])}))

    assert np.array_equal(arrays["x"], array)
    assert arrays["y"].tolist() == ["a", "b", "c"]


def test_arrays_of_objects_are_neither_written_nor_read() -> None:
    objects = np.array([{}, None])
    pickled, pickled_many = io.BytesIO(), io.BytesIO()
    np.save(pickled, objects)
    np.savez(pickled_many, x=objects)

    for attempt in (
        lambda: npy.write_array(objects),
        lambda: npy.write_arrays({"x": objects}),
        lambda: npy.read_array(pickled.getvalue()),
        lambda: npy.read_arrays(pickled_many.getvalue()),
    ):
        with pytest.raises(ValueError, match=r"[Oo]bject arrays"):
            attempt()


@pytest.mark.parametrize("data", [b"", b"no array", npy.write_array(np.ones(9))[:-3], npy.write_arrays({"x": np.ones(9)})[:-30]])
def test_damaged_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a \.npy file"):
        npy.read_array(data)
    with pytest.raises(ValueError, match=r"not a \.npz file"):
        npy.read_arrays(data)
