"""Refuses a dataset that PrepareData could not process within its timeout."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import BinaryIO

from sageline.dataset.images.reader import count_images
from sageline.dataset.readers import npz_reader
from sageline.dataset.readers.compression import growth
from sageline.errors import InvalidDataset
from sageline.names import split_format
from sageline.spec.encoder import ImageSpec
from sageline.spec.model import Spec
from sageline.storage.dataset_object import DatasetObject
from sageline.storage.dataset_parts import Dataset, some_parts

_GB = 1_000_000_000
LARGEST_BYTES = {"texts": 6 * _GB, "tokens": 5 * _GB, "columns": 1_200_000_000, "image": 700_000_000}
"""Bytes of text that one function prepares in its 15 minutes, by the encoder of the spec; ``texts`` is the encoder ``columns``
where all of them are texts.

Measured with one process on one core, by tests/benchmarks/prepare_speed.py: 20 MB/s of text alone, 14 for
tokens, 2.9 for a table of 300 columns of numbers (20 columns 5.4, categories 6.7), 1.8 for 784 pixels. Counted with 0.6 of that
for a core of Lambda and 70 MB/s for reading from S3, twice, these take 11 to 13 minutes.
"""
LARGEST_ARCHIVE_BYTES, LARGEST_ARCHIVE_NUMBERS = 6 * _GB, 1_000_000_000
"""Of a zip of images: the bytes of its files, and the numbers that these become.

Measured as above: JPEG and PNG files are decoded at 45 to 95 MB/s, WebP at 5, which therefore counts eight times; from images of
32 x 32 x 3, 2.9 million numbers a second are made and written.
"""
_HEAD_BYTES = 1 << 20


def largest_bytes(spec: Spec) -> int:
    """Bytes of text that one function prepares for a resolved spec."""
    encoder = spec.encoder.kind if spec.encoder else "columns"
    all_texts = encoder == "columns" and set((spec.dataset.features or {}).values()) == {"text"}
    return LARGEST_BYTES["texts" if all_texts else encoder]


def check_size(
    open_part: Callable[[DatasetObject], BinaryIO], dataset: Dataset, spec: Spec, size: int, *, alone: str = ""
) -> None:
    """Refuse a dataset that is too large for one function.

    Args:
        open_part: a part's bytes, from the beginning; only as much is read as it takes.
        spec: resolved.
        size: of the dataset in bytes of text, as :func:`text_size` has it.
        alone: why one function must prepare it alone, as a sentence that says what to do about it.

    Raises:
        InvalidDataset: says how large it is, what the limit is, and what to do.
    """
    if dataset.format == "zip":
        _check_archive(open_part, dataset, spec)
        return
    encoder, largest = spec.encoder.kind if spec.encoder else "columns", largest_bytes(spec)
    if size <= largest:
        return
    per_mille = largest * 1000 // size  # rounded down: a sample of as many rows is taken
    base, compression = split_format(dataset.format)
    estimated = "decompressed about " if compression else "read as text about " if base in ("npz", "parquet", "xlsx") else ""
    raise InvalidDataset(
        f"{dataset.uri}: the dataset has {estimated}{_in_gb(size)}, and one function prepares {_in_gb(largest)} at most in its "
        f"15 minutes (encoder {encoder}).{f' {alone}' if alone else ''} Upload a random sample of at most {per_mille / 10:g}% of "
        "the rows, or only the columns that are worth learning from."
    )


def _check_archive(open_part: Callable[[DatasetObject], BinaryIO], dataset: Dataset, spec: Spec) -> None:
    shape = spec.encoder.shape if isinstance(spec.encoder, ImageSpec) else None
    with open_part(dataset.parts[0]) as stream:
        images, size = count_images(stream, dataset.uri)
    numbers = images * math.prod(shape or ())
    if size <= LARGEST_ARCHIVE_BYTES and numbers <= LARGEST_ARCHIVE_NUMBERS:
        return
    least = min(LARGEST_ARCHIVE_BYTES / max(size, 1), LARGEST_ARCHIVE_NUMBERS / max(numbers, 1))
    raise InvalidDataset(
        f"{dataset.uri}: the {images:,} images have {_in_gb(size)} as files (WebP counted eight times) and become {numbers:,} "
        f"numbers; one function prepares {_in_gb(LARGEST_ARCHIVE_BYTES)} and {LARGEST_ARCHIVE_NUMBERS:,} at most in its 15 "
        f"minutes. Upload a random sample of at most {int(least * 1000) / 10:g}% of the images, smaller files, or give a smaller "
        "`encoder.shape`."
    )


def text_size(open_part: Callable[[DatasetObject], BinaryIO], dataset: Dataset) -> int:
    """About how many bytes of text a dataset has, of a zip of images its own size. Of many parts only some are looked at."""
    if dataset.format == "zip":
        return dataset.size
    looked_at = seen = 0
    largest = max(dataset.in_order(), key=lambda item: item[0].size)  # those that are spread evenly may have no rows
    for part, _ in dict.fromkeys([*some_parts(dataset), largest]):
        with open_part(part) as stream:
            looked_at += text_bytes(stream, part, dataset.format)
            seen += part.size
    return round(dataset.size * (looked_at / seen))


def text_bytes(stream: BinaryIO, dataset: DatasetObject, data_format: str) -> int:
    """How many bytes of text a dataset has: those of the object, or about as many as it unpacks to."""
    base, compression = split_format(data_format)
    match base:
        case "npz":
            return npz_reader.text_bytes(stream, dataset.uri)
        case "parquet":
            from sageline.dataset.readers import parquet_reader  # noqa: PLC0415 # as in open_blocks

            return parquet_reader.text_bytes(stream, dataset.uri)
        case "xlsx":
            from sageline.dataset.readers import xlsx_reader  # noqa: PLC0415 # as in open_blocks

            return xlsx_reader.text_bytes(stream, dataset.uri)
    return round(dataset.size * growth(stream.read(_HEAD_BYTES), compression)) if compression else dataset.size


def _in_gb(size: int) -> str:
    return f"{size / _GB:.3g} GB"
