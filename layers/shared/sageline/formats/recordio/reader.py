"""Reading RecordIO-protobuf: all rows at once where they are laid out as Sageline and SageMaker's SDK do it, else one by one."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from sageline.arrays.matrix import FloatArray, Rows, SparseMatrix
from sageline.arrays.strings import IntArray
from sageline.formats.recordio.layout import KEY, LABEL_HEAD, MAGIC, DenseLayout, shape_field
from sageline.formats.recordio.packing import RowReader, at_any_byte, unpack_varints
from sageline.formats.recordio.protobuf import BYTES, fields
from sageline.formats.recordio.writer import write_sparse

_FEATURES, _LABEL = 1, 2  # fields of a Record
_ENTRY_KEY, _ENTRY_VALUE = 1, 2  # fields of a map's entry
_FLOAT32, _FLOAT64, _INT32 = 2, 3, 7  # fields of a Value
_NUMBER_TYPES = (_FLOAT32, _FLOAT64, _INT32)
_VALUES, _KEYS, _SHAPE = 1, 2, 3  # fields of a tensor


def read_records(data: bytes) -> Rows:
    """All records of a file or a request, labelled or not, dense or sparse.

    Returns:
        The features, ``float32[rows, columns]`` or, when any record has keys, a :class:`SparseMatrix` whose width is
        the records' shape (the largest key + 1 without one); and the labels, ``float32[rows]``, or None.
        Float64 and Int32 tensors are cast to float32.

    Raises:
        ValueError: not RecordIO-protobuf, or records that do not go together; names record and byte offset.
    """
    features: list[_Tensor] = []
    labels: list[bytes] = []
    at = 0
    while at < len(data):
        try:
            start, end = _payload(data, at)
            tensor, label = _read_record(memoryview(data)[start:end])
        except ValueError as error:
            raise ValueError(f"record {len(features) + 1} at byte {at}: {error}") from None
        if at == 0:
            read_alike = _read_alike if tensor.is_sparse else _read_uniform
            if rows := read_alike(data, tensor, labelled=label is not None):
                return rows
        features.append(tensor)
        labels += [] if label is None else [label]
        at = end + -(end - start) % 4
    if labels and len(labels) != len(features):
        raise ValueError(f"{len(features)} records, of which only {len(labels)} have a label")
    matrix = _sparse(features) if any(tensor.is_sparse for tensor in features) else _dense(features)
    return Rows(matrix, _floats(b"".join(labels)) if labels else None)


def read_answer(data: bytes) -> dict[str, FloatArray]:
    """What an algorithm answers in this format: the label map of each record, ``float32[rows, numbers]`` by key.

    Raises:
        ValueError: not RecordIO-protobuf, or records that do not go together; names record and byte offset.
    """
    columns: dict[str, list[bytes]] = {}
    at = records = 0
    while at < len(data):
        try:
            start, end = _payload(data, at)
            for part in fields(memoryview(data)[start:end]):
                if part.number == _LABEL and part.wire_type == BYTES:
                    key = b"".join(field.content for field in fields(part.content) if field.number == _ENTRY_KEY).decode()
                    columns.setdefault(key, []).append(_read_tensor(part.content).values)
        except ValueError as error:
            raise ValueError(f"record {records + 1} at byte {at}: {error}") from None
        at, records = end + -(end - start) % 4, records + 1
    for key, column in columns.items():
        if len(column) != records or len(set(map(len, column))) > 1:
            raise ValueError(f"{key!r} is not in all of the {records} records, or not equally wide")
    return {key: _floats(b"".join(column)).reshape(records, -1) for key, column in columns.items()}


@dataclass(frozen=True)
class _Tensor:
    values: bytes  # float32 LE
    keys: bytes  # varints
    shape: int | None

    @property
    def width(self) -> int:
        return len(self.values) // 4

    @property
    def is_sparse(self) -> bool:
        return bool(self.keys) or self.shape not in (None, self.width)


def _read_uniform(data: bytes, first: _Tensor, *, labelled: bool) -> Rows | None:
    """The rows, if every frame is what :func:`sageline.formats.recordio.writer.write_dense` makes of rows like the first one."""
    layout = DenseLayout.of(first.width, labelled=labelled)
    size = len(layout.frame)
    if first.is_sparse or len(data) % size:
        return None
    frames = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    is_number = np.zeros(size, dtype=np.bool_)
    is_number[layout.values_at : layout.values_at + 4 * first.width] = True
    is_number[layout.label_at : layout.label_at + 4] |= labelled
    if (frames[:, ~is_number] != np.frombuffer(layout.frame, dtype=np.uint8)[~is_number]).any():
        return None
    values = _floats(frames[:, layout.values_at : layout.values_at + 4 * first.width].tobytes())
    labels = _floats(frames[:, layout.label_at : layout.label_at + 4].tobytes()) if labelled else None
    return Rows(values.reshape(-1, first.width) if first.width else np.empty((len(frames), 0), dtype=np.float32), labels)


def _read_alike(data: bytes, first: _Tensor, *, labelled: bool) -> Rows | None:
    """The rows, if every frame is laid out as :func:`write_sparse` does it, with the shape of the first one."""
    starts, ends = _frames(data)
    if first.shape is None or len(starts) == 0:
        return None
    buffer = np.frombuffer(data, dtype=np.uint8)
    count, key_bytes = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
    value_starts, key_starts = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
    reader = RowReader(buffer, starts)
    shape = shape_field(first.shape)
    try:
        for head in (b"\x0a", KEY + b"\x12", b"\x12"):
            reader.constant(head)
            reader.varints()
        is_filled = buffer[reader.at] == _VALUES << 3 | BYTES
        filled = RowReader(buffer, reader.at[is_filled])
        filled.constant(b"\x0a")
        count[is_filled] = filled.varints() // 4
        value_starts[is_filled] = filled.skip(4 * count[is_filled], ends[is_filled])
        filled.constant(b"\x12")
        key_bytes[is_filled] = filled.varints()
        key_starts[is_filled] = filled.skip(key_bytes[is_filled], ends[is_filled])
        reader.at = reader.at.copy()
        reader.at[is_filled] = filled.at
        reader.constant(shape)
        if labelled:
            reader.constant(LABEL_HEAD)
        label_starts = reader.skip(np.full(len(starts), 4 * labelled), ends)
        keys = unpack_varints(buffer[_spread(key_starts, key_bytes, 1)])
    except (ValueError, IndexError):
        return None
    last_bytes = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(buffer[_spread(key_starts, key_bytes, 1)] < 0x80)])
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(key_bytes)])
    if (reader.at != ends).any() or (np.diff(last_bytes[bounds]) != count).any():
        return None
    row_offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)])
    is_first = np.zeros(len(keys) + 1, dtype=np.bool_)
    is_first[row_offsets] = True
    ascending = (np.diff(keys, prepend=-1) > 0) | is_first[:-1]
    if not ascending.all() or (len(keys) and (keys.min() < 0 or keys.max() >= first.shape)):
        return None
    floats = at_any_byte(buffer, "<f4")
    values = floats[_spread(value_starts, count, 4)].astype(np.float32)
    labels = floats[label_starts].astype(np.float32) if labelled else None
    matrix = SparseMatrix(values, keys, row_offsets, (len(starts), first.shape))
    # The lengths of the messages were passed over: this tells whether they, too, are as they should be.
    return Rows(matrix, labels) if write_sparse(matrix, labels) == data else None


def _spread(starts: IntArray, counts: IntArray, size: int) -> IntArray:
    """Where ``counts[i]`` items of ``size`` bytes begin, one after the other from ``starts[i]`` on."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - size * before, counts) + size * np.arange(int(counts.sum()))


def _frames(data: bytes) -> tuple[IntArray, IntArray]:
    """Where the payloads begin and end; nothing when the frames are damaged."""
    bounds = []
    at = 0
    while at < len(data):
        try:
            start, end = _payload(data, at)
        except ValueError:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        bounds.append((start, end))
        at = end + -(end - start) % 4
    table = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _payload(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at an offset starts and ends."""
    if len(data) - at < 8:
        raise ValueError(f"{len(data) - at} bytes are left, a frame begins with 8")
    magic, length = struct.unpack_from("<II", data, at)
    if magic != MAGIC:
        raise ValueError(f"the frame begins with 0x{magic:08X}, not 0x{MAGIC:08X}")
    left = len(data) - at - 8
    if length > left:
        raise ValueError(f"the frame says {length} bytes, {left} are left")
    if length + -length % 4 > left:
        raise ValueError(f"the {length} bytes of the frame are not followed by zeros up to a multiple of four")
    return at + 8, at + 8 + length


def _read_record(record: memoryview) -> tuple[_Tensor, bytes | None]:
    """Features and label of one record; the label is its float32's bytes."""
    features: _Tensor | None = None
    label: bytes | None = None
    for part in fields(record):
        if part.number == _FEATURES and part.wire_type == BYTES:
            features = _read_tensor(part.content)
        elif part.number == _LABEL and part.wire_type == BYTES:
            label = _read_tensor(part.content).values
            if len(label) != 4:
                raise ValueError(f"the label has {len(label) // 4} values, one is expected")
    if features is None:
        raise ValueError("no features")
    return features, label


def _read_tensor(entry: memoryview) -> _Tensor:
    """The tensor in a map entry, whatever its key and number type."""
    for value in fields(entry):
        if value.number == _ENTRY_VALUE and value.wire_type == BYTES:
            for tensor in fields(value.content):
                if tensor.number in _NUMBER_TYPES and tensor.wire_type == BYTES:
                    return _read_numbers(tensor.content, tensor.number)
    raise ValueError("a value without a tensor of numbers")


def _read_numbers(tensor: memoryview, number_type: int) -> _Tensor:
    values, keys, shape = b"", b"", b""
    for part in fields(tensor):  # packed or one by one: the bytes are the same
        if part.number == _VALUES:
            values += part.content
        elif part.number == _KEYS:
            keys += part.content
        elif part.number == _SHAPE:
            shape += part.content
    width = unpack_varints(np.frombuffer(shape, dtype=np.uint8))
    if len(width) > 1:
        raise ValueError(f"a tensor of {len(width)} dimensions, one is expected")
    return _Tensor(_as_float32(values, number_type), keys, int(width[0]) if len(width) else None)


def _as_float32(values: bytes, number_type: int) -> bytes:
    if number_type == _INT32:
        return unpack_varints(np.frombuffer(values, dtype=np.uint8)).astype("<f4").tobytes()
    size = 4 if number_type == _FLOAT32 else 8
    if len(values) % size:
        raise ValueError(f"{len(values)} bytes of numbers of {size} bytes")
    if number_type == _FLOAT32:
        return values
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as in any cast
        return np.frombuffer(values, dtype="<f8").astype("<f4").tobytes()


def _dense(tensors: list[_Tensor]) -> FloatArray:
    width = tensors[0].width if tensors else 0
    for index, tensor in enumerate(tensors):
        if tensor.width != width:
            raise ValueError(f"record {index + 1} has {tensor.width} values, the first one has {width}")
    return _floats(b"".join(tensor.values for tensor in tensors)).reshape(len(tensors), width)


def _sparse(tensors: list[_Tensor]) -> SparseMatrix:
    keys = [np.frombuffer(tensor.keys, dtype=np.uint8) for tensor in tensors]
    counts = np.array([np.count_nonzero(key < 0x80) for key in keys], dtype=np.int64)
    for index, tensor in enumerate(tensors):
        if tensor.width != counts[index]:
            raise ValueError(f"record {index + 1} has {tensor.width} values and {counts[index]} keys")
    columns = unpack_varints(np.concatenate(keys))
    row_offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    largest = np.full(len(tensors), -1, dtype=np.int64)
    largest[counts > 0] = np.maximum.reduceat(columns, row_offsets[:-1][counts > 0]) if len(columns) else -1
    widths = [
        tensor.shape if tensor.shape is not None else key + 1 for tensor, key in zip(tensors, largest.tolist(), strict=True)
    ]
    width = max(widths)
    for index, one in enumerate(widths):
        if one not in (0, width):
            raise ValueError(f"record {index + 1} has {one} columns, others have {width}")
    if len(columns) and not 0 <= columns.min() <= columns.max() < width:
        raise ValueError(f"a key of {columns.max()} in rows of {width} columns")
    values = _floats(b"".join(tensor.values for tensor in tensors))
    order = np.lexsort((columns, np.repeat(np.arange(len(tensors)), counts)))
    return SparseMatrix(values[order], columns[order], row_offsets, (len(tensors), width))


def _floats(data: bytes) -> FloatArray:
    return np.frombuffer(data, dtype="<f4").astype(np.float32)
