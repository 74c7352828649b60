"""Images from a CSV of pixels or an npz file: resolved, prepared, and encoded for a prediction as they were in training."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import CHANNELS, assign
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder
from sageline.errors import InvalidDataset, InvalidRequest, InvalidSpec
from sageline.formats.csv import read_rows
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution
from sageline.resolve.resolve import resolve_spec
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import Spec, SplitSpec, validate_spec
from tests.unit.preparation.test_fit_and_encode import Parts

SIDE = 5
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (60, SIDE, SIDE)).astype(np.uint8)
LABELS = RANDOM.integers(0, 3, 60)


def as_csv() -> bytes:
    header = ",".join(["label", *(f"pixel{place}" for place in range(SIDE * SIDE))])
    rows = [",".join(map(str, [label, *image.reshape(-1)])) for label, image in zip(LABELS, IMAGES, strict=True)]
    return "\n".join([header, *rows, ""]).encode()


def as_npz(images: Any = IMAGES) -> bytes:
    out = io.BytesIO()
    np.savez(out, images=images, labels=LABELS)
    return out.getvalue()


def reader(data: bytes, data_format: str) -> Callable[[], Iterator[Block]]:
    return lambda: open_blocks(io.BytesIO(data), f"s3://b/data.{data_format}", data_format, 4096)


def resolved(data: bytes, data_format: str, **spec: Any) -> Spec:
    return resolve_spec(
        validate_spec(spec, "test"), DatasetProfile.of(reader(data, data_format)()), name="digits", uri="s3://b/data"
    ).spec


def prepared(data: bytes, data_format: str, **spec: Any) -> tuple[Prepared, Parts]:
    parts = Parts()
    read_blocks = reader(data, data_format)
    return prepare(
        read_blocks, read_and_fit(read_blocks, Resolution(resolved(data, data_format, **spec))), parts, parts.asked.append
    ), parts


def encoder() -> FittedEncoder:
    return FittedEncoder.load(prepared(as_npz(), "npz")[0].encoder.save())


@pytest.mark.parametrize(("data", "data_format", "label"), [(as_csv(), "csv", "label"), (as_npz(), "npz", "labels")])
def test_columns_of_pixels_are_taken_for_images_with_reasons(data: bytes, data_format: str, label: str) -> None:
    spec = resolved(data, data_format)

    assert (spec.task, spec.dataset.label) == ("classification", label)
    assert set((spec.dataset.features or {}).values()) == {"pixel"}
    assert spec.encoder == ImageSpec(shape=[5, 5], scale=1 / 255)
    assert spec.reasons["dataset.features"].startswith("pixel: 25 columns, called 'pixel")
    assert spec.reasons["encoder"] == "image, because of 25 columns of pixels"
    assert spec.reasons["encoder.scale"] == "pixels go from 0 to 255"
    assert (
        resolve_spec(spec, DatasetProfile.of(reader(data, data_format)()), name="digits", uri="s3://b/data").spec.encoder
        == spec.encoder
    )


def test_what_the_spec_says_of_images_is_kept() -> None:
    spec = resolved(as_csv(), "csv", encoder={"kind": "image", "shape": [25, 1], "scale": 0.5})
    assert spec.encoder == ImageSpec(shape=[25, 1], scale=0.5)

    few = resolved(as_csv(), "csv", dataset={"features": {"pixel3": "pixel", "pixel4": "pixel"}})
    assert few.encoder == ImageSpec(shape=[1, 2], scale=1 / 255)

    table = resolved(as_csv(), "csv", encoder={"kind": "columns"})
    assert set((table.dataset.features or {}).values()) == {"number"}

    fractions = resolved(as_npz(IMAGES / 255), "npz")
    assert fractions.encoder == ImageSpec(shape=[5, 5], scale=1)
    assert fractions.reasons["encoder.scale"] == "no pixel exceeds 1"


def test_a_shape_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="28 x 28 pixels are 784 numbers, and there are 25 columns of pixels"):
        resolved(as_csv(), "csv", encoder={"kind": "image", "shape": [28, 28]})


def test_other_columns_are_left_out_of_an_image_and_say_so() -> None:
    lines = as_csv().decode().splitlines()
    data = "\n".join(f"{line},{'writer' if index == 0 else 'anna'}" for index, line in enumerate(lines)).encode()

    spec = resolved(data, "csv")

    assert "writer" not in (spec.dataset.features or {})
    assert spec.reasons["dataset.features.writer"] == "left out: the other columns are the pixels of an image"


def test_every_image_is_written_scaled_with_its_label() -> None:
    for data, data_format in (as_csv(), "csv"), (as_npz(), "npz"):
        done, parts = prepared(data, data_format)

        rows = [read_rows(parts.channels[channel], labelled=True) for channel in ("train", "validation")]
        matrices: list[Any] = [*(row.matrix for row in rows), parts.encoded_test_rows(done.encoder)]  # Any: all of them are dense
        labels: list[Any] = [*(row.labels for row in rows), [float(row["label"]) for row in parts.raw]]  # and labelled
        written = np.column_stack([np.concatenate(labels), np.concatenate(matrices)])
        expected = np.column_stack([LABELS, (IMAGES.reshape(60, -1) * (1 / 255)).astype(np.float32)]).astype(np.float32)
        assert sorted(written.tolist()) == sorted(expected.tolist())
        assert isinstance(done.encoder.features, ImageEncoder)
        assert done.encoder.features.shape == (5, 5)
        assert done.profile["features"]["shape"] == [5, 5]
        assert done.encoder.exchange.channel_content_type == "text/csv"


def test_a_prediction_sends_what_was_written_for_the_row_bit_for_bit() -> None:
    done, parts = prepared(as_npz(), "npz", split={"seed": 1})  # where the hash alone brings each class into each share
    loaded = FittedEncoder.load(done.encoder.save())
    [read] = open_blocks(io.BytesIO(as_npz()), "s3://b/data.npz", "npz")
    train = read.take(assign(read, SplitSpec(seed=1)) == CHANNELS.index("train"))
    flat = np.column_stack([[float(text) for text in train.columns[name].tolist()] for name in loaded.feature_columns]).tolist()
    raw = [dict(zip(loaded.feature_columns, row, strict=True)) for row in flat]
    nested = [np.array(row).reshape(5, 5).tolist() for row in flat]

    for instances in raw, flat, nested:
        matrix = loaded.encode(loaded.block_from_instances(list(instances)))
        sent = read_rows(loaded.request_body(matrix)).matrix
        written = read_rows(parts.channels["train"], labelled=True).matrix
        assert isinstance(sent, np.ndarray)
        assert isinstance(written, np.ndarray)
        assert sent.tobytes() == written.tobytes()


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ([1] * 24, "instances[0] has 24 values, expected 25: pixel_0_0, "),
        ([[1] * 5] * 4, "instances[0] has 4 values, expected 5."),
        ([[1] * 5] * 4 + [[1] * 4], "instances[0][4] has 4 values, expected 5."),
        ([[1] * 5] * 4 + [7], "instances[0][4] is a number; expected an array of 5."),
        ([[1] * 5] * 4 + [[1, 1, None, 1, 1]], "instances[0], column 'pixel_4_2' is null; expected a number."),
        ([[1] * 5] * 4 + [[1, 1, [1], 1, 1]], "instances[0], column 'pixel_4_2' is an array; expected a number."),
        ([1] * 24 + ["x"], "instances[0], column 'pixel_4_4': 'x' is not a number."),
        ([1] * 24 + [1e39], "instances[0], column 'pixel_4_4': '1e+39' is beyond the range of float32"),
        ({"pixel_0_0": 1}, "instances[0]: columns 'pixel_0_1', 'pixel_0_2', "),
        ("image", "instances[0] is a string; expected an object with the columns pixel_0_0, "),
    ],
)
def test_an_instance_that_is_no_such_image_is_named(instance: object, expected: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encoder().block_from_instances([instance])
    assert caught.value.message.startswith(expected)


@pytest.mark.slow
def test_a_missing_pixel_is_named_with_its_row_in_whichever_split_it_is() -> None:
    for index in range(20):  # the split has all three shares among these
        images = IMAGES.astype(np.float32)
        images[index, 0, 3] = np.nan
        with pytest.raises(InvalidDataset, match=rf"data\.npz: row {index + 1}, column 'pixel_0_3': the pixel has no value"):
            prepared(as_npz(images), "npz")
