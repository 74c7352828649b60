from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sageline.arrays.blocks import Block
from sageline.arrays.numbers import parse_numbers
from sageline.dataset.readers.source import open_blocks
from sageline.errors import InvalidDataset

SOURCE = "s3://bucket/datasets/digits/data.npz"


def npz(*, compressed: bool = False, **arrays: Any) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def read(data: bytes, block_bytes: int = 8 << 20) -> list[Block]:
    return list(open_blocks(io.BytesIO(data), SOURCE, "npz", block_bytes))


def error_of(data: bytes) -> str:
    with pytest.raises(InvalidDataset) as caught:
        read(data)
    assert caught.value.message.startswith(SOURCE)
    return caught.value.message


@pytest.mark.parametrize("compressed", [False, True])
def test_images_become_a_column_per_pixel_and_the_labels_a_column(compressed: bool) -> None:
    images = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 3)

    (block,) = read(npz(x=images, y=np.array([7, 3]), compressed=compressed))

    names = ["pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_1_0", "pixel_1_1", "pixel_1_2"]
    assert list(block.columns) == [*names, "y"]
    assert [block.columns[name].tolist() for name in names] == images.reshape(2, 6).T.astype(str).tolist()
    assert block.columns["y"].tolist() == ["7", "3"]
    assert block.row_numbers.tolist() == [1, 2]


def test_channels_are_the_last_number_of_a_pixels_name() -> None:
    (block,) = read(npz(images=np.zeros((1, 1, 2, 3)), labels=np.array(["rose"])))

    assert list(block.columns) == [*(f"pixel_0_{column}_{channel}" for column in (0, 1) for channel in (0, 1, 2)), "labels"]
    assert block.columns["labels"].tolist() == ["rose"]


def test_rows_of_numbers_become_numbered_columns() -> None:
    (block,) = read(npz(X=np.array([[1.5, np.nan], [-0.1, 3e38]]), target=np.array([[0.5], [np.nan]])))

    assert {name: column.tolist() for name, column in block.columns.items()} == {
        "X0": ["1.5", "-0.1"],
        "X1": ["", "3e+38"],
        "target": ["0.5", ""],
    }
    (block,) = read(npz(x=np.array([1, 2]), y=np.array([True, False])))
    assert {name: column.tolist() for name, column in block.columns.items()} == {"x": ["1", "2"], "y": ["true", "false"]}


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int32, np.float32, np.float16]),
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    st.integers(1, 100),
)
def test_every_number_is_read_in_blocks_as_the_float32_that_it_is(features: Any, block_bytes: int) -> None:
    labels = np.arange(len(features))

    blocks = read(npz(x=features, y=labels), block_bytes)

    assert [number for block in blocks for number in block.row_numbers.tolist()] == list(range(1, len(features) + 1))
    assert [label for block in blocks for label in block.columns["y"].tolist()] == [str(label) for label in labels]
    columns = [name for name in blocks[0].columns if name != "y"]
    table = np.concatenate([np.stack([parse_numbers(block.columns[name]) for name in columns], axis=1) for block in blocks])
    assert np.array_equal(table, features.reshape(len(features), -1).astype(np.float32))


X, Y = np.zeros((2, 2)), np.zeros(2)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (npz(x=np.array([{}, {}]), y=Y), "the array 'x' holds Python objects, which only pickle can read"),
        (npz(x=X, y=np.array(["a", None])), "the array 'y' holds Python objects"),
        (npz(x=X), "no array of labels: name it 'y' or 'labels', as in numpy.savez(file, x=..., y=...). The arrays are: 'x'."),
        (npz(arr_0=X, y=Y), "no array of features: name it 'x' or 'images'"),
        (npz(x=X, y=np.zeros(3)), "the array 'y' has shape (3,), and 'x' (2, 2); expected one label per row."),
        (npz(x=X, y=np.eye(2)), "For one column per class, save y.argmax(axis=1)."),
        (npz(x=np.float64(3), y=Y), "the array 'x' has shape ()"),
        (npz(x=np.zeros((2, 1, 1, 1, 1)), y=Y), "expected (rows, columns) or (rows, height, width)"),
        (npz(x=np.zeros((2, 0)), y=Y), "the array 'x' has shape (2, 0)"),
        (npz(x=np.zeros((2, 2), dtype=complex), y=Y), "the array 'x' holds complex128; expected numbers."),
        (npz(x=X, y=np.zeros(2, dtype="M8[s]")), "the array 'y' holds datetime64[s]; expected numbers or text."),
        (npz(x=np.asfortranarray(np.zeros((2, 3))), y=Y), "the array 'x' is in Fortran order; save numpy.ascontiguousarray(x)."),
        (npz(x=np.array([[1, 2], [3, 1e39]]), y=Y), "row 2, array 'x': 1e+39 is beyond the range of float32"),
        (npz(x=np.array([[1, 2], [3, -np.inf]]), y=Y), "row 2, array 'x': -inf is beyond the range of float32"),
        (npz(x=np.zeros((1, 100_001), dtype=np.uint8), y=np.zeros(1)), "has 100,001 numbers; the limit is 100,000."),
        (npz(x=np.zeros((0, 2)), y=np.zeros(0)), "has no rows"),
        (b"PK, but no archive", "the npz file is damaged"),
        (npz(x=X, y=Y)[:-40], "the npz file is damaged"),
        (npz(x=np.zeros(500), y=np.zeros(500)).replace(b"NUMPY", b"NOPE!"), "x.npy is no array"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_do(data: bytes, expected: str) -> None:
    assert expected in error_of(data)


def test_rows_to_predict_need_no_labels_and_those_that_are_there_are_not_read() -> None:
    x, bad = np.array([[1.5, 2]]), np.array([1, 2, 3])
    for data in (npz(x=x), npz(x=x, y=bad)):
        (block,) = open_blocks(io.BytesIO(data), SOURCE, "npz", labelled=False)
        assert {name: column.tolist() for name, column in block.columns.items()} == {"x0": ["1.5"], "x1": ["2"]}


def test_an_array_that_ends_early_and_a_damaged_one_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in (("x", X), ("y", Y)):
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{name}.npy", content.getvalue()[: -8 if name == "x" else None])
    assert "x.npy ends early" in error_of(out.getvalue())

    data = bytearray(npz(x=np.arange(5000.0), y=np.zeros(5000)))
    data[10_000] ^= 255
    assert "the npz file is damaged: Bad CRC-32" in error_of(bytes(data))


def packed_by_hand(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def promised(shape: tuple[int, ...], descr: str) -> bytes:
    """The beginning of an array that says how much is to follow."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def test_more_labels_than_fit_into_memory_are_refused_before_they_are_read() -> None:
    rows = 1 << 30
    bomb = packed_by_hand(x=promised((rows, 1), "|i1"), y=promised((rows,), "|i1"))

    with pytest.raises(
        InvalidDataset, match=r"'y' has 1,073,741,824 bytes, and 134,217,728 are the limit.*astype\(numpy.int16\)"
    ):
        list(open_blocks(io.BytesIO(bomb), "b.npz", "npz"))


def test_a_header_that_fills_the_memory_is_not_read() -> None:
    bomb = packed_by_hand(x=b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little") + bytes(1 << 20), y=promised((1,), "|i1"))

    with pytest.raises(InvalidDataset, match=r"x\.npy is no array: its header has 2,147,483,648 bytes"):
        list(open_blocks(io.BytesIO(bomb), "b.npz", "npz"))
