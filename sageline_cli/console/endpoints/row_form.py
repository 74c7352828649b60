"""A form for one row: what an endpoint says of its columns as fields, and what was filled in as the row that it takes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sageline.json_objects import Json

InputKind: TypeAlias = Literal["number", "category", "text", "date", "image"]
KINDS: tuple[InputKind, ...] = ("number", "category", "text", "date", "image")

MOST_FIELDS = 200
"""A form of more is no form; the row is then written as JSON."""
_EXACT = 2**53
"""Whole numbers below it have all their digits."""
_A_DATE = "A date, "
"""Begins what the schema says of a column of dates (:mod:`sageline.encoder.schema.row_schema`)."""
_WHOLE = re.compile(r"[+-]?\d{1,15}")


@dataclass(frozen=True)
class FormField:
    """A column as a field of the form.

    ``values``: seen in training, to choose from; others may be typed. ``low``, ``high``: the range in the dataset, where it is
    known. ``spelled``: how a date is written, ``day, month, year as in 30.05.2021``; empty where that is not known.
    """

    name: str
    kind: InputKind
    required: bool
    value: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    spelled: str = ""

    @property
    def key(self) -> str:
        """What the field is called in what the browser sends."""
        return f"{self.kind}:{self.name}"

    @property
    def hint(self) -> str:
        """What to know when filling it in."""
        told = ["must be filled in"] if self.required else []
        if self.low is not None and self.high is not None:
            told.append(f"{_plain(self.low)} to {_plain(self.high)} in the dataset")
        told += [self.spelled] if self.spelled else []
        return ", ".join(told)


@dataclass(frozen=True)
class RowForm:
    """The form of an endpoint's rows.

    ``fields`` are empty where a row has too many values, or the endpoint does not say what it takes: then a row is written as
    JSON, which ``example_json`` begins with. ``classes``: how many labels there are; None for a regression, or where it is not
    known.
    """

    fields: tuple[FormField, ...]
    example_json: str
    classes: int | None
    label: str | None

    @property
    def what_may_be_empty(self) -> str:
        """Which fields may be left empty, and what that means."""
        required = sum(field.required for field in self.fields)
        if required == len(self.fields):
            return ""
        which = "Any field" if required == 0 else "Any field that does not say otherwise"
        return f"{which} may be empty: the value is then missing."


def form_of(endpoint: Json, schema: Json | None = None) -> RowForm:
    """The form of the rows that ``GET /endpoints/{name}`` describes (:func:`sageline.api.columns.describe_columns`).

    ``schema``: what ``GET /endpoints/{name}/schema`` says, of which the form takes the ranges of numbers; None where it says
    nothing, and the form then tells no ranges.
    """
    columns: Sequence[Mapping[str, object]] = endpoint.get("columns") or []
    label: Mapping[str, object] = endpoint.get("label") or {}
    example = endpoint.get("example")
    count = endpoint.get("column_count") or 0
    values = example if isinstance(example, dict) else {}
    is_form = 0 < len(columns) == count <= MOST_FIELDS
    classes = label.get("classes")
    name = label.get("name")
    described = _described(schema or {})
    names = [str(column["name"]) for column in columns]
    fields = [_field(column, values.get(name), described.get(name, {})) for name, column in zip(names, columns, strict=True)]
    return RowForm(
        fields=tuple(fields) if is_form else (),
        example_json=json.dumps(example, indent=2, ensure_ascii=False) if example is not None else "",
        classes=classes if isinstance(classes, int) else None,
        label=name if isinstance(name, str) else None,
    )


def _described(schema: Json) -> Mapping[str, Mapping[str, object]]:
    """What the schema says of each column: it is in the one form of a row that is an object."""
    found: Mapping[str, Mapping[str, object]] = next(
        (form["properties"] for form in schema.get("anyOf") or [] if "properties" in form), {}
    )
    return found


def _field(column: Mapping[str, object], value: object, described: Mapping[str, object]) -> FormField:
    kind = column["kind"]
    known: InputKind = next((k for k in KINDS if k == kind), "text")
    values = column.get("values")
    return FormField(
        name=str(column["name"]),
        kind=known,
        required=bool(column["required"]),
        value="" if known == "image" else _typed(value),
        values=tuple(str(item) for item in values) if isinstance(values, list) else (),
        low=_number_or_none(described.get("x-sageline-minimum")),
        high=_number_or_none(described.get("x-sageline-maximum")),
        spelled=str(described.get("description", "")).removeprefix(_A_DATE).rstrip(".") if known == "date" else "",
    )


def _number_or_none(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _plain(value: float) -> str:
    """A number as a person would write it: 1250000, not 1.25e+06."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < _EXACT else f"{value:.6g}"


def _typed(value: object) -> str:
    """A JSON value as a person would type it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return value
        case _:
            return json.dumps(value)


class UnusableRow(Exception):
    """What was filled in is no row; the message says what to do."""


def row_of(fields: Iterable[tuple[str, str]]) -> dict[str, object]:
    """The row that was filled in, from pairs of :attr:`FormField.key` and what was typed. What is empty is missing: None.

    A number that JSON can hold is one; any other text of a number column goes as it is, and the API says what is wrong with it.
    """
    row: dict[str, object] = {}
    for key, typed in fields:
        kind, colon, name = key.partition(":")
        if colon and kind in KINDS and kind != "image":
            row[name] = _number(typed) if kind == "number" else (typed or None)
    return row


def row_of_json(text: str) -> object:
    """A row that was written as JSON.

    Raises:
        UnusableRow: it is none; says where.
    """
    try:
        row: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise UnusableRow(f"Line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}.") from None
    except ValueError as error:
        raise UnusableRow(f"{error}.") from None
    return row


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON; use null for a missing value")


def _number(typed: str) -> object:
    text = typed.strip()
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return typed
    return value if math.isfinite(value) else typed
