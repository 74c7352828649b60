"""Refuses a dataset that PrepareData could not process within its timeout."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import BinaryIO

from sageline.dataset.images.reader import count_images
from sageline.dataset.readers import npz_reader
from sageline.errors import InvalidDataset
from sageline.storage.dataset_object import DatasetObject

_GB = 1_000_000_000
LARGEST_BYTES = {"bag-of-words": 6 * _GB, "tokens": 5 * _GB, "table": 1_200_000_000, "image": 700_000_000}
"""Bytes of text that one function prepares in its 15 minutes, by the encoder of the spec.

Measured with one process on one core, by tests/benchmarks/prepare_speed.py: 20 MB/s of text for a bag of words, 14 for
tokens, 2.9 for a table of 300 columns of numbers (20 columns 5.4, categories 6.7), 1.8 for 784 pixels. Counted with 0.6 of that
for a core of Lambda and 70 MB/s for reading from S3, twice, these take 11 to 13 minutes.
"""
LARGEST_ARCHIVE_BYTES, LARGEST_ARCHIVE_NUMBERS = 6 * _GB, 1_000_000_000
"""Of a zip of images: the bytes of its files, and the numbers that these become.

Measured as above: JPEG and PNG files are decoded at 45 to 95 MB/s, WebP at 5, which therefore counts eight times; from images of
32 x 32 x 3, 2.9 million numbers a second are made and written.
"""
_HEAD_BYTES = 1 << 20


def check_size(stream: BinaryIO, dataset: DatasetObject, data_format: str, encoder: str, image_shape: Sequence[int] = ()) -> None:
    """Refuse a dataset that is too large.

    Args:
        stream: the dataset's bytes, from the beginning; only as much is read as it takes.
        encoder: its kind, as a resolved spec has it.
        image_shape: of that encoder, if it is one of images.

    Raises:
        InvalidDataset: says how large it is, what the limit is, and what to do.
    """
    if data_format == "zip":
        _check_archive(stream, dataset, image_shape)
        return
    size, largest = text_bytes(stream, dataset, data_format), LARGEST_BYTES[encoder]
    if size <= largest:
        return
    per_mille = largest * 1000 // size  # rounded down: a sample of as many rows is taken
    estimated = {"csv.gz": "decompressed about ", "npz": "read as text about "}.get(data_format, "")
    raise InvalidDataset(
        f"{dataset.uri}: the dataset has {estimated}{_in_gb(size)}, and one function prepares {_in_gb(largest)} at most in its "
        f"15 minutes (encoder {encoder}). Upload a random sample of at most {per_mille / 10:g}% of the rows, or only the "
        "columns that are worth learning from."
    )


def _check_archive(stream: BinaryIO, dataset: DatasetObject, image_shape: Sequence[int]) -> None:
    images, size = count_images(stream, dataset.uri)
    numbers = images * math.prod(image_shape)
    if size <= LARGEST_ARCHIVE_BYTES and numbers <= LARGEST_ARCHIVE_NUMBERS:
        return
    least = min(LARGEST_ARCHIVE_BYTES / max(size, 1), LARGEST_ARCHIVE_NUMBERS / max(numbers, 1))
    raise InvalidDataset(
        f"{dataset.uri}: the {images:,} images have {_in_gb(size)} as files (WebP counted eight times) and become {numbers:,} "
        f"numbers; one function prepares {_in_gb(LARGEST_ARCHIVE_BYTES)} and {LARGEST_ARCHIVE_NUMBERS:,} at most in its 15 "
        f"minutes. Upload a random sample of at most {int(least * 1000) / 10:g}% of the images, smaller files, or give a smaller "
        "`encoder.shape`."
    )


def text_bytes(stream: BinaryIO, dataset: DatasetObject, data_format: str) -> int:
    """How many bytes of text a dataset has: those of the object, or about as many as it unpacks to."""
    if data_format == "npz":
        return npz_reader.text_bytes(stream, dataset.uri)
    return round(dataset.size * _growth(stream.read(_HEAD_BYTES))) if data_format == "csv.gz" else dataset.size


def _growth(head: bytes) -> float:
    """How many times larger the beginning of a gzip file gets by unpacking. The length at its end is that of its last member
    alone, modulo 4 GB."""
    unpacking = zlib.decompressobj(wbits=31)
    unpacked = len(unpacking.decompress(head))
    return unpacked / max(len(head) - len(unpacking.unused_data), 1)


def _in_gb(size: int) -> str:
    return f"{size / _GB:.3g} GB"
