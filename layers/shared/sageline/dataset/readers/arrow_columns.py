"""Columns of Arrow as columns of text, spelled as Python's ``csv`` and ``json`` spell the same values.

- a whole number by its digits, any other as ``repr`` has it (``1.0``, ``1e-05``), NaN as a missing value;
- a decimal with the digits that it has, ``true`` and ``false`` as these words;
- a date, a time or both as ``isoformat`` has them (``2024-01-02T03:04:05``, six decimals of a second if it has any, nine if it
  takes them); with a time zone in UTC (``+00:00``), because what Lambda knows of time zones changes;
- a struct as the columns ``a.b``, a list of words as the words with blanks between them.

Whole arrays throughout. A column of few different values is spelled once for each of these, and is a
:class:`sageline.arrays.late_text.DictionaryArray`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sageline.arrays.late_text import DictionaryArray, NumberArray
from sageline.arrays.strings import IntArray, StringArray

Array: TypeAlias = Any  # pyarrow has no types
Type: TypeAlias = Any

_SOME_ROWS = 2048
_FEW = 0.1  # of some rows, the share of different values up to which a dictionary is made of a column
_EXACT_TEXT = (1e-4, 1e10)  # between these Arrow spells a number as repr does


class UnreadableColumn(Exception):
    """A column whose values are no text, number or date.

    Attributes:
        column: its name.
        problem: what it holds, and what to do.
    """

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(column, problem)
        self.column = column
        self.problem = problem


def leaves(name: str, kind: Type, wants: Callable[[str], bool]) -> Iterator[tuple[str, Type]]:
    """The columns of text that a column becomes: name and type, which is None where it has no meaning and need not have one.

    Args:
        wants: whether a column must be readable.

    Raises:
        UnreadableColumn: it has no meaning as such columns.
    """
    if pa.types.is_struct(kind):
        for field in kind:
            yield from leaves(f"{name}.{field.name}", field.type, wants)
        return
    try:
        _check_type(name, kind)
    except UnreadableColumn:
        if wants(name.strip()):
            raise
        kind = None
    yield name, kind


def _check_type(name: str, kind: Type) -> None:
    values = kind.value_type if pa.types.is_dictionary(kind) else kind
    if _is_list(values):
        if not _is_text(values.value_type):
            raise UnreadableColumn(
                name,
                f"holds lists ({values}), and only lists of words are read; give each element a column of its own, or leave "
                "the column out with `dataset.exclude`",
            )
    elif not (_is_text(values) or _is_plain(values)):
        raise UnreadableColumn(
            name,
            f"is of the type {values}, which is neither text, number nor date; spell it, or leave the column out "
            "with `dataset.exclude`",
        )


def flat(name: str, array: Array) -> Iterator[tuple[str, Array]]:
    """A column, or those of a struct."""
    if pa.types.is_struct(array.type):
        for field, child in zip(array.type, array.flatten(), strict=True):
            yield from flat(f"{name}.{field.name}", child)
    else:
        yield name, array


def as_text(name: str, array: Array) -> StringArray:
    """One of the :func:`leaves` as text; null is the empty string.

    Raises:
        UnreadableColumn: bytes that are no UTF-8, a time that no calendar has.
    """
    try:
        return _as_text(array)
    except pa.ArrowInvalid as error:
        raise UnreadableColumn(name, f"holds what cannot be spelled as text ({_first_line(error)})") from None


def _as_text(array: Array) -> StringArray:
    kind = array.type
    if pa.types.is_boolean(kind) or (not pa.types.is_dictionary(kind) and not _is_list(kind) and _has_few(array)):
        array = array.dictionary_encode()
    if not pa.types.is_dictionary(array.type):
        return _spelled(array)
    if len(array.dictionary) >= max(len(array), 2):  # a dictionary of other rows too
        return _spelled(array.dictionary_decode())
    indices = pc.fill_null(array.indices.cast(pa.int64()), len(array.dictionary))
    dictionary = _spelled(array.dictionary)
    with_missing = StringArray(dictionary.data, np.append(dictionary.offsets, dictionary.offsets[-1]))
    return DictionaryArray(with_missing, np.asarray(indices, dtype=np.int64))


def _has_few(array: Array) -> bool:
    """Whether few of some of the values, from all over the column, are different."""
    if len(array) < _SOME_ROWS:
        return False
    some = array.take(pa.array(np.linspace(0, len(array) - 1, _SOME_ROWS).astype(np.int64)))
    return bool(pc.count_distinct(some).as_py() <= _FEW * _SOME_ROWS)


def _spelled(array: Array) -> StringArray:
    kind = array.type
    if pa.types.is_floating(kind):
        return _numbers(array)
    if pa.types.is_integer(kind):
        text = strings(array.cast(pa.large_string()))
        doubles = np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
        return NumberArray(doubles, lambda: text)
    if pa.types.is_date(kind):
        return _times(array.cast(pa.date32()).cast(pa.timestamp("s")))
    if pa.types.is_timestamp(kind):
        return _moments(array)
    if pa.types.is_time(kind):
        return _clock(array)
    if _is_list(kind):
        return strings(pc.binary_join(array.cast(pa.list_(pa.string())), " "))
    return strings(array.cast(pa.large_string()))


def strings(array: Array) -> StringArray:
    """``large_string`` as it lies in memory, or ``string``.

    Raises:
        pyarrow.ArrowInvalid: bytes that are no UTF-8.
    """
    array = pc.fill_null(array, "") if array.null_count else array
    array = array.cast(pa.large_string())
    array.validate(full=True)  # a Parquet file may hold any bytes where it says that they are text
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if len(array) == 0:
        return StringArray(np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    text = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return StringArray(text[bounds[0] : bounds[-1]], bounds - bounds[0] if bounds[0] else bounds)


def _numbers(array: Array) -> StringArray:
    array = array.cast(pa.float32()) if pa.types.is_float16(array.type) else array
    numbers = array.to_numpy(zero_copy_only=False)
    text = _repr(pc.fill_null(array, float("nan")), numbers)
    # The text of a float32 is not the text of the same float64; infinite is no number in a text.
    if numbers.dtype != np.float64 or np.isinf(numbers).any():
        return text
    return NumberArray(numbers, lambda: text)


def _repr(array: Array, numbers: Any) -> StringArray:  # Any: float32 or float64
    """As ``repr`` spells each number, a float32 with the digits that tell it from other float32."""
    sizes = np.abs(numbers)
    as_arrow = ((sizes >= _EXACT_TEXT[0]) & (sizes < _EXACT_TEXT[1])) | (sizes == 0)
    text = array.cast(pa.large_string())
    with np.errstate(invalid="ignore"):
        whole = as_arrow & (numbers == np.rint(numbers))
    if whole.any():
        ends = pa.array(whole).cast(pa.int8())
        end = pa.DictionaryArray.from_arrays(ends, pa.array(["", ".0"], pa.large_string())).dictionary_decode()
        text = pc.binary_join_element_wise(text, end, pa.scalar("", pa.large_string()))
    if not as_arrow.all():
        others = numbers[~as_arrow].astype("U32")
        if numbers.dtype == np.float32:  # which numpy writes with an exponent from another size on
            others = others.astype(np.float64).astype("U32")
        others[np.isnan(numbers[~as_arrow])] = ""
        text = pc.replace_with_mask(text, pa.array(~as_arrow), pa.array(others, pa.large_string()))
    return strings(text)


_DATE_AND_TIME = len("2024-01-02T03:04:05")


def _moments(array: Array) -> StringArray:
    """Timestamps; a zone is UTC."""
    suffix = b"+00:00" if array.type.tz else b""
    array = array.cast(pa.timestamp(array.type.unit))
    return _times(array, with_time=True, suffix=suffix)


def _clock(array: Array) -> StringArray:
    """Times of a day: those of the first day of all, without it."""
    unit = array.type.unit
    moments = array.cast(pa.int32() if unit in ("s", "ms") else pa.int64()).cast(pa.int64()).cast(pa.timestamp(unit))
    return _times(moments, with_time=True, without_date=True)


def _times(array: Array, *, with_time: bool = False, without_date: bool = False, suffix: bytes = b"") -> StringArray:
    """Timestamps without a zone as ``isoformat`` has them."""
    there = ~np.asarray(array.is_null())
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[array.type.unit]
    units = np.asarray(pc.fill_null(array.cast(pa.int64()), 0), dtype=np.int64)
    seconds, fraction = units // per_second, units % per_second * (10**9 // per_second)
    outside = there & ((seconds < _FIRST_SECOND) | (seconds > _LAST_SECOND))
    if outside.any():
        raise pa.ArrowInvalid("a year before 1 or after 9999")
    end = _DATE_AND_TIME + (10 if fraction.any() else 0)
    text = np.zeros((len(units), end + len(suffix)), dtype=np.uint8)
    spelled = pa.array(seconds).cast(pa.timestamp("s")).cast(pa.large_string())
    text[:, :_DATE_AND_TIME] = strings(spelled).data.reshape(-1, _DATE_AND_TIME)
    text[:, 10] = ord("T")
    text[:, end:] = np.frombuffer(suffix, dtype=np.uint8)
    text = text if with_time else text[:, :10]
    text = text[:, 11:] if without_date else text
    if end == _DATE_AND_TIME and there.all():
        return StringArray(text.reshape(-1), np.arange(len(text) + 1, dtype=np.int64) * text.shape[1])
    kept = np.repeat(there[:, None], text.shape[1], axis=1)
    if end > _DATE_AND_TIME:
        point = _DATE_AND_TIME - (11 if without_date else 0)
        text[:, point] = ord(".")
        text[:, point + 1 : point + 10] = fraction[:, None] // 10 ** np.arange(8, -1, -1) % 10 + ord("0")
        kept[:, point : point + 7] &= (fraction != 0)[:, None]
        kept[:, point + 7 : point + 10] &= (fraction % 1000 != 0)[:, None]
    ends: IntArray = np.cumsum(kept.sum(axis=1, dtype=np.int64))
    return StringArray(text[kept], np.concatenate([np.zeros(1, dtype=np.int64), ends]))


_FIRST_SECOND, _LAST_SECOND = (
    int(np.datetime64(moment, "s").astype(np.int64)) for moment in ("0001-01-01T00:00:00", "9999-12-31T23:59:59")
)


def _is_list(kind: Type) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: Type) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_plain(kind: Type) -> bool:
    tests = (
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_date,
        pa.types.is_timestamp,
        pa.types.is_time,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
