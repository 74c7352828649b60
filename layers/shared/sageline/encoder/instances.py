"""The rows of a prediction request: objects, arrays or bare strings, as columns of text and of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.arrays.late_text import NumberArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import PLAIN, Spelling, spelled
from sageline.arrays.numbers import BadNumber, as_number, is_number, parse_doubles, parse_numbers
from sageline.arrays.strings import StringArray
from sageline.encoder.column_check import ColumnCheck
from sageline.encoder.value_check import ValueCheck
from sageline.encoder.values import ValueIndex
from sageline.errors import InvalidRequest
from sageline.formats.nested import flattened
from sageline.json_objects import DuplicateKey

_BINARY = frozenset((0.0, 1.0))
_NUMBERS_OR_NONE = {int, float, type(None)}
_LARGEST = float(np.finfo(np.float32).max)


def instance_name(index: int) -> str:
    """How errors call an instance of a list that begins with ``instances[0]``."""
    return f"instances[{index}]"


class _Misfit(Exception):
    """What is wrong with an instance: the end of a sentence that begins with its name. Never leaves this module."""

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index = index
        self.problem = problem


class InstanceReader:
    """Reads instances for one encoder.

    Args:
        kinds: the feature columns in order, with their kind: ``text``, ``number``, ``category``, ``date``, ``pixel``, ``image``.
        categories: of each category column, where the values that are known are.
        label: the column that is predicted.
        shape: of images, whose arrays may be nested as it says; None for other rows.
        required: columns that must have a value.
        spellings: how columns of numbers spell them; those that are not here spell them plainly.
        binary: columns of numbers that take ``true`` for 1 and ``false`` for 0.
        dates: how columns of dates spell them.
        unused: columns that rows may have too, with any value.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        categories: Mapping[str, ValueIndex],
        label: str,
        *,
        shape: tuple[int, ...] | None = None,
        required: Collection[str] = (),
        spellings: Mapping[str, Spelling] = MappingProxyType({}),
        binary: Collection[str] = (),
        dates: Mapping[str, DateFormat] = MappingProxyType({}),
        unused: Collection[str] = (),
    ) -> None:
        self._shape = shape
        self._required = required
        self._spellings = spellings
        self._binary = binary
        self._dates = dates
        self._kinds = kinds
        self._names = list(kinds)
        self._positions = {name: position for position, name in enumerate(kinds)}
        self._categories = categories
        self._label = label
        self._unused = unused

    def read(
        self, instances: list[object], warnings: list[str] | None = None, name: Callable[[int], str] = instance_name
    ) -> Block:
        """One row per instance.

        Args:
            warnings: gets a sentence for each column that is absent and taken for missing, or is there and ignored, or has values
                that training had not, or dates that are none and taken for missing. Without it, these are errors.
            name: how errors and warnings call the instance of an index.

        Raises:
            InvalidRequest: names the instance and the column.
        """
        if not instances:
            raise InvalidRequest("instances is empty; send at least one.")
        try:
            return self._read(instances, warnings, name)
        except _Misfit as error:
            raise InvalidRequest(f"{name(error.index)}{error.problem}") from None

    def _read(self, instances: list[object], warnings: list[str] | None, name_of: Callable[[int], str]) -> Block:
        check = ColumnCheck(
            self._names,
            required=self._required,
            unused=self._unused,
            label=self._label,
            where=partial(_listed_instances, name_of),
        )
        rows = [self._values(index, instance, check) for index, instance in enumerate(instances)]
        said = check.finish()
        numbers = [name for name, kind in self._kinds.items() if kind in ("number", "pixel")]
        plain = self._plain_numbers(rows, numbers)
        as_text = self._names if plain is None else [name for name in self._names if name not in plain]
        columns: dict[str, StringArray] = {**(plain or {}), **self._text_columns(rows, as_text)}
        for name in numbers if plain is None else ():
            self._check_numbers(name, columns[name])
        check_values, indexes = ValueCheck(name_of), np.arange(len(rows), dtype=np.int64)
        for name, index in self._categories.items():
            check_values.note_unseen(name, columns[name], index, indexes)
        for name, date_format in self._dates.items():
            columns[name] = check_values.readable(name, columns[name], date_format, indexes)
        said += check_values.sentences()
        if said and warnings is None:
            raise InvalidRequest(f"In strict mode warnings are errors: {' '.join(said)}", warnings=said)
        if warnings is not None:
            warnings += said
        return Block.of({name: columns[name] for name in self._names}, first_row=0, source="instances")

    def _plain_numbers(self, rows: Sequence[Sequence[object]], names: Sequence[str]) -> dict[str, NumberArray] | None:
        """These columns, where all of their values are numbers that float32 has, or null, or plain texts of such. None for
        anything else, whichever column has it: their text is looked at then, column by column, and tells what is wrong."""
        positions = [self._positions[name] for name in names]
        flat = [row[position] for row in rows for position in positions]
        doubles = self._doubles(flat, names)
        if doubles is None:
            return None
        table = doubles.reshape(len(rows), len(names))
        missing = np.isnan(table)
        if missing.any():
            must_be_there = np.array([name in self._required for name in names])
            if missing[:, must_be_there].any():
                return None
        if np.abs(table[~missing]).max(initial=0.0) > _LARGEST:
            return None
        return {
            name: NumberArray(table[:, position], partial(self._text_column, rows, name)) for position, name in enumerate(names)
        }

    def _doubles(self, flat: Sequence[object], names: Collection[str]) -> DoubleArray | None:
        """The values of these columns as numbers, NaN for a missing one; None as for :meth:`_plain_numbers`."""
        types = set(map(type, flat))
        try:
            if types <= _NUMBERS_OR_NONE:
                doubles = np.array(flat, dtype=np.float64)  # None becomes NaN
                return doubles if np.count_nonzero(np.isnan(doubles)) == flat.count(None) else None
            if types == {str} and all(self._spellings.get(name, PLAIN) == PLAIN for name in names):
                return parse_doubles(StringArray.from_list([str(text) for text in flat]))
        except (OverflowError, BadNumber, UnicodeEncodeError):
            pass
        return None

    def _text_columns(self, rows: Sequence[Sequence[object]], names: Sequence[str]) -> dict[str, StringArray]:
        """Columns as text, read row by row: of several errors the first row's is told."""
        positions = [self._positions[name] for name in names]
        texts = [
            [self._text(index, self._names[position], row[position]) for position in positions] for index, row in enumerate(rows)
        ]
        return {name: StringArray.from_list([row[position] for row in texts]) for position, name in enumerate(names)}

    def _text_column(self, rows: Sequence[Sequence[object]], name: str) -> StringArray:
        return self._text_columns(rows, [name])[name]

    def _check_numbers(self, name: str, column: StringArray) -> None:
        try:
            numbers = parse_numbers(column, self._spellings.get(name, PLAIN))
        except BadNumber as error:
            raise _Misfit(error.index, f", column {name!r}: {error.problem}.") from None
        if name in self._required and np.isnan(numbers).any():
            problem = f", column {name!r}: the value is missing, which the model does not take; send a number."
            raise _Misfit(int(np.isnan(numbers).argmax()), problem)

    def _values(self, index: int, instance: object, check: ColumnCheck) -> list[object]:
        """The instance's values in the order of the columns, None for one that is absent."""
        names = self._names
        if isinstance(instance, dict):
            row = self._flat_row(index, instance)
            check.note(index, row)
            return [row.get(name) for name in names]
        if isinstance(instance, list):
            if self._shape is not None and any(isinstance(value, list) for value in instance):
                instance = _flat(index, "", instance, self._shape)
            if len(instance) != len(names):
                raise _Misfit(index, f" has {_values(len(instance))}, expected {len(names)}: {_listed(names)}.")
            return instance
        if isinstance(instance, str) and self._is_one_text:
            return [instance]
        columns = f"the columns {_listed(names)}" if len(names) > 1 else f"the column {names[0]}"
        expected = f"an object with {columns}, or an array of the values in this order"
        text = "a string, or " if self._is_one_text else ""
        raise _Misfit(index, f" is {_json_type(instance)}; expected {text}{expected}.")

    def _flat_row(self, index: int, row: Mapping[str, object]) -> Mapping[str, object]:
        """Nested objects as columns and lists of words as texts, as the reader of JSON Lines makes them."""
        if not any(isinstance(value, dict | list) for value in row.values()):
            return row
        try:
            flat = flattened(row)
        except DuplicateKey as error:
            raise _Misfit(index, f" has two values for the column {error.key!r}.") from None
        except RecursionError:
            raise _Misfit(index, " is nested too deeply.") from None
        flat |= {name: value for name, value in row.items() if value == {}}  # which have no columns, and are not to vanish
        lists = {name: value for name, value in flat.items() if isinstance(value, list) and name in self._positions}
        return flat | {
            name: " ".join(words)
            for name, words in lists.items()
            if self._kinds[name] in ("text", "category") and all(isinstance(word, str) for word in words)
        }

    @property
    def _is_one_text(self) -> bool:
        return list(self._kinds.values()) in (["text"], ["image"])

    def _text(self, index: int, name: str, value: object) -> str:
        """A value as the dataset would spell it."""
        kind = self._kinds[name]
        may_miss = kind in ("number", "category", "date") or name not in self._required
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                problem = f", column {name!r}: half of a surrogate pair (\\ud800 to \\udfff) is not a character."
                raise _Misfit(index, problem) from None
            return as_number(value) if name in self._binary else value
        if value is None and may_miss:
            return ""
        if isinstance(value, bool) and name in self._binary:
            value = int(value)
        if kind in ("number", "pixel") and isinstance(value, int | float) and not isinstance(value, bool):
            is_number_of_json = isinstance(value, int) or math.isfinite(value)
            return spelled(value, self._spellings.get(name, PLAIN)) if is_number_of_json else repr(value)
        if kind == "category" and isinstance(value, int | float):
            return _spelling(value, list(self._categories[name].indexes))
        if kind == "date" and isinstance(value, int | float) and not isinstance(value, bool):
            return repr(int(value) if float(value).is_integer() else value)
        expected = {
            "text": "a string or null" if may_miss else "a string",
            "number": "a number, a boolean or null" if name in self._binary else "a number or null",
            "category": "a string, a number, a boolean or null",
            "date": "a date as a string, or null",
            "pixel": "a number",
            "image": "a string, the image file in base64",
        }[kind]
        raise _Misfit(index, f", column {name!r} is {_json_type(value)}; expected {expected}.")


def _listed(names: Sequence[str]) -> str:
    """The names, or those at either end of many."""
    return ", ".join(names) if len(names) <= 30 else f"{names[0]}, {names[1]}, ... {names[-1]}"


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count} values"


def _listed_instances(name: Callable[[int], str], indexes: Sequence[int]) -> str:
    more = f" and {len(indexes) - 1:,} more" if len(indexes) > 1 else ""
    return f"{name(indexes[0])}{more}: "


def _flat(index: int, where: str, nested: list[object], shape: tuple[int, ...]) -> list[object]:
    """The numbers in a list that is nested as the shape says, in their order; ``where`` it is in its instance, ``[0][3]``."""
    size, *inner = shape
    if len(nested) != size:
        raise _Misfit(index, f"{where} has {_values(len(nested))}, expected {size}.")
    if not inner:
        return nested
    flat: list[object] = []
    for position, value in enumerate(nested):
        if not isinstance(value, list):
            raise _Misfit(index, f"{where}[{position}] is {_json_type(value)}; expected an array of {inner[0]}.")
        flat += _flat(index, f"{where}[{position}]", value, tuple(inner))
    return flat


def _spelling(value: float, known: Sequence[str]) -> str:
    """A number or boolean as the category that it is: the dataset may spell 3 as ``3.0``, and true as ``True`` or as ``1``."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    if text in known:
        return text
    if isinstance(value, bool):
        spelled = next((category for category in known if category.lower() == text), None)
        if spelled is not None or not all(is_number(category) and float(category) in _BINARY for category in known):
            return spelled or text
    return next((category for category in known if is_number(category) and float(category) == value), text)


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
