"""Guessing which column is to be predicted, from evidence that adds up; where two columns are about as likely, that is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sageline.dataset import column_names
from sageline.dataset.profile import ColumnProfile
from sageline.dataset.sniff import ColumnGuess, guess_kind

_LIKE_DATASET, _PLAIN_NAME, _OUTCOME_NAME, _OFTEN_NAME, _WORD_IN_NAME, _IN_DATASET = 11.0, 10.0, 6.5, 5.5, 2.0, 2.0
_LAST, _LAST_POSSIBLE, _FIRST, _FEW = 3.0, 1.5, 0.5, 1.0
_DOUBT = 1.0
"""Two columns are about as likely when their evidence differs by less. The weights order the evidence: a name outweighs a
position, and a position outweighs how many values there are."""

_FEW_VALUES = 20


class LikelyLabel(NamedTuple):
    """A column that may be the label, how much speaks for it, and what."""

    name: str
    weight: float
    reason: str


def likely_labels(columns: Mapping[str, ColumnProfile], dataset: str) -> list[LikelyLabel]:
    """The columns that may be the label, the likeliest first.

    Args:
        dataset: the name of the dataset.
    """
    listed = list(columns)
    guesses = {name: guess_kind(column) for name, column in columns.items()}
    possible = [name for name in listed if _is_possible(columns[name], guesses[name])]
    if not possible:
        return [LikelyLabel(listed[-1], 0.0, "the last column; no other is more like a label")]
    found = [_weigh(columns[name], listed, possible, dataset, unsure=guesses[name].unsure) for name in possible]
    return sorted(found, key=lambda likely: -likely.weight)


def without_a_choice(columns: Mapping[str, ColumnProfile], dataset: str, taken: LikelyLabel) -> list[str]:
    """The columns that are passed over since they hold the same in every row, or nothing, and whose names alone say more than all
    that speaks for the one that is taken."""
    listed = list(columns)
    constant = [name for name in listed if columns[name].distinct <= 1 and guess_kind(columns[name]).kind is None]
    return [name for name in constant if name != taken.name and _by_name(name, listed, dataset)[0] > taken.weight]


def in_doubt(likely: list[LikelyLabel]) -> bool:
    """Whether the second column is about as likely as the first."""
    return len(likely) > 1 and likely[0].weight - likely[1].weight < _DOUBT


def _is_possible(column: ColumnProfile, guess: ColumnGuess) -> bool:
    """Whether it is neither long text nor an id nor a date nor constant; and there in most rows. One that is called as a label is
    may be missing in most, which has to be said; and hardly anything else is called ``label``, whatever it looks like."""
    called_so = (
        column_names.is_plainly_label(column.name)
        or column_names.is_outcome(column.name)
        or column_names.is_often_label(column.name)
    )
    is_there = (2 * column.missing <= column.rows and column.distinct > 1) or called_so
    is_label = guess.is_id and column_names.is_plainly_label(column.name)
    return (guess.kind in ("number", "category") or guess.unsure or is_label) and is_there


def _weigh(column: ColumnProfile, listed: list[str], possible: list[str], dataset: str, *, unsure: bool) -> LikelyLabel:
    name = column.name
    # A table of machines that begins with the machine's name says in it what each row is of.
    is_entity = name == listed[0] and not column.is_numeric and column_names.is_one_of(name, dataset)
    weight, reasons = (0.0, []) if is_entity else _by_name(name, listed, dataset)
    if weight < _OUTCOME_NAME and column_names.is_quantity(name) and not column.is_numeric:
        weight, reasons = 0.0, []  # sales that are no amounts are a department
    named = bool(reasons)
    if name == listed[-1]:
        weight += _LAST
        reasons.append("the last column")
    elif name == possible[-1]:
        weight += _LAST_POSSIBLE
        reasons.append("the last column that is neither text nor an id nor a date")
    elif name == listed[0] or name == possible[0]:
        weight += _FIRST
        reasons.append("the first column")
    if 2 <= column.distinct <= _FEW_VALUES and column.present >= 3 * column.distinct:
        weight += _FEW / 2 if named else _FEW
        reasons.append(f"{column.distinct} different values")
    if unsure or column_names.is_time(name):
        weight -= _LAST if column_names.is_calendar(name) else _FEW
    if 2 * column.missing > column.rows:
        weight -= _FEW
    return LikelyLabel(name, weight, ", ".join(reasons) or "one of the columns")


def _by_name(name: str, listed: list[str], dataset: str) -> tuple[float, list[str]]:
    if column_names.like_dataset(name, dataset):
        return _LIKE_DATASET, ["it is called like the dataset"]
    usual = f"its name is a usual one for labels ({column_names.normalized_name(name)})"
    if column_names.is_plainly_label(name):
        return _PLAIN_NAME, [usual]
    more = _IN_DATASET if column_names.in_dataset(name, dataset) else 0.0
    if column_names.is_outcome(name) or column_names.is_y(name, listed):
        return _OUTCOME_NAME + more, [usual]
    if column_names.is_often_label(name):
        return _OFTEN_NAME + more, [usual]
    if column_names.holds_label_word(name):
        return _WORD_IN_NAME + more, [f"its name holds a usual word for labels ({column_names.normalized_name(name)})"]
    return (more, ["its name is in that of the dataset"]) if more else (0.0, [])
