from __future__ import annotations

import io

import numpy as np
import pytest

from sageline.formats import npy


def test_arrays_are_read_back_as_they_were() -> None:
    array = np.random.default_rng(0).normal(size=(3, 2, 2)).astype(np.float32)
    assert np.array_equal(npy.read_array(npy.write_array(array)), array)


def test_arrays_of_objects_are_neither_written_nor_read() -> None:
    objects = np.array([{}, None])
    pickled = io.BytesIO()
    np.save(pickled, objects)

    for attempt in (
        lambda: npy.write_array(objects),
        lambda: npy.read_array(pickled.getvalue()),
    ):
        with pytest.raises(ValueError, match=r"[Oo]bject arrays"):
            attempt()


@pytest.mark.parametrize("data", [b"", b"no array", npy.write_array(np.ones(9))[:-3]])
def test_damaged_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a \.npy file"):
        npy.read_array(data)
