from __future__ import annotations

import csv
import gzip
import io
import json
import random
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sageline.arrays.blocks import Block, Coverage
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import ReadOptions
from sageline.errors import InvalidDataset
from tests.unit.dataset.tables import workbook


def sampled(
    data: bytes, data_format: str = "csv", options: ReadOptions | None = None, pieces: int = 6, piece_bytes: int = 600
) -> tuple[list[Block], list[str]]:
    notes: list[str] = []
    blocks = sample_blocks(
        io.BytesIO(data),
        len(data),
        "data.csv",
        data_format,
        options=options or ReadOptions(),
        notes=notes,
        pieces=pieces,
        piece_bytes=piece_bytes,
    )
    return list(blocks), notes


def rows_of(blocks: list[Block]) -> list[tuple[str, ...]]:
    return [row for block in blocks for row in zip(*(column.tolist() for column in block.columns.values()), strict=True)]


def numbered(count: int, text: str = "so it is") -> bytes:
    return ("number,text\n" + "".join(f"{number},{text}\n" for number in range(1, count + 1))).encode()


def test_a_small_file_is_read_whole_with_the_numbers_of_its_rows() -> None:
    blocks, notes = sampled(numbered(200))

    assert [row[0] for row in rows_of(blocks)] == [str(number) for number in range(1, 201)]
    assert np.concatenate([block.row_numbers for block in blocks]).tolist() == list(range(1, 201))
    assert notes == []


def test_a_large_file_is_sampled_evenly_from_its_beginning_to_its_last_row() -> None:
    data = numbered(10_000)

    blocks, _ = sampled(data)

    numbers = [int(row[0]) for row in rows_of(blocks)]
    assert (numbers[0], numbers[-1], numbers) == (1, 10_000, sorted(set(numbers)))
    assert len(blocks) == 6
    assert max(np.diff([int(block.columns["number"][0]) for block in blocks])) < 2_200
    assert 6 * 600 * 0.8 < sum(len(f"{number},so it is\n") for number in numbers) <= 6 * 600
    assert blocks[0].row_numbers.tolist() == list(range(1, blocks[0].rows + 1))
    place = data.index(f"\n{blocks[3].columns['number'][0]},".encode())
    assert not blocks[3].row_numbers.any()
    assert blocks[3].take(np.array([1])).where(0) == f"data.csv: a row near byte {blocks[3].near_byte:,}"
    assert 0 <= place - (blocks[3].near_byte or 0) < 20


def of_format(data_format: str, rows: int) -> bytes:
    """Random numbers, which are as long compressed."""
    numbers = np.random.default_rng(0).random(rows).round(9).tolist()
    text = "number,label\n" + "".join(f"{number},{number > 0.5}\n" for number in numbers)
    file = io.BytesIO()
    match data_format:
        case "csv":
            return text.encode()
        case "csv.gz":
            return gzip.compress(text.encode())
        case "libsvm":
            return "".join(f"{int(number > 0.5)} 1:{number}\n" for number in numbers).encode()
        case "npz":
            np.savez(file, x=np.array(numbers).reshape(-1, 1), y=np.array(numbers) > 0.5)
        case "parquet":
            pq.write_table(pa.table({"number": numbers, "label": [number > 0.5 for number in numbers]}), file)
        case _:
            return workbook([["number", "label"], *([number, str(number > 0.5)] for number in numbers)])
    return file.getvalue()


@pytest.mark.parametrize("data_format", ["csv", "csv.gz", "libsvm", "npz", "parquet", "xlsx"])
@pytest.mark.parametrize("rows", [20, 2_000])
def test_whether_these_are_all_rows_is_told(data_format: str, rows: int) -> None:
    data, coverage = of_format(data_format, rows), Coverage()

    blocks = list(sample_blocks(io.BytesIO(data), len(data), "data", data_format, pieces=3, piece_bytes=400, coverage=coverage))

    assert coverage.is_all is (sum(block.rows for block in blocks) == rows)
    assert coverage.is_all is (rows == 20)


def word(chance: random.Random) -> str:
    pieces = ["a", "b1", ", ", ",", '"', '""', "\n", "\r\n", "7,x\n", "\n8,y", "é", ""]
    return "".join(chance.choices(pieces, k=chance.randint(0, 12)))


@pytest.mark.parametrize("seed", range(60))
def test_what_is_sampled_are_rows_of_the_file_whatever_line_breaks_its_fields_hold(seed: int) -> None:
    chance = random.Random(seed)
    rows = [(str(number), word(chance), chance.choice(["yes", "no"])) for number in range(chance.randint(400, 1_000))]
    file = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chance.random() < 0.5 else csv.QUOTE_MINIMAL
    csv.writer(file, quoting=quoting, lineterminator=chance.choice(["\n", "\r\n"])).writerows(
        [("number", "text", "label"), *rows]
    )

    blocks, _ = sampled(file.getvalue().encode())

    assert len(blocks) > 1
    assert set(rows_of(blocks)) <= set(rows)


def test_a_piece_whose_rows_cannot_be_told_for_certain_is_left_out() -> None:
    field = "\n".join(f"{number},a" for number in range(2_000))
    data = "number,text\n" + "".join(f"{number},plain\n" for number in range(1_000, 1_200)) + f'3,"{field} ""x"""\n'

    blocks, _ = sampled((data + '"4","y ""quoted"" end"\n').encode(), piece_bytes=2_500)

    assert ("4", 'y "quoted" end') in rows_of(blocks)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be", "utf-32"])
def test_a_sample_has_the_encoding_of_the_file(encoding: str) -> None:
    text = numbered(5_000).decode() + "".join(f"{number},schön 😀\n" for number in range(5_001, 10_001))
    if encoding == "cp1252":
        text = text.replace("😀", "“ja”")
    data = ("\ufeff" + text if encoding == "utf-16-be" else text).encode(encoding)

    blocks, notes = sampled(data)

    rows = [tuple(line.split(",")) for line in text.splitlines()[1:]]
    assert set(rows_of(blocks)) <= set(rows)
    assert rows_of(blocks)[-1] == rows[-1]
    assert len(blocks) == 6
    assert [("Windows-1252" in note) for note in notes] == [True] * (encoding == "cp1252")


def test_a_sample_has_the_encoding_and_the_delimiter_that_the_options_name() -> None:
    text = "№;цвет,род\n" + "".join(f"{number};хорош,{number}\n" for number in range(3_000))

    blocks, _ = sampled(text.replace("№", "n").encode("cp1251"), options=ReadOptions("cp1251", ";"))

    assert rows_of(blocks)[-1] == ("2999", "хорош,2999")


def test_what_is_mended_at_the_beginning_is_mended_in_every_piece() -> None:
    data = b"Exported by hand\n\n,x,label,\n" + b"".join(b"%d,1.5,a,\n" % number for number in range(1_000))

    blocks, notes = sampled(data)

    assert [list(block.columns) for block in blocks] == [["Unnamed: 0", "x", "label"]] * len(blocks)
    assert rows_of(blocks)[-1] == ("999", "1.5", "a")
    assert len(notes) == 3


def test_a_first_piece_that_ends_within_a_character_is_utf_8_still() -> None:
    beginning = numbered(40) + b"41,"
    data = beginning + b"X" * (599 - len(beginning)) + "É\n".encode() + b"42,y\n" * 1_000

    blocks, notes = sampled(data)

    assert (rows_of(blocks)[-1], notes) == (("42", "y"), [])


def test_a_byte_that_is_not_valid_is_refused_with_about_where_it_is() -> None:
    data = numbered(3_000, "schön") + b"3001,sch\xf6n\n" * 100

    with pytest.raises(
        InvalidDataset, match=r"data\.csv: near byte [\d,]+: byte 0xf6 is not valid utf-8; save the file as UTF-8, or"
    ):
        sampled(data)


def test_a_value_in_a_column_left_out_is_refused_with_about_where_it_is() -> None:
    data = b"x,label,\n" + b"1,a,\n" * 3_000 + b"2,b,c\n"

    with pytest.raises(InvalidDataset, match=r"data\.csv: near byte [\d,]+: column 3 has no name, and nothing in it"):
        sampled(data)


def test_lines_that_end_in_carriage_returns_are_sampled_too() -> None:
    blocks, _ = sampled(numbered(3_000).replace(b"\n", b"\r"))

    assert (len(blocks), rows_of(blocks)[-1]) == (6, ("3000", "so it is"))


def test_json_lines_are_sampled_evenly_too() -> None:
    lines = [json.dumps({"number": number, "text": "a\nb"}) for number in range(3_000)]

    blocks, _ = sampled("\n".join(lines).encode(), "jsonl")

    assert len(blocks) == 6
    assert set(rows_of(blocks)) <= {(str(number), "a\nb") for number in range(3_000)}
    assert rows_of(blocks)[-1] == ("2999", "a\nb")
    assert blocks[5].where(0).startswith("data.csv: a row near byte ")


def test_a_key_that_the_first_lines_lack_is_refused_with_about_where_it_is() -> None:
    data = b'{"text": "a"}\n' * 1_000 + b'{"test": "a"}\n'

    with pytest.raises(InvalidDataset, match=r"data\.csv: near byte 13,4\d\d: key 'test' is in no row"):
        sampled(data, "jsonl")


def test_compressed_rows_are_sampled_from_the_beginning_which_is_said_where_there_are_more() -> None:
    blocks, notes = sampled(gzip.compress(numbered(3_000)), "csv.gz")
    rows = len(rows_of(blocks))

    assert rows_of(blocks)[-1][0] == str(rows)
    assert 150 < rows < 300
    assert notes == [f"data.csv: what the columns hold is found out from the first {rows} rows, and not from all of the file."]
    assert sampled(gzip.compress(numbered(10)), "csv.gz")[1] == []


def test_arrays_are_sampled_from_the_beginning() -> None:
    file = io.BytesIO()
    np.savez(file, x=np.arange(4_000, dtype=np.float32).reshape(2_000, 2), y=np.arange(2_000))

    blocks, notes = sampled(file.getvalue(), "npz")

    assert (len(blocks), blocks[0].first_row) == (6, 1)
    assert len(notes) == 1


@pytest.mark.parametrize("header", ["number,text", "number," + "t" * 2_000])
def test_a_row_or_header_longer_than_a_piece_makes_the_sample_the_beginning(header: str) -> None:
    data = f"{header}\n1,{'x' * 3_000}\n".encode() + b"2,y\n" * 1_000

    blocks, notes = sampled(data)

    assert rows_of(blocks)[0] == ("1", "x" * 3_000)
    assert "found out from the first" in notes[-1]
