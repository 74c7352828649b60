"""The bytes of a dataset's parts, from S3, range by range."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from sageline.dataset.ranges.ahead import SMALL_BYTES
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
    """Opens ranges of parts; of those that take several requests, the next one is asked while what came before is worked on."""

    def open_part(part: DatasetPart, start: int, end: int) -> BinaryIO:
        dataset = DatasetObject(part.uri, part.version_id, part.etag, part.size)
        stream = open_range(s3, dataset, start, end)
        return stream if end - start <= SMALL_BYTES else io.BufferedReader(ReadAhead(stream))

    return open_part
