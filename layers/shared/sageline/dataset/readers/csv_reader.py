"""CSV in blocks: RFC 4180 text of any of four delimiters, in UTF-8, with a header line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.dataset.readers.csv_scan import Scan, TextAfterQuote, locate, scan
from sageline.dataset.readers.delimiter import named
from sageline.dataset.readers.dialect import Dialect, index_name, line_ends
from sageline.errors import InvalidDataset
from sageline.formats.notes import NoteOfFirst
from sageline.formats.text_encoding import TextPosition, Utf8Text

MAX_ROW_BYTES = 64 << 20
_RETURN_IN_FIELD = re.compile(rb"\r(?!\r?\n|\Z)")


class ValueLeftOut(Exception):
    """A field of a column that is left out, because it has no name and was empty so far, has a value."""

    def __init__(self, record: int, field: int) -> None:
        super().__init__(record, field)
        self.record = record
        self.problem = (
            f"column {field + 1} has no name, and nothing in it in the first rows, so it is left out; here it has a value. Name "
            "the column, or remove the value"
        )
        self.field = field


class CsvReader:
    """Turns chunks of text into blocks; remembers where in the file it is.

    Attributes:
        dialect: how the file is written.
        width: fields of a row, those left out included; 0 until the header is read.

    Args:
        text: what the chunks are pieces of; they begin where the header is (``dialect.skipped``).
        dialect: how the file is written.
        head: the beginning of the text, up to the header at least.
    """

    wanted = "a header line and at least one row"

    def __init__(self, text: Utf8Text, dialect: Dialect, head: bytes) -> None:
        self.dialect = dialect
        self._text = text
        self._offset = text.start + dialect.skipped
        self._line = 1 + line_ends(head[: dialect.skipped], cr_ends=dialect.cr_ends)
        self._first_line = self._line
        self._told_of_return = False
        self._records = 0  # before the text at hand, header included: so the number of its first record's row
        self._header: list[str] = []
        self.width = 0

    @classmethod
    def resumed(cls, text: Utf8Text, dialect: Dialect, names: Sequence[str], at: TextPosition) -> CsvReader:
        """A reader of text that begins with a row, in the middle of a file whose header has these ``names``."""
        reader = cls(text, dialect, b"")
        reader._take_header(list(names))
        reader._offset, reader._line, reader._records = at.offset, at.line, at.row
        return reader

    @property
    def names(self) -> list[str]:
        """Of the columns; empty until the header is read."""
        return list(self._header)

    @property
    def position(self) -> TextPosition:
        """Where the text begins that has not been read."""
        return TextPosition(self._offset, self._line, self._records)

    @property
    def line_end(self) -> bytes:
        """The byte with which a line of the file ends."""
        return b"\r" if self.dialect.cr_ends else b"\n"

    @property
    def no_rows(self) -> str:
        """What the file has, when it has no rows."""
        if self._header:
            return "a header line and no rows"
        return "blank lines only" if self._line > self._first_line else "no data, not even a line"

    def blocks(self, chunks: Iterable[bytes], *, cut: bool = False) -> Iterator[Block]:
        """The rows of ``chunks``; without the last one where the text is ``cut`` off somewhere."""
        text = b""
        for chunk in chunks:
            text += chunk
            found = self._scan(text, final=False)
            if found.consumed == 0 and len(text) > MAX_ROW_BYTES:
                self._refuse_endless(text, found)
            yield from self._block(text, found)
            text = text[found.consumed :]
        if cut:
            return
        found = self._scan(text, final=True)
        if found.open_quote is not None:
            problem = "a quoted field opens here and is never closed; close it with a quote, and double the quotes inside it"
            self._fail(text, found.open_quote, problem)
        yield from self._block(text, found)

    def scan(self, text: bytes, *, final: bool) -> Scan:
        """The records of a text that begins with one. Raises as :func:`sageline.dataset.readers.csv_scan.scan` does."""
        return scan(text, self.dialect.delimiter, final=final, cr_ends=self.dialect.cr_ends)

    def columns(self, found: Scan, first_record: int) -> dict[str, StringArray]:
        """The values by column, from ``first_record`` on; all these records have ``width`` fields.

        Raises:
            ValueLeftOut: a column without a name holds something.
        """
        columns = found.columns(first_record, self.width)
        for index, column in enumerate(columns[len(self._header) :], start=len(self._header)):
            filled = np.flatnonzero(column.lengths)
            if len(filled):
                raise ValueLeftOut(first_record + int(filled[0]), index)
        return dict(zip(self._header, columns, strict=False))

    def _scan(self, text: bytes, *, final: bool) -> Scan:
        try:
            return self.scan(text, final=final)
        except TextAfterQuote as error:
            # Found by the closing quote: that one is in the field still.
            problem = "the closing quote of a quoted field is followed by more text; double the quotes inside a quoted field"
            self._fail(text, error.offset - 1, problem)

    def _block(self, text: bytes, found: Scan) -> Iterator[Block]:
        """The complete records as a block, if there are any."""
        records = text[: found.consumed]
        if len(found.fields):
            first_record = 0 if self._header else 1
            self._check(records, found)
            if len(found.fields) > first_record:
                yield Block.of(self._columns(records, found, first_record), self._records + first_record, self._text.source)
            self._note_return(records)
        self._records += len(found.fields)
        self._line += line_ends(records, cr_ends=self.dialect.cr_ends)
        self._offset += len(records)

    def _columns(self, text: bytes, found: Scan, first_record: int) -> dict[str, StringArray]:
        try:
            return self.columns(found, first_record)
        except ValueLeftOut as error:
            start = int(found.starts[found.first_fields[error.record] + error.field])
            where = self._where(text, start, self._records + error.record)
            raise InvalidDataset(f"{where}: {error.problem}.") from None

    def _note_return(self, text: bytes) -> None:
        """Say once that a field holds a carriage return that ends no line."""
        if self._told_of_return or self.dialect.cr_ends or b"\r" not in text:
            return
        if text.count(b"\r") == text.count(b"\r\n"):  # much faster than looking for one alone
            return
        if found := _RETURN_IN_FIELD.search(text):
            record, _ = locate(text, found.start(), self.dialect.delimiter, cr_ends=False)
            self._told_of_return = True
            where = self._where(text, found.start(), self._records + record)
            note = f"{where}: the field holds a carriage return (CR), which is kept: the file's lines end in a line feed (LF)."
            self._text.notes.append(NoteOfFirst(note, "a carriage return"))

    def _check(self, text: bytes, found: Scan) -> None:
        self._check_text(text)
        if not self._header:
            self._take_header(self._read_header(text, found))
        self._check_widths(text, found)

    def _take_header(self, names: list[str]) -> None:
        self._header = names
        self.width = len(names) + self.dialect.unnamed_last + self.dialect.delimiter_ends_rows

    def _check_text(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError as error:
            problem = (
                f"byte 0x{text[error.start]:02x} is not valid UTF-8; save the file as UTF-8, or name its encoding in "
                "`dataset.encoding` of the spec"
            )
            self._fail(text, error.start, problem)
        if (nul := text.find(b"\0")) >= 0:
            problem = (
                "a NUL byte; the file is damaged, or not text in UTF-8: if it is UTF-16 without a byte order mark, say so with "
                "`dataset.encoding` utf-16-le or utf-16-be"
            )
            self._fail(text, nul, problem)

    def _read_header(self, text: bytes, found: Scan) -> list[str]:
        width = int(found.fields[0])
        names = [column[0] for column in _first_record(found).columns(0, width)]
        if self.dialect.unnamed_index:
            names[0] = index_name(names)
        names = [name.strip() for name in names[: width - self.dialect.unnamed_last]]
        self._check_quotes(text, found, names)
        indexes: dict[str, int] = {}
        for index, name in enumerate(names):
            start = int(found.starts[index])
            if not name.strip():
                self._fail(
                    text, start, f"column {index + 1} has no name; name every column (pandas: write with to_csv(index=False))"
                )
            if name in indexes:
                self._fail(text, start, f"columns {indexes[name] + 1} and {index + 1} have the same name, {name!r}; rename one")
            indexes[name] = index
        return names

    def _check_quotes(self, text: bytes, found: Scan, names: list[str]) -> None:
        """Refuse quotes that are none: their fields would keep them, and numbers among them would be texts."""
        for index, name in enumerate(names):
            if len(name) > 1 and name[0] == name[-1] == '"':
                problem = "a blank stands before the quotes, which makes them a part of the field; remove it from every row"
                self._fail(text, int(found.starts[index]), problem)
        if all(len(name) > 1 and name[0] == name[-1] == "'" for name in names):
            self._fail(text, int(found.starts[0]), "the fields are in single quotes; write double quotes, or none")

    def _check_widths(self, text: bytes, found: Scan) -> None:
        expected = np.full(len(found.fields), self.width)
        if self._records == 0:
            expected[0] = int(found.fields[0])
        ragged = np.flatnonzero(found.fields != expected)
        if len(ragged):
            record = int(ragged[0])
            count = int(found.fields[record])
            start = int(found.starts[found.first_fields[record]])
            like = "the rows above" if self.dialect.delimiter_ends_rows else "the header"
            fields = "1 field" if count == 1 else f"{count} fields"
            raise InvalidDataset(
                f"{self._where(text, start, self._records + record)}: found {fields}, expected {self.width} as in {like}. "
                f"Put quotes around fields that hold {named(self.dialect.delimiter)} or a line break."
            )

    def _refuse_endless(self, text: bytes, found: Scan) -> NoReturn:
        if found.open_quote is not None:
            problem = f"a quoted field opens here and is not closed within {MAX_ROW_BYTES >> 20} MiB; close it with a quote"
            self._fail(text, found.open_quote, problem)
        self._fail(text, 0, f"a row longer than {MAX_ROW_BYTES >> 20} MiB; break the text into lines, one row each")

    def _fail(self, text: bytes, offset: int, problem: str) -> NoReturn:
        before = self.scan(text[: offset + 1], final=False)
        if before.consumed > offset:  # the byte ends a row: it is an empty field at the end of it
            before = self.scan(text[:offset], final=False)
        if len(before.fields):
            self._check(text[: before.consumed], before)  # what is wrong in an earlier row is said first
        record, field = locate(text, offset, self.dialect.delimiter, cr_ends=self.dialect.cr_ends)
        where = self._where(text, offset, self._records + record)
        if self._header:
            name = repr(self._header[field]) if field < len(self._header) else f"number {field + 1}, which the header lacks"
            where += f", column {name}"
        raise InvalidDataset(f"{where}: {problem}.")

    def _where(self, text: bytes, offset: int, row: int) -> str:
        location = f"row {row}" if row > 0 else "header"
        line = self._line + line_ends(text[:offset], cr_ends=self.dialect.cr_ends)
        return f"{self._text.source}: {location} (line {line}, byte offset {self._offset + offset}{self._text.unit})"


def _first_record(found: Scan) -> Scan:
    width = int(found.fields[0])
    return Scan(found.data, found.quotes, found.starts[:width], found.ends[:width], found.fields[:1], found.consumed, None)
