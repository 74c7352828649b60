"""What a run of a dataset would stop at, in sentences: values that are not of their column's kind, a label of one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sageline.arrays.numbers import shown
from sageline.dataset.label_column import only_class
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.profiles.examples import Example
from sageline.dataset.splits.standing import GIVEN_WORDS
from sageline.errors import InvalidDataset
from sageline.resolve.resolution import Resolution
from sageline.spec.model import Spec, SplitSpec

_MOST = 30
_EXAMPLES = 3


def mistakes(profile: DatasetProfile, resolution: Resolution) -> list[str]:
    """All that a run of these rows would stop at; of many columns with odd values, those in front."""
    odd = _odd_values(profile, resolution)
    more = len(odd) - _MOST
    said = odd if more <= 0 else [*odd[:_MOST], f"There are {more:,} more such columns."]
    one_class = _one_class(profile, resolution)
    return said if one_class is None else [one_class[0].upper() + one_class[1:], *said]


def check_classes(profile: DatasetProfile, resolution: Resolution, source: str) -> None:
    """Raise InvalidDataset where all rows of the dataset are known, and have one label. Odd values are left to the reading of
    the rows that are used, which knows their places."""
    one_class = None if profile.is_sample else _one_class(profile, resolution)
    if one_class is not None:
        raise InvalidDataset(f"{source}: {one_class}")


def label_classes(label: ColumnProfile, resolution: Resolution) -> Counter[str]:
    """Rows of each class."""
    return Counter({name: count for name, count in label.values.items() if name.lower() not in resolution.no_label})


def _one_class(profile: DatasetProfile, resolution: Resolution) -> str | None:
    label = profile.columns[str(resolution.spec.dataset.label)]
    classes = label_classes(label, resolution)
    if resolution.spec.task != "classification" or len(classes) != 1:
        return None
    return only_class(label.name, *next(iter(classes.items())))


def _odd_values(profile: DatasetProfile, resolution: Resolution) -> list[str]:
    """Values that are not of their column's kind, or not spelled as its numbers are: a run is refused for them, and names the
    first one's row."""
    spec = resolution.spec
    label, features = str(spec.dataset.label), spec.dataset.features or {}
    kinds = {**features, label: "number"} if spec.task == "regression" else dict(features)
    split = spec.split
    if split.by == "time" and split.column is not None:
        kinds.setdefault(split.column, "date" if profile.columns[split.column].is_date else "number")
    found = []
    for name, kind in kinds.items():
        column = profile.columns[name]
        count, examples = 0, list[str]()
        if kind == "number":
            count, examples = column.numbers.odd, _with_places(column, column.numbers.odd_values)
        elif kind == "date":
            count, examples = column.dates.odd, list(map(str, column.dates.odd_values))
        otherwise = "" if name in (label, split.column) else ", or say in dataset.kinds that the column is a category"
        if count:
            are = f"1 value is no {kind}" if count == 1 else f"{count:,} values are no {kind}s"
            found.append(_stops_at(name, are, count, examples, otherwise))
        if kind == "number" and name != split.column and column.numbers.first_beyond is not None:
            found.append(_beyond_float32(column, column.numbers.first_beyond))
        if kind == "number":
            spelling = resolution.spelling(name)
            count, otherwise_spelled = column.numbers.spelled_otherwise(spelling)
            if count:
                are = f"{count:,} {'value is' if count == 1 else 'values are'} not spelled as the other numbers are"
                words = f", {spelling.words}" if spelling.words else ""
                found.append(_stops_at(name, are + words, count, _with_places(column, otherwise_spelled), otherwise))
    return (
        found
        + _odd_channels(profile, spec.split)
        + _odd_weights(profile, label, spec)
        + _odd_for_logarithms(profile, label, spec)
    )


def _stops_at(name: str, are: str, count: int, examples: Sequence[str], otherwise: str) -> str:
    some = ": " if count <= len(examples) else ", such as " if examples else ""
    them = "it" if count == 1 else "them"
    return f"In {shown(name)}, {are}{some}{', '.join(examples)}. A run stops there: correct or empty {them}{otherwise}."


def _beyond_float32(column: ColumnProfile, first: Example) -> str:
    are = "1 value is" if column.numbers.beyond == 1 else f"{column.numbers.beyond:,} values are"
    place = _with_places(column, [first])[0]
    return (
        f"In {shown(column.name)}, {are} beyond the range of float32 (3.4e38), the first {place}. A run stops there: correct or "
        f"empty {'it' if column.numbers.beyond == 1 else 'them'}."
    )


def _with_places(column: ColumnProfile, examples: Sequence[Example]) -> list[str]:
    return [shown(example.text) + column.located(example).place for example in examples]


def _odd_channels(profile: DatasetProfile, split: SplitSpec) -> list[str]:
    """Words that are to say which channel a row is in, and say none."""
    if split.by != "given" or split.column is None:
        return []
    column = profile.columns[split.column]
    odd = [value for value in column.values if value.lower() not in GIVEN_WORDS]
    if not odd:
        return []
    examples = ", ".join(shown(value) + column.first_of(value).place for value in sorted(odd)[:_EXAMPLES])
    return [
        f"{shown(split.column)} is to say which rows train, validate and test, and holds {examples}. A run stops there: write "
        "train, validation or test, or leave it empty, and the row is not used."
    ]


def _odd_weights(profile: DatasetProfile, label: str, spec: Spec) -> list[str]:
    """Weights that are none: every row with a label needs one of 0 or more, and they may not all be 0."""
    if spec.dataset.weight is None:
        return []
    column = profile.columns[spec.dataset.weight]
    numbers, found = column.numbers, list[str]()
    if numbers.odd:
        found.append(f"{_hold(numbers.odd)} no number, such as {_with_places(column, numbers.odd_values[:1])[0]}")
    missing, without_label = column.missing, profile.columns[label].missing
    if missing > without_label:  # else these may be the rows without a label, which are not used
        # The first one may be of such a row, too.
        where = "" if without_label else column.first_missing().place.replace("(", "(first in ")
        found.append(f"{_hold(missing)} none{where}")
    if numbers.minimum < 0:
        first = _first_below_zero(column)
        found.append(f"the least is {numbers.minimum:g}{first}")
    if numbers.first_beyond is not None:
        found.append(f"{_hold(numbers.beyond)} more than float32 can, such as {_with_places(column, [numbers.first_beyond])[0]}")
    if numbers.minimum == numbers.maximum == 0:
        found.append("all are 0")
    if not found:
        return []
    return [
        f"Of the weights in {shown(column.name)}, {', and '.join(found)}. A run stops there: each row needs a weight of 0 or "
        "more, and some need one above 0."
    ]


def _first_below_zero(column: ColumnProfile) -> str:
    first = column.numbers.first_negative
    return "" if first is None else f"; the first below 0 is {_with_places(column, [first])[0]}"


def _hold(rows: int) -> str:
    return "1 holds" if rows == 1 else f"{rows:,} hold"


def _odd_for_logarithms(profile: DatasetProfile, label: str, spec: Spec) -> list[str]:
    """Values below 0 of a regression that is to learn logarithms."""
    column = profile.columns[label]
    least = column.numbers.minimum
    if spec.task != "regression" or spec.target.transform != "log" or least >= 0:
        return []
    said = f"In {shown(label)}, the least is {least:g}{_first_below_zero(column)}."
    return [f"{said} A run with `target.transform` `log` stops at values below 0."]
