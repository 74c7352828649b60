"""The subset of JSONPath that DataProcessing takes.

``$``, ``.name``, ``['a','b']``, ``*``, ``[*]``, ``[0]``, ``[0,-1]``, ``[1:4]`` and mixtures such as ``[0,5:]``. The end of a
slice is included, as the developer guide says: "`$[1:4]` specifies the second through fifth columns". Source: "Associate
Prediction Results with Input Records" in the Amazon SageMaker developer guide, and DataProcessing in its API reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


class InvalidPath(Exception):
    """The text is not a path of this subset."""


class NoSuchElement(Exception):
    """A value does not have what the path names."""


@dataclass(frozen=True)
class Slice:
    """Both ends are positions and both are included; None is the first or the last element."""

    start: int | None
    end: int | None


@dataclass(frozen=True)
class Names:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Positions:
    positions: tuple[int | Slice, ...]


@dataclass(frozen=True)
class Everything:
    """The wildcard."""


_STEP = re.compile(
    r"""\.?\[\s*(?P<names>'(?:[^'\\]|\\.)*'(?:\s*,\s*'(?:[^'\\]|\\.)*')*)\s*\]"""
    r"""|\.?\[\s*(?P<positions>[-\d:][-\d:,\s]*)\]"""
    r"""|\.?(?P<wildcard>\*|\[\s*\*\s*\])"""
    r"""|\.(?P<name>[^.\[\]'*,\s]+)"""
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


@dataclass(frozen=True)
class Path:
    """A parsed path."""

    text: str
    steps: tuple[Names | Positions | Everything, ...]

    @property
    def is_root(self) -> bool:
        return not self.steps

    @property
    def by_position_only(self) -> bool:
        """Whether it can be applied to the columns of a CSV row."""
        return all(isinstance(step, Positions | Everything) for step in self.steps)

    def select(self, value: object) -> object:
        """The element that the path leads to; a list of them when it has several positions, a slice or a wildcard.

        Several names give an object with these members. Raises :class:`NoSuchElement`.
        """
        found, several = [value], False
        for step in self.steps:
            several = several or _leads_to_several(step)
            found = [element for item in found for element in self._step(step, item)]
        return found if several else found[0]

    def _step(self, step: Names | Positions | Everything, value: object) -> Iterator[object]:
        if isinstance(step, Names):
            yield self._named(step, value)
        elif isinstance(step, Everything):
            if not isinstance(value, dict | list):
                raise NoSuchElement(f"{self.text} finds no object and no array to take all elements of")
            yield from value.values() if isinstance(value, dict) else value
        else:
            if not isinstance(value, list):
                raise NoSuchElement(f"{self.text} finds no array to take elements of")
            for position in step.positions:
                yield from self._at(position, value)

    def _named(self, step: Names, value: object) -> object:
        missing = [name for name in step.names if not isinstance(value, dict) or name not in value]
        if missing or not isinstance(value, dict):
            raise NoSuchElement(f"{self.text} finds no {' and no '.join(repr(name) for name in missing)}")
        return value[step.names[0]] if len(step.names) == 1 else {name: value[name] for name in step.names}

    def _at(self, position: int | Slice, values: list[object]) -> list[object]:
        if isinstance(position, Slice):
            start, end = _index(position.start or 0, values), position.end
            stop = len(values) if end is None else _index(end, values) + 1
            return values[max(0, start) : max(0, stop)]
        if not -len(values) <= position < len(values):
            raise NoSuchElement(f"{self.text} asks for element {position} of {len(values)}")
        return [values[position]]


def parse(text: str) -> Path:
    """Raises :class:`InvalidPath`, in words for a person."""
    if not text.startswith("$"):
        raise InvalidPath(f"'{text}' must begin with '$'")
    steps: list[Names | Positions | Everything] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise InvalidPath(f"'{text}' has '{text[at:]}' at position {at}, which is not an operator of the supported subset")
        steps.append(_parsed(match, text))
        at = match.end()
    return Path(text, tuple(steps))


def _parsed(match: re.Match[str], text: str) -> Names | Positions | Everything:
    if match["name"] is not None:
        return Names((match["name"],))
    if match["names"] is not None:
        return Names(tuple(re.sub(r"\\(.)", r"\1", name) for name in _QUOTED.findall(match["names"])))
    if match["wildcard"] is not None:
        return Everything()
    return Positions(tuple(_position(part.strip(), text) for part in match["positions"].split(",")))


def _position(part: str, text: str) -> int | Slice:
    start, colon, end = part.partition(":")
    try:
        if not colon:
            return int(part)
        return Slice(int(start) if start.strip() else None, int(end) if end.strip() else None)
    except ValueError as error:
        raise InvalidPath(f"'{text}' has '{part}' where a number or a slice must be") from error


def _index(position: int, values: list[object]) -> int:
    return position if position >= 0 else len(values) + position


def _leads_to_several(step: Names | Positions | Everything) -> bool:
    if isinstance(step, Positions):
        return len(step.positions) > 1 or isinstance(step.positions[0], Slice)
    return isinstance(step, Everything)
