"""A ZIP archive of class folders: resolved, prepared, and each file encoded for a prediction as it was in training."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import ImageArray
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import StringArray
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import assign
from sageline.encoder.description import describe, example_of
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image_file import ImageFileEncoder
from sageline.errors import InvalidDataset, InvalidRequest, InvalidSpec
from sageline.formats.csv import read_rows
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import Means
from sageline.preparation.spill import Spill
from sageline.resolve.resolution import Resolution
from sageline.resolve.resolve import resolve_spec
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import SplitSpec, validate_spec
from sageline.storage.dataset_object import read_options
from tests.unit.pictures import archive, cats_and_dogs, encoded, picture
from tests.unit.preparation.test_fit_and_encode import Parts

FILES = cats_and_dogs(80)
URI, LINES_URI = "s3://b/datasets/pets/data.zip", "s3://b/datasets/pets/data.jsonl"


def reader(files: Mapping[str, bytes], **spec: Any) -> Callable[[], Iterator[Block]]:
    data, given_spec = archive(files), validate_spec(spec, "test")
    options = read_options(given_spec.dataset, given_spec.encoder)
    return lambda: open_blocks(io.BytesIO(data), URI, "zip", 4096, options=options)


def resolution(files: Mapping[str, bytes] = FILES, **spec: Any) -> Resolution:
    profile = DatasetProfile.of(reader(files, **spec)())
    return resolve_spec(validate_spec(spec, "test"), profile, name="pets", uri=URI)


def prepared(files: Mapping[str, bytes] = FILES, **spec: Any) -> tuple[Prepared, Parts]:
    parts, read_blocks = Parts(), reader(files, **spec)
    first = read_and_fit(read_blocks, resolution(files, **spec))
    return prepare(read_blocks, first, parts, parts.asked.append), parts


@pytest.mark.parametrize("processes", [1, 2])
def test_images_are_the_same_from_the_spill_and_from_two_processes(processes: int, tmp_path: Path) -> None:
    read_blocks, chosen = reader(FILES), resolution()
    alone, expected = prepared()

    with Spill(tmp_path, 1 << 30) as spill:
        by, parts = Means(processes, spill), Parts()
        again = prepare(read_blocks, read_and_fit(read_blocks, chosen, means=by), parts, parts.asked.append, means=by)

        assert spill.is_complete
        assert len(spill) > 2
        [kept] = {type(spilled.block.columns["image"]) for spilled in spill}
    assert kept is ImageArray
    assert (parts.channels, again.rows, again.profile) == (expected.channels, alone.rows, alone.profile)
    assert [rows.body for rows in parts.asked] == [rows.body for rows in expected.asked]
    assert again.encoder.save() == alone.encoder.save()


def numbers(encoded_rows: object) -> FloatArray:
    assert isinstance(encoded_rows, np.ndarray)
    return encoded_rows


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_images_are_is_found_out_with_reasons() -> None:
    found = resolution()
    spec = found.spec
    assert (spec.task, spec.dataset.label, spec.dataset.features) == ("classification", "label", {"image": "image"})
    assert spec.encoder == ImageSpec(shape=[8, 8, 3], scale=1 / 255)
    assert spec.reasons["dataset.label"] == "the folder that an image lies in"
    assert spec.reasons["encoder"] == "image, because every row is an image file"
    assert spec.reasons["encoder.shape"] == "all 80 images that were looked at are 8 x 8 pixels, and there are colours"
    assert found.notes[0].startswith("Images are resized to 8 x 8 pixels in colours: all 80 images")
    assert found.warnings == ()
    again = resolve_spec(spec, DatasetProfile.of(reader(FILES)()), name="pets", uri=URI)
    assert again.spec.encoder == spec.encoder


def test_the_shape_of_the_spec_is_taken() -> None:
    found = resolution(encoder={"kind": "image", "shape": [4, 5]})
    assert found.spec.encoder == ImageSpec(shape=[4, 5], scale=1 / 255)
    assert "encoder.shape" not in found.spec.reasons
    with pytest.raises(InvalidSpec, match=r"`encoder.shape` is \[4, 5, 7\]"):
        resolution(encoder={"kind": "image", "shape": [4, 5, 7]})


def test_folders_are_classes_whatever_they_are_called() -> None:
    names = ["0", "1.5", "10", "007", "none", "unknown", *map(str, range(100, 130))]
    files = {
        f"{name}/{number}.png": encoded(picture(place * 3 + number)) for number in range(3) for place, name in enumerate(names)
    }
    done, _ = prepared(files)
    assert done.encoder.task == "classification"
    assert {"none", "unknown", "007"} <= set(done.profile["label"]["classes"]["train"])
    assert done.profile["rows"]["unlabelled"] == 0


def test_every_image_is_written_scaled_with_its_label_and_held_out_ones_can_be_sent_as_they_are() -> None:
    done, parts = prepared()
    encoder = FittedEncoder.load(done.encoder.save())
    assert (encoder.kind, encoder.feature_dim, encoder.image_shape) == ("image", 192, (8, 8, 3))
    assert sum(done.rows.values()) == 80
    rows: Any = [read_rows(parts.channels[channel], labelled=True) for channel in ("train", "validation")]  # all are dense
    written = np.concatenate([row.matrix for row in rows])
    sent: Any = encoder.encode_instances([row["features"] for row in parts.raw])
    assert np.array_equal(sent, numbers(parts.encoded_test_rows(encoder)))
    everything = np.concatenate([written, sent])
    pixels: Any = [np.asarray(Image.open(io.BytesIO(data))).reshape(-1) for data in FILES.values()]
    expected = (np.array(pixels) * (1 / 255)).astype(np.float32)
    assert sorted(everything.tolist()) == sorted(expected.tolist())
    assert {row["label"] for row in parts.raw} == {"cat", "dog"}


KINDS = [("PNG", {}), ("JPEG", {}), ("GIF", {}), ("WEBP", {}), ("BMP", {}), ("PNG", {"transparency": (1, 2, 3)})]


@given(
    st.sampled_from(KINDS),
    st.integers(0, 1000),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([(8, 8), (5, 7, 1), (6, 4, 3)]),
)
def test_a_file_is_the_same_numbers_in_training_and_in_a_prediction(
    kind: tuple[str, dict[str, Any]], seed: int, size: tuple[int, int], shape: tuple[int, ...]
) -> None:
    file = encoded(picture(seed, *size), kind[0], **kind[1])
    spec: Any = {"encoder": {"kind": "image", "shape": list(shape)}}
    [block] = reader({"cat/1.x.png": file, "dog/1.png": file}, **spec)()
    encoder = files_encoder(shape)
    trained = numbers(encoder.encode(block))
    for instance in (in_base64(file), {"image": in_base64(file)}, [in_base64(file)], f"data:image/png;base64,{in_base64(file)}"):
        assert np.array_equal(numbers(encoder.encode_instances([instance])), trained[:1])
    raw = block.columns["image"].tolist()
    assert np.array_equal(numbers(encoder.encode_instances([{"image": text} for text in raw])), trained)


def files_encoder(shape: tuple[int, ...] = (8, 8, 3), answers: str = "xgboost") -> FittedEncoder:
    features = ImageFileEncoder("image", shape, 1 / 255)
    return FittedEncoder("classification", {"image": "image"}, "label", ["cat", "dog"], features, answers)


def test_an_image_is_sent_to_a_network_in_its_shape() -> None:
    encoder = files_encoder(answers="tensorflow")
    assert b"[[[[" in encoder.request_body(encoder.encode_instances([in_base64(FILES["cat/1.png"])]))


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ("@", "instances[1], column 'image': the image is no base64; send the bytes of an image file in base64."),
        (
            in_base64(b"<svg>"),
            "instances[1], column 'image': the image is no image: it begins with b'<svg>'; JPEG, PNG, GIF, WebP",
        ),
        ({"image": ""}, "instances[1], column 'image': the image is empty"),
        ({"image": None}, "instances[1], column 'image' is null; expected a string, the image file in base64."),
        ({"picture": "x"}, "instances[1]"),
        (7, "instances[1] is a number; expected a string, or an object with the column image"),
    ],
)
def test_an_instance_that_is_no_image_is_named(instance: object, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        files_encoder().encode_instances([in_base64(FILES["cat/1.png"]), instance], [])
    assert message in caught.value.message


def test_rows_of_a_batch_are_files_in_base64() -> None:
    encoder, file = files_encoder(), FILES["dog/0.png"]
    lines = Block.of({"image": StringArray.from_list([in_base64(file)])}, source="rows.jsonl")
    assert np.array_equal(numbers(encoder.encode(lines)), numbers(encoder.encode_instances([in_base64(file)])))
    wrong = Block.of({"image": StringArray.from_list([in_base64(file), "x"])}, source="rows.jsonl")
    with pytest.raises(InvalidDataset, match=r"rows\.jsonl: row 2, column 'image': the image is no base64"):
        encoder.encode(wrong)


def test_equal_images_are_on_one_side_whatever_their_folders_files_and_formats() -> None:
    files = {}
    for number in range(100):
        pixels = picture(number)
        files[f"cat/{number}.png"] = encoded(pixels)
        files[f"dog/{number + 1}.bmp"] = encoded(pixels, "BMP")
    [block] = open_blocks(io.BytesIO(archive(files)), URI, "zip")
    sides = assign(block, SplitSpec()).reshape(-1, 2)
    assert np.array_equal(sides[:, 0], sides[:, 1])
    assert len(np.unique(sides)) == 3


def test_the_rows_of_a_model_are_described_with_an_example() -> None:
    done, parts = prepared()
    described = describe(done.encoder)
    assert described["columns"] == [{"name": "image", "kind": "image", "required": True}]
    assert described["image_shape"] == [8, 8, 3]
    example: Any = example_of([row["features"] for row in parts.raw], done.encoder)
    assert done.encoder.block_from_instances([example]).rows == 1


def test_files_of_json_lines_are_images_where_the_spec_says_so() -> None:
    lines = "".join(f'{{"photo": "{in_base64(data)}", "pet": "{name[:3]}"}}\n' for name, data in FILES.items()).encode()
    read_blocks: Callable[[], Iterator[Block]] = lambda: open_blocks(io.BytesIO(lines), LINES_URI, "jsonl")  # noqa: E731
    spec = {"dataset": {"kinds": {"photo": "image"}}, "encoder": {"kind": "image", "shape": [8, 8, 3]}}
    profile = DatasetProfile.of(read_blocks())
    found = resolve_spec(validate_spec(spec, "test"), profile, name="pets", uri=LINES_URI)
    parts = Parts()
    done = prepare(read_blocks, read_and_fit(read_blocks, found), parts, parts.asked.append)
    assert (done.encoder.image_shape, done.encoder.feature_columns) == ((8, 8, 3), {"photo": "image"})
    without_shape = validate_spec({"dataset": {"kinds": {"photo": "image"}}}, "test")
    with pytest.raises(InvalidSpec, match=r"`encoder\.shape` is missing: say \[height, width\]"):
        resolve_spec(without_shape, profile, name="pets", uri=LINES_URI)


def test_a_profile_keeps_no_pixels() -> None:
    profile = DatasetProfile.of(reader(FILES)())
    assert max(map(len, profile.columns["image"].values)) < 30
    assert profile.columns["image"].distinct == 80
    assert all(len(text) < 30 for text in profile.sample.columns["image"])


def test_an_image_array_is_what_it_is_after_rows_are_taken() -> None:
    [block] = reader(dict(list(FILES.items())[:6]))()
    taken = block.take(np.array([True, False] * 3))
    column = taken.columns["image"]
    assert isinstance(column, ImageArray)
    assert len(column) == taken.rows == 3


def test_a_spec_of_another_kind_is_refused_in_words() -> None:
    with pytest.raises(
        InvalidSpec,
        match="reads numbers, categories, dates and text, and no column holds these: 'image' holds",
    ):
        resolution(encoder={"kind": "table"})
