"""What PrepareData would not get through in its time is refused when the run is configured."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import numpy as np
import pytest

from sageline.configuration import dataset_size
from sageline.configuration.dataset_size import LARGEST_BYTES, check_size, text_size
from sageline.errors import InvalidDataset
from sageline.spec.model import Spec, validate_spec
from sageline.storage.dataset_object import DatasetObject
from sageline.storage.dataset_parts import Dataset
from tests.unit.configuration.test_configure import FLOWERS, URI, configure_case, uploaded
from tests.unit.pictures import archive, encoded, picture
from tests.unit.world.world import World

NOTHING = io.BytesIO()


def check(stream: io.BytesIO, size: int, data_format: str, encoder: str) -> None:
    """What is done with a dataset of one file."""
    part = DatasetObject(URI.replace(".csv", f".{data_format}"), "v", "etag", size)
    check_parts(lambda _: io.BytesIO(stream.getvalue()), Dataset(part.uri, (part,)), spec_of(encoder))


def check_parts(open_part: Callable[[DatasetObject], io.BytesIO], dataset: Dataset, spec: Spec) -> None:
    check_size(open_part, dataset, spec, text_size(open_part, dataset))


def spec_of(encoder: str) -> Spec:
    kind = "columns" if encoder == "texts" else encoder
    features = {"a": "text"} if encoder == "texts" else {"a": "text", "b": "number"}
    return validate_spec({"dataset": {"features": features}, "encoder": {"kind": kind}}, "test")


@pytest.mark.parametrize("encoder", LARGEST_BYTES)
def test_a_dataset_at_the_limit_is_taken_and_one_above_is_not(encoder: str) -> None:
    largest = LARGEST_BYTES[encoder]
    check(NOTHING, largest, "csv", encoder)
    with pytest.raises(InvalidDataset, match=f"encoder {encoder.replace('texts', 'columns')}"):
        check(NOTHING, largest + 1, "csv", encoder)


def test_the_refusal_says_size_limit_and_what_to_do() -> None:
    expected = r"data\.csv: the dataset has 4 GB, and one function prepares 1\.2 GB .* sample of at most 30% of the rows"
    with pytest.raises(InvalidDataset, match=expected):
        check(NOTHING, 4_000_000_000, "csv", "columns")


@pytest.mark.parametrize(("size", "share"), [(LARGEST_BYTES["columns"] + 1, "99.9%"), (1_800_000_000, "66.6%")])
def test_the_share_of_rows_that_it_names_fits(size: int, share: str) -> None:
    with pytest.raises(InvalidDataset, match=f"at most {share} of the rows"):
        check(NOTHING, size, "csv", "columns")


def test_a_compressed_dataset_counts_as_what_it_unpacks_to() -> None:
    packed = gzip.compress(b"".join(b"%d,red,rose\n" % number for number in range(50_000)))
    factor = len(gzip.decompress(packed)) / len(packed)
    fits = int(0.99 * LARGEST_BYTES["columns"] / factor)
    check(io.BytesIO(packed), fits, "csv.gz", "columns")
    with pytest.raises(InvalidDataset, match=r"decompressed about 1.21 GB"):
        check(io.BytesIO(packed), int(1.01 * LARGEST_BYTES["columns"] / factor), "csv.gz", "columns")


def test_arrays_count_as_the_text_that_they_are_read_as(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((100, 8, 8), dtype=np.uint8), y=np.zeros(100))
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "image", 4 * 100 * 64)
    check(file, file.tell(), "npz", "image")
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "image", 4 * 100 * 64 - 1)
    with pytest.raises(InvalidDataset, match=r"read as text about 2.56e-05 GB"):
        check(file, file.tell(), "npz", "image")


def test_images_count_as_files_and_as_the_numbers_that_they_become(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"cat/1.png": encoded(picture(0)), "dog/1.webp": encoded(picture(1), "WEBP")}

    def check_images(shape: tuple[int, ...]) -> None:
        part = DatasetObject(URI.replace(".csv", ".zip"), "v", "etag", 1000)
        spec = validate_spec({"encoder": {"kind": "image", "shape": list(shape)}}, "test")
        check_parts(lambda _: io.BytesIO(archive(files)), Dataset(part.uri, (part,)), spec)

    size = len(files["cat/1.png"]) + 8 * len(files["dog/1.webp"])
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_BYTES", size)
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_NUMBERS", 2 * 192)
    check_images((8, 8, 3))
    with pytest.raises(
        InvalidDataset, match=r"become 768 numbers; .* a random sample of at most 50% of the images, smaller files"
    ):
        check_images((8, 16, 3))
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_BYTES", size - 1)
    with pytest.raises(InvalidDataset, match=r"the 2 images have .* as files \(WebP counted eight times\)"):
        check_images((8, 8, 3))


def test_a_run_is_refused_before_anything_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "columns", len(FLOWERS) - 1)
    world.put("datasets/flowers/spec.json", b'{"preparation": {"workers": 1}}')
    with pytest.raises(InvalidDataset, match="Upload a random sample"):
        configure_case(world, uploaded(world))
    assert world.keys("runs/") == []


def test_parts_count_together_and_compressed_ones_by_some_of_them() -> None:
    packed = gzip.compress(b"".join(b"%d,red,rose\n" % number for number in range(50_000)))
    factor = len(gzip.decompress(packed)) / len(packed)
    folder = URI.removesuffix("data.csv")
    opened: list[str] = []

    def open_part(part: DatasetObject) -> io.BytesIO:
        opened.append(part.uri)
        return io.BytesIO(packed)

    def of_parts(size: float) -> Dataset:
        return Dataset(folder, tuple(DatasetObject(f"{folder}data-{n}.csv.gz", "v", "etag", int(size / 20)) for n in range(20)))

    check_parts(open_part, of_parts(0.99 * LARGEST_BYTES["columns"] / factor), spec_of("columns"))
    with pytest.raises(InvalidDataset, match=rf"{folder}: the dataset has decompressed about 1\.21 GB"):
        check_parts(open_part, of_parts(1.01 * LARGEST_BYTES["columns"] / factor), spec_of("columns"))
    assert len(set(opened)) == 8
