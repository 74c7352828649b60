from __future__ import annotations

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.encoder.image import ImageEncoder, is_pixel_name, shape_of
from sageline.errors import InvalidDataset, InvalidSpec


def block(**columns: list[str]) -> Block:
    return Block.of({name: StringArray.from_list(values) for name, values in columns.items()}, source="data.csv")


def test_pixels_are_scaled_and_keep_their_order() -> None:
    image = ImageEncoder(["b", "a"], (1, 2), 1 / 255)

    encoded = image.encode(block(a=["0", "255"], b=["51", "102.0"]))

    assert encoded.dtype == np.float32
    assert np.array_equal(encoded, np.array([[51 / 255, 0], [102 / 255, 1]], dtype=np.float32))
    assert np.array_equal(ImageEncoder(["b", "a"], (1, 2), 1).encode(block(a=["0"], b=["7"])), [[7, 0]])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "data.csv: row 2, column 'a': the pixel has no value."),
        ("nan", "data.csv: row 2, column 'a': the pixel has no value."),
        ("x", "data.csv: row 2, column 'a': 'x' is not a number"),
        ("1e39", "is beyond the range of float32"),
    ],
)
def test_a_pixel_that_is_no_number_is_named(value: str, expected: str) -> None:
    with pytest.raises(InvalidDataset) as caught:
        ImageEncoder(["a"], (1, 1), 1).encode(block(a=["1", value]))
    assert expected in caught.value.message


@pytest.mark.parametrize("name", ["pixel0", "Pixel783", "pixel_3_17", "px_3_17_2", "28x28", "pixel 5", "pixel.5"])
def test_columns_of_pixels_are_told_by_their_names(name: str) -> None:
    assert is_pixel_name(name)


@pytest.mark.parametrize("name", ["pixel", "pixels", "x1", "age", "3", "1x1x1", "pixel_a"])
def test_other_columns_are_not_taken_for_pixels(name: str) -> None:
    assert not is_pixel_name(name)


@pytest.mark.parametrize(
    ("names", "given", "shape"),
    [
        ([f"pixel{place}" for place in range(784)], None, (28, 28)),
        ([f"pixel{place}" for place in range(3072)], None, (32, 32, 3)),
        ([f"pixel{place}" for place in range(12)], None, (2, 2, 3)),
        ([f"pixel{place}" for place in range(6)], None, (1, 6)),
        ([f"pixel{place}" for place in range(6)], (3, 2), (3, 2)),
        ([f"{row}x{column}" for row in (1, 2) for column in (1, 2, 3)], None, (2, 3)),
        ([f"pixel_{row}_{column}_{channel}" for row in (0, 1) for column in range(3) for channel in (0, 1)], None, (2, 3, 2)),
        (["pixel_0_0", "pixel_0_1", "pixel_5_0", "pixel_5_1"], None, (2, 2)),
    ],
)
def test_the_shape_is_given_or_said_by_the_names_or_square(
    names: list[str], given: tuple[int, ...] | None, shape: tuple[int, ...]
) -> None:
    assert shape_of(names, given) == shape


def test_a_shape_that_the_pixels_do_not_fill_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"`encoder\.shape`: 28 x 28 pixels are 784 numbers, and there are 2 columns of pixels"):
        shape_of(["pixel0", "pixel1"], (28, 28))
