"""The dataset of a run: one object, or all parts in a folder, each in the version that it had when the run was claimed."""

from __future__ import annotations

import heapq
import io
import json
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np
from botocore.exceptions import ClientError, ParamValidationError

from sageline.arrays.blocks import Block, Coverage, Side
from sageline.dataset.ranges.ahead import SMALL_BYTES, each_ahead
from sageline.dataset.ranges.joined_parts import JoinedParts
from sageline.dataset.readers.sample import PIECES, sample_blocks
from sageline.dataset.readers.source import ReadOptions, open_blocks
from sageline.errors import InvalidDataset
from sageline.json_objects import Json
from sageline.names import RunLayout, split_s3_uri
from sageline.runs.trigger import data_format
from sageline.storage.dataset_folder import MOST_PARTS, FolderParts, choose_parts, name_of
from sageline.storage.dataset_object import DatasetObject, explained, find_object, no_such_bucket, open_object
from sageline.storage.read_ahead import ReadAhead

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SidedPart: TypeAlias = tuple[DatasetObject, Side | None]
OpenPart: TypeAlias = tuple[DatasetObject, Side | None, BinaryIO]

MOST_LISTED = 100_000
"""What is listed of a folder at most: a thousand take a request and some tenths of a second."""

_LISTED = 100  # parts in a run's record, which is bounded
_NO_VERSION = "null"  # the version id of an object in a bucket without versions


@dataclass(frozen=True)
class Dataset:
    """What a run reads.

    Attributes:
        uri: of the object, or of the folder: then it ends with a slash.
        parts: the files to train on, and to take the other rows out of where ``test`` is empty.
        test: the files whose rows are the test rows.
        notes: what was taken for granted when the parts were chosen.
    """

    uri: str
    parts: tuple[DatasetObject, ...]
    test: tuple[DatasetObject, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        return self.uri.endswith("/")

    @property
    def size(self) -> int:
        """In bytes, of all parts."""
        return sum(part.size for part in (*self.parts, *self.test))

    @property
    def format(self) -> str:
        """Of every part."""
        return data_format(self.parts[0].uri)

    def in_order(self) -> list[SidedPart]:
        """The parts as they are read: those of the test first, so that the others can be compared with them."""
        if not self.test:
            return [(part, None) for part in self.parts]
        test: list[SidedPart] = [(part, "test") for part in self.test]
        return test + [(part, "train") for part in self.parts]

    def to_json(self, layout: RunLayout) -> Json:
        """As a run's record has it: of a folder the first parts, and where all of them are listed."""
        if not self.is_folder:
            return self.parts[0].to_json()
        listed = [
            {"name": name_of(part), "version_id": part.version_id, "size": part.size, **({"side": side} if side else {})}
            for part, side in sorted(self.in_order(), key=lambda item: item[0].uri)
        ]
        return {
            "uri": self.uri,
            "size": self.size,
            "parts": listed[:_LISTED],
            "parts_in_all": len(listed),
            "manifest": layout.uri(layout.parts_key),
        }

    def manifest(self) -> bytes:
        """All parts of a folder, as a JSON document that :func:`read_manifest` reads."""
        return json.dumps(asdict(self), indent=1).encode()


def read_manifest(document: bytes) -> Dataset:
    """What :meth:`Dataset.manifest` has written."""
    found: Any = json.loads(document)  # Any: JSON
    parts, test = (tuple(DatasetObject(**item) for item in found[key]) for key in ("parts", "test"))
    return Dataset(found["uri"], parts, test, tuple(found["notes"]))


def dataset_of(details: Mapping[str, Any], layout: RunLayout, s3: S3Client) -> Dataset:  # Any: JSON
    """The dataset that a run's record names as ``details.dataset``."""
    found = details["dataset"]
    if "manifest" not in found:
        return Dataset(found["uri"], (DatasetObject(**found),))
    return read_manifest(s3.get_object(Bucket=layout.bucket, Key=layout.parts_key)["Body"].read())


def find_dataset(s3: S3Client, uri: str, version_id: str | None = None) -> Dataset:
    """The object at a URI, in the version given or the newest; or the newest versions of the parts in a folder, ``s3://bucket/x/``.

    Raises:
        DatasetNotFound: no such object, version, bucket, or no parts.
        DatasetAccessDenied: it may not be read or listed.
        InvalidDataset: its name says no format that is read, it is empty, the parts do not go together, or there are too many.
    """
    if uri.endswith("/"):
        chosen = _list_folder(s3, uri)
        return Dataset(uri, chosen.parts, chosen.test, chosen.notes)
    data_format(uri)
    return Dataset(uri, (find_object(s3, uri, version_id),))


def _list_folder(s3: S3Client, uri: str) -> FolderParts:
    """What is in a folder. Versions are listed, and not objects, whose listing has no version ids."""
    bucket, prefix = split_s3_uri(uri)
    files: list[DatasetObject] = []
    folders: set[str] = set()
    listed = 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
            folders |= {common["Prefix"][len(prefix) : -1] for common in page.get("CommonPrefixes", [])}
            listed += len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) + len(page.get("CommonPrefixes", []))
            for version in page.get("Versions", []):
                if version["IsLatest"] and version["Key"] != prefix:
                    version_id = None if version["VersionId"] == _NO_VERSION else version["VersionId"]
                    files.append(DatasetObject(f"s3://{bucket}/{version['Key']}", version_id, version["ETag"], version["Size"]))
            if listed > MOST_LISTED:
                raise InvalidDataset(
                    f"{uri}: more than {MOST_LISTED:,} objects, their earlier versions counted, are listed there, and a dataset "
                    f"may have {MOST_PARTS:,} parts. Join the parts into larger ones, in a folder of their own."
                )
    except ClientError as error:
        raise explained(error, uri) from error
    except ParamValidationError:
        raise no_such_bucket(uri) from None
    return choose_parts(uri, files, folders)


def read_blocks(s3: S3Client, dataset: Dataset, options: ReadOptions, notes: list[str]) -> Iterator[Block]:
    """All rows, part by part, with the columns in the order that the first part has them in.

    Args:
        notes: what was guessed or mended is appended to them at the end, a sentence each.

    Raises:
        InvalidDataset: while iterating; a part is damaged, or has other columns than the first one, or no part has a row.
    """
    if not dataset.is_folder:
        with open_object(s3, dataset.parts[0]) as file, ReadAhead(file) as ahead:
            buffered = io.BufferedReader(ahead)
            yield from open_blocks(buffered, dataset.uri, dataset.format, options=options, notes=notes)
        return
    with closing(_opened(s3, dataset.in_order())) as opened:
        yield from read_parts(dataset, opened, options, notes)


def read_parts(dataset: Dataset, opened: Iterable[OpenPart], options: ReadOptions, notes: list[str]) -> Iterator[Block]:
    """The same of a folder whose parts, in the order of :meth:`Dataset.in_order`, are open already, wherever they are."""
    joined = JoinedParts(dataset.uri, has_test=bool(dataset.test))
    for part, side, stream in opened:
        said: list[str] = []
        blocks = open_blocks(stream, part.uri, dataset.format, options=options, notes=said, may_be_empty=True)
        yield from joined.blocks(blocks, part.uri, side)
        joined.said(part.uri, said)
    joined.check_rows()
    notes += [*dataset.notes, *joined.notes()]


def _opened(s3: S3Client, parts: Sequence[SidedPart]) -> Generator[OpenPart]:
    """The parts as files, one after the other. Small ones are fetched while those before them are read."""

    def fetch(part: DatasetObject) -> BinaryIO:
        if part.size > SMALL_BYTES:
            return open_object(s3, part)
        with open_object(s3, part) as stream:
            return io.BytesIO(stream.read())

    with closing(each_ahead(fetch, [part for part, _ in parts])) as streams:
        for (part, side), opened in zip(parts, streams, strict=True):
            with opened as stream:
                yield part, side, stream


def sample_dataset(
    s3: S3Client,
    dataset: Dataset,
    options: ReadOptions,
    notes: list[str],
    piece_bytes: int,
    *,
    coverage: Coverage | None = None,
) -> Iterator[Block]:
    """Rows from all over the dataset, as :func:`sageline.dataset.readers.sample.sample_blocks` takes them out of one file; of
    many parts out of eight, the first and the last of each side among them, and where those of a side have no rows out of its
    eight largest too. ``coverage`` gets whether these are all rows.

    Raises:
        InvalidDataset: as for :func:`read_blocks`, as far as it is seen; or none of the parts that were looked at has a row.
    """
    coverage = coverage or Coverage()
    if not dataset.is_folder:
        part = dataset.parts[0]
        with open_object(s3, part) as stream:
            yield from sample_blocks(
                stream,
                part.size,
                part.uri,
                dataset.format,
                options=options,
                notes=notes,
                piece_bytes=piece_bytes,
                coverage=coverage,
            )
        return
    joined = JoinedParts(dataset.uri, has_test=bool(dataset.test))
    order = dataset.in_order()
    chosen = some_parts(dataset)
    rows: Counter[Side | None] = Counter()
    looked_at = 0
    whole = True
    while chosen:
        looked_at += len(chosen)
        for part, side in chosen:
            of_part = Coverage()
            said: list[str] = []
            with open_object(s3, part) as stream:
                blocks = sample_blocks(
                    stream,
                    part.size,
                    part.uri,
                    dataset.format,
                    options=options,
                    notes=said,
                    pieces=max(1, PIECES // len(chosen)),
                    piece_bytes=piece_bytes,
                    may_be_empty=True,
                    coverage=of_part,
                )
                for block in joined.blocks(blocks, part.uri, side):
                    rows[side] += block.rows
                    yield block
            joined.said(part.uri, said)
            whole = whole and of_part.is_all
        is_first = looked_at == len(chosen)
        chosen = _largest_of_sides_without_rows(order, chosen, rows) if is_first else []
    coverage.is_all = whole and looked_at == len(order)
    if looked_at == len(order):
        joined.check_rows()
    elif not rows.total():
        raise InvalidDataset(
            f"{dataset.uri}: none of the {looked_at:,} parts that were looked at has a row, the largest among them; there are "
            f"{len(order):,} parts. Upload rows, and leave out parts that have none."
        )
    notes += [*dataset.notes, *joined.notes()]


def _largest_of_sides_without_rows(
    order: Sequence[SidedPart], seen: Collection[SidedPart], rows: Mapping[Side | None, int]
) -> list[SidedPart]:
    """The largest parts of each side of which none that was seen has a row: one with rows is larger than its header line."""
    others = [item for item in order if not rows.get(item[1]) and item not in seen]
    chosen: list[SidedPart] = []
    for wanted in {side for _, side in others}:
        of_side = [item for item in others if item[1] == wanted]
        chosen += heapq.nlargest(PIECES, of_side, key=lambda item: item[0].size)
    return [item for item in others if item in chosen]


def some_parts(dataset: Dataset, most: int = PIECES) -> list[SidedPart]:
    """At most so many parts, spread evenly over each side, in the order of reading."""
    order = dataset.in_order()
    test = [item for item in order if item[1] == "test"]
    others = [item for item in order if item[1] != "test"]
    of_test = min(len(test), max(2, most - len(others)))
    return _spread(test, of_test) + _spread(others, most - of_test)


def _spread(parts: Sequence[SidedPart], most: int) -> list[SidedPart]:
    chosen = np.unique(np.linspace(0, len(parts) - 1, min(most, len(parts))).round().astype(np.int64))
    return [parts[index] for index in chosen.tolist()]
