"""The check of a first-party algorithm's hyperparameters.

SageMaker's own images check them against a JSON Schema, and stop at the first problem. The schemas are not published: the
tables are those of the developer guide, the words those of its troubleshooting pages and of published job logs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sagemaker_emulator.engines.first_party.failures import CustomerError

Value: TypeAlias = int | float | str
Values: TypeAlias = Mapping[str, Value]

TUNING_OBJECTIVE = "_tuning_objective_metric"
"""SageMaker adds it to the hyperparameters of every training job of a tuning job."""


@dataclass(frozen=True)
class Hyperparameter:
    """A row of a table.

    Attributes:
        read: the value that a text says; raises ValueError for a text that says none, or one that is not allowed.
        names: what it may be, if that is a list of names.
        default: what it is when it is not given; None for one that the algorithm then does without.
    """

    read: Callable[[str], Value]
    names: tuple[str, ...] = ()
    default: Value | None = None
    required: bool = False


Table: TypeAlias = Mapping[str, Hyperparameter]


def whole(
    low: int = 1, high: float = math.inf, *, default: Value | None = None, auto: bool = False, required: bool = False
) -> Hyperparameter:
    """A whole number from ``low`` to ``high``, or the word ``auto``."""

    def read(text: str) -> Value:
        return text if auto and text == "auto" else _within(int(text), low <= int(text) <= high)

    return Hyperparameter(read, default=default, required=required)


def number(
    low: float = -math.inf, high: float = math.inf, *, ends: str = "[]", default: Value | None = None, words: tuple[str, ...] = ()
) -> Hyperparameter:
    """A finite number; ``ends`` is how its interval is written: a round bracket leaves the bound out."""

    def read(text: str) -> Value:
        if text in words:
            return text
        value = float(text)
        above = value > low if ends[0] == "(" else value >= low
        below = value < high if ends[1] == ")" else value <= high
        return _within(value, above and below and math.isfinite(value))

    return Hyperparameter(read, default=default)


def choice(*names: str, default: str | None = None, required: bool = False) -> Hyperparameter:
    return Hyperparameter(lambda text: _within(text, text in names), names, default, required)


def flag(*, default: str, auto: bool = False) -> Hyperparameter:
    """``true`` or ``false`` in any case: Python clients send ``True``."""
    names = ("true", "false", "auto") if auto else ("true", "false")
    return Hyperparameter(lambda text: _within(text.lower(), text.lower() in names), names, default)


def _within(value: Value, is_allowed: bool) -> Value:
    if not is_allowed:
        raise ValueError(value)
    return value


def read(
    table: Table, strings: Mapping[str, str], disagreements: Callable[[Values], Iterable[str]] = lambda _: ()
) -> dict[str, Value]:
    """The values that a job trains with, with the table's defaults for what is not given.

    ``disagreements`` are problems of values that do not go together. Raises CustomerError for the first problem.
    """
    values = {name: row.default for name, row in table.items() if row.default is not None}
    for name, row in table.items():
        if row.required and name not in strings:
            text = f"'{name}' is a required property"
            raise _refused(f"No value(s) were specified for '{name}' which are required hyperparameter(s)", text)
    for name, text in strings.items():
        if name == TUNING_OBJECTIVE:
            continue
        if name not in table:
            raise _refused(f"Additional properties are not allowed (u'{name}' was unexpected)")
        try:
            values[name] = table[name].read(text)
        except ValueError:
            raise _not_valid(name, text, table[name]) from None
    for problem in disagreements(values):
        raise _refused(problem)
    return values


def _not_valid(name: str, text: str, row: Hyperparameter) -> CustomerError:
    rule = "enum" if row.names else "oneOf"
    said = f"is not one of {list(row.names)}" if row.names else "is not valid under any of the given schemas"
    where = f"Failed validating u'{rule}' in schema[u'properties'][u'{name}']\n\nOn instance[u'{name}']:\n    u'{text}'"
    return _refused(f"u'{text}' {said}", f"u'{text}' {said}\n\n{where}")


def _refused(message: str, cause: str | None = None) -> CustomerError:
    return CustomerError(message, ("ValidationError", cause or message))
