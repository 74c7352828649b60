"""Parts of one dataset read as one: they have the same columns, and what is said of many is said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sageline.arrays.blocks import Block, Side
from sageline.errors import InvalidDataset
from sageline.names import format_of_name, split_format


@dataclass(frozen=True)
class FirstPart:
    """The first part that has rows, which says what the columns are and in which order."""

    uri: str
    side: Side | None
    columns: tuple[str, ...]


class JoinedParts:
    """Sees to it that the parts are of one schema, and gathers what is said of them.

    Args:
        uri: of the folder.
        has_test: some of the parts are the test rows.
        first: the first part that has rows, if it is none of those that are read here.
    """

    def __init__(self, uri: str, *, has_test: bool, first: FirstPart | None = None) -> None:
        self._uri = uri
        self._has_test = has_test
        self._first = first
        self._rows: Counter[Side | None] = Counter()
        self._said: dict[str, list[str]] = {}

    def blocks(self, blocks: Iterator[Block], part: str, side: Side | None) -> Iterator[Block]:
        """The blocks of a part, of that URI, with the columns in the order of the first part."""
        for block in blocks:
            if self._first is None:
                self._first = FirstPart(part, side, tuple(block.columns))
            if block.columns.keys() != set(self._first.columns):
                self._refuse(block, side, self._first)
            self._rows[side] += block.rows
            yield replace(block, columns={name: block.columns[name] for name in self._first.columns}, side=side)

    def said(self, part: str, notes: Sequence[str]) -> None:
        """Keep what was said of a part, with a mark where its name stands, so that what is said of many is said once."""
        for note in dict.fromkeys(notes):
            self._said.setdefault(note.replace(part, "\0"), []).append(part)

    def notes(self) -> list[str]:
        found = []
        for note, uris in self._said.items():
            more = len(uris) - 1
            named = uris[0] if not more else f"{uris[0]} and {more:,} other {'part' if more == 1 else 'parts'}"
            found.append(note.replace("\0", named))
        return found

    def check_rows(self) -> None:
        """Raise InvalidDataset when all parts of a side are empty."""
        check_rows(self._uri, self._rows, has_test=self._has_test)

    def _refuse(self, block: Block, side: Side | None, first: FirstPart) -> None:
        here, there, this, other = set(block.columns), set(first.columns), block.source, first.uri
        of = side
        if first.side == "test" and side == "train":  # the train files say what the columns are
            here, there, this, other, of = there, here, other, this, first.side
        problems = []
        if lacking := sorted(there - here):
            problems.append(f"lacks {', '.join(map(repr, lacking))}")
        if besides := sorted(here - there):
            problems.append(f"has {', '.join(map(repr, besides))} besides")
        is_json = split_format(format_of_name(this) or "")[0] == "jsonl"
        named = "keys, in any order" if is_json else "columns, in any order, and each its own header line if it is text"
        advice = f"Give every part the same {named}."
        if of == "test" and len(lacking) == 1 and not besides:
            advice = (
                "If that is the label: rows without labels cannot test a model; take the file out, and have its rows "
                "predicted with `sageline batch`."
            )
        raise InvalidDataset(f"{this}: the columns are not those of {other}: it {' and '.join(problems)}. {advice}")


def check_rows(uri: str, rows: Mapping[Side | None, int], *, has_test: bool) -> None:
    """Raise InvalidDataset when all parts of a side are empty.

    Args:
        uri: of the folder.
        rows: how many each side has; of one that is not there, none.
    """
    sides: tuple[Side | None, ...] = ("test", "train") if has_test else (None,)
    for side in sides:
        if not rows.get(side):
            which = f"{side} files" if side else "parts"
            raise InvalidDataset(f"{uri}: none of the {which} has a row; upload rows.")
