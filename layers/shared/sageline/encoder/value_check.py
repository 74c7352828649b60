"""The values of rows to predict, compared with those of the train rows: what was not seen, and dates that are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sageline.arrays.dates import DateFormat, read_dates, written
from sageline.arrays.numbers import shown
from sageline.arrays.strings import StringArray
from sageline.encoder.values import ValueIndex
from sageline.errors import InvalidRequest

_MOST_SENTENCES = 20
_SOME = 3  # values of a column that are shown


class ValueCheck:
    """Says what is odd about values.

    Args:
        warnings: gets the sentences. Without it, they are errors.
        name: how they call the row of an index.
    """

    def __init__(self, warnings: list[str] | None, name: Callable[[int], str]) -> None:
        self._warnings = warnings
        self._name = name
        self._said = 0

    def note_unseen(self, column: str, texts: StringArray, known: ValueIndex) -> None:
        """Values of a category column that training did not have.

        Raises:
            InvalidRequest: there are some, and warnings are errors.
        """
        values = texts.tolist()
        unseen = [row for row, text in enumerate(values) if text.strip() and known.index(text) < 0]
        if unseen:
            what = "is a value" if len(unseen) == 1 else "are values"
            self._say(column, unseen, values, f"{what} that training did not have, or only once")

    def readable(self, column: str, texts: StringArray, date_format: DateFormat) -> StringArray:
        """A date column in which the dates that are none are missing.

        Raises:
            InvalidRequest: there are some, and warnings are errors.
        """
        unreadable = read_dates(texts, date_format).unreadable.tolist()
        if not unreadable:
            return texts
        values = texts.tolist()
        what = "is no date" if len(unreadable) == 1 else "are no dates"
        self._say(column, unreadable, values, f"{what} as the column's are, {written(date_format)}, and taken for missing")
        rows = set(unreadable)
        return StringArray.from_list(["" if row in rows else text for row, text in enumerate(values)])

    def _say(self, column: str, rows: Sequence[int], values: Sequence[str], what: str) -> None:
        different = list(dict.fromkeys(values[row] for row in rows))
        listed = ", ".join(map(shown, different[:_SOME])) + (
            f" and {len(different) - _SOME:,} more" if len(different) > _SOME else ""
        )
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        sentence = f"{self._name(rows[0])}{more}, column {column!r}: {listed} {what}."
        if self._warnings is None:
            raise InvalidRequest(f"In strict mode warnings are errors: {sentence}", warnings=[sentence])
        self._said += 1
        if self._said <= _MOST_SENTENCES:
            self._warnings.append(sentence)
