"""Reading datasets from bytes, as the tests of this part do."""

from __future__ import annotations

import io

import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.dataset.readers.source import BLOCK_BYTES, open_blocks
from sageline.errors import InvalidDataset

Rows = list[dict[str, str]]


def blocks_of(data: bytes, data_format: str = "csv", block_bytes: int = BLOCK_BYTES) -> list[Block]:
    return list(open_blocks(io.BytesIO(data), f"data.{data_format}", data_format, block_bytes))


def rows_of(data: bytes, data_format: str = "csv", block_bytes: int = BLOCK_BYTES) -> Rows:
    rows: Rows = []
    for block in blocks_of(data, data_format, block_bytes):
        assert block.row_numbers.tolist() == list(range(len(rows) + 1, len(rows) + 1 + block.rows))
        values = [column.tolist() for column in block.columns.values()]
        rows += [dict(zip(block.columns, row, strict=True)) for row in zip(*values, strict=True)]
    return rows


def error_of(data: bytes, data_format: str = "csv", block_bytes: int = BLOCK_BYTES) -> str:
    with pytest.raises(InvalidDataset) as caught:
        rows_of(data, data_format, block_bytes)
    return caught.value.message


def block_of(columns: dict[str, list[str]], first_row: int = 1) -> Block:
    return Block.of({name: StringArray.from_list(values) for name, values in columns.items()}, first_row, "data.csv")
