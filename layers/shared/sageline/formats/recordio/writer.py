"""Writing RecordIO-protobuf, all rows at once."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.arrays.strings import ByteArray
from sageline.formats.recordio.layout import KEY, LABEL_HEAD, MAGIC_BYTES, DenseLayout, shape_field
from sageline.formats.recordio.packing import RowWriter, varint, varint_ends, varint_lengths

# What fits a processor's cache: of dense frames, and of rows of a sparse matrix.
_CHUNK_BYTES = 1 << 18
_CHUNK_ROWS = 4096
_VARINTS_KEPT = 1 << 16


def write_dense(matrix: FloatArray, labels: FloatArray | None = None) -> bytes:
    """Rows of a dense matrix, one record each; all frames have the same length.

    Args:
        matrix: ``float32[rows, columns]``; NaN stays NaN.
        labels: ``float32[rows]``; None for unlabelled data.
    """
    rows, width = matrix.shape
    layout = DenseLayout.of(width, labelled=labels is not None)
    if not rows:
        return b""
    # BytesIO hands out its memory to be written to, and then as bytes: the frames are made where they stay, without a copy.
    data = io.BytesIO()
    data.seek(rows * len(layout.frame) - 1)
    data.write(b"\0")
    with data.getbuffer() as buffer:
        _fill(buffer, layout, matrix, labels)
    return data.getvalue()


def _fill(buffer: memoryview, layout: DenseLayout, matrix: FloatArray, labels: FloatArray | None) -> None:
    rows, width = matrix.shape
    template = np.frombuffer(layout.frame, dtype=np.uint8)
    values_end = layout.values_at + 4 * width
    frames = np.frombuffer(buffer, dtype=np.uint8).reshape(rows, len(template))
    at_a_time = max(1, _CHUNK_BYTES // len(template))
    for start in range(0, rows, at_a_time):
        chunk = frames[start : start + at_a_time]
        chunk[:, : layout.values_at] = template[: layout.values_at]
        chunk[:, layout.values_at : values_end] = _bytes_of(matrix[start : start + at_a_time]).reshape(len(chunk), 4 * width)
        chunk[:, values_end:] = template[values_end:]
        if labels is not None:
            label = _bytes_of(labels[start : start + at_a_time])
            chunk[:, layout.label_at : layout.label_at + 4] = label.reshape(len(chunk), 4)


def write_sparse(matrix: SparseMatrix, labels: FloatArray | None = None) -> bytes:
    """Rows of a sparse matrix, one record each; ``labels`` as in :func:`write_dense`."""
    rows, width = matrix.shape
    parts = []
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = slice(start, min(start + _CHUNK_ROWS, rows))
        offsets = matrix.row_offsets[chunk.start : chunk.stop + 1]
        cells = slice(offsets[0], offsets[-1])
        part = SparseMatrix(matrix.values[cells], matrix.columns[cells], offsets - offsets[0], (len(offsets) - 1, width))
        parts.append(_write_sparse(part, None if labels is None else labels[chunk]))
    return b"".join(parts)


def write_record(columns: Sequence[int], values: Sequence[float], width: int) -> bytes:
    """The record of one sparse row, as :func:`write_sparse` writes it, without numpy: the quick way for one row.

    Args:
        columns: of the cells, ascending; at least one.
        values: of the cells; written as float32.
        width: number of columns.
    """
    numbers = struct.pack(f"<{len(values)}f", *values)
    keys = b"".join(map(_VARINTS.__getitem__, columns))
    shape = shape_field(width)
    # From the inside out, as below.
    numbers_length, keys_length = _VARINTS[len(numbers)], _VARINTS[len(keys)]
    tensor = 2 + len(numbers_length) + len(numbers) + len(keys_length) + len(keys) + len(shape)
    tensor_length = _VARINTS[tensor]
    value = 1 + len(tensor_length) + tensor
    value_length = _VARINTS[value]
    entry = len(KEY) + 1 + len(value_length) + value
    entry_length = _VARINTS[entry]
    payload = 1 + len(entry_length) + entry
    head = (MAGIC_BYTES, payload.to_bytes(4, "little"), b"\x0a", entry_length, KEY, b"\x12", value_length, b"\x12", tensor_length)
    return b"".join((*head, b"\x0a", numbers_length, numbers, b"\x12", keys_length, keys, shape, bytes(-payload % 4)))


class _Varints(dict[int, bytes]):
    """Number to varint, those that were asked for last."""

    def __missing__(self, number: int) -> bytes:
        if len(self) == _VARINTS_KEPT:
            self.clear()
        content = self[number] = varint(number)
        return content


_VARINTS = _Varints()


def _write_sparse(matrix: SparseMatrix, labels: FloatArray | None) -> bytes:
    shape = shape_field(matrix.shape[1])
    label_length = 0 if labels is None else len(LABEL_HEAD) + 4
    count = np.diff(matrix.row_offsets)
    key_ends = varint_ends(matrix.columns)
    key_bytes = np.diff(key_ends[matrix.row_offsets])

    # From the inside out: each message is preceded by its length. Protobuf leaves empty fields out.
    values_and_keys = 2 + varint_lengths(4 * count) + 4 * count + varint_lengths(key_bytes) + key_bytes
    is_filled = count > 0
    tensor = is_filled * values_and_keys + len(shape)
    value = 1 + varint_lengths(tensor) + tensor
    entry = len(KEY) + 1 + varint_lengths(value) + value
    payload = 1 + varint_lengths(entry) + entry + label_length
    frame_ends = np.cumsum(8 + payload + -payload % 4)
    data = np.zeros(int(frame_ends[-1]), dtype=np.uint8)

    for rows in np.flatnonzero(is_filled), np.flatnonzero(~is_filled):
        if len(rows) == 0:
            continue
        writer = RowWriter(data, np.append(0, frame_ends)[rows])
        writer.constant(MAGIC_BYTES)
        writer.words(payload[rows].astype("<u4"))
        for head, length in ((b"\x0a", entry), (KEY + b"\x12", value), (b"\x12", tensor)):
            writer.constant(head)
            writer.varints(length[rows])
        if is_filled[rows[0]]:
            writer.constant(b"\x0a")
            writer.varints(4 * count[rows])
            writer.many_words(matrix.values, matrix.row_offsets[rows], count[rows])
            writer.constant(b"\x12")
            writer.varints(key_bytes[rows])
            writer.many_varints(matrix.columns, matrix.row_offsets[rows], count[rows], key_ends)
        writer.constant(shape)
        if labels is not None:
            writer.constant(LABEL_HEAD)
            writer.words(labels[rows].astype("<f4"))
    return data.tobytes()


def _bytes_of(values: FloatArray) -> ByteArray:
    return np.ascontiguousarray(values, dtype="<f4").reshape(-1).view(np.uint8)
