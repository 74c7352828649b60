"""What PrepareData would not get through in its time is refused when the run is configured."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

from sageline.configuration import dataset_size
from sageline.configuration.dataset_size import LARGEST_BYTES, check_size
from sageline.errors import InvalidDataset
from sageline.storage.dataset_object import DatasetObject
from tests.unit.configuration.test_configure import FLOWERS, URI, configure_case, uploaded
from tests.unit.pictures import archive, encoded, picture
from tests.unit.world.world import World

NOTHING = io.BytesIO()


def of_size(size: int) -> DatasetObject:
    return DatasetObject(URI, "v", "etag", size)


@pytest.mark.parametrize("encoder", LARGEST_BYTES)
def test_a_dataset_at_the_limit_is_taken_and_one_above_is_not(encoder: str) -> None:
    largest = LARGEST_BYTES[encoder]
    check_size(NOTHING, of_size(largest), "csv", encoder)
    with pytest.raises(InvalidDataset, match=f"encoder {encoder}"):
        check_size(NOTHING, of_size(largest + 1), "csv", encoder)


def test_the_refusal_says_size_limit_and_what_to_do() -> None:
    expected = r"data\.csv: the dataset has 4 GB, and one function prepares 1\.2 GB .* sample of at most 30% of the rows"
    with pytest.raises(InvalidDataset, match=expected):
        check_size(NOTHING, of_size(4_000_000_000), "csv", "table")


@pytest.mark.parametrize(("size", "share"), [(LARGEST_BYTES["table"] + 1, "99.9%"), (1_800_000_000, "66.6%")])
def test_the_share_of_rows_that_it_names_fits(size: int, share: str) -> None:
    with pytest.raises(InvalidDataset, match=f"at most {share} of the rows"):
        check_size(NOTHING, of_size(size), "csv", "table")


def test_a_compressed_dataset_counts_as_what_it_unpacks_to() -> None:
    packed = gzip.compress(b"".join(b"%d,red,rose\n" % number for number in range(50_000)))
    factor = len(gzip.decompress(packed)) / len(packed)
    fits = of_size(int(0.99 * LARGEST_BYTES["table"] / factor))
    check_size(io.BytesIO(packed), fits, "csv.gz", "table")
    with pytest.raises(InvalidDataset, match=r"decompressed about 1.21 GB"):
        check_size(io.BytesIO(packed), of_size(int(1.01 * LARGEST_BYTES["table"] / factor)), "csv.gz", "table")


def test_arrays_count_as_the_text_that_they_are_read_as(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((100, 8, 8), dtype=np.uint8), y=np.zeros(100))
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "image", 4 * 100 * 64)
    check_size(file, of_size(file.tell()), "npz", "image")
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "image", 4 * 100 * 64 - 1)
    with pytest.raises(InvalidDataset, match=r"read as text about 2.56e-05 GB"):
        check_size(file, of_size(file.tell()), "npz", "image")


def test_images_count_as_files_and_as_the_numbers_that_they_become(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"cat/1.png": encoded(picture(0)), "dog/1.webp": encoded(picture(1), "WEBP")}
    stream, size = io.BytesIO(archive(files)), len(files["cat/1.png"]) + 8 * len(files["dog/1.webp"])
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_BYTES", size)
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_NUMBERS", 2 * 192)
    check_size(stream, of_size(1000), "zip", "image", (8, 8, 3))
    with pytest.raises(
        InvalidDataset, match=r"become 768 numbers; .* a random sample of at most 50% of the images, smaller files"
    ):
        check_size(stream, of_size(1000), "zip", "image", (8, 16, 3))
    monkeypatch.setattr(dataset_size, "LARGEST_ARCHIVE_BYTES", size - 1)
    with pytest.raises(InvalidDataset, match=r"the 2 images have .* as files \(WebP counted eight times\)"):
        check_size(stream, of_size(1000), "zip", "image", (8, 8, 3))


def test_a_run_is_refused_before_anything_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dataset_size.LARGEST_BYTES, "table", len(FLOWERS) - 1)
    with pytest.raises(InvalidDataset, match="Upload a random sample"):
        configure_case(world, uploaded(world))
    assert world.keys("runs/") == []
