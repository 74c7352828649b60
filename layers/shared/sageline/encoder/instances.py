"""The rows of a prediction request: objects, arrays or bare strings, as columns of text."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from sageline.dataset.blocks import Block, StringArray
from sageline.encoder.numbers import BadNumber, is_number, parse_numbers
from sageline.errors import InvalidRequest


class InstanceReader:
    """Reads instances for one encoder.

    Args:
        kinds: the feature columns in order, with their kind: ``text``, ``number``, ``category`` or ``pixel``.
        categories: of each category column, the values that are known.
        label: the column that is predicted, named in errors only.
        shape: of images, whose arrays may be nested as it says; None for other rows.
        required: columns of numbers that must have a value.
        unused: columns that rows may have too, with any value.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        categories: Mapping[str, Sequence[str]],
        label: str,
        *,
        shape: tuple[int, ...] | None = None,
        required: Collection[str] = (),
        unused: Collection[str] = (),
    ) -> None:
        self._shape = shape
        self._required = required
        self._kinds = kinds
        self._categories = categories
        self._label = label
        self._unused = unused

    def read(self, instances: list[object]) -> Block:
        """One row per instance; InvalidRequest names ``instances[i]`` and the column."""
        if not instances:
            raise InvalidRequest("instances is empty; send at least one.")
        rows = [self._row(f"instances[{index}]", instance) for index, instance in enumerate(instances)]
        columns = {name: StringArray.from_list([row[place] for row in rows]) for place, name in enumerate(self._kinds)}
        for name, kind in self._kinds.items():
            if kind in ("number", "pixel"):
                try:
                    numbers = parse_numbers(columns[name])
                except BadNumber as error:
                    raise InvalidRequest(f"instances[{error.index}], column {name!r}: {error.problem}.") from None
                if name in self._required and np.isnan(numbers).any():
                    where = f"instances[{int(np.isnan(numbers).argmax())}], column {name!r}"
                    raise InvalidRequest(f"{where}: the value is missing, which the model does not take; send a number.")
        return Block.of(columns, first_row=0, source="instances")

    def _row(self, where: str, instance: object) -> list[str]:
        names = list(self._kinds)
        if isinstance(instance, dict):
            self._check_names(where, instance)
            values = [instance[name] for name in names]
        elif isinstance(instance, list):
            if self._shape is not None and any(isinstance(value, list) for value in instance):
                instance = _flat(where, instance, self._shape)
            if len(instance) != len(names):
                raise InvalidRequest(f"{where} has {len(instance)} values, expected {len(names)}: {_listed(names)}.")
            values = instance
        elif isinstance(instance, str) and self._is_one_text:
            values = [instance]
        else:
            columns = f"the columns {_listed(names)}" if len(names) > 1 else f"the column {names[0]}"
            expected = f"an object with {columns}, or an array of the values in this order"
            text = "a string, or " if self._is_one_text else ""
            raise InvalidRequest(f"{where} is {_json_type(instance)}; expected {text}{expected}.")
        return [self._text(f"{where}, column {name!r}", name, value) for name, value in zip(names, values, strict=True)]

    @property
    def _is_one_text(self) -> bool:
        return list(self._kinds.values()) == ["text"]

    def _check_names(self, where: str, instance: Mapping[str, object]) -> None:
        for name in instance:
            if name == self._label and name not in self._kinds:
                raise InvalidRequest(f"{where}: column {name!r} is the label, which the model predicts; leave it out.")
            if name not in self._kinds and name not in self._unused:
                near = difflib.get_close_matches(name, self._kinds, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"the columns are {_listed(list(self._kinds))}."
                raise InvalidRequest(f"{where}: unknown column {name!r}; {hint}")
        for name, kind in self._kinds.items():
            if name not in instance:
                hint = "" if kind in ("text", "pixel") else "; send null when it has no value"
                raise InvalidRequest(f"{where}: column {name!r} is missing{hint}.")

    def _text(self, where: str, name: str, value: object) -> str:
        """A value as the dataset would spell it."""
        kind = self._kinds[name]
        if value is None and kind not in ("text", "pixel"):
            return ""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise InvalidRequest(f"{where}: half of a surrogate pair (\\ud800 to \\udfff) is not a character.") from None
            return value
        if kind in ("number", "pixel") and isinstance(value, int | float) and not isinstance(value, bool):
            return repr(value)
        if kind == "category" and isinstance(value, int | float):
            return _spelling(value, self._categories[name])
        expected = {
            "text": "a string",
            "number": "a number or null",
            "category": "a string, a number, a boolean or null",
            "pixel": "a number",
        }[kind]
        raise InvalidRequest(f"{where} is {_json_type(value)}; expected {expected}.")


def _listed(names: Sequence[str]) -> str:
    """The names, or those at either end of many."""
    return ", ".join(names) if len(names) <= 30 else f"{names[0]}, {names[1]}, ... {names[-1]}"


def _flat(where: str, nested: list[object], shape: tuple[int, ...]) -> list[object]:
    """The numbers in a list that is nested as the shape says, in their order."""
    size, *inner = shape
    if len(nested) != size:
        raise InvalidRequest(f"{where} has {len(nested)} values, expected {size}.")
    if not inner:
        return nested
    flat: list[object] = []
    for index, value in enumerate(nested):
        if not isinstance(value, list):
            raise InvalidRequest(f"{where}[{index}] is {_json_type(value)}; expected an array of {inner[0]}.")
        flat += _flat(f"{where}[{index}]", value, tuple(inner))
    return flat


def _spelling(value: float, known: Sequence[str]) -> str:
    """A number or boolean as the category that it is: the dataset may spell 3 as ``3.0``, and true as ``True``."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    if text in known:
        return text
    if isinstance(value, bool):
        return next((category for category in known if category.lower() == text), text)
    return next((category for category in known if is_number(category) and float(category) == value), text)


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
