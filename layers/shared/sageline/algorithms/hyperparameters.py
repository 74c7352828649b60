"""Tables of hyperparameters, and the check of what a training job is given against them.

A hyperparameter reaches a container as text. SageMaker's first-party algorithms check it against a JSON Schema and stop at the
first problem; :func:`parse` lists all of them. The containers' words are those of the SageMaker developer guide's
troubleshooting pages and of published job logs.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Value: TypeAlias = int | float | str | list[str] | list[list[int]] | tuple[int, ...]


@dataclass(frozen=True)
class Interval:
    """A range of numbers; ``open_low``/``open_high`` exclude the bound itself. Infinite bounds are open."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        low = "(-inf" if self.low == -math.inf else f"{'(' if self.open_low else '['}{self.low}"
        high = "+inf)" if self.high == math.inf else f"{self.high}{')' if self.open_high else ']'}"
        return f"{low}, {high}"

    @property
    def words(self) -> str:
        """For a person: ``from 1 to 1,024``."""
        parts = []
        if self.low != -math.inf:
            parts.append(f"{'above' if self.open_low else 'from'} {_plain(self.low)}")
        if self.high != math.inf:
            parts.append("to" if parts else "up to")
            parts.append(f"below {_plain(self.high)}" if self.open_high else _plain(self.high))
        return " ".join(parts)


@dataclass(frozen=True)
class Choice:
    """One of a set of names (or of numbers)."""

    names: tuple[str, ...] | tuple[int, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.names

    def __str__(self) -> str:
        return str(list(self.names))

    @property
    def words(self) -> str:
        return "one of " + ", ".join(str(name) for name in self.names)


@dataclass(frozen=True)
class Hyperparameter:
    """One row of a table: how a value is parsed from its text, and what it may be.

    Attributes:
        parse: from text; raises ValueError where the text says no such value.
        words: what may stand instead of a number, such as ``auto``.
        default: what the container takes when nothing is given; None where it then does without.
    """

    parse: Callable[[str], Value]
    allowed: Interval | Choice
    required: bool = False
    words: tuple[str, ...] = ()
    default: Value | None = None

    @property
    def kind(self) -> Literal["integer", "continuous", "categorical"]:
        """The kind of range that it is tuned by."""
        if isinstance(self.allowed, Choice):
            return "categorical"
        return "integer" if self.parse is int else "continuous" if self.parse in (float, finite) else "categorical"

    def accepts(self, text: str) -> bool:
        try:
            self.read(text)
        except ValueError:
            return False
        return True

    def read(self, text: str) -> Value:
        """The value that a text says.

        Raises:
            ValueError: it says none, or one that is not allowed.
        """
        if text in self.words:
            return text
        value = self.parse(text)
        if not all(item in self.allowed for item in _items(value)):
            raise ValueError(text)
        return value

    @property
    def expected(self) -> str:
        """For a person: ``a whole number from 1, or auto``."""
        if isinstance(self.allowed, Choice):
            text = self.allowed.words
        else:
            single = {"integer": "a whole number", "continuous": "a number"}.get(self.kind)
            text = (
                f"{single} {self.allowed.words}".rstrip()
                if single
                else f"whole numbers {self.allowed.words}, separated by commas"
            )
        return f"{text}, or {', '.join(self.words)}" if self.words else text


HyperparameterTable: TypeAlias = Mapping[str, Hyperparameter]


@dataclass(frozen=True)
class Problem:
    """Something that a container refuses: in its own words, and for a person."""

    container: str
    plain: str


@dataclass(frozen=True)
class Parsed:
    """What a container makes of its hyperparameters.

    Attributes:
        values: with the container's defaults for what is not given; without what has a problem.
    """

    values: dict[str, Value]
    problems: list[Problem] = field(default_factory=list)

    @property
    def messages(self) -> list[str]:
        return [problem.container for problem in self.problems]


def integer(
    low: float = 1,
    high: float = math.inf,
    *,
    default: int | str | None = None,
    required: bool = False,
    auto: bool = False,
) -> Hyperparameter:
    return Hyperparameter(int, Interval(low, high), required, ("auto",) if auto else (), default)


def number(allowed: Interval, *, default: float | str | None = None, words: tuple[str, ...] = ()) -> Hyperparameter:
    return Hyperparameter(finite, allowed, False, words, default)


def choice(*names: str, default: str | None = None, required: bool = False) -> Hyperparameter:
    return Hyperparameter(str, Choice(names), required, (), default)


def flag(*, default: str, auto: bool = False) -> Hyperparameter:
    """``true`` or ``false`` in any case: Python clients send ``True``."""
    names = ("true", "false", "auto") if auto else ("true", "false")
    return Hyperparameter(str.lower, Choice(names), default=default)


def sizes(*, default: str) -> Hyperparameter:
    """Whole numbers from 1 with commas between them: ``128,64``."""
    return Hyperparameter(lambda text: tuple(int(part) for part in text.split(",")), Interval(1), default=default)


def finite(text: str) -> float:
    """A number that is one: not nan, not infinite."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


TUNING_OBJECTIVE = "_tuning_objective_metric"
"""SageMaker adds it to the hyperparameters of every training job of a tuning job."""


def parse(table: HyperparameterTable, strings: Mapping[str, str]) -> Parsed:
    """The values that a first-party container would train with, and everything that it would refuse.

    Args:
        strings: what CreateTrainingJob takes: strings to strings.
    """
    problems = [
        Problem(f"'{name}' is a required property", f"{name} is missing; it takes {row.expected}.")
        for name, row in table.items()
        if row.required and name not in strings
    ]
    values: dict[str, Value] = {name: row.default for name, row in table.items() if row.default is not None}
    for name, text in strings.items():
        row = table.get(name)
        if row is not None:
            try:
                values[name] = row.read(text)
            except ValueError:
                values.pop(name, None)
                problems.append(_refused(name, text, row))
        elif name != TUNING_OBJECTIVE:
            problems.append(
                Problem(f"Additional properties are not allowed (u'{name}' was unexpected)", unknown(name, list(table)))
            )
    return Parsed(values, problems)


_MAX_COUNT, _MAX_KEY_LENGTH, _MAX_VALUE_LENGTH = 100, 256, 2500
"""Limits of CreateTrainingJob's ``HyperParameters``."""


def beyond_limits(strings: Mapping[str, str]) -> list[str]:
    """For a person: what is too much or too long for CreateTrainingJob."""
    problems = [f"{len(strings)} hyperparameters; SageMaker takes {_MAX_COUNT}."] if len(strings) > _MAX_COUNT else []
    for key, value in strings.items():
        if len(key) > _MAX_KEY_LENGTH:
            problems.append(f"{key[:40]}… has {len(key)} characters; SageMaker takes {_MAX_KEY_LENGTH} for a name.")
        if len(value) > _MAX_VALUE_LENGTH:
            problems.append(f"{key} has a value of {len(value)} characters; SageMaker takes {_MAX_VALUE_LENGTH}.")
    return problems


def _refused(name: str, text: str, row: Hyperparameter) -> Problem:
    if isinstance(row.allowed, Choice):
        said, rule = f"u'{text}' is not one of {[f'{item}' for item in row.allowed.names]}", "enum"
    else:
        said, rule = f"u'{text}' is not valid under any of the given schemas", "oneOf"
    container = (
        f"{said}\n\nFailed validating u'{rule}' in schema[u'properties'][u'{name}']\n\nOn instance[u'{name}']:\n    u'{text}'"
    )
    return Problem(container, f"{name} is {text!r}; it takes {row.expected}.")


def unknown(name: str, known: list[str]) -> str:
    """For a person: there is no such hyperparameter, and which one may be meant."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}."
    return f"there is no hyperparameter {name}; {hint}"


def _items(value: Value | list[int]) -> list[object]:
    """The single values in a list, and in a list of lists."""
    if isinstance(value, list | tuple):
        return [item for part in value for item in _items(part)]
    return [value]


def _plain(number: float) -> str:
    return f"{number:,g}" if number != int(number) or abs(number) < 1e4 else f"{int(number):,}"
