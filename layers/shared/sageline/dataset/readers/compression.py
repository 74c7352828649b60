"""Text that is compressed with gzip or zstd, read forwards; what is wrong with it is an error of the dataset."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, BinaryIO, cast

from sageline.errors import InvalidDataset
from sageline.formats.other_formats import packed_within


def decompressed(stream: BinaryIO, source: str, compression: str) -> BinaryIO:
    """The text of a stream, which need not be able to seek; has ``read(size)`` only.

    Args:
        compression: one of :data:`sageline.names.COMPRESSIONS`, or empty.

    Raises:
        InvalidDataset: while reading: no such data, damaged, or cut off.
    """
    match compression:
        case "gz":
            return cast("BinaryIO", _Gunzip(stream, source))
        case "zst":
            return cast("BinaryIO", _Unzstd(stream, source))
    return stream


def growth(head: bytes, compression: str) -> float:
    """How many times larger the beginning of a compressed file gets by unpacking. The length at the end of a gzip file is that of
    its last member alone, modulo 4 GB; a zstd file need not say its own."""
    if compression == "gz":
        unpacking = zlib.decompressobj(wbits=31)
        unpacked, unused = len(unpacking.decompress(head)), len(unpacking.unused_data)
    else:
        from backports.zstd import ZstdDecompressor  # noqa: PLC0415 # only functions with the layer of readers have it

        frame = ZstdDecompressor()
        unpacked, unused = len(frame.decompress(head)), len(frame.unused_data) if frame.eof else 0
    return unpacked / max(len(head) - unused, 1)


class _Unpacked:
    """Reads a compressed stream."""

    name: str
    damaged: tuple[type[Exception], ...]

    def __init__(self, file: IO[bytes], source: str) -> None:
        self._file = file
        self._source = source
        self._offset = 0

    def read(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except EOFError:
            raise InvalidDataset(
                f"{self._source}: the {self.name} data ends early, after {self._offset} decompressed bytes; upload the whole "
                "file."
            ) from None
        except gzip.BadGzipFile as error:
            is_none = str(error).startswith("Not a gzipped file")  # and no wrong sum of its data
            raise (self._is_none if is_none else self._is_damaged)(str(error)) from None
        except self.damaged as error:
            raise self._is_damaged(str(error)) from None
        if not self._offset and (within := packed_within(data)):
            raise InvalidDataset(
                f"{self._source}: what the {self.name} data unpacks to is {within}, and no text; unpack it, and upload the data "
                "file that is in it, compressed once at most."
            )
        self._offset += len(data)
        return data

    def _is_none(self, problem: str) -> InvalidDataset:
        return InvalidDataset(
            f"{self._source}: not {self.name} data: {problem}. Compress it again, or upload it as it is, without .gz or .zst in "
            "its name."
        )

    def _is_damaged(self, problem: str) -> InvalidDataset:
        return InvalidDataset(
            f"{self._source}: the {self.name} data is damaged after {self._offset} decompressed bytes ({problem}); compress it "
            "again."
        )


class _Gunzip(_Unpacked):
    name = "gzip"
    damaged = (zlib.error,)

    def __init__(self, stream: BinaryIO, source: str) -> None:
        super().__init__(cast("IO[bytes]", gzip.GzipFile(fileobj=stream)), source)


class _Unzstd(_Unpacked):
    name = "zstd"

    def __init__(self, stream: BinaryIO, source: str) -> None:
        # Of the layer for readers, which only the functions that read datasets have.
        from backports.zstd import ZstdError, ZstdFile  # noqa: PLC0415 # only functions with the layer of readers have it

        self.damaged = (ZstdError,)
        super().__init__(cast("IO[bytes]", ZstdFile(stream)), source)

    def _is_damaged(self, problem: str) -> InvalidDataset:
        return self._is_none(problem) if not self._offset and "frame descriptor" in problem else super()._is_damaged(problem)
