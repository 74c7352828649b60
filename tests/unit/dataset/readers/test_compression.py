"""Compressed text, tab-separated text, and what is said of a file that does not unpack."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile

import pytest

from sageline.dataset.readers.compression import growth
from sageline.dataset.readers.source import open_blocks, open_lines
from sageline.errors import InvalidDataset
from tests.unit.dataset.tables import compressed

COMPRESSIONS = ("gz", "zst")


def rows(data: bytes, data_format: str) -> list[dict[str, str]]:
    found = []
    for block in open_blocks(io.BytesIO(data), f"data.{data_format}", data_format):
        found += [dict(zip(block.columns, row, strict=True)) for row in zip(*block.columns.values(), strict=True)]
    return found


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("base", "text"), [("csv", "a,b\n1,x\n"), ("tsv", "a\tb\n1\tx\n"), ("jsonl", '{"a": 1, "b": "x"}\n')])
def test_compressed_text_is_read_as_the_text(base: str, text: str, compression: str) -> None:
    assert rows(compressed(text.encode(), compression), f"{base}.{compression}") == [{"a": "1", "b": "x"}]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_lines_of_compressed_json_lines_stay_as_they_are_spelled(compression: str) -> None:
    data = compressed(b'{"a": 1.50}\n\n{"a": 2}\n', compression)
    assert list(open_lines(io.BytesIO(data), "x", compression)) == [b'{"a": 1.50}\n', b'{"a": 2}\n']


@pytest.mark.parametrize(("compression", "name"), [("gz", "gzip"), ("zst", "zstd")])
def test_what_does_not_unpack_says_why(compression: str, name: str) -> None:
    whole = compressed(b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(5000)), compression)
    damaged = bytearray(whole)
    damaged[len(whole) // 2 : len(whole) // 2 + 50] = b"\x00" * 50
    for data, problem in (
        (whole[: len(whole) // 2], f"the {name} data ends early"),
        (bytes(damaged), f"the {name} data is damaged"),
        (b"a,b\n1,x\n", f"not {name} data"),
    ):
        with pytest.raises(InvalidDataset, match=problem):
            rows(data, f"csv.{compression}")


def test_tabs_separate_the_fields_of_a_tsv_file_whatever_else_is_in_them() -> None:
    assert rows(b"text\tkind\na, b, c\tx\nd, e, f\ty\n", "tsv")[0] == {"text": "a, b, c", "kind": "x"}


def test_a_tsv_file_without_a_tab_is_read_as_what_it_is() -> None:
    assert rows(b"a,b\n1,2\n", "tsv") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_size_of_the_text_is_told_from_the_beginning_of_the_file(compression: str) -> None:
    text = b"".join(b"row %d of many\n" % number for number in range(500_000))
    packed = compressed(text, compression)
    assert len(packed) * growth(packed, compression) == pytest.approx(len(text), rel=0.01)
    assert len(packed) * growth(packed[: len(packed) // 2], compression) == pytest.approx(len(text), rel=0.3)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("data_format", ["csv", "jsonl", "libsvm"])
def test_what_is_packed_within_a_compressed_file_is_said(data_format: str, compression: str) -> None:
    text = b"a,b\n1,x\n"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("data.csv"))
    within = {"a gzip file": compressed(text, "gz"), "a bzip2 file": bz2.compress(text), "a tar archive": tar.getvalue()}
    for name, packed in within.items():
        with pytest.raises(InvalidDataset, match=f"unpacks to is {name}.*, and no text; unpack it"):
            rows(compressed(packed, compression), f"{data_format}.{compression}")


@pytest.mark.parametrize(("data", "what"), [(bz2.compress(b"a"), "with bzip2"), (lzma.compress(b"a"), "with xz")])
def test_other_compressions_are_named(data: bytes, what: str) -> None:
    with pytest.raises(InvalidDataset, match=f"is compressed {what}; unpack it"):
        rows(data, "csv")
