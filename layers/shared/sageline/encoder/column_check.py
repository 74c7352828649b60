"""The columns of rows to predict, compared with the model's: what is absent, what is too many, and whether that is an error."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from sageline.arrays.numbers import shown
from sageline.errors import InvalidRequest

_MOST_SENTENCES = 20  # of a kind; to look for the nearest column takes a while
_MOST_NAMES = 100


class ColumnCheck:
    """Notes how the columns of rows to predict differ from the model's.

    Args:
        names: the model's columns.
        required: columns that must be there.
        unused: columns that may be there too.
        where: how a sentence begins that is true of rows with these indexes: ``instances[3] and 2 more: ``.
        label: the column that is predicted, if it is worth a warning.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        required: Collection[str],
        unused: Collection[str],
        where: Callable[[Sequence[int]], str],
        label: str | None = None,
    ) -> None:
        self._names = names
        self._required = required
        self._label = label
        self._where = where
        self._known = {*names, *unused}
        self._without_any: list[int] = []
        self._absent: dict[str, list[int]] = {}  # of each column, in which instances
        self._unknown: dict[str, list[int]] = {}

    def note(self, index: int, row: Collection[str]) -> None:
        """Note the columns of a row, or of rows that all have the same."""
        for name in row:
            if name not in self._known:
                self._unknown.setdefault(name, []).append(index)
        absent = [name for name in self._names if name not in row]
        for name in absent:
            self._absent.setdefault(name, []).append(index)
        if len(absent) == len(self._names):
            self._without_any.append(index)

    def finish(self) -> list[str]:
        """What was noted: a sentence for each column that is taken for missing or ignored.

        Raises:
            InvalidRequest: a row has no column of the model, or lacks one that must be there; names all that do.
        """
        if self._without_any:
            where, listed = self._where(self._without_any), _listed([shown(name) for name in self._names])
            raise InvalidRequest(
                f"{where}none of the model's columns is there; they are {listed}.{self._hints(self._names)}",
                columns=list(self._names),
            )
        lacking = [name for name in self._names if name in self._required and name in self._absent]
        if lacking:
            indexes = sorted({index for name in lacking for index in self._absent[name]})
            raise InvalidRequest(
                f"{self._where(indexes)}{_columns(lacking)} absent and must be there.{self._hints(lacking)}", columns=lacking
            )
        return [*self._ignored(), *self._missing()]

    def _ignored(self) -> Iterable[str]:
        names = sorted(self._unknown, key=lambda name: name != self._label)  # the label first
        for name in names[:_MOST_SENTENCES]:
            where = self._where(self._unknown[name])
            if name == self._label:
                yield f"{where}column {shown(name)} is the label, which the model predicts; it is ignored."
                continue
            near = _nearest(name, self._names)
            yield f"{where}unknown column {shown(name)} is ignored" + (f"; did you mean {near!r}?" if near else ".")
        yield from self._others(names[_MOST_SENTENCES:], self._unknown, "unknown and ignored too")

    def _missing(self) -> Iterable[str]:
        names = [name for name in self._names if name in self._absent]
        for name in names[:_MOST_SENTENCES]:
            yield f"{self._where(self._absent[name])}column {shown(name)} is absent and taken for missing."
        yield from self._others(names[_MOST_SENTENCES:], self._absent, "absent and taken for missing too")

    def _others(self, names: Sequence[str], found: Mapping[str, list[int]], what: str) -> Iterable[str]:
        """One sentence on all columns that have none of their own."""
        if names:
            indexes = sorted({index for name in names for index in found[name]})
            yield f"{self._where(indexes)}{_columns(names)} {what}."

    def _hints(self, wanted: Sequence[str]) -> str:
        """Which columns that are there may have been meant for the wanted ones."""
        unknown = [name for name in self._unknown if name != self._label]
        near = {name: _nearest(name, wanted) for name in unknown[:_MOST_SENTENCES]}
        return "".join(f" Is {shown(name)} meant to be {meant!r}?" for name, meant in near.items() if meant)


def _columns(names: Sequence[str]) -> str:
    listed = _listed([shown(name) for name in names])
    return f"column {listed} is" if len(names) == 1 else f"columns {listed} are"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """The column whose name is most alike, in whatever case; None when none is."""
    folded = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return folded[near[0]] if near else None
