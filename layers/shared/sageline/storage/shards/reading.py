"""The bytes of a dataset's parts, from S3, range by range."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from sageline.dataset.ranges.plan import DatasetPart, OpenRange
from sageline.storage.dataset_object import DatasetObject, open_range
from sageline.storage.dataset_parts import Dataset
from sageline.storage.read_ahead import ReadAhead

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def parts_of(dataset: Dataset) -> list[DatasetPart]:
    """The parts as they are read."""
    return [DatasetPart(part.uri, part.size, side, part.version_id, part.etag) for part, side in dataset.in_order()]


def opener(s3: S3Client) -> OpenRange:
    """Opens ranges of parts, of which the next megabytes are fetched while those before them are worked on."""

    def open_part(part: DatasetPart, start: int, end: int) -> BinaryIO:
        dataset = DatasetObject(part.uri, part.version_id, part.etag, part.size)
        return io.BufferedReader(ReadAhead(open_range(s3, dataset, start, end)))

    return open_part
