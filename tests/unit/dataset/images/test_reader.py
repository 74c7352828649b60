"""A ZIP archive with a folder for each class is read as images with labels; whatever is wrong with it is named."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import ImageArray
from sageline.dataset.images import archive as archives
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.formats.image_files import Looks, read_base64, read_image
from tests.unit.pictures import archive, cats_and_dogs, encoded, picture

URI = "s3://b/datasets/pets/data.zip"
PNG = encoded(picture(0))
TWO = {"cat/1.png": encoded(picture(1)), "dog/1.png": encoded(picture(2))}


def read(data: bytes, shape: tuple[int, ...] | None = None, block_bytes: int = 1 << 20) -> tuple[list[Block], list[str]]:
    notes: list[str] = []
    options = ReadOptions(image_shape=shape)
    return list(open_blocks(io.BytesIO(data), URI, "zip", block_bytes, options=options, notes=notes)), notes


def pixels(blocks: list[Block]) -> Any:  # an array
    columns = [block.columns["image"] for block in blocks]
    assert all(isinstance(column, ImageArray) for column in columns)
    return np.concatenate([column.pixels for column in columns if isinstance(column, ImageArray)])


def refusal(files: dict[str, bytes]) -> str:
    with pytest.raises(InvalidDataset) as caught:
        read(archive(files))
    assert caught.value.message.startswith(f"{URI}: ")
    return caught.value.message.removeprefix(f"{URI}: ")


@pytest.mark.parametrize("top", ["", "pets/", "a/b/"])
def test_images_have_their_folders_as_labels_and_keep_their_order(top: str) -> None:
    files = cats_and_dogs(10, top=top)
    blocks, notes = read(archive(files), block_bytes=3 * 8 * 8 * 3)
    assert [block.rows for block in blocks] == [3, 3, 3, 1]
    assert [block.first_row for block in blocks] == [1, 4, 7, 10]
    assert [label for block in blocks for label in block.columns["label"]] == ["dog", "cat"] * 5
    assert np.array_equal(pixels(blocks), [read_image(data, (8, 8, 3)).values for data in files.values()])
    assert notes == []


def test_the_text_of_an_image_is_a_file_of_the_same_pixels() -> None:
    for shape in ((4, 6), (4, 6, 1), (4, 6, 3)):
        [block], _ = read(archive(cats_and_dogs(4)), shape)
        column = block.columns["image"]
        assert np.array_equal([read_base64(text, shape).values for text in column], pixels([block]))
        assert column.lengths.tolist() == [len(text) for text in column]
        assert column.offsets[-1] == len(column.data)
        assert np.array_equal(pixels([block.take(np.array([2, 0]))]), pixels([block])[[2, 0]])


def test_what_systems_leave_behind_and_other_files_are_ignored_and_said() -> None:
    more = dict.fromkeys(["__MACOSX/pets/cat/._1.png", "pets/.DS_Store", "pets/cat/Thumbs.db", "pets/.git/x.png"], b"x")
    files = {f"pets/{name}": data for name, data in TWO.items()} | more | {"pets/README.md": b"Pets", "pets/dog/": b""}
    blocks, notes = read(archive(files))
    assert [label for block in blocks for label in block.columns["label"]] == ["cat", "dog"]
    assert notes[0].startswith(f"{URI}: what is hidden or left by a system is ignored (4 files): __MACOSX/pets/cat/._1.png, ")
    assert notes[1].startswith(f"{URI}: what is no image by its name is ignored (1 file; images are .jpg, ")
    assert notes[1].endswith(": pets/README.md.")


def test_names_are_read_whatever_their_encoding_and_separator() -> None:
    data = archive({"Käfer/1.png": PNG, "Bär/1.png": encoded(picture(1))})
    without_flag = re.sub(rb"(PK\x03\x04..|PK\x01\x02....)\x00\x08", lambda match: match[1] + b"\x00\x00", data, flags=re.DOTALL)
    assert len(re.findall(b"\x00\x08", without_flag)) < len(re.findall(b"\x00\x08", data))
    windows = archive({"x": b""} | {name.replace("/", "\\"): data for name, data in TWO.items()})
    for content, labels in ((data, ["Käfer", "Bär"]), (without_flag, ["Käfer", "Bär"]), (windows, ["cat", "dog"])):
        [block], _ = read(content)
        assert block.columns["label"].tolist() == labels


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no image in the archive; it is empty. A .zip file is read as images, with a folder for each class"),
        ({"a.csv": b"x,y", "b.txt": b""}, "there is no image in the archive; it holds a.csv, b.txt. A .zip file is read"),
        ({"1.png": PNG, "cat/1.png": PNG}, "1.png lies in no folder of a class; there must be a folder for each class"),
        ({"cat/1.png": PNG, "cat/2.png": PNG}, "all 2 images lie in the one folder 'cat', and a folder is a class"),
        ({"pets/cat/1.png": PNG}, "all 1 images lie in the one folder 'cat'"),
        ({"train/cat/1.png": PNG, "test/dog/1.png": PNG}, "train/cat/1.png lies in a folder within a folder"),
        (TWO | {"dog/small/1.png": PNG}, "dog/small/1.png lies in a folder within a folder"),
        (TWO | {"../../etc/1.png": PNG}, "the name '../../etc/1.png' in the archive leads out of it; pack the folders again"),
        (TWO | {"/cat/1.png": PNG}, "the name '/cat/1.png' in the archive leads out of it"),
        (TWO | {"C:\\cat\\1.png": PNG}, "the name 'C:/cat/1.png' in the archive leads out of it"),
        (
            TWO | {"dog/2.png": b"<html>"},
            "dog/2.png is no image: it begins with b'<html>'; JPEG, PNG, GIF, WebP and BMP are read.",
        ),
        (TWO | {"dog/2.png": PNG[:-60]}, "dog/2.png is damaged: "),
        (TWO | {"dog/2.jpg": b""}, "dog/2.jpg is empty"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(files: dict[str, bytes], message: str) -> None:
    assert refusal(files).startswith(message)


def test_a_bomb_of_pixels_is_refused_by_its_size() -> None:
    flat = encoded(Image.new("1", (8_000, 8_000)))
    assert len(flat) < 20_000
    message = refusal(TWO | {"dog/2.png": flat})
    assert message == (
        "dog/2.png has 8,000 x 8,000 pixels, and 50,000,000 are the limit; make it smaller. Repair it, or leave it out of the "
        "archive."
    )


def test_what_unpacks_to_too_much_is_refused_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = archive(TWO | {"dog/2.bmp": b"\0" * (2 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(
        InvalidDataset, match=r"dog/2\.bmp would grow from 2,\d\d\d to 2,097,152 bytes by unpacking, over 200 times"
    ):
        read(zeros)
    monkeypatch.setattr(archives, "MOST_FILE_BYTES", 100)
    assert refusal(TWO).startswith("cat/1.png has ")


@pytest.mark.parametrize("zip64", [False, True])
def test_an_archive_of_too_many_files_is_refused_before_its_directory_is_read(
    zip64: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if zip64:
        monkeypatch.setattr("zipfile.ZIP_FILECOUNT_LIMIT", 10)
    data = archive({f"{label}/{number}.png": PNG for label in "ab" for number in range(10)})
    if zip64:
        data = data[:-22] + data[-22:].replace((20).to_bytes(2, "little"), b"\xff\xff")
    assert sum(block.rows for block in read(data)[0]) == 20
    monkeypatch.setattr(archives, "MOST_FILES", 19)
    with pytest.raises(InvalidDataset, match="the archive holds 20 files, and 19 are the limit"):
        read(data)


def test_zip64_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in TWO.items():
            with packed.open(name, "w", force_zip64=True) as file:
                file.write(content)
    assert sum(block.rows for block in read(out.getvalue())[0]) == 2


def test_an_encrypted_file_is_named() -> None:
    data = bytearray(archive(TWO))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(InvalidDataset, match=r"cat/1\.png is encrypted; pack the archive again without a password"):
        read(bytes(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:200], "the ZIP archive is damaged: File is not a zip file. Pack it again."),
        (lambda data: data.replace(b"IDAT", b"IDAX", 1), "cat/1.png cannot be unpacked: Bad CRC-32 for file 'cat/1.png'"),
    ],
)
def test_a_damaged_archive_says_so(damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(InvalidDataset) as caught:
        read(damage(archive(TWO)))
    assert message in caught.value.message


@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_is_an_error_of_the_dataset(changes: list[tuple[int, int]]) -> None:
    data = bytearray(archive(TWO))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(InvalidDataset):
        assert sum(block.rows for block in read(bytes(data))[0]) == 2


def looks(*sizes: tuple[int, int], colour: bool = True) -> list[Looks]:
    return [Looks(height, width, colour) for height, width in sizes]


@pytest.mark.parametrize(
    ("sizes", "grey", "shape", "why"),
    [
        ([(28, 28)] * 3, True, (28, 28), "all 3 images that were looked at are 28 x 28 pixels, and none of them has colours"),
        ([(32, 20)] * 3, False, (32, 20, 3), "all 3 images that were looked at are 32 x 20 pixels, and there are colours"),
        ([(64, 64)] * 3, False, (32, 32, 3), "the shorter side of 3 images that were looked at is 64 pixels (the median)"),
        ([(64, 64)] * 3, True, (64, 64), "all 3 images"),
        ([(300, 200), (90, 400), (50, 70)], True, (64, 64), "is 90 pixels"),
        ([(300, 200), (90, 400), (50, 70)], False, (32, 32, 3), "at most 4,096 numbers unless the spec says its shape"),
        ([(50, 50), (60, 60)], True, (48, 48), "stretched"),
        ([(20, 30), (9, 9)], False, (16, 16, 3), "stretched"),
    ],
)
def test_the_shape_follows_from_the_images(sizes: list[tuple[int, int]], grey: bool, shape: tuple[int, ...], why: str) -> None:
    files = {f"{'ab'[index % 2]}/{index}.png": encoded(picture(index, *size, grey=grey)) for index, size in enumerate(sizes)}
    [block], _ = read(archive(files))
    column = block.columns["image"]
    assert isinstance(column, ImageArray)
    assert column.pixels.shape[1:] == shape
    assert why in str(column.why)


def test_grey_images_that_are_saved_in_colours_are_grey() -> None:
    files = {f"{label}/1.png": encoded(np.repeat(picture(1, grey=True)[..., None], 3, axis=2)) for label in "ab"}
    assert pixels(read(archive(files))[0]).shape == (2, 8, 8)


def test_the_shape_that_the_spec_says_is_taken_and_lost_colours_are_said() -> None:
    blocks, notes = read(archive(cats_and_dogs(4)), (3, 5))
    assert pixels(blocks).shape == (4, 3, 5)
    assert notes == [
        f"{URI}: images with colours are read in grey (4, such as dog/0.png); `encoder.shape` [height, width, 3] keeps colours."
    ]
    column = blocks[0].columns["image"]
    assert isinstance(column, ImageArray)
    assert column.why is None
    with pytest.raises(InvalidSpec, match=r"`encoder.shape` is \[3, 5, 2\]"):
        read(archive(TWO), (3, 5, 2))


def test_animations_are_said() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    _, notes = read(archive(TWO | {"dog/2.gif": moving}))
    assert notes == [f"{URI}: of animated images the first frame is read (dog/2.gif)."]


def test_sniffing_looks_at_images_from_all_over_a_large_archive() -> None:
    files = {f"{label}/{number}.png": encoded(picture(number, 2, 2)) for label in "abcdefgh" for number in range(60)}
    data = archive(files)
    blocks = list(sample_blocks(io.BytesIO(data), len(data), URI, "zip"))
    labels = [label for block in blocks for label in block.columns["label"]]
    assert len(labels) < len(files)
    assert set(labels) == set("abcdefgh")


class Counting(io.BytesIO):
    """A file that counts what is read of it at a time."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.largest = max(self.largest, len(data))
        return data


def test_the_archive_is_read_file_by_file() -> None:
    data = archive({f"{label}/{number}.bmp": encoded(picture(number, 50, 50), "BMP") for label in "ab" for number in range(40)})
    stream = Counting(data)
    rows = sum(block.rows for block in open_blocks(stream, URI, "zip", 20_000))
    assert rows == 80
    assert stream.largest < 70_000 < len(data) // 5
