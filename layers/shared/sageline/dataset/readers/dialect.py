"""How a CSV file is written, found out from its beginning: its delimiter, where its header is, and what of it is mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from sageline.dataset.readers.delimiter import DELIMITERS, CsvRecord, DelimiterSplit, choose, named, split
from sageline.dataset.readers.header import names_columns, values_in_header
from sageline.errors import InvalidDataset

_SHOWN = 60  # characters of a title
_SEPARATOR_LINE = re.compile(rb"\"?sep=([,;\t|])\"?\r?\n")
"""What Excel writes and reads as the first line of a file, to say its delimiter."""


@dataclass(frozen=True)
class Dialect:
    """How to read a CSV file.

    Attributes:
        delimiter: one byte.
        cr_ends: whether a carriage return alone ends a line.
        skipped: bytes before the header's line.
        unnamed_index: the first column has no name, as pandas writes an index.
        unnamed_last: so many columns at the end have neither name nor values.
        delimiter_ends_rows: each row ends with a delimiter, and the header does not.
    """

    delimiter: bytes = DELIMITERS[0]
    cr_ends: bool = True
    skipped: int = 0
    unnamed_index: bool = False
    unnamed_last: int = 0
    delimiter_ends_rows: bool = False


def find_dialect(head: bytes, source: str, notes: list[str], *, complete: bool, delimiter: str | None = None) -> Dialect:
    """The dialect of a file by its beginning.

    Args:
        source: how errors and notes name the file.
        notes: what is mended is appended to them.
        complete: ``head`` is the whole file.
        delimiter: None to find it out.

    Raises:
        InvalidDataset: two delimiters fit, the first line looks like data, or it looks like a title above the header.
    """
    cr_ends = not _has_line_feeds(head)
    above = 0
    if found := _SEPARATOR_LINE.match(head):
        above = found.end()
        delimiter = delimiter or found[1].decode()
        notes.append(f"{source}: line 1 ('sep={found[1].decode()}') says the delimiter and is skipped.")
    text = head[above:]
    if delimiter is None:
        chosen = choose(text, source, complete=complete, cr_ends=cr_ends)
    else:
        chosen = split(text, delimiter.encode(), complete=complete, cr_ends=cr_ends)
    if chosen is None:
        return Dialect(delimiter.encode() if delimiter else DELIMITERS[0], cr_ends, above)
    return _Table(chosen, text, above, source, notes).dialect(cr_ends)


def line_ends(text: bytes, *, cr_ends: bool = True) -> int:
    """How many lines end in ``text``."""
    lines = text.count(b"\n")
    return lines + text.count(b"\r") - text.count(b"\r\n") if cr_ends and b"\r" in text else lines


def _has_line_feeds(head: bytes) -> bool:
    """Whether a line ends in LF or CRLF, as far as quotes tell it."""
    return any(b"\n" in outside for outside in head.split(b'"')[::2])


class _Table:
    """The header and the first rows of a file that is split."""

    def __init__(self, found: DelimiterSplit, text: bytes, above: int, source: str, notes: list[str]) -> None:
        self._records = found.records
        self._width = found.width
        self._first = found.first
        self._delimiter = found.delimiter
        self._text = text
        self._above = above
        self._source = source
        self._notes = notes

    def dialect(self, cr_ends: bool) -> Dialect:
        if self._rows_end_with_delimiter():
            self._note("every row ends with a delimiter that the header lacks; it is left out.")
            return Dialect(self._delimiter, cr_ends, self._above, delimiter_ends_rows=True)
        header = self._header_record()
        skipped = self._above + self._records[header].start if header else self._above
        names = self._records[header].fields
        rows = [record.fields for record in self._records[header + 1 :] if len(record.fields) == len(names)]
        self._check_header(header, names, rows)
        unnamed_index = len(names) > 1 and not names[0].strip() and any(name.strip() for name in names[1:])
        unnamed_last = _unnamed_last(names, rows) if rows else 0
        if unnamed_index:
            self._note(f"the first column has no name, as pandas writes an index; it is called {index_name(names)!r}.")
        if unnamed_last:
            what = "the last column has" if unnamed_last == 1 else f"the last {unnamed_last} columns have"
            self._note(f"{what} neither a name nor values; left out.")
        return Dialect(self._delimiter, cr_ends, skipped, unnamed_index, unnamed_last)

    def _rows_end_with_delimiter(self) -> bool:
        """Whether the header has one field less than every row, and the row's last is empty."""
        header, *rows = (record.fields for record in self._records)
        return bool(rows) and all(len(row) == len(header) + 1 and not row[-1].strip() for row in rows)

    def _header_record(self) -> int:
        """Index of the header; what is above it is skipped where that is clear.

        Raises:
            InvalidDataset: the first line looks like a title, and it is not clear that it is one.
        """
        header = self._first
        if header == 0:
            header = self._lines_of_one_value()
            if header == 0 and self._is_set_apart():
                self._refuse("a blank line follows it, and then a line that names the columns. Remove what is above that line")
        elif header == 1 and len(self._records[0].fields) == self._width - 1 > 1 and not self._second_is_header():
            self._refuse_short_header()
        elif any(len(record.fields) > 1 for record in self._records[:header]) or not self._is_title(header):
            self._refuse_title(header)
        if header:
            last = self._line(self._records[header]) - 1
            lines = "line 1 is" if last == 1 else f"lines 1 to {last} are"
            self._note(f"{lines} no part of the table and skipped ({self._shown_title()}); the header is line {last + 1}.")
        return header

    def _lines_of_one_value(self) -> int:
        """How many records at the beginning have one value at most, as a spreadsheet writes the lines above a table."""
        if self._width < 3:
            return 0
        count = 0
        while count < len(self._records) - 2 and sum(bool(value.strip()) for value in self._records[count].fields) < 2:
            count += 1
        names = self._records[count].fields
        return count if count and all(name.strip() for name in names[1:-1]) else 0

    def _is_set_apart(self) -> bool:
        """Whether a blank line parts the first line from what is a header and rows by itself."""
        if len(self._records) < 3 or line_ends(self._text[self._records[0].start : self._records[1].start]) < 2:
            return False
        return self._second_is_header()

    def _second_is_header(self) -> bool:
        second, *rows = (record.fields for record in self._records[1:])
        return names_columns(second, [row for row in rows if len(row) == len(second)])

    def _is_title(self, header: int) -> bool:
        """Whether lines of one field are a title: a header of one column stands above texts that hold delimiters."""
        names = self._records[header].fields
        given = [name for name in names if name]
        if len(set(given)) < len(given) or any(name.startswith(" ") for name in names):
            return False
        title = self._records[0].fields[0].strip()
        above = self._text[self._records[0].start : self._records[header].start]
        return " " in title or title.startswith("#") or line_ends(above) > header  # more lines than records: a blank one

    def _refuse_title(self, header: int) -> NoReturn:
        count, delimiter = len(self._records[0].fields), named(self._delimiter)
        fields = "1 field" if count == 1 else f"{count} fields"
        table = self._line(self._records[header])
        self._refuse(
            f"it has {fields}, and the lines from line {table} on have {self._width} each (delimiter: {delimiter}). Remove what "
            f"is above the header, or name every column in it; if {delimiter} is part of the texts, put quotes around them"
        )

    def _refuse(self, why: str) -> NoReturn:
        line = self._line(self._records[0])
        raise InvalidDataset(
            f"{self._where(0)}: line {line} looks like a title ({self._shown_title()}), not like a header: {why}."
        )

    def _refuse_short_header(self) -> NoReturn:
        raise InvalidDataset(
            f"{self._where(0)}: the header has {self._width - 1} names, and the rows have {self._width} fields each (delimiter: "
            f"{named(self._delimiter)}). Name every column (R: write.csv(..., row.names = FALSE)); if the line is a title, "
            "remove what is above the header."
        )

    def _check_header(self, header: int, names: list[str], rows: list[list[str]]) -> None:
        values = values_in_header(names, rows) if rows else []
        if values:
            shown = ", ".join(map(repr, values[:3])) + (f" and {len(values) - 3} more" if len(values) > 3 else "")
            looks = "look like values" if len(values) > 1 else "looks like a value"
            raise InvalidDataset(
                f"{self._where(header)}: the first line looks like data, not like a header: {shown} {looks} of the column below. "
                "Put a line with the columns' names above it; if these are the names, spell them so that they are no values."
            )

    def _where(self, record: int) -> str:
        start = self._records[record].start
        return f"{self._source}: header (line {self._line(self._records[record])}, byte offset {self._above + start})"

    def _line(self, record: CsvRecord) -> int:
        return 1 + bool(self._above) + line_ends(self._text[: record.start])

    def _shown_title(self) -> str:
        title = next((value.strip() for value in self._records[0].fields if value.strip()), "")
        return repr(title if len(title) <= _SHOWN else title[:_SHOWN] + "…")

    def _note(self, what: str) -> None:
        self._notes.append(f"{self._source}: {what}")


def index_name(names: list[str]) -> str:
    """What pandas calls an index that was written without a name, numbered on where another column is called so."""
    taken = set(names)
    candidates = ("Unnamed: 0", *(f"Unnamed: 0.{number}" for number in range(1, len(names) + 1)))
    return next(name for name in candidates if name not in taken)


def _unnamed_last(names: list[str], rows: list[list[str]]) -> int:
    count = 0
    while count < len(names) - 1 and not names[-1 - count].strip() and not any(row[-1 - count].strip() for row in rows):
        count += 1
    return count
