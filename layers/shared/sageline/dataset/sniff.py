"""Guessing what the columns of a dataset hold; every guess comes with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sageline.arrays.numbers import shown
from sageline.dataset import column_names
from sageline.dataset.profile import ColumnProfile

_MANY_WORDS = 5  # per value on average: more than a name or a category has
_FEW_CLASSES = 20
_ROWS_PER_CLASS = 3
_NEARLY_ALL = 0.9
_CODES_FROM = 0.02  # of five-digit ZIP codes in one region or another at least so many begin with a zero
_MANY_NUMBERS = _MANY_DATES = 0.5
_YEARS = range(1500, 2200)


class ColumnGuess(NamedTuple):
    """What a column holds, or None when it is best left out, and why.

    Attributes:
        unsure: short text, or a number that is spelled like a code, that may as well name the row.
        is_id: it names the row, so that a person should hear of it.
    """

    kind: str | None
    reason: str
    unsure: bool = False
    is_id: bool = False


def guess_kind(column: ColumnProfile) -> ColumnGuess:
    """The kind of feature that a column is."""
    numbers = column.numbers
    if column.images is not None:
        return ColumnGuess("image", "every row has an image file")
    if not column.values or not (numbers.numbers or numbers.odd):
        return ColumnGuess(None, "it is empty")
    if column.distinct == 1 and column.missing == 0 and column.rows > 1:
        return ColumnGuess(None, f"every row holds {shown(next(iter(column.values)))}")
    if why := _names_row(column):
        return ColumnGuess(None, why, is_id=True)
    if column.is_date:
        return ColumnGuess("date", ", ".join([column.dates.reason, *_about_missing(column), *_about_odd_dates(column)]))
    is_code = _begin_with_zeros(column) or column_names.is_code(column.name)
    if column.is_numeric and not is_code:
        return ColumnGuess("number", _about_numbers(column))
    return _category_or_text(column)


def _begin_with_zeros(column: ColumnProfile) -> bool:
    """Whether so many of the whole numbers begin with a zero and another digit that they are codes, and not a few odd cells."""
    return column.is_whole and column.numbers.leading_zeros >= _CODES_FROM * column.numbers.numbers


def _category_or_text(column: ColumnProfile) -> ColumnGuess:
    numbers = column.numbers
    about = _how_many(column)
    if column.is_numeric:
        about += ", numbers of which some begin with zeros, as codes do" if numbers.leading_zeros else ", codes by its name"
        return ColumnGuess("category", about, unsure=column.distinct > column.present / 2)
    if column.dates.share > _MANY_DATES:
        about += f"; {partly_dates(column)}"
    elif numbers.share > _MANY_NUMBERS:
        about += f"; {numbers.share:.0%} of them are numbers, and others are not, such as {shown(numbers.odd_values[0].text)}"
    is_named_text = column_names.is_text(column.name)
    if column.distinct <= column.present / 2 and column.mean_words < (2 if is_named_text else _MANY_WORDS):
        return ColumnGuess("category", about)
    about += f", {column.mean_words:.1f} words each"
    if column.mean_words >= _MANY_WORDS:
        return ColumnGuess("text", about)
    if is_named_text:
        return ColumnGuess("text", f"{about}, and its name")
    if column.words_repeat:
        return ColumnGuess("text", f"{about}, which come back in others")
    return ColumnGuess("text", about, unsure=True)


def _names_row(column: ColumnProfile) -> str | None:
    """Why a column names a row rather than describes it; None where it does not."""
    numbers = column.numbers
    may_be_amount = column_names.is_time(column.name) or column_names.is_quantity(column.name)
    named = column_names.is_id(column.name)
    repeats = not named and column.distinct < _NEARLY_ALL * column.present  # as hours or days of the year do
    if numbers.counts_rows and not repeats and not (may_be_amount and not named) and (named or not _are_years(column)):
        return f"it numbers the rows: it goes up by one from row to row ({numbers.minimum:.0f}, {numbers.minimum + 1:.0f}, ...)"
    nearly_unique = column.present > 1 and column.distinct >= _NEARLY_ALL * column.present
    if column.is_numeric:
        is_row_name = named and nearly_unique and column.is_whole
    else:
        is_row_name = (named and nearly_unique and column.mean_words < _MANY_WORDS) or (column.is_uuid and column.is_unique)
    every = "every value is" if column.is_unique else "nearly every value is"
    return f"it names the row: {every} different, and it is named or spelled like an id" if is_row_name else None


def _are_years(column: ColumnProfile) -> bool:
    return column.numbers.minimum >= _YEARS.start and column.numbers.maximum < _YEARS.stop


def _about_numbers(column: ColumnProfile) -> str:
    """What was read, and what else there is beside plain numbers."""
    numbers = column.numbers
    is_every_one = not (numbers.missing or numbers.odd or column.empty)
    parts = ["every value is a number" if is_every_one else f"{numbers.numbers} values are numbers", *_about_missing(column)]
    if numbers.odd:
        parts.append(
            f"{_are(numbers.odd)} no number{'s' if numbers.odd > 1 else ''}, such as {shown(numbers.odd_values[0].text)}"
        )
    return ", ".join(parts)


def _about_missing(column: ColumnProfile) -> list[str]:
    """How many values are missing, and by which words."""
    parts, found = [], column.missing_words
    if column.empty:
        parts.append(f"{_are(column.empty)} empty")
    if found:
        words = ", ".join(f"{shown(word)} ({count})" for word, count in found.most_common(3))
        more = len(found) - 3
        parts.append(f"{_are(found.total())} taken for missing: {words}" + (f" and {more} more" if more > 0 else ""))
    return parts


def _about_odd_dates(column: ColumnProfile) -> list[str]:
    dates = column.dates
    return [f"{_are(dates.odd)} no date{'s' if dates.odd > 1 else ''}, such as {dates.odd_values[0]}"] if dates.odd else []


def partly_dates(column: ColumnProfile) -> str:
    """How many of the values are dates, and which of the others come first."""
    dates = column.dates
    others = ", ".join(map(str, dates.odd_values))
    more = dates.odd - len(dates.odd_values)
    return f"{_percent(dates.share)} of its values are dates, and {dates.odd:,} are not: {others}" + (
        f" and {more:,} more" if more > 0 else ""
    )


def _percent(share: float) -> str:
    """A share that is not all is not shown as such."""
    return f"{min(share, 0.99):.0%}" if share < 1 else "100%"


def _how_many(column: ColumnProfile) -> str:
    values = "1 value" if column.distinct == 1 else f"{column.distinct} different values"
    return f"{values} in {column.present} row{'' if column.present == 1 else 's'}"


def _are(count: int) -> str:
    return "1 is" if count == 1 else f"{count} are"


def guess_task(label: ColumnProfile) -> tuple[str, str]:
    """``classification`` or ``regression``, and why."""
    count = label.distinct
    about = f"the label {label.name!r} has {_how_many(label)}"
    if not label.is_numeric:
        return "classification", f"{about}, and not all are numbers"
    if count <= 2:
        return "classification", f"{about}: two classes"
    if label.numbers.has_unit or column_names.is_quantity(label.name):
        return "regression", f"{about}, all numbers, and it is called or spelled as an amount"
    numbers = "all whole numbers" if label.is_whole else "all numbers, some with a fraction"
    if count <= _FEW_CLASSES and label.present >= _ROWS_PER_CLASS * count:
        return "classification", f"{about}, {numbers}: few enough to be classes"
    return "regression", f"{about}, {numbers}: too many to be classes"


def guess_features(columns: Mapping[str, ColumnProfile], label: str) -> dict[str, ColumnGuess]:
    """What each column but the label holds; unsure text counts where nothing better is there."""
    guesses = {name: guess_kind(column) for name, column in columns.items() if name != label}
    sure = any(guess.kind is not None and not guess.unsure for guess in guesses.values())
    if not sure:
        return guesses
    return {name: ColumnGuess(None, _why_unsure(columns[name])) if guess.unsure else guess for name, guess in guesses.items()}


def _why_unsure(column: ColumnProfile) -> str:
    if column.dates.share > _MANY_DATES:
        return partly_dates(column)
    if column.numbers.share > _MANY_NUMBERS and not column.is_numeric:
        return _partly_numbers(column)
    if column.is_numeric or column_names.is_code(column.name):
        return f"its {'numbers' if column.is_numeric else 'values'} are codes, and most of them are different"
    return "it is short text and nearly every value is different, like a name or a code"


def _partly_numbers(column: ColumnProfile) -> str:
    numbers = column.numbers
    return f"{numbers.share:.0%} of its values are numbers, and others are not, such as {shown(numbers.odd_values[0].text)}"
